//! What can go wrong on the way into P.

use std::path::PathBuf;

use crate::sys;
use crate::sys::process::ExitStatus;
use crate::types::failure::{Failure, FailureKind};
use crate::types::idmap::InvalidIdMap;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path:?}")]
    ReadSubIds {
        path: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("subordinate ids of user {user:?} in /etc/subuid and /etc/subgid")]
    SubIds {
        user: String,
        #[source]
        source: InvalidIdMap,
    },
    #[error("create a user namespace")]
    Create(#[source] sys::Error),
    #[error("join the user namespace of a running container")]
    Join(#[source] sys::Error),
    #[error("run {program:?} to map ids")]
    RunMapper {
        program: PathBuf,
        #[source]
        source: sys::Error,
    },
    #[error("{program:?} refused the id map ({status:?}): {output}")]
    Mapper { program: PathBuf, status: ExitStatus, output: String },
    #[error("write the id map of a user namespace")]
    WriteMap(#[source] sys::Error),
    #[error("talk to a worker process")]
    WorkerPipe(#[source] sys::Error),
    #[error("a worker process ended without an answer ({status:?})")]
    WorkerDied { status: ExitStatus },
    #[error("the answer of a worker process is larger than {limit} bytes")]
    WorkerTalks { limit: u64 },
    #[error("the process that made the user namespace ended without an answer")]
    MakerDied,
    #[error("understand the answer of a worker process")]
    WorkerAnswer(#[source] serde_json::Error),
    #[error("{0}")]
    Worker(Failure),
}

impl Error {
    /// What the edge decides by.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            // What forbids namespaces says EPERM, ENOSPC, EUSERS or EINVAL.
            Self::Create(source) if source.is(sys::Errno::EAGAIN) => FailureKind::Processes,
            Self::Create(_) | Self::Join(_) => FailureKind::UserNamespace,
            Self::Mapper { .. } if sys::prctl::has_no_new_privs() => FailureKind::MapperPrivilege,
            Self::SubIds { .. }
            | Self::RunMapper { .. }
            | Self::Mapper { .. }
            | Self::WriteMap(_)
            | Self::ReadSubIds { .. } => FailureKind::IdMap,
            Self::WorkerDied { .. } | Self::MakerDied => FailureKind::Died,
            Self::Worker(failure) => failure.kind,
            Self::WorkerPipe(_) | Self::WorkerAnswer(_) | Self::WorkerTalks { .. } => FailureKind::Other,
        }
    }
}
