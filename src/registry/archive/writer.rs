//! Files of an archive of images on their way out: into a tar, or into a directory. Names are ours alone (digests and
//! the fixed names of the formats), times and owners are zero: the same images give the same bytes.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::registry::error::Error;
use crate::sys::fs::File;
use crate::sys::outfile::OutFile;
use crate::sys::{self, Call as _};
use crate::types::digest::Digest;

/// Bytes that are copied at once.
const BUFFER: usize = 1 << 20;
const BLOCK: usize = 512;

/// Where the files go.
#[derive(Debug)]
enum Place {
    Tar(File),
    Dir(PathBuf),
}

/// An archive being written.
#[derive(Debug)]
pub(crate) struct Writer {
    place: Place,
    /// For messages.
    name: String,
    written: BTreeSet<String>,
    /// Files that were new in a directory: what an error takes away again.
    added: Vec<PathBuf>,
    /// Directories whose entries are not durable yet.
    unsynced: BTreeSet<PathBuf>,
    buffer: Vec<u8>,
}

impl Writer {
    /// Into a tar. `name` is for messages.
    pub(crate) fn tar(file: File, name: &str) -> Self {
        Self::new(Place::Tar(file), name.to_owned())
    }

    /// Into a directory that is there; files that it has already are taken for what their name says if they are digests.
    pub(crate) fn dir(path: &Path) -> Self {
        Self::new(Place::Dir(path.to_owned()), path.display().to_string())
    }

    fn new(place: Place, name: String) -> Self {
        Self {
            place,
            name,
            written: BTreeSet::new(),
            added: Vec::new(),
            unsynced: BTreeSet::new(),
            buffer: vec![0; BUFFER],
        }
    }

    /// True if a file of this name was written before: equal layers are one file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.written.contains(name)
    }

    /// Writes a small file.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.stream(name, bytes.len() as u64, &Digest::of(bytes), &mut &*bytes)
    }

    /// Writes a small file of a directory in the place of the one there, at once; into a tar like any other.
    pub(crate) fn replace(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        // What names others comes after them.
        self.sync_names()?;
        match &self.place {
            Place::Tar(_) => self.put(name, bytes),
            Place::Dir(dir) => {
                let path = dir.join(name);
                let staged = OutFile::create(&path).map_err(|source| self.failed(source))?;
                let written = staged.file().write_all(bytes).call("write", || format!("{path:?}"));
                written.and_then(|()| staged.publish()).map_err(|source| self.failed(source))
            }
        }
    }

    /// Copies a blob and checks it: what is damaged in the store does not get out of it.
    pub(crate) fn stream(
        &mut self,
        name: &str,
        size: u64,
        expected: &Digest,
        from: &mut dyn Read,
    ) -> Result<(), Error> {
        if !self.written.insert(name.to_owned()) {
            return Ok(());
        }
        self.parents(name)?;
        match &self.place {
            Place::Tar(file) => {
                let cloned = file.try_clone().call("fcntl", || "F_DUPFD_CLOEXEC".to_owned());
                let mut target = cloned.map_err(|source| self.failed(source))?;
                self.write_to(&mut target, &header(name, size, tar::EntryType::Regular))?;
                self.copy(name, size, expected, from, &mut target)?;
                let rest = usize::try_from(size.next_multiple_of(BLOCK as u64) - size).unwrap_or_default();
                self.write_to(&mut target, &[0; BLOCK][..rest])
            }
            Place::Dir(dir) => {
                let path = dir.join(name);
                if let Some(parent) = path.parent() {
                    sys::fs::mkdir_all(parent, 0o755).map_err(|source| self.failed(source))?;
                    self.unsynced.insert(parent.to_owned());
                }
                let there = sys::fs::exists(&path);
                let staged = OutFile::create_in_ours(&path).map_err(|source| self.failed(source))?;
                self.copy(name, size, expected, from, &mut staged.file())?;
                staged.publish_volatile().map_err(|source| self.failed(source))?;
                // One that was there was not ours to take away.
                if !there {
                    self.added.push(path);
                }
                Ok(())
            }
        }
    }

    fn sync_names(&mut self) -> Result<(), Error> {
        for dir in std::mem::take(&mut self.unsynced) {
            sys::fs::sync_dir(&dir).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// The directories above a file of a tar: some readers give those that are not named to root.
    fn parents(&mut self, name: &str) -> Result<(), Error> {
        let Place::Tar(file) = &self.place else { return Ok(()) };
        let cloned = file.try_clone().call("fcntl", || "F_DUPFD_CLOEXEC".to_owned());
        let mut file = cloned.map_err(|source| self.failed(source))?;
        for (at, _) in name.match_indices('/') {
            let dir = &name[..=at];
            if self.written.insert(dir.to_owned()) {
                self.write_to(&mut file, &header(dir, 0, tar::EntryType::Directory))?;
            }
        }
        Ok(())
    }

    fn copy(
        &mut self,
        name: &str,
        size: u64,
        expected: &Digest,
        from: &mut dyn Read,
        to: &mut impl Write,
    ) -> Result<(), Error> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let (mut hash, mut copied) = (Sha256::new(), 0_u64);
        let done = loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => break Err(Error::ReadBlob { digest: expected.clone(), source }),
            };
            copied += count as u64;
            if copied > size {
                break Err(Error::Damaged(expected.clone()));
            }
            hash.update(&buffer[..count]);
            if let Err(error) = self.write_to(to, &buffer[..count]) {
                break Err(error);
            }
        };
        self.buffer = buffer;
        done?;
        if copied != size || Digest::from_bytes(hash.finalize().into()) != *expected {
            tracing::debug!(name, copied, size, "a blob is not what its digest says");
            return Err(Error::Damaged(expected.clone()));
        }
        Ok(())
    }

    /// The end: of a tar, its end mark.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.sync_names()?;
        self.added.clear();
        match &self.place {
            Place::Tar(file) => {
                let mut file = file.try_clone().call("fcntl", String::new).map_err(|error| self.failed(error))?;
                self.write_to(&mut file, &[0; 2 * BLOCK])
            }
            Place::Dir(_) => Ok(()),
        }
    }

    fn write_to(&self, file: &mut impl Write, bytes: &[u8]) -> Result<(), Error> {
        file.write_all(bytes).call("write", || bytes.len().to_string()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: sys::Error) -> Error {
        Error::WriteArchive { name: self.name.clone(), source }
    }
}

impl Drop for Writer {
    /// After an error, takes away what was added to a directory.
    fn drop(&mut self) {
        for path in &self.added {
            // The error that brought us here is the one to tell.
            drop(sys::fs::remove_file(path));
        }
    }
}

fn header(name: &str, size: u64, kind: tar::EntryType) -> [u8; BLOCK] {
    let mut header = tar::Header::new_gnu();
    // Our names are short.
    let bytes = name.as_bytes();
    let short = &bytes[..bytes.len().min(99)];
    header.as_old_mut().name[..short.len()].copy_from_slice(short);
    header.set_entry_type(kind);
    header.set_mode(if kind == tar::EntryType::Directory { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    *header.as_bytes()
}
