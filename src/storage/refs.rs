//! Names of images: one small file for each reference, which points to a manifest digest (rule R4).

use serde::{Deserialize, Serialize};

use super::error::{At as _, Error};
use super::record::{self, Record, Rest};
use super::store::{Exclusive, Store};
use crate::sys;
use crate::sys::small_files::SmallFiles;
use crate::types::digest::Digest;
use crate::types::reference::Reference;

/// Longest file name that is the escaped reference itself; a longer one ends in a hash.
const LONGEST: usize = 200;

/// A file in `refs/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefRecord {
    pub(crate) version: u32,
    pub(crate) name: Reference,
    /// Of the manifest.
    pub(crate) digest: Digest,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

record::record!(RefRecord);

impl RefRecord {
    pub(super) fn new(name: &Reference, digest: &Digest) -> Self {
        Self { version: Self::VERSION, name: name.clone(), digest: digest.clone(), rest: Rest::new() }
    }
}

/// File name of a reference: `/` becomes `+`, which no reference holds.
pub(super) fn file_name(reference: &Reference) -> String {
    let text = reference.to_string();
    let escaped = text.replace('/', "+");
    if escaped.len() <= LONGEST {
        return escaped;
    }
    format!("{}~{}", &escaped[..120], Digest::of(text.as_bytes()).hex())
}

/// A replacement that was killed, or a hidden file of somebody else's.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') || name.rsplit_once('.').is_some_and(|(_, end)| end == "tmp" || end.ends_with('~'))
}

impl Store {
    /// Points a name to an image, durably. Answers what it pointed to before. An image that was removed meanwhile gets no
    /// name.
    pub(crate) fn tag(&self, name: &Reference, digest: &Digest, _lock: &Exclusive) -> Result<Option<Digest>, Error> {
        let image = self.layout().image(digest);
        if sys::fs::lstat(&image).reading(&image)?.is_none() {
            return Err(Error::NoImage(digest.to_string()));
        }
        let before = self.resolve_reference(name).ok().flatten();
        let path = self.layout().reference(&file_name(name));
        record::write_durable(&path, &RefRecord::new(name, digest))?;
        Ok(before.filter(|before| before != digest))
    }

    /// Takes a name away; false if there is none such. The image stays. The caller has looked, under the lock, where the
    /// name leads.
    pub(crate) fn untag(&self, name: &Reference, _lock: &Exclusive) -> Result<bool, Error> {
        let path = self.layout().reference(&file_name(name));
        let removed = sys::fs::remove_file(&path).removing(&path)?;
        if removed {
            sys::fs::sync_dir(&self.layout().refs()).writing(&path)?;
        }
        Ok(removed)
    }

    /// The manifest digest that exactly this name points to.
    pub(crate) fn resolve_reference(&self, name: &Reference) -> Result<Option<Digest>, Error> {
        let path = self.layout().reference(&file_name(name));
        match record::read_if_exists::<RefRecord>(&path)? {
            Some(record) if record.name == *name => Ok(Some(record.digest)),
            Some(record) => Err(Error::WrongRecord { path, found: record.name.to_string() }),
            None => Ok(None),
        }
    }

    /// The error of a name that cannot be read, if there is one: it may be that of any image without a name.
    pub(crate) fn unread_name(&self) -> Result<Option<Error>, Error> {
        Ok(self.references()?.1.into_iter().next())
    }

    /// All names, sorted, and the errors of the damaged ones.
    pub(crate) fn references(&self) -> Result<(Vec<RefRecord>, Vec<Error>), Error> {
        let dir = self.layout().refs();
        let (mut whole, mut broken) = (Vec::new(), Vec::new());
        let Some(mut files) = SmallFiles::open(&dir).reading(&dir)? else { return Ok((whole, broken)) };
        for name in files.names().reading(&dir)? {
            // Temporary files of a replacement that was killed, and foreign ones.
            let Some(text) = name.to_str().filter(|text| !is_temporary(text)) else {
                continue;
            };
            let path = dir.join(text);
            let read = files.read(&name, record::LIMIT).reading(&path);
            match read.and_then(|found| found.map(|bytes| record::parse::<RefRecord>(&path, bytes)).transpose()) {
                Ok(Some(record)) if file_name(&record.name) == text => whole.push(record),
                Ok(Some(record)) => broken.push(Error::WrongRecord { path, found: record.name.to_string() }),
                Ok(None) => {}
                Err(error) => broken.push(error),
            }
        }
        Ok((whole, broken))
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_are_escaped_and_bounded() {
        let name = |text: &str| file_name(&text.parse().expect("valid"));
        assert_eq!(name("localhost:5000/a/b:1"), "localhost:5000+a+b:1");
        let long = format!("localhost/{}:{}", "x".repeat(200), "t".repeat(128));
        assert!(name(&long).len() < 255);
        assert_ne!(name(&long), name(&format!("{}u", &long[..long.len() - 1])));
    }
}
