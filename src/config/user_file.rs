//! Files that flags name: `--env-file`, `--label-file`.

use std::path::Path;

use crate::sys;

use super::error::{At as _, Error};

/// Largest file that is taken: the kernel passes at most some MiB of environment on anyway.
const LIMIT: u64 = 4 << 20;

/// Reads a file, or a pipe (`--env-file <(…)`), that a flag names.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    sys::fs::read_named(path, LIMIT).reading(path)
}
