//! Where the cgroup of a running container is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What other processes need to find the cgroup again: part of the container's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CgroupRecord {
    /// Directory, absolute.
    pub(crate) path: PathBuf,
    /// Scope of the user's systemd that holds it, if systemd made it.
    pub(crate) scope: Option<String>,
    /// Controllers that work in it.
    pub(crate) controllers: Vec<String>,
}
