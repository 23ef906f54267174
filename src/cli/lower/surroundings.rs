//! What the flags of a container depend on besides themselves.

use std::path::{Component, Path, PathBuf};

use crate::config::containers_conf::ContainersConf;
use crate::types::id::ContainerId;
use crate::types::idmap::IdMaps;
use crate::types::name::VolumeName;

use super::super::context::Invocation;
use super::super::error::Error;
use super::invalid::FlagError;

/// Answers that lowering may ask for; each is asked only by the flags that need it.
pub(crate) struct Surroundings<'a> {
    pub(crate) at: &'a Invocation,
    /// Defaults of this host and user: `[containers]` of containers.conf(5).
    pub(crate) defaults: &'a ContainersConf,
    /// Bytes of a file that a flag names.
    pub(crate) read: &'a dyn Fn(&Path) -> Result<Vec<u8>, Error>,
    /// The container that a name or the beginning of an id means.
    pub(crate) container: &'a dyn Fn(&str) -> Result<ContainerId, Error>,
    /// P's maps, for `@ID`.
    pub(crate) outer: &'a dyn Fn() -> Result<IdMaps, Error>,
    /// A name for an anonymous volume.
    pub(crate) fresh_volume: &'a dyn Fn() -> VolumeName,
}

impl Surroundings<'_> {
    /// `path` on the host: absolute and without dots.
    pub(super) fn host_path(&self, path: &Path) -> Result<PathBuf, FlagError> {
        let path = self.at.absolute(path).ok_or_else(|| FlagError::NoDirectory(path.to_string_lossy().into_owned()))?;
        let path = without_dots(&path);
        // The words of the command line are UTF-8, the working directory need not be.
        if path.to_str().is_none() { Err(FlagError::PathNotUtf8(path)) } else { Ok(path) }
    }
}

/// Resolves `.` and `..` by text, as Go's `filepath.Clean`. Links are not followed: use it for paths as users
/// write them, never for one that must be safe.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::Prefix(_) | Component::Normal(_) => clean.push(part),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from("/") } else { clean }
}
