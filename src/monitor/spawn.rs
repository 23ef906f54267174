//! Making a monitor: one fork, a new session, one reply.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::life;
use super::request::StartRequest;
use crate::storage::Store;
use crate::sys;
use crate::sys::clone::{Forked, fork};
use crate::sys::prctl;
use crate::sys::process::{self, PidFd};
use crate::types::failure::Failure;

/// The container runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// Init of the container.
    pub(crate) pid: i32,
    /// What the user should know (no lasting session, ports that were discarded).
    pub(crate) warnings: Vec<String>,
}

/// The one message from the monitor to the CLI.
pub(super) type StartReply = Result<Started, Failure>;

/// Where the reply goes. Sent at most once; a CLI that is gone does not matter.
#[derive(Debug)]
pub(super) struct Reply(Option<OwnedFd>);

impl Reply {
    pub(super) fn send(&mut self, reply: &StartReply) {
        let Some(fd) = self.0.take() else { return };
        let sent = serde_json::to_vec(reply).map(|bytes| sys::fs::write_all(fd.as_fd(), &bytes));
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!("nobody waits for the start reply");
        }
    }
}

/// Forks the monitor of a container and waits until the container runs or has failed. The caller has one thread and
/// holds no lock.
pub(crate) fn spawn(store: &Store, request: StartRequest) -> Result<Started, Error> {
    let (reader, writer) = process::pipe().map_err(Error::Fork)?;
    match fork().map_err(Error::Fork)? {
        Forked::Child => {
            drop(reader);
            run(store, request, Reply(Some(writer)))
        }
        Forked::Parent(monitor) => {
            drop(writer);
            drop(request);
            receive(&reader, &monitor)
        }
    }
}

fn receive(reader: &OwnedFd, monitor: &PidFd) -> Result<Started, Error> {
    let answer = sys::fs::read_to_end(reader.as_fd(), 1 << 20).map_err(Error::Wire)?;
    if answer.is_empty() {
        return Err(Error::Died);
    }
    let reply: StartReply = serde_json::from_slice(&answer).map_err(Error::Answer)?;
    if reply.is_err() {
        // It leaves at once; the caller need not see its zombie.
        drop(monitor.wait());
    }
    reply.map_err(Error::Failed)
}

/// The monitor process: leaves everything of the CLI behind, then lives with the container.
fn run(store: &Store, mut request: StartRequest, mut reply: Reply) -> ! {
    let client = request.client.take();
    let code = match detach(&reply, client.as_ref().map(AsFd::as_fd)) {
        Ok(()) => life::live(store, request, client, &mut reply),
        Err(error) => {
            reply.send(&Err(Error::Detach(error).to_failure()));
            1
        }
    };
    process::exit_now(code)
}

/// Own session, no descriptor but ours, nothing of the caller's directory, umask and signal settings (K-A11).
fn detach(reply: &Reply, client: Option<BorrowedFd<'_>>) -> sys::Result<()> {
    process::setsid()?;
    let null = process::dev_null()?;
    for stream in 0..3 {
        process::redirect(null.as_fd(), stream)?;
    }
    let mut keep: Vec<BorrowedFd<'_>> = client.into_iter().collect();
    keep.extend(reply.0.as_ref().map(AsFd::as_fd));
    drop(null);
    process::close_all_but(&keep)?;
    process::chdir(Path::new("/"))?;
    process::umask(0o022);
    prctl::set_name(c"sampan-monitor")?;
    prctl::reset_signals()?;
    prctl::set_subreaper()
}
