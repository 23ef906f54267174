//! The control wire between monitor, stage and init: one seqpacket socket, messages in a fixed order.
//!
//! ```text
//! stage   → monitor  InitPid + [pidfd, userns, netns, fuse-overlayfs?]   (or Failed)
//! monitor → stage    Cgroup + [directory]?                 sent early; the stage waits for it before the clone
//! init    → monitor  Created + [pty master]?               (or Failed)
//! monitor → init     Start
//! init    → monitor  Executing, then the end of the wire   (or Failed)
//! ```
//!
//! Where the user namespace is another container's, the stage sends [pidfd, fuse-overlayfs?] and init what is missing; where
//! the pid namespace is, too, another process takes init's place:
//!
//! ```text
//! init    → monitor  Namespaces + [userns, netns, mounts]
//! init    → monitor  InitPid + [pidfd]                     before Created, which the other one sends
//! ```
//!
//! An exec session has less to agree on:
//!
//! ```text
//! supervisor → joining     Cgroup                              only if it was not born in the cgroup
//! program    → supervisor  InitPid + [pty master]?             (or Failed, from whichever of the two)
//! program    → supervisor  Executing, then the end of the wire (or Failed)
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sys::process::Pid;
use crate::sys::{self, process, socket};
use crate::types::failure::Failure;

use super::error::Error;

/// Largest message: a failure with a long chain.
const LARGEST: usize = 32 << 10;

/// How often a silent child is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a child may be stopped in all. One that has executed the program and is stopped then is another matter; but the
/// wire's end comes from a process that may have to wait for a processor.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who sends which, and with what descriptors, is in the order above: one that comes out of turn ends the start.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Message {
    /// The cgroup is ready; with its directory if init is to be born in it.
    Cgroup,
    /// The first process of the container or of the session, in the pid namespace of who reads it.
    InitPid(i32),
    /// Of a container in another one's user namespace, whose init alone can open them.
    Namespaces,
    /// The root is built, the program is not yet executed: hooks, network and records come now.
    Created,
    /// Go on to the program.
    Start,
    /// `execve` is next: if the wire ends after this, the program runs.
    Executing,
    /// The sender gives up; nothing follows.
    Failed(Failure),
}

impl Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::InitPid(_) => "init-pid",
            Self::Namespaces => "namespaces",
            Self::Created => "created",
            Self::Start => "start",
            Self::Executing => "executing",
            Self::Failed(_) => "failed",
        }
    }
}

/// One end.
#[derive(Debug)]
pub(super) struct Wire {
    socket: OwnedFd,
}

impl Wire {
    pub(super) fn pair() -> Result<(Self, Self), Error> {
        let (a, b) = socket::seqpacket_pair().map_err(Error::Wire)?;
        Ok((Self { socket: a }, Self { socket: b }))
    }

    pub(super) fn from_fd(socket: OwnedFd) -> Self {
        Self { socket }
    }

    pub(super) fn send(&self, message: &Message, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
        let mut bytes = serde_json::to_vec(message).map_err(Error::Message)?;
        if bytes.len() > LARGEST {
            let short = Message::Failed(Failure::new(crate::types::failure::FailureKind::Other, "message too long"));
            bytes = serde_json::to_vec(&short).map_err(Error::Message)?;
        }
        socket::send_with_fds(self.socket.as_fd(), &bytes, fds).map_err(Error::Wire)
    }

    /// Sends what the other side waits for while we wait for its answer. If the kernel does not take it (no memory, say), the
    /// other side sees the end of the wire, so that nobody waits for ever.
    pub(super) fn ask(&self, message: &Message, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
        self.send(message, fds).inspect_err(|_| drop(socket::shut_down_sending(self.socket.as_fd())))
    }

    /// The next message; `None` at the end of the wire.
    pub(super) fn receive(&self) -> Result<Option<(Message, Vec<OwnedFd>)>, Error> {
        let length = socket::next_length(&self.socket).map_err(Error::Wire)?;
        if length == 0 {
            return Ok(None);
        }
        let mut buffer = vec![0; length];
        let (length, fds) = socket::receive_with_fds(&self.socket, &mut buffer).map_err(Error::Wire)?;
        serde_json::from_slice(&buffer[..length]).map(|message| Some((message, fds))).map_err(Error::Message)
    }

    /// Waits until there is something to receive.
    pub(super) fn attend(&self) -> Result<(), Error> {
        if attend(self.as_fd()).map_err(Error::Wire)? { Ok(()) } else { Err(Error::Stopped) }
    }

    /// The next message, which must pass `accept`. A failure from the other side is our error; so is its silent death.
    pub(super) fn expect<T>(
        &self,
        who: &'static str,
        accept: impl FnOnce(&Message, Vec<OwnedFd>) -> Option<T>,
    ) -> Result<T, Error> {
        match self.receive()? {
            None => Err(Error::Died(who)),
            Some((Message::Failed(failure), _)) => Err(Error::Child(failure)),
            Some((message, fds)) => accept(&message, fds).ok_or(Error::OutOfOrder(message.name())),
        }
    }

    /// Tells the other side why we give up. If it cannot be told, it sees the end of the wire.
    pub(super) fn fail(&self, error: &Error) {
        if let Err(unsent) = self.send(&Message::Failed(error.to_failure()), &[]) {
            tracing::debug!(%unsent, "failure not delivered");
        }
    }
}

/// Waits until what a child of ours sends can be read. What is in the container's pid namespace can be stopped by the
/// container's root at any moment before it has executed the program; it must not make us wait for ever. False if it was
/// stopped for too long.
pub(super) fn attend(answer: BorrowedFd<'_>) -> sys::Result<bool> {
    let mut patience = PATIENCE;
    while !sys::wait_readable(answer, Some(LOOK))? {
        if process::stopped_child()?.is_some() {
            // Not given back when it goes on: else it could be stopped again and again.
            patience = patience.saturating_sub(LOOK);
        }
        if patience.is_zero() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A number that comes from among the container's processes, by a wire that one who may trace there can take from a process
/// that he kills: whoever is named is signalled later, and must not be anybody.
pub(super) fn require_child(pid: Pid) -> Result<(), Error> {
    if process::is_child(pid).map_err(Error::Wire)? { Ok(()) } else { Err(Error::NoChild(pid)) }
}

/// The answer to what was asked. What could not be asked has none, but the last words of one who was gone already.
pub(super) fn answered<T>(asked: Result<(), Error>, answer: Result<T, Error>) -> Result<T, Error> {
    match (asked, answer) {
        (Ok(()), answer) => answer,
        (Err(Error::Wire(gone)), Err(words)) if gone.is(sys::Errno::EPIPE) => Err(words),
        (Err(error), _) => Err(error),
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<Wire> for OwnedFd {
    fn from(wire: Wire) -> Self {
        wire.socket
    }
}
