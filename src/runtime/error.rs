//! What can go wrong between a bundle and a running program.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::rootless;
use crate::sys::process::Pid;
use crate::sys::{self, Errno};
use crate::types::failure::{Failure, FailureKind};
use crate::types::idmap::InvalidIdMap;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("enter the outer user namespace")]
    Outer(#[source] rootless::Error),
    #[error("clone the init process")]
    Clone(#[source] sys::Error),
    #[error("write the id map of the container")]
    WriteMap(#[source] sys::Error),
    #[error("id map of the container")]
    IdMap(#[source] InvalidIdMap),
    #[error("talk to the init process")]
    Wire(#[source] sys::Error),
    #[error("{0} out of order on the control wire")]
    OutOfOrder(&'static str),
    #[error("process {0} of the control wire is none of ours")]
    NoChild(Pid),
    #[error("understand a message on the control wire")]
    Message(#[source] serde_json::Error),
    #[error("the {0} process ended without a word")]
    Died(&'static str),
    #[error("the container stopped the process before it executed the program")]
    Stopped,
    #[error("{0}")]
    Child(Failure),
    #[error("mount rootfs")]
    MountRootfs(#[source] sys::Error),
    #[error("fuse-overlayfs cannot use {path:?}: it takes ':' for a separator")]
    FusePath { path: PathBuf },
    #[error("mount rootfs with {program:?}")]
    FuseRootfs {
        program: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("{program:?} did not mount the rootfs: {output}")]
    FuseDied { program: PathBuf, output: String },
    #[error("open mount source {path:?}")]
    Source {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("prepare mount target {target:?} in the container")]
    Target {
        target: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("mount target {target:?} must be an ordinary directory of the image, not a link")]
    LinkTarget { target: PathBuf },
    #[error("mount on {target:?}: {link:?} on the way is a link in another mount, and leads out of its directory")]
    ForeignLink { target: PathBuf, link: PathBuf },
    #[error("mount target {target:?} leads into /proc, where nothing may be mounted")]
    ProcTarget { target: PathBuf },
    #[error("mount on {target:?}: the source is a directory, and the target is none in the container")]
    DirectoryOnFile { target: PathBuf },
    #[error("mount on {target:?}: the source is no directory, and the target is one in the container")]
    FileOnDirectory { target: PathBuf },
    #[error("mount on {target:?}")]
    Mount {
        target: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("mount on {target:?}: option {option:?} is not supported")]
    MountOption { target: PathBuf, option: String },
    #[error("mount on {target:?}: type {kind:?} is not supported")]
    MountType { target: PathBuf, kind: String },
    #[error("join the {kind} namespace {path:?}")]
    Join {
        kind: &'static str,
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("{0} is not supported by this runtime")]
    Unsupported(&'static str),
    #[error("device {path:?}")]
    Device {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("mask {path:?}")]
    Mask {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("make {path:?} read-only")]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("enter the rootfs")]
    Pivot(#[source] sys::Error),
    #[error("leave the root of the host")]
    BareRoot(#[source] sys::Error),
    #[error("set sysctl {key}={value}")]
    Sysctl {
        key: String,
        value: String,
        #[source]
        source: sys::Error,
    },
    #[error("set the host name {0:?}")]
    Hostname(String, #[source] sys::Error),
    #[error("bring up the loopback interface")]
    Loopback(#[source] sys::Error),
    #[error("open a terminal for the container")]
    Console(#[source] sys::Error),
    #[error("{operation}")]
    Identity {
        operation: &'static str,
        #[source]
        source: sys::Error,
    },
    #[error("set limit {name}")]
    Limit {
        name: String,
        #[source]
        source: sys::Error,
    },
    #[error("limit {0} is not known")]
    UnknownLimit(String),
    #[error("user {user:?}: {why}")]
    User { user: String, why: String },
    #[error("working directory {path:?}")]
    WorkDir {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("seccomp profile: {0}")]
    SeccompProfile(String),
    #[error("seccomp filter")]
    Seccomp(#[source] sys::Error),
    #[error("re-execute {path:?} from a read-only mount")]
    ReExec {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("there is no command to run: the image names none and none was given")]
    NoCommand,
    #[error("executable file {0:?} not found in $PATH")]
    NotInPath(OsString),
    #[error("execute {path:?}")]
    Exec {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("the container has no process {0} any more")]
    Gone(i32),
}

/// Kind of an execve(2) that failed.
pub(crate) fn exec_kind(errno: Errno) -> FailureKind {
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => FailureKind::CommandNotFound,
        _ => FailureKind::CommandNotInvokable,
    }
}

impl Error {
    /// What the edge decides by.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Outer(error) => error.kind(),
            Self::WriteMap(_) | Self::IdMap(_) => FailureKind::IdMap,
            Self::Clone(error) if error.is(Errno::EAGAIN) => FailureKind::Processes,
            Self::Clone(error) if error.is(Errno::EPERM) || error.is(Errno::ENOSPC) => FailureKind::UserNamespace,
            Self::Child(failure) => failure.kind,
            Self::Died(_) | Self::Gone(_) => FailureKind::Died,
            Self::Stopped => FailureKind::Stopped,
            Self::MountRootfs(error) if error.is(Errno::ENOSPC) => FailureKind::NoSpace,
            Self::MountRootfs(_) | Self::FuseRootfs { .. } | Self::FuseDied { .. } => FailureKind::Overlay,
            Self::Mount { source, target, .. } if source.is(Errno::EPERM) && target.as_os_str() == "/proc" => {
                FailureKind::Proc
            }
            Self::Source { .. }
            | Self::Target { .. }
            | Self::LinkTarget { .. }
            | Self::ForeignLink { .. }
            | Self::DirectoryOnFile { .. }
            | Self::FileOnDirectory { .. }
            | Self::Mount { .. }
            | Self::MountOption { .. } => FailureKind::Mount,
            Self::SeccompProfile(_) | Self::Seccomp(_) => FailureKind::Seccomp,
            Self::NoCommand | Self::NotInPath(_) => FailureKind::CommandNotFound,
            Self::WorkDir { .. } => FailureKind::WorkDir,
            Self::Exec { source, .. } => exec_kind(source.errno),
            _ => FailureKind::Other,
        }
    }

    /// For the way across a process border.
    pub(crate) fn to_failure(&self) -> Failure {
        match self {
            // It has been across one already.
            Self::Child(failure) => failure.clone(),
            error => Failure::from_error(error.kind(), error),
        }
    }
}
