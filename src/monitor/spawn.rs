//! Making a monitor: one fork, a new session, one reply.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::life;
use super::request::StartRequest;
use crate::storage::Store;
use crate::storage::container_record::ContainerRecord;
use crate::storage::containers::Locked;
use crate::sys::clone::{Forked, fork};
use crate::sys::prctl;
use crate::sys::process::{self, ExitStatus, PidFd};
use crate::sys::signal::{SIGKILL, SignalFd};
use crate::sys::{self, descriptor, family};
use crate::types::failure::Failure;

/// How long a start that was told to end may still take until the program runs and is told itself.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one whose processes were killed may take to tidy up.
const FAREWELL: Duration = Duration::from_secs(10);

/// Of a monitor.
pub(super) const NAME: &CStr = c"sampan-monitor";
/// Of the supervisor of an exec session.
pub(super) const EXEC_NAME: &CStr = c"sampan-exec";

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
    /// Waits for its one reply: the container runs, or has failed. A signal at `interrupts` waits for that as well, but not
    /// for long: then what is there of the program is killed. It is not taken, and has its way when the caller lets it.
    pub(crate) fn finish(self, interrupts: Option<&SignalFd>) -> Result<Started, Error> {
        self.await_reply(interrupts)?;
        receive(&self.reader, &self.monitor)
    }

    /// Until there is a reply or its end. The end of the pipe alone would not do: others may hold a copy of it.
    fn await_reply(&self, interrupts: Option<&SignalFd>) -> Result<(), Error> {
        let ends = [self.reader.as_fd(), self.monitor.as_fd()];
        let signals = interrupts.map(AsFd::as_fd);
        let all: Vec<BorrowedFd<'_>> = ends.into_iter().chain(signals).collect();
        let (mut watched, mut left) = (all.as_slice(), None);
        let steps: [fn(&Self) -> sys::Result<()>; 2] = [Self::end_children, Self::end];
        let mut steps = steps.into_iter();
        loop {
            match sys::first_readable(watched, left).map_err(Error::Wire)? {
                Some(0) => return Ok(()),
                // What it has said before its end is there by now, if it was not a moment ago.
                Some(1) if sys::wait_readable(self.reader.as_fd(), Some(Duration::ZERO)).map_err(Error::Wire)? => {
                    return Ok(());
                }
                Some(1) => return Err(Error::Died),
                Some(_) => (watched, left) = (&ends, Some(PATIENCE)),
                None => match steps.next() {
                    Some(step) => {
                        step(self).map_err(Error::Wire)?;
                        left = Some(FAREWELL);
                    }
                    None => return Err(Error::Died),
                },
            }
        }
    }

    /// It sees their end, gives back what it has taken, and says so.
    fn end_children(&self) -> sys::Result<()> {
        end_children(&self.monitor)
    }

    fn end(&self) -> sys::Result<()> {
        self.end_children()?;
        self.monitor.signal(SIGKILL).map(drop)
    }

    /// Waits for the reply, and then for the process's end.
    pub(super) fn finish_and_end(self) -> Result<ExitStatus, Error> {
        // Its end alone is one without a word.
        match self.await_reply(None) {
            Err(Error::Died) => return self.monitor.wait().map_err(Error::Wire),
            answered => answered?,
        }
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

/// Forks the monitor of a container, which starts it. The caller has one thread, and no lock but the container's: the monitor
/// takes that over, so that nobody comes between.
pub(crate) fn begin(store: &Store, request: StartRequest, locked: Locked<ContainerRecord>) -> Result<Starting, Error> {
    fork_detached((request, locked), NAME, |(request, locked), reply| life::live(store, request, locked, reply))
}

/// What a detached process takes along.
pub(super) trait Kept {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>>;
}

impl Kept for (StartRequest, Locked<ContainerRecord>) {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let (request, locked) = self;
        let passed = [request.client.as_ref(), request.outer.as_ref()];
        passed.into_iter().flatten().map(AsFd::as_fd).chain([locked.as_fd()]).collect()
    }
}

/// Forks a process that leaves everything of the CLI behind but what is `kept`.
pub(super) fn fork_detached<K: Kept>(
    kept: K,
    name: &CStr,
    live: impl FnOnce(K, &mut Reply) -> i32,
) -> Result<Starting, Error> {
    let (reader, writer) = descriptor::pipe().map_err(Error::Fork)?;
    match fork().map_err(Error::Fork)? {
        Forked::Child => {
            drop(reader);
            let mut reply = Reply(Some(writer));
            let code = match detach(&reply, &kept, name) {
                Ok(()) => live(kept, &mut reply),
                Err(error) => {
                    reply.send(&Err(Error::Detach(error).to_failure()));
                    1
                }
            };
            process::exit_now(code)
        }
        Forked::Parent(monitor) => {
            drop(writer);
            drop(kept);
            Ok(Starting { reader, monitor })
        }
    }
}

/// SIGKILL for the children of a process of ours.
pub(super) fn end_children(parent: &PidFd) -> sys::Result<()> {
    family::children(parent.pid())?.iter().try_for_each(|child| child.signal(SIGKILL).map(drop))
}

/// Others need not read for as long as the program runs what it was started with (`-e PASSWORD=…`). Not before it runs, for that
/// would take longer then.
pub(super) fn forget_command_line(name: &CStr) {
    if let Err(error) = prctl::forget_command_line(name) {
        tracing::debug!(%error, "the command line stays");
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
fn detach(reply: &Reply, kept: &impl Kept, name: &CStr) -> sys::Result<()> {
    process::setsid()?;
    let null = descriptor::dev_null()?;
    for stream in 0..3 {
        descriptor::redirect(null.as_fd(), stream)?;
    }
    drop(null);
    let mut keep = kept.descriptors();
    keep.extend(reply.0.as_ref().map(AsFd::as_fd));
    descriptor::close_all_but(&keep)?;
    process::chdir(Path::new("/"))?;
    process::umask(0o022);
    prctl::set_name(name)?;
    prctl::reset_signals()?;
    // A CLI or a client that is gone is no reason to die, nor is a log that must not grow.
    prctl::survive_writes();
    prctl::set_subreaper()
}
