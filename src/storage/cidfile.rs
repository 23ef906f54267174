//! The file of `--cidfile`.

use std::path::Path;

use super::container_record::ContainerConfig;
use crate::sys;

/// Removes it with its container, if it still names it.
pub(crate) fn remove(config: &ContainerConfig) {
    let Some(path) = &config.spec.cidfile else { return };
    let names_it = |path: &Path| {
        // Not for long: the store may be locked.
        sys::fs::read_named(path, 1024).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).trim() == config.id.as_str())
    };
    if names_it(path)
        && let Err(error) = sys::fs::remove_file(path)
    {
        tracing::warn!(%error, "cidfile stays");
    }
}
