//! Names that mean something to a layer (OCI image spec, "Whiteouts"), and what AUFS left in old ones.

use super::error::{Error, shown};

/// What a normalised path of a layer asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// Make this entry.
    Entry,
    /// Hide what lower layers have under this name of this directory.
    Whiteout { parent: &'a [u8], name: &'a [u8] },
    /// Hide everything that lower layers have in this directory.
    Opaque { dir: &'a [u8] },
    /// Bookkeeping of AUFS (case A11).
    Ignored,
}

/// Reads the meaning of a path; a name that cannot be is refused (case A08).
pub(super) fn meaning(path: &[u8]) -> Result<Meaning<'_>, Error> {
    let (parent, name) = split(path);
    let bookkeeping = |part: &[u8]| part.starts_with(b".wh..wh.") && part != b".wh..wh..opq";
    if path.split(|byte| *byte == b'/').any(bookkeeping) {
        return Ok(Meaning::Ignored);
    }
    let refused = |why| Err(Error::Entry { path: shown(path), why });
    if parent.split(|byte| *byte == b'/').any(|part| part.starts_with(b".wh.")) {
        return refused("a whiteout is no directory");
    }
    match name.strip_prefix(b".wh.") {
        None => Ok(Meaning::Entry),
        Some(b".wh..opq") => Ok(Meaning::Opaque { dir: parent }),
        Some(b"" | b"." | b"..") => refused("a whiteout of nothing, or of a directory's own dots"),
        Some(hidden) => Ok(Meaning::Whiteout { parent, name: hidden }),
    }
}

/// Parent and last name of a normalised path.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn a08_names_of_whiteouts() {
        assert_eq!(meaning(b"a/.wh.b").expect("good"), Meaning::Whiteout { parent: b"a", name: b"b" });
        assert_eq!(meaning(b".wh.b").expect("good"), Meaning::Whiteout { parent: b"", name: b"b" });
        assert_eq!(meaning(b"a/.wh..wh..opq").expect("good"), Meaning::Opaque { dir: b"a" });
        assert_eq!(meaning(b"a/b").expect("good"), Meaning::Entry);
        for bad in [&b".wh."[..], b".wh..", b".wh...", b"a/.wh.", b".wh.a/b", b"x/.wh..wh..opq/y"] {
            assert!(meaning(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn a11_aufs_leftovers_are_ignored() {
        for name in [&b".wh..wh.aufs"[..], b".wh..wh.plnk", b".wh..wh.plnk/1.2", b"a/.wh..wh.orph/x"] {
            assert_eq!(meaning(name).expect("good"), Meaning::Ignored);
        }
    }
}
