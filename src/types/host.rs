//! What this host gives: an argument to everything pure that depends on it.

use serde::{Deserialize, Serialize};

use super::idmap::IdMaps;

/// Looked up once a command, so that what follows from it can be tried without a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostFacts {
    /// The caller.
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Supplementary groups of the caller.
    pub(crate) groups: Vec<u32>,
    /// P's map: inside P ← host.
    pub(crate) outer: IdMaps,
    /// Controllers that a container's cgroup may use (`cpu`, `memory`, …); empty without delegation.
    pub(crate) controllers: Vec<String>,
    /// A cgroup v2 subtree is ours.
    pub(crate) cgroup: bool,
    /// The kernel has time namespaces (Linux 5.6).
    pub(crate) time_namespace: bool,
    /// Capabilities that the running kernel knows: `/proc/sys/kernel/cap_last_cap`.
    pub(crate) last_cap: u8,
    /// The caller's hard limits for `nofile` and `nproc`.
    pub(crate) nofile_hard: u64,
    pub(crate) nproc_hard: u64,
}
