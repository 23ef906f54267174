//! What can go wrong with cgroups.

use std::path::PathBuf;

use crate::sys;

use super::select::Why;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A limit was asked for that this host does not let us set.
    #[error("limit needs the cgroup controller {controller:?}, which is not delegated to this user ({why})")]
    Undelegated { controller: String, why: Why },
    #[error("cgroup parent {path:?} is not a relative path below our own cgroup")]
    Parent { path: PathBuf },
    #[error("cgroup file name {name:?} is not one of a controller")]
    FileName { name: String },
    #[error("create cgroup {path:?}")]
    Create {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("set cgroup limit {file:?} to {value:?}")]
    Limit {
        file: String,
        value: String,
        #[source]
        source: sys::Error,
    },
    #[error("move process {pid} into cgroup {path:?}")]
    Move {
        pid: i32,
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("freeze cgroup {path:?}")]
    Freeze {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("thaw cgroup {path:?}")]
    Thaw {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("cgroup {path:?} did not change its state within {seconds} s")]
    Slow { path: PathBuf, seconds: u64 },
    #[error("kill all processes of cgroup {path:?}")]
    Kill {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("remove cgroup {path:?}")]
    Remove {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("ask the user's systemd for scope {scope:?}")]
    Systemd {
        scope: String,
        #[source]
        source: Box<zbus::Error>,
    },
    #[error("the user's systemd did not move the container's processes into scope {scope:?} within {seconds} s")]
    SystemdSlow { scope: String, seconds: u64 },
}
