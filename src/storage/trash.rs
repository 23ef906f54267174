//! Deleting: first a rename to `trash/`, which needs no space and takes the object away at once; then the files.
//!
//! Files may belong to subordinate ids. [`empty`] is a plain function: the engine calls it as the caller first, and in
//! a worker in P for what that leaves.

use std::path::Path;

use super::error::{At as _, Error};
use super::store::Store;
use crate::sys;
use crate::sys::Errno;

impl Store {
    /// Moves a file or directory of the store to the trash; absent is fine.
    pub(crate) fn move_to_trash(&self, path: &Path) -> Result<(), Error> {
        let target = self.layout().trash().join(hex::encode(sys::fs::random::<12>()));
        match sys::fs::rename(path, &target) {
            Err(error) if error.is(Errno::ENOENT) && !sys::fs::exists(path) => Ok(()),
            // Somebody removed `trash/` itself.
            Err(error) if error.is(Errno::ENOENT) => {
                let trash = self.layout().trash();
                sys::fs::mkdir_all(&trash, super::store::DIR_MODE).writing(&trash)?;
                sys::fs::rename(path, &target).removing(path)
            }
            other => other.removing(path),
        }
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

/// Deletes everything in a directory of trash; see [`Store::empty_trash`].
pub(crate) fn empty(trash: &Path) -> Result<bool, Error> {
    let mut left = false;
    let names = sys::fs::names(trash).reading(trash)?;
    if names.is_empty() {
        return Ok(true);
    }
    let dir = sys::dir::Dir::open(trash).reading(trash)?;
    for name in names {
        let path = trash.join(&name);
        match dir.remove_tree(&name) {
            Ok(()) => {}
            Err(error) if error.is(Errno::EPERM) || error.is(Errno::EACCES) => left = true,
            // Another process filled or emptied it under our hands.
            Err(error) if error.is(Errno::ENOTEMPTY) || error.is(Errno::ENOENT) => left |= sys::fs::exists(&path),
            Err(source) => return Err(Error::Remove { path, source }),
        }
    }
    Ok(!left)
}
