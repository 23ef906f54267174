//! What the mounts whose changes are discarded are written to: new at every start.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::exit;
use super::request::{Scratch, StartRequest};
use crate::storage::Store;
use crate::sys;
use crate::sys::lock::FileLock;

/// Empties the scratch directories of a start, or makes them. Only who holds the liveness lock knows that nothing runs on
/// what is in them.
pub(super) fn renew(store: &Store, request: &StartRequest, _held: &FileLock) -> Result<(), Error> {
    let dirs = request.scratches.iter().filter_map(|scratch| scratch.upper.parent());
    let old: Vec<PathBuf> = dirs.filter(|dir| sys::fs::exists(dir)).map(Path::to_owned).collect();
    exit::delete(store, request, None, old)?;
    request.scratches.iter().try_for_each(|scratch| {
        let dir = scratch.upper.parent().unwrap_or(&scratch.upper);
        make(scratch, dir).map_err(|source| Error::Write { path: dir.to_owned(), source })
    })
}

fn make(scratch: &Scratch, dir: &Path) -> sys::Result<()> {
    for dir in [dir, &scratch.upper, &scratch.work] {
        sys::fs::mkdir(dir, 0o700)?;
    }
    let top = scratch.top.as_deref().map_or(Ok(None), sys::fs::stat)?;
    sys::fs::set_mode(&scratch.upper, top.map_or(0o755, |meta| meta.permissions().mode() & 0o7777))
}
