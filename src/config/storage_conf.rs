//! `containers-storage.conf(5)`: Podman's. Its settings are for stores of another format, so it is not read; whoever wrote
//! one is told so (`system doctor`).

use std::path::{Path, PathBuf};

use super::environment;
use crate::sys;

/// The file that Podman would read, without the distribution's own.
pub(crate) fn found() -> Option<PathBuf> {
    let name = "containers/storage.conf";
    let own = environment::config_home().map(|home| home.join(name));
    let given = environment::path("CONTAINERS_STORAGE_CONF");
    given.into_iter().chain(own).chain([Path::new("/etc").join(name)]).find(|path| sys::fs::exists(path))
}
