//! Places for images that are no registry: `docker-archive:PATH[:NAME]`, `oci-archive:PATH[:NAME]`, `oci:DIR[:NAME]`
//! and `dir:DIR`, as containers-transports(5) has them.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::engine::Error;
use crate::registry::archive::Form;
use crate::types::reference::Reference;

/// A place by transport and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) form: Form,
    pub(crate) path: PathBuf,
    /// What stands behind the second colon.
    pub(crate) name: Option<String>,
}

/// Where a tar or a directory is written to.
#[derive(Debug)]
pub(crate) enum Output {
    Path(PathBuf),
    /// Standard output; tars only.
    Stream(OwnedFd),
}

/// The transports and their forms.
const TRANSPORTS: [(&str, Form); 4] = [
    ("docker-archive:", Form::DockerArchive),
    ("oci-archive:", Form::OciArchive),
    ("oci:", Form::OciDir),
    ("dir:", Form::Dir),
];

impl Place {
    /// `None` if the text names no such transport: it is a registry's then.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, Error>> {
        let (transport, form, rest) =
            TRANSPORTS.iter().find_map(|(transport, form)| Some((*transport, *form, text.strip_prefix(transport)?)))?;
        let invalid = |why: &str| Error::Place { text: text.to_owned(), why: why.to_owned() };
        let (path, name) = match rest.split_once(':') {
            // A path of `dir:` may hold colons.
            Some((path, name)) if form != Form::Dir => (path, Some(name.to_owned())),
            _ => (rest, None),
        };
        if path.is_empty() {
            return Some(Err(invalid(&format!("{transport} wants a path"))));
        }
        if name.as_deref().is_some_and(str::is_empty) {
            return Some(Err(invalid("the name behind the path is empty")));
        }
        if let (Form::DockerArchive, Some(name)) = (form, &name)
            && index_of(name).is_none()
            && let Err(source) = name.parse::<Reference>()
        {
            return Some(Err(Error::Reference(source)));
        }
        Some(Ok(Self { form, path: PathBuf::from(path), name }))
    }
}

/// `@1` is the second image of an archive.
pub(super) fn index_of(name: &str) -> Option<usize> {
    name.strip_prefix('@')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Form, Place};

    #[test]
    fn places_of_images() {
        for (text, form, path, name) in [
            ("docker-archive:a.tar", Form::DockerArchive, "a.tar", None),
            ("docker-archive:/x/a.tar:me/app:1", Form::DockerArchive, "/x/a.tar", Some("me/app:1")),
            ("docker-archive:a.tar:@1", Form::DockerArchive, "a.tar", Some("@1")),
            ("oci-archive:a.tar:1", Form::OciArchive, "a.tar", Some("1")),
            ("oci:dir:v1.2", Form::OciDir, "dir", Some("v1.2")),
            ("dir:/a:b", Form::Dir, "/a:b", None),
        ] {
            let place = Place::parse(text).expect(text).expect(text);
            assert_eq!((place.form, place.path.to_str(), place.name.as_deref()), (form, Some(path), name), "{text}");
        }
        for text in ["docker://x", "localhost/x:1", "ocix", "containers-storage:x"] {
            assert!(Place::parse(text).is_none(), "{text}");
        }
        for text in ["oci:", "dir:", "oci:d:", "docker-archive:a:A/B"] {
            assert!(Place::parse(text).is_some_and(|place| place.is_err()), "{text}");
        }
    }
}
