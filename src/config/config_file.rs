//! Reading of the files where configuration stands, whatever their form.

use std::path::Path;

use crate::sys;

use super::error::{At as _, Error};

/// Largest file that is read.
pub(super) const LIMIT: u64 = 1 << 20;

/// Reads a file, or a pipe; a FIFO that nobody writes to is empty (case F05).
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    sys::fs::read_named(path, LIMIT).reading(path)
}

/// The same, with `None` where there is no such file.
pub(super) fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    sys::fs::absent_is_none(sys::fs::read_named(path, LIMIT)).reading(path)
}
