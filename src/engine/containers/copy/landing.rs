//! Where a copy lands: decided as cp(1) and Podman do, from what is there on both sides.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::copying;
use super::side::Side;
use crate::engine::Error;
use crate::engine::error::failure;
use crate::sys;
use crate::sys::dir::FileKind;
use crate::sys::fs::absent_is_none;
use crate::sys::root::RootDir;

/// Links that are followed at the end of a path, as many as the kernel follows.
const MOST_LINKS: usize = 40;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Found {
    Nothing,
    Directory,
    File,
    /// A device, FIFO or socket of the host: nothing that a copy may take the place of. In a container it may.
    Special,
}

/// Why a copy has no place to land, or nothing to begin with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misplaced {
    #[error("{0:?} does not exist")]
    NoSource(PathBuf),
    #[error("{0:?} is no directory")]
    NotADirectory(PathBuf),
    #[error("{0:?} is no directory to unpack into")]
    NowhereToUnpack(PathBuf),
    #[error("{0:?} is no name to copy to")]
    NoName(PathBuf),
    #[error("{target:?} is a file, and {from:?} a directory")]
    FileInTheWay { target: PathBuf, from: PathBuf },
    #[error("directory {0:?} does not exist")]
    NoTarget(PathBuf),
    #[error("invalid destination: {0:?} must be a directory or a regular file")]
    SpecialTarget(PathBuf),
}

/// Where the copy goes: into this directory, under this name; without one, the content only.
pub(super) struct Landing {
    pub(super) dir: PathBuf,
    pub(super) name: Option<OsString>,
}

impl Landing {
    /// Decides name and place from what is there.
    pub(super) fn of(source: &Side, target: &Side) -> Result<Self, Error> {
        let to = target.path().to_owned();
        if matches!(source, Side::Stream(_)) {
            // A tar is unpacked into a directory, under its own names.
            return match look(target, &to)? {
                Found::Directory => Ok(Self { dir: to, name: None }),
                _ => Err(Error::Copy(Misplaced::NowhereToUnpack(to))),
            };
        }
        let from = source.path();
        let found = look(source, from)?;
        if found == Found::Nothing {
            return Err(Error::Copy(Misplaced::NoSource(from.to_owned())));
        }
        let directory = found == Found::Directory;
        let own_name = own_name(source, from)?;
        if matches!(target, Side::Stream(_)) {
            // Of `DIR/.` the content, which begins with the directory itself as `.`.
            let name = own_name.filter(|_| !(directory && ends_with(from, "/.")));
            return Ok(Self { dir: to, name: name.or_else(|| Some(OsString::from("."))) });
        }
        if !directory && ends_with(from, "/") {
            return Err(Error::Copy(Misplaced::NotADirectory(from.to_owned())));
        }
        match look(target, &to)? {
            Found::Directory if directory && ends_with(from, "/.") => Ok(Self { dir: to, name: None }),
            Found::Directory => Ok(Self { dir: to, name: own_name }),
            Found::Special => Err(Error::Copy(Misplaced::SpecialTarget(to))),
            Found::File if directory => Err(Error::Copy(Misplaced::FileInTheWay { target: to, from: from.to_owned() })),
            Found::Nothing if !directory && (ends_with(&to, "/") || ends_with(&to, "/.")) => {
                Err(Error::Copy(Misplaced::NoTarget(to)))
            }
            Found::File | Found::Nothing => {
                let to = behind_links(target, to)?;
                let landing = Self::parted(&to)?;
                match look(target, &landing.dir)? {
                    Found::Directory => Ok(landing),
                    _ => Err(Error::Copy(Misplaced::NoTarget(landing.dir))),
                }
            }
        }
    }

    /// The last name of a path, in the directory before it.
    fn parted(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().ok_or_else(|| Error::Copy(Misplaced::NoName(path.to_owned())))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { dir: parent.to_owned(), name: Some(name.to_owned()) })
    }
}

/// The name that a copy has by itself; none for a root.
fn own_name(source: &Side, path: &Path) -> Result<Option<OsString>, Error> {
    match (source, path.components().next_back()) {
        (_, Some(Component::Normal(name))) => Ok(Some(name.to_owned())),
        (Side::Host(_), _) => {
            let canonical = sys::fs::canonical(path).map_err(copying)?;
            Ok(canonical.file_name().map(OsStr::to_owned))
        }
        _ => Ok(None),
    }
}

