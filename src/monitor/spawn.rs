//! Making a monitor: one fork, a new session, one reply.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::life;
use super::request::StartRequest;
use crate::storage::Store;
use crate::sys::clone::{Forked, fork};
use crate::sys::prctl;
use crate::sys::process::{self, ExitStatus, PidFd};
use crate::sys::{self, descriptor};
use crate::types::failure::Failure;

/// The container runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// Init of the container.
    pub(crate) pid: i32,
    /// What the user should know: that systemd refused a cgroup, say.
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
        let sent = serde_json::to_vec(reply).map(|bytes| sys::descriptor::write_all(fd.as_fd(), &bytes));
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!("nobody waits for the start reply");
        }
    }
}

/// A monitor that is at work on a start.
#[derive(Debug)]
#[must_use]
pub(crate) struct Starting {
    reader: OwnedFd,
    monitor: PidFd,
}

impl Starting {
    /// Waits for its one reply: the container runs, or has failed.
    pub(crate) fn finish(self) -> Result<Started, Error> {
        receive(&self.reader, &self.monitor)
    }

    /// Waits for the reply, and then for the process's end.
    pub(super) fn finish_and_end(self) -> Result<ExitStatus, Error> {
        let answer = sys::descriptor::read_to_end(self.reader.as_fd(), 1 << 20).map_err(Error::Wire)?;
        let status = self.monitor.wait().map_err(Error::Wire)?;
        match serde_json::from_slice::<StartReply>(&answer) {
            Ok(Err(failure)) => Err(Error::Failed(failure)),
            // Nothing to tell but its exit code.
            Ok(Ok(_)) | Err(_) => Ok(status),
        }
    }

    /// Leaves it to itself: nobody hears its reply, its end is the caller's to reap.
    pub(super) fn unheard(self) -> PidFd {
        self.monitor
    }
}

/// Forks the monitor of a container, which starts it. The caller has one thread and holds no lock.
pub(crate) fn begin(store: &Store, mut request: StartRequest) -> Result<Starting, Error> {
    let (client, name) = (request.client.take(), c"sampan-monitor");
    match request.outer.take() {
        None => fork_detached(client, [], name, move |client, [], reply| life::live(store, request, client, reply)),
        Some(outer) => fork_detached(client, [outer], name, move |client, [outer], reply| {
            life::live(store, StartRequest { outer: Some(outer), ..request }, client, reply)
        }),
    }
}

/// Forks a process that leaves everything of the CLI behind but `client` and `kept`.
pub(super) fn fork_detached<const N: usize>(
    client: Option<OwnedFd>,
    kept: [OwnedFd; N],
    name: &CStr,
    live: impl FnOnce(Option<OwnedFd>, [OwnedFd; N], &mut Reply) -> i32,
) -> Result<Starting, Error> {
    let (reader, writer) = descriptor::pipe().map_err(Error::Fork)?;
    match fork().map_err(Error::Fork)? {
        Forked::Child => {
            drop(reader);
            let mut reply = Reply(Some(writer));
            let code = match detach(&reply, client.as_ref(), &kept, name) {
                Ok(()) => live(client, kept, &mut reply),
                Err(error) => {
                    reply.send(&Err(Error::Detach(error).to_failure()));
                    1
                }
            };
            process::exit_now(code)
        }
        Forked::Parent(monitor) => {
            drop(writer);
            drop(client);
            Ok(Starting { reader, monitor })
        }
    }
}

fn receive(reader: &OwnedFd, monitor: &PidFd) -> Result<Started, Error> {
    let answer = sys::descriptor::read_to_end(reader.as_fd(), 1 << 20).map_err(Error::Wire)?;
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

/// Own session, no descriptor but ours, nothing of the caller's directory, umask and signal settings (K-A11).
fn detach(reply: &Reply, client: Option<&OwnedFd>, kept: &[OwnedFd], name: &CStr) -> sys::Result<()> {
    process::setsid()?;
    let null = descriptor::dev_null()?;
    for stream in 0..3 {
        descriptor::redirect(null.as_fd(), stream)?;
    }
    drop(null);
    let keep: Vec<BorrowedFd<'_>> = client.into_iter().chain(kept).chain(&reply.0).map(AsFd::as_fd).collect();
    descriptor::close_all_but(&keep)?;
    process::chdir(Path::new("/"))?;
    process::umask(0o022);
    prctl::set_name(name)?;
    prctl::reset_signals()?;
    // A CLI or a client that is gone is no reason to die.
    prctl::ignore_broken_pipes();
    prctl::set_subreaper()
}
