//! Deleting: first a rename to `trash/`, which needs no space and takes the object away at once; then the files.
//!
//! Files may belong to subordinate ids. [`empty`] is a plain function: the engine calls it as the caller first, and in
//! a worker in P for what that leaves.

use std::path::{Path, PathBuf};

use super::error::{At as _, Error};
use super::process_identity::ProcessIdentity;
use super::store::Store;
use crate::sys;
use crate::sys::Errno;
use crate::sys::dir::Dir;

/// How often a tree is tried again that another process deletes at the same time.
const TRIES: usize = 16;

impl Store {
    /// Moves a file or directory of the store to the trash; absent is fine. Answers where it is now. The name says who
    /// has moved it there, and is about to delete it.
    pub(crate) fn move_to_trash(&self, path: &Path) -> Result<PathBuf, Error> {
        let mover = sys::process::Pid::this();
        let target = self.layout().trash().join(format!("{mover}.{}", hex::encode(sys::fs::random::<12>())));
        match sys::fs::rename(path, &target) {
            Err(error) if error.is(Errno::ENOENT) && !sys::fs::exists(path) => {}
            // Somebody removed `trash/` itself.
            Err(error) if error.is(Errno::ENOENT) => {
                let trash = self.layout().trash();
                sys::fs::mkdir_all(&trash, super::store::DIR_MODE).writing(&trash)?;
                sys::fs::rename(path, &target).removing(path)?;
            }
            other => other.removing(path)?,
        }
        Ok(target)
    }

    /// True if something waits to be deleted.
    pub(crate) fn has_trash(&self) -> bool {
        sys::fs::names(&self.layout().trash()).is_ok_and(|names| !names.is_empty())
    }

    /// Deletes what lies in the trash, as far as the calling process may. Two may do it at once. Answers whether the
    /// trash is empty; if not, call it again in a worker in P.
    pub(crate) fn empty_trash(&self) -> Result<bool, Error> {
        empty(&self.layout().trash())
    }
}

/// True if the process that has moved this entry to the trash lives: it deletes it, and nobody has to be told. A pid that
/// is somebody else's now tells by its name.
pub(super) fn is_being_deleted(name: &std::ffi::OsStr) -> bool {
    let mover = name.to_str().and_then(|name| name.split_once('.')?.0.parse::<u32>().ok());
    let comm = |pid: &str| sys::fs::read_to_string(Path::new(&format!("/proc/{pid}/comm"))).unwrap_or_default();
    mover.is_some_and(|pid| {
        let name = comm(&pid.to_string());
        (name.starts_with("sampan") || name == comm("self")) && !matches!(ProcessIdentity::of(pid), Ok(None))
    })
}

/// Deletes everything in a directory of trash; see [`Store::empty_trash`].
pub(crate) fn empty(trash: &Path) -> Result<bool, Error> {
    let mut done = true;
    for name in sys::fs::names(trash).reading(trash)? {
        done &= delete(&trash.join(&name))?;
    }
    Ok(done)
}

/// Deletes one tree; false if files are left that the caller may not delete. Absent is fine.
pub(crate) fn delete(path: &Path) -> Result<bool, Error> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(true) };
    let dir = Dir::open(parent).reading(parent)?;
    for _ in 0..TRIES {
        match dir.remove_tree(name) {
            Ok(()) => return Ok(true),
            Err(error) if error.is(Errno::EPERM) || error.is(Errno::EACCES) => return Ok(false),
            // Another process fills or empties it under our hands.
            Err(error) if error.is(Errno::ENOTEMPTY) || error.is(Errno::ENOENT) => {}
            Err(source) => return Err(Error::Remove { path: path.to_owned(), source }),
        }
    }
    sys::fs::is_there(path).removing(path).map(|there| !there)
}
