//! Directories whose files all count, in the order of their names: `containers.conf.d`, `registries.conf.d`, `registries.d`.

use std::path::{Path, PathBuf};

use super::error::{At as _, Error};
use crate::sys;

/// The files with this extension; none if there is no such directory.
pub(super) fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let names = sys::fs::names(dir).reading(dir)?;
    let files = names.into_iter().map(|name| dir.join(name));
    Ok(files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}
