//! A helper at work: spawn, readiness, stop.

use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sys::process::PidFd;
use crate::sys::signal::SIGKILL;
use crate::sys::spawn::Child;
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, Errno};
use crate::types::port::PortMapping;

use super::error::Error;
use super::plan::{Helper, HelperOptions, NetworkPlan};
use super::{pasta, slirp4netns};

/// Bytes of a helper's messages that we keep for an error.
const SAID_MAX: usize = 4096;

/// The network of a started container. Does not stop the helper on drop: it dies with us anyway (PDEATHSIG).
#[derive(Debug)]
pub(crate) struct NetworkHandle {
    helper: Option<Running>,
    /// As in the plan: for `inspect` and the state record.
    pub(crate) address: Option<IpAddr>,
    pub(crate) gateway: Option<IpAddr>,
}

#[derive(Debug)]
struct Running {
    helper: Helper,
    child: Child,
    /// What it prints. Its writing end does not block, so a talkative helper loses text, never time; the reading end
    /// stays open, so it gets no SIGPIPE.
    messages: OwnedFd,
    said: Vec<u8>,
    stage: Stage,
    /// When it was started.
    since: Instant,
}

/// What we wait for.
#[derive(Debug)]
enum Stage {
    /// Its process id as a line among its messages: pasta is ready.
    PidLine,
    /// A byte on this pipe: slirp4netns is ready, and these ports can be published through the API socket.
    ReadyByte {
        pipe: OwnedFd,
        directory: PathBuf,
        publish: slirp4netns::Publish,
    },
    Ready,
}

/// Pieces of a started helper, from `pasta::spawn` and `slirp4netns::spawn`.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) messages: OwnedFd,
    pub(super) ready: Option<(OwnedFd, PathBuf, slirp4netns::Publish)>,
}

/// Starts the helper of this plan, if it has one, in these namespaces; returns at once. `userns` is one above the container's, or none
/// if this process is in that: in the container's own those who are there already, if it is another's, would have power over a helper
/// that has the host's root. `ports` are the claimed ones
/// ([`super::claim`]), `run_dir` is the container's volatile directory. The caller has one thread.
pub(crate) fn start(
    plan: &NetworkPlan,
    ports: &[PortMapping],
    run_dir: &Path,
    userns: Option<BorrowedFd<'_>>,
    netns: BorrowedFd<'_>,
) -> Result<NetworkHandle, Error> {
    let gateway = match plan.helper().map(|helper| &helper.options) {
        Some(HelperOptions::Slirp4netns(options)) => Some(IpAddr::V4(options.address(2))),
        _ => None,
    };
    let mut handle = NetworkHandle { helper: None, address: plan.address, gateway };
    let Some(wish) = plan.helper() else { return Ok(handle) };
    let since = Instant::now();
    let spawned = match &wish.options {
        HelperOptions::Pasta { extra, modern } => pasta::spawn(&wish.program, extra, *modern, ports, userns, netns),
        HelperOptions::Slirp4netns(options) => {
            slirp4netns::spawn(&wish.program, options, ports, run_dir, userns, netns)
        }
    };
    let Started { child, messages, ready } = spawned.map_err(|source| Error::Spawn { helper: wish.helper, source })?;
    let stage = match ready {
        None => Stage::PidLine,
        Some((pipe, directory, publish)) => Stage::ReadyByte { pipe, directory, publish },
    };
    handle.helper = Some(Running { helper: wish.helper, child, messages, said: Vec::new(), stage, since });
    Ok(handle)
}

