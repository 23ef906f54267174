//! What can go wrong around one container's monitor.

use std::path::PathBuf;

use crate::runtime::{self, cgroup};
use crate::types::failure::{Failure, FailureKind};
use crate::{network, rootless, storage, sys};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("start the monitor process")]
    Fork(#[source] sys::Error),
    #[error("talk to the monitor")]
    Wire(#[source] sys::Error),
    #[error("understand the monitor's answer")]
    Answer(#[source] serde_json::Error),
    #[error("the monitor died before the container ran")]
    Died,
    #[error("{0}")]
    Failed(Failure),
    #[error("detach the monitor from the terminal")]
    Detach(#[source] sys::Error),
    #[error("another monitor holds container {0}")]
    Held(String),
    #[error("join the namespaces of container {0}: it does not run")]
    NotJoined(String),
    #[error("look whether container {id}, which is joined, still runs")]
    LookAtJoined {
        id: String,
        #[source]
        source: sys::Error,
    },
    #[error("container {0} was stopped while it started")]
    StopAsked(String),
    #[error(transparent)]
    Storage(storage::Error),
    #[error(transparent)]
    Outer(rootless::Error),
    #[error("cgroup of the container")]
    Cgroup(#[source] cgroup::Error),
    #[error("network of the container")]
    Network(#[source] network::Error),
    #[error(transparent)]
    Runtime(runtime::Error),
    #[error("standard streams of the container")]
    Streams(#[source] sys::Error),
    #[error("log of the container {path:?}")]
    Log {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("supervise the container")]
    Supervise(#[source] sys::Error),
    #[error("write {path:?}")]
    Write {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
}

impl Error {
    /// What the edge decides by.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Failed(failure) => failure.kind,
            Self::Died => FailureKind::Died,
            Self::Outer(error) => error.kind(),
            Self::Runtime(error) => error.kind(),
            Self::Network(error) => error.kind(),
            Self::Cgroup(_) => FailureKind::Cgroup,
            Self::Storage(error) => error.full().unwrap_or(FailureKind::Other),
            Self::Log { source, .. } | Self::Write { source, .. } if source.is_full() => FailureKind::NoSpace,
            _ => FailureKind::Other,
        }
    }

    /// For the way to the CLI.
    pub(super) fn to_failure(&self) -> Failure {
        Failure::from_error(self.kind(), self)
    }
}
