//! What a request can end with: the enums of the lower layers as sources, and what only the engine knows.

use std::path::PathBuf;

use crate::types::failure::{Failure, FailureKind};
use crate::types::id::ContainerId;
use crate::types::status::ContainerStatus;
use crate::{monitor, network, rootless, runtime, specgen, storage, sys};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Storage(storage::Error),
    #[error(transparent)]
    Rootless(rootless::Error),
    #[error("start container {id}")]
    Start {
        id: String,
        #[source]
        source: monitor::Error,
    },
    #[error("exec in container {id}")]
    Exec {
        id: String,
        #[source]
        source: runtime::Error,
    },
    #[error("network of the container")]
    Network(#[source] network::Error),
    #[error("attach to container {id}")]
    Attach {
        id: String,
        #[source]
        source: sys::Error,
    },
    #[error("read log of container {id}")]
    Log {
        id: String,
        #[source]
        source: sys::Error,
    },
    #[error("container {0} has no log: its log driver is none")]
    NoLog(String),
    #[error("settings of the container")]
    Spec(#[source] specgen::Error),
    #[error("{what}")]
    Host {
        what: &'static str,
        #[source]
        source: sys::Error,
    },
    #[error("{what} {path:?}")]
    Path {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("image {0:?} not found in the local store")]
    ImageNotFound(String),
    #[error("neither an image nor --rootfs was given")]
    NoImage,
    #[error("cannot {verb} container {id}: it is {status}")]
    WrongStatus { verb: &'static str, id: String, status: ContainerStatus },
    #[error("container {id} did not stop within {seconds} s after SIGKILL")]
    WillNotDie { id: String, seconds: u64 },
    #[error("container {0} lives on, but its monitor is gone and a start would run it twice")]
    Unsupervised(ContainerId),
    #[error("bind source {0:?} does not exist")]
    NoBindSource(PathBuf),
    #[error("--network=container: container {0} is not running")]
    NotRunningToJoin(String),
    #[error("{0} is not supported yet")]
    Unsupported(&'static str),
    #[error("id map: {0}")]
    IdMap(#[source] crate::types::idmap::InvalidIdMap),
    #[error("{0}")]
    Failure(Failure),
}

impl Error {
    /// What hints and exit codes are chosen by.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Rootless(error) => error.kind(),
            Self::Start { source, .. } => source.kind(),
            Self::Exec { source, .. } => source.kind(),
            Self::Network(error) => error.kind(),
            Self::Failure(failure) => failure.kind,
            Self::Host { source, .. } | Self::Path { source, .. } if source.is(sys::Errno::ENOSPC) => {
                FailureKind::NoSpace
            }
            _ => FailureKind::Other,
        }
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<rootless::Error> for Error {
    fn from(error: rootless::Error) -> Self {
        Self::Rootless(error)
    }
}
