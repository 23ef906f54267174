//! What `--security-opt`, `--cap-*`, `--privileged`, `--device`, `--sysctl` come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Parameters of the kernel (`--sysctl`) that belong to the ipc namespace.
pub(crate) const IPC_SYSCTLS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// What a container may do, as the user has asked for it: what of it this host allows, `specgen` decides at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Security {
    /// Every capability and device of the user namespace, no masks, no seccomp; nothing that the caller does not have.
    pub(crate) privileged: bool,
    /// Names as the user wrote them (`NET_ADMIN`, `cap_net_admin`, `ALL`), checked.
    pub(crate) cap_add: Vec<String>,
    pub(crate) cap_drop: Vec<String>,
    /// What the host sets in the place of our default set (containers.conf(5)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cap_default: Option<Vec<String>>,
    pub(crate) no_new_privileges: bool,
    pub(crate) seccomp: SeccompMode,
    /// What the file of `seccomp` held when the container was made: that may be gone by its next start, or another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seccomp_profile: Option<String>,
    /// `mask=`: more paths to mask.
    pub(crate) mask: Vec<PathBuf>,
    /// `unmask=`: default masks not to apply.
    pub(crate) unmask: Unmask,
    /// `label=…`, `apparmor=…` and `proc-opts=…` as written.
    pub(crate) label: Vec<String>,
    pub(crate) apparmor: Option<String>,
    pub(crate) proc_opts: Vec<String>,
    pub(crate) sysctl: BTreeMap<String, String>,
    pub(crate) devices: Vec<DeviceSpec>,
    pub(crate) read_only: bool,
    /// With `read_only`: tmpfs on /tmp, /run, /var/tmp (default true).
    pub(crate) read_only_tmpfs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SeccompMode {
    #[default]
    Default,
    Unconfined,
    File(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unmask {
    #[default]
    None,
    All,
    /// Paths or globs.
    Paths(Vec<String>),
}

/// `--device HOST[:CTR][:rwm]`: bind mounted, as nodes cannot be made without root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceSpec {
    pub(crate) host: PathBuf,
    pub(crate) container: PathBuf,
    pub(crate) access: String,
}