impl NetworkHandle {
    /// What to poll for reading until [`Self::advance`] says that the network is ready; none when it is.
    pub(crate) fn ready_fd(&self) -> Option<BorrowedFd<'_>> {
        let running = self.helper.as_ref()?;
        match &running.stage {
            Stage::PidLine => Some(running.messages.as_fd()),
            Stage::ReadyByte { pipe, .. } => Some(pipe.as_fd()),
            Stage::Ready => None,
        }
    }

    /// Takes the next step without waiting; true when the network is ready and every port published.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        self.helper.as_mut().map_or(Ok(true), Running::advance)
    }

    /// Waits until the network is ready.
    pub(crate) fn wait_ready(&mut self, deadline: Instant) -> Result<(), Error> {
        while !self.advance()? {
            let Some(running) = &self.helper else { return Ok(()) };
            let Some(fd) = self.ready_fd() else { return Ok(()) };
            let left = deadline.saturating_duration_since(Instant::now());
            let readable =
                sys::wait_readable(fd, Some(left)).map_err(|source| Error::Talk { helper: running.helper, source })?;
            if !readable {
                return Err(Error::NotReady { helper: running.helper, after: running.since.elapsed() });
            }
        }
        Ok(())
    }

    /// The helper's process: readable when it has ended, which leaves the container without a network.
    pub(crate) fn pidfd(&self) -> Option<&PidFd> {
        self.helper.as_ref().map(|running| &running.child.pidfd)
    }

    /// Which helper runs.
    pub(crate) fn helper(&self) -> Option<Helper> {
        self.helper.as_ref().map(|running| running.helper)
    }

    /// Kills the helper, which takes its time to go: closing its tap device waits for the kernel's RCU, 10 to 45 ms.
    pub(crate) fn kill(self) -> Result<DyingHelper, Error> {
        let Some(running) = self.helper else { return Ok(DyingHelper(None)) };
        running.child.pidfd.signal(SIGKILL).map_err(|source| Error::Stop { helper: running.helper, source })?;
        Ok(DyingHelper(Some(running)))
    }

    /// Kills the helper and reaps it. The published ports are free afterwards.
    pub(crate) fn stop(self) -> Result<(), Error> {
        self.kill()?.reap()
    }
}

/// A helper that was killed and is not reaped yet, so that others do not wait for the kernel.
#[derive(Debug)]
pub(crate) struct DyingHelper(Option<Running>);

impl DyingHelper {
    /// Waits until the helper is gone, and with it the ports that it published.
    pub(crate) fn reap(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Running::reap)
    }
}

impl Running {
    fn advance(&mut self) -> Result<bool, Error> {
        match &self.stage {
            Stage::Ready => return Ok(true),
            Stage::PidLine => {
                if self.listen() {
                    return Err(self.ended());
                }
                let text = String::from_utf8_lossy(&self.said).into_owned();
                let ready = text.split_inclusive('\n').any(|line| {
                    line.strip_suffix('\n').is_some_and(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit()))
                });
                if !ready {
                    return Ok(false);
                }
                self.said.clear();
            }
            Stage::ReadyByte { pipe, directory, publish } => {
                let mut byte = [0; 8];
                match stream::read(pipe, &mut byte) {
                    Ok(Transfer::End) => {
                        self.listen();
                        return Err(self.ended());
                    }
                    Ok(Transfer::Bytes(_)) => publish.run(directory)?,
                    Ok(Transfer::WouldBlock) => return Ok(false),
                    Err(source) => return Err(Error::Talk { helper: self.helper, source }),
                }
            }
        }
        self.stage = Stage::Ready;
        Ok(true)
    }

    /// Takes in what the helper has printed; true if it has closed its end.
    fn listen(&mut self) -> bool {
        let mut chunk = [0; 1024];
        loop {
            match stream::read(&self.messages, &mut chunk) {
                Ok(Transfer::End) => return true,
                Ok(Transfer::Bytes(count)) => {
                    let room = SAID_MAX.saturating_sub(self.said.len());
                    self.said.extend_from_slice(&chunk[..count.min(room)]);
                }
                Ok(Transfer::WouldBlock) => return false,
                Err(error) => {
                    tracing::debug!(%error, "messages of the network helper");
                    return true;
                }
            }
        }
    }

    /// The error for a helper that has closed its descriptors: a refused exec, or its own last words.
    fn ended(&self) -> Error {
        if let Err(source) = self.child.started() {
            return Error::Spawn { helper: self.helper, source };
        }
        // Debian's pasta copies each message to syslog and says so when there is none.
        let text = String::from_utf8_lossy(&self.said);
        let said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("bytes to syslog"));
        // An option that it does not know: what follows is its whole manual.
        let lines: Vec<&str> = said.take_while(|line| !line.starts_with("Usage:")).collect();
        let said = if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("; ") };
        Error::Ended { helper: self.helper, said }
    }

    fn reap(self) -> Result<(), Error> {
        let helper = self.helper;
        let reaped = match self.child.pidfd.wait_gone(Some(Duration::from_secs(5))) {
            Ok(true) => self.child.pidfd.try_wait().map(drop),
            Ok(false) => Err(sys::Error::new("poll", "the helper does not die", Errno::ETIMEDOUT)),
            Err(error) => Err(error),
        };
        match reaped {
            // Somebody's `reap_any` was faster.
            Err(error) if error.is(Errno::ECHILD) => Ok(()),
            other => other.map_err(|source| Error::Stop { helper, source }),
        }
    }
}
