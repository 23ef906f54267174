//! Why a wish cannot become a runtime spec.

use std::path::PathBuf;

use crate::types::capability::UnknownCapability;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither the command line nor the image says what to run.
    #[error("no command: none was given, and the image has neither ENTRYPOINT nor CMD")]
    NoCommand,
    /// What it names runs without arguments, and it names nothing.
    #[error("no command: none was given, and --entrypoint drops the image's CMD")]
    DroppedCommand,
    #[error("working directory {0:?} is not an absolute path")]
    Workdir(PathBuf),
    #[error("environment variable {0:?} contains a NUL byte")]
    Environment(String),
    #[error("capability list")]
    Capability(#[source] UnknownCapability),
    #[error("capability {0} is not known to this kernel")]
    CapabilityTooNew(String),
    #[error("capability {0} is both added and dropped")]
    CapabilityTwice(String),
    #[error("rlimit {0:?}: no such limit")]
    UnknownUlimit(String),
    #[error("rlimit {name}: the soft limit {soft} is above the hard limit {hard}")]
    UlimitOrder { name: String, soft: u64, hard: u64 },
    #[error("rlimit {name}: {wish} is above this user's hard limit {hard}")]
    UlimitTooHigh { name: String, wish: u64, hard: u64 },
    #[error("mount target {0:?} is not an absolute path")]
    RelativeTarget(PathBuf),
    /// Cases C26 and CVE-2019-16884.
    #[error("mount target {0:?}: nothing may be mounted there")]
    ForbiddenTarget(PathBuf),
    /// Case C26.
    #[error("image volume {0:?}: not an absolute path below the root, or on /proc, /sys or /dev")]
    ImageVolume(String),
    #[error("sysctl {0:?} is not one that a container may set")]
    Sysctl(String),
    #[error("sysctl {name:?} needs a {namespace} namespace of the container's own")]
    SysctlNamespace { name: String, namespace: &'static str },
    #[error("proc option {0:?}: only hidepid= and subset= can be set")]
    ProcOption(String),
    #[error("{0} namespace of another container: it does not run")]
    NotJoined(&'static str),
    /// Case C22.
    #[error("seccomp profile")]
    SeccompProfile(#[source] serde_json::Error),
    #[error("seccomp profile: {0}")]
    SeccompUnsupported(String),
    #[error("seccomp profile of this container was not read")]
    SeccompMissing,
}
