//! The client of an attach socket: terminal, keys, sizes, signals, bytes both ways.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::attach_session::attach;
use super::signal_proxy::SignalProxy;
use crate::engine::action::Action;
use crate::engine::{Engine, Error};
use crate::monitor::report::ExitReport;
use crate::storage::container_record::{ContainerRecord, MonitorLock, Supervision};
use crate::storage::process_identity::ProcessIdentity;
use crate::sys::pty::{self, WindowSize};
use crate::sys::{self, Errno, socket};
use crate::types::detach_keys::DetachKeys;

/// What of our streams takes part, and how.
#[derive(Debug, Default)]
pub(crate) struct AttachOptions<'a> {
    /// None: without `-i`, with `--no-stdin`, or `-a` without it.
    pub(crate) stdin: Option<BorrowedFd<'a>>,
    /// The end of our input is the program's (`-i`); with no input at all it comes at once.
    pub(crate) ends_input: bool,
    /// Our standard input, passed on or not: if it is a terminal and the program has one, the program's modes count.
    pub(crate) keyboard: Option<BorrowedFd<'a>>,
    /// None: what the container writes there is not wanted.
    pub(crate) stdout: Option<BorrowedFd<'a>>,
    pub(crate) stderr: Option<BorrowedFd<'a>>,
    /// The container has a terminal (`-t`).
    pub(crate) terminal: bool,
    pub(crate) detach_keys: DetachKeys,
}

impl AttachOptions<'_> {
    /// The size of our terminal, for the program's.
    pub(crate) fn window(&self) -> Option<WindowSize> {
        let ours = [self.stdin, self.stdout, self.stderr].into_iter().filter(|_| self.terminal);
        let size = ours.flatten().find_map(|stream| pty::window_size(stream).ok());
        size.filter(|size| size.rows > 0 && size.columns > 0)
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttachOutcome {
    Exited(ExitReport),
    /// It ended, and some of what it wrote could not be written: a full disk behind our output.
    OutputLost(ExitReport, Errno),
    /// By the keys; the container runs on.
    Detached,
    /// Nobody reads our output any more; the container runs on.
    OutputClosed,
    /// The monitor hung up without a word: it died, or we were too slow.
    Lost,
}

/// `attach`: which container, and how.
#[derive(Debug)]
pub(crate) struct AttachRequest<'a> {
    /// Name, id or prefix; none = the one made last.
    pub(crate) container: Option<&'a str>,
    /// `--sig-proxy`.
    pub(crate) proxy_signals: bool,
    /// `terminal` and the use of `stdin` follow from the container.
    pub(crate) options: AttachOptions<'a>,
}

/// How long a socket that is not there may take to come back (the monitor looks every three seconds).
const PATIENCE: Duration = Duration::from_secs(8);

impl Engine {
    /// Attaches to a running container until it ends, or the keys are typed.
    pub(crate) fn attach(&self, request: AttachRequest<'_>) -> Result<AttachOutcome, Error> {
        let id = match request.container {
            Some(word) => self.store.find_container(word)?,
            None => self.latest_container()?.ok_or(Error::NoContainers)?,
        };
        let word = request.container.unwrap_or(id.short()).to_owned();
        let record = self.store.container(&id)?;
        check_attachable(&record, &word)?;
        let failed = |source| Error::Attach { id: word.clone(), source };
        let init = record.init().map_or(Ok(None), ProcessIdentity::open).map_err(failed)?;
        let pass_on = |number| self.pass_on(&record.config, init.as_ref(), number);
        let spec = &record.config.spec;
        // A terminal always takes what is typed; its end ends the program only if that was wanted.
        let stdin = request.options.stdin.filter(|_| spec.interactive || spec.tty);
        // Others may type, now or later, where we do not.
        let ends_input = spec.interactive && stdin.is_some();
        let options = AttachOptions { stdin, ends_input, terminal: spec.tty, ..request.options };
        let proxy = SignalProxy::new(request.proxy_signals).map_err(failed)?;
        let socket = match self.attach_socket(&record) {
            Ok(socket) => socket,
            Err(error) => {
                // It may have ended since we looked: then that is what is wrong.
                check_attachable(&self.settled(&id)?, &word)?;
                return Err(failed(error));
            }
        };
        match attach(socket, options, proxy, &pass_on).map_err(failed)? {
            AttachOutcome::Lost => Err(Error::HungUp(word)),
            outcome => Ok(outcome),
        }
    }

    fn attach_socket(&self, record: &ContainerRecord) -> sys::Result<OwnedFd> {
        let path = self.store.layout().attach_socket(record.id());
        let deadline = Instant::now() + PATIENCE;
        loop {
            match socket::connect(&path) {
                Err(error) if error.is(Errno::ENOENT) || error.is(Errno::ECONNREFUSED) => {
                    let alive = matches!(self.store.monitor_lock(record.id()), Ok(MonitorLock::Held));
                    if !alive || Instant::now() >= deadline {
                        return Err(error);
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                result => return result,
            }
        }
    }
}

fn check_attachable(record: &ContainerRecord, word: &str) -> Result<(), Error> {
    if !record.status.can_kill() {
        return Err(Error::WrongStatus { action: Action::AttachTo, id: word.to_owned(), status: record.status });
    }
    if record.supervision == Supervision::Unsupervised {
        return Err(Error::Unsupervised { action: Action::AttachTo, id: word.to_owned() });
    }
    Ok(())
}