/// Where a file written to `path` ends up: what a link there leads to is written, not the link.
fn behind_links(side: &Side, path: PathBuf) -> Result<PathBuf, Error> {
    match side {
        Side::Container(side) => {
            side.run(|root| link_end(root, path).map_err(|error| failure(&error))).map_err(Error::Failure)
        }
        Side::Host(_) if sys::fs::stat(&path).map_err(copying)?.is_some() => sys::fs::canonical(&path).map_err(copying),
        Side::Host(_) | Side::Stream(_) => Ok(path),
    }
}

/// The path behind the links at the end of `path`, whether anything is there or not. Each step is the kernel's, within the
/// tree, and so is whatever opens the path that comes out.
fn link_end(root: &RootDir, mut path: PathBuf) -> sys::Result<PathBuf> {
    for _ in 0..MOST_LINKS {
        // Without a last name there is no link.
        let Some(name) = path.file_name().map(OsStr::to_owned) else { return Ok(path) };
        let parent = path.parent().unwrap_or(Path::new("")).to_owned();
        match absent_is_none(root.open_dir(&parent))? {
            Some(dir) if dir.stat(&name)?.is_some_and(|stat| stat.kind == FileKind::Symlink) => {
                path = parent.join(dir.read_link(&name)?);
            }
            _ => return Ok(path),
        }
    }
    Err(sys::Error::new("openat2", format!("{path:?}"), sys::Errno::ELOOP))
}

fn ends_with(path: &Path, suffix: &str) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().ends_with(suffix.as_bytes())
}

fn look(side: &Side, path: &Path) -> Result<Found, Error> {
    let found = |kind: Option<FileKind>| match kind {
        None => Found::Nothing,
        Some(FileKind::Directory) => Found::Directory,
        Some(_) => Found::File,
    };
    match side {
        Side::Stream(_) => Ok(Found::File),
        Side::Host(_) => {
            let stat = sys::fs::stat(path).map_err(copying)?;
            Ok(match stat {
                None => Found::Nothing,
                Some(stat) if stat.is_dir() => Found::Directory,
                Some(stat) if stat.is_file() => Found::File,
                Some(_) => Found::Special,
            })
        }
        Side::Container(side) => {
            let look = |root: &RootDir| {
                let stat = root.stat(path).map_err(|error| failure(&error))?;
                Ok(found(stat.map(|stat| stat.kind)))
            };
            side.run(look).map_err(Error::Failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::link_end;
    use crate::sys::Errno;
    use crate::sys::root::RootDir;
    use std::path::Path;

    #[test]
    fn links_at_the_end_are_followed_within_the_tree() {
        let temporary = tempfile::tempdir().expect("temporary directory");
        let outer = RootDir::open(temporary.path()).expect("open");
        outer.mkdir_all(Path::new("root/etc/deep"), 0o755).expect("mkdir");
        let top = temporary.path().join("root");
        let root = RootDir::open(&top).expect("open");
        for (to, link) in [
            ("/vol/conf", "etc/absolute"),
            ("../conf", "etc/deep/relative"),
            ("absolute", "etc/twice"),
            ("../../../../outside", "etc/up"),
            ("/etc/deep", "deep"),
            ("a", "b"),
            ("b", "a"),
        ] {
            root.symlink(to.as_ref(), Path::new(link)).expect("symlink");
        }
        let end = |path: &str| link_end(&root, path.into());
        assert_eq!(end("/etc/absolute").expect("a link"), Path::new("/vol/conf"));
        assert_eq!(end("/etc/twice").expect("a link"), Path::new("/vol/conf"));
        assert_eq!(end("/deep/relative").expect("a link"), Path::new("/deep/../conf"));
        assert_eq!(end("/etc/none").expect("none"), Path::new("/etc/none"));
        assert_eq!(end("/no/where").expect("none"), Path::new("/no/where"));
        assert!(end("/a").expect_err("a ring").is(Errno::ELOOP));
        // What comes out is resolved in the tree, too: this `..` ends at its top.
        let up = end("/etc/up").expect("a link");
        let (dir, name) = root.parent(&up).expect("parent").expect("a name");
        dir.create_new(&name, 0o600).expect("create");
        assert!(top.join("outside").exists() && !temporary.path().join("outside").exists());
    }
}
