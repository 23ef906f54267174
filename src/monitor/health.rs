//! Health checks: when they run, and what follows from them.
//!
//! A check is an exec session with a supervisor of its own, which records what came of it and tells the monitor by its
//! exit code. So a check costs the monitor a fork, there is never more than one at a time, and the next begins an interval
//! after the end of the last. `sampan healthcheck run` starts the same supervisor from the CLI.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::attach::Clients;
use super::error::Error;
use super::exec_session::{self, ExecRequest};
use super::hooks::{Hooks, StopPlan, Wish};
use super::log::{Head, LogSink};
use super::request::HealthRequest;
use super::spawn::{self, Kept, Reply, Started, Starting};
use super::supervise::{self, Supervised};
use crate::storage::Store;
use crate::storage::container_record::{ContainerConfig, ContainerRecord};
use crate::storage::health_record::CheckRecord;
use crate::sys::process::{self, ExitStatus, Pid, PidFd};
use crate::sys::signal::{MaskGuard, SIGKILL, SIGTERM, SignalSet};
use crate::sys::{self, stream};
use crate::types::health::{HealthStatus, OnFailure};
use crate::types::id::ExecId;
use crate::types::status::ContainerStatus;

/// Bytes of output that are kept: 500 characters of four bytes.
const OUTPUT: usize = 2000;
/// Characters of output that are recorded.
const CHARACTERS: usize = 500;
/// How long a supervisor may take besides the check itself.
const GRACE: Duration = Duration::from_secs(10);
/// How long a check that is told to end may take before it is made to; and a container that seems to end, to have ended.
const FAREWELL: Duration = Duration::from_secs(5);
/// Exit code of a check that got SIGKILL from somebody else.
const KILLED: i32 = 128 + SIGKILL;
/// Exit code of a check whose time ran out.
const TIMED_OUT: i32 = -1;

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The program answered 0.
    Healthy,
    /// It did not; the container is not unhealthy by that alone.
    Failed,
    /// It did not, and the container is unhealthy.
    Unhealthy,
    /// The container was stopped or paused meanwhile, or there was no way to check.
    NotRun,
}

impl Verdict {
    fn code(self) -> i32 {
        match self {
            Self::Healthy => 0,
            Self::Failed => 1,
            Self::Unhealthy => 2,
            Self::NotRun => 3,
        }
    }

    fn of(status: ExitStatus) -> Self {
        let all = [Self::Healthy, Self::Failed, Self::Unhealthy];
        all.into_iter().find(|verdict| status == ExitStatus::Code(verdict.code())).unwrap_or(Self::NotRun)
    }
}

/// Runs one check and waits for its end. The caller has one thread and holds no lock.
pub(crate) fn check_now(
    store: &Store,
    config: &ContainerConfig,
    request: &HealthRequest,
    init: &PidFd,
) -> Result<Verdict, Error> {
    begin(store, config, request, init)?.finish_and_end().map(Verdict::of)
}

/// Forks the supervisor of a check.
fn begin(store: &Store, config: &ContainerConfig, request: &HealthRequest, init: &PidFd) -> Result<Starting, Error> {
    let init = PidFd::from_received(init.pid(), stream::duplicate(init).map_err(Error::Fork)?);
    spawn::fork_detached(init, c"sampan-health", |init, reply| match check(store, config, request, init, reply) {
        Ok(verdict) => verdict.code(),
        Err(error) => {
            tracing::warn!(%error, container = %config.id, "health check not run");
            reply.send(&Err(error.to_failure()));
            Verdict::NotRun.code()
        }
    })
}

impl Kept for PidFd {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.as_fd()]
    }
}

/// The supervisor's whole life.
fn check(
    store: &Store,
    config: &ContainerConfig,
    request: &HealthRequest,
    init: PidFd,
    reply: &mut Reply,
) -> Result<Verdict, Error> {
    // Told to end before the program is there, it ends it as soon as it is.
    let _mask = MaskGuard::block(&SignalSet::of([SIGTERM])).map_err(Error::Supervise)?;
    let record = store.container(&config.id).map_err(Error::Storage)?;
    if !runs(&record, &init) {
        return Ok(Verdict::NotRun);
    }
    let start = Timestamp::now();
    let session = ExecRequest {
        id: ExecId::from_bytes(sys::fs::random()),
        container: config.id.clone(),
        init,
        bundle: request.bundle.clone(),
        interactive: false,
        cgroup: record.state.as_ref().and_then(|state| state.cgroup.clone()),
        wish: request.wish.clone(),
        client: None,
    };
    let (exit_code, output) = execute(&session, request.check.timeout)?;
    // Killed, perhaps with all the container: its init ends last, and then somebody records the end.
    if exit_code == KILLED && session.init.wait_gone(Some(FAREWELL)).map_err(Error::Supervise)? {
        return Ok(Verdict::NotRun);
    }
    let check = CheckRecord { start, end: Timestamp::now(), exit_code, output };
    let started = record.state.and_then(|state| state.started_at).unwrap_or(start);
    // A clock that was set back counts as no time at all.
    let counts = Duration::try_from(start.duration_since(started)).unwrap_or_default() >= request.check.start_period;
    let mut locked = store.lock_container(&config.id).map_err(Error::Storage)?;
    // A stop ends the check, a pause lets its time run out: neither says anything of the program.
    if !runs(&locked, &session.init) {
        return Ok(Verdict::NotRun);
    }
    let status = locked.add_check(store, check, counts, request.check.retries).map_err(Error::Storage)?;
    drop(locked);
    reply.send(&Ok(Started { pid: session.init.pid().as_raw(), warnings: Vec::new() }));
    Ok(match (exit_code, status) {
        (0, _) => Verdict::Healthy,
        (_, HealthStatus::Unhealthy) => Verdict::Unhealthy,
        _ => Verdict::Failed,
    })
}

/// True while the program is the one that was started, and runs.
fn runs(record: &ContainerRecord, init: &PidFd) -> bool {
    let same = record.init().is_some_and(|known| i32::try_from(known.pid) == Ok(init.pid().as_raw()));
    record.status == ContainerStatus::Running && same
}

/// Exit code and output of the program. One that cannot be executed fails the check as one that says so.
fn execute(session: &ExecRequest, timeout: Duration) -> Result<(i32, String), Error> {
    let (entered, io) = match exec_session::begin(session) {
        Ok(begun) => begun,
        Err(error) => {
            let failure = error.to_failure();
            return Ok((i32::from(failure.kind.exit_code()), cut(&failure.to_string())));
        }
    };
    let running = entered.finish();
    let mut log = LogSink::Head(Head::new(OUTPUT));
    let exited = supervise::run(Supervised {
        init: &running.init,
        io,
        log: &mut log,
        clients: &mut Clients::new().map_err(Error::Supervise)?,
        socket: None,
        network_helper: None,
        timeout: Some(timeout),
        stop: StopPlan { signal: SIGKILL, timeout: None },
        hooks: &mut Group,
    });
    let exited = exited.map_err(|error| {
        Group.killing(&running.init);
        crate::runtime::create::end(&running.init);
        Error::Supervise(error)
    })?;
    let output = match log {
        LogSink::Head(head) => cut(&String::from_utf8_lossy(head.bytes())),
        LogSink::K8sFile(_) | LogSink::None => String::new(),
    };
    if exited.timed_out {
        let word = format!("the check was killed: it took longer than {timeout:?}");
        return Ok((TIMED_OUT, if output.is_empty() { word } else { cut(&format!("{word}\n{output}")) }));
    }
    Ok((exited.status.code(), output))
}

fn cut(text: &str) -> String {
    text.chars().take(CHARACTERS).collect()
}

/// A check is killed together with its children: it leads a process group (and a session).
#[derive(Debug)]
struct Group;

impl Hooks for Group {
    fn killing(&mut self, init: &PidFd) {
        // Not reaped yet, so its number is nobody else's.
        if let Err(error) = process::signal_group(init.pid(), SIGKILL) {
            tracing::debug!(%error, "children of the check");
        }
    }
}

/// The checks of a container that runs, as its monitor sees them.
#[derive(Debug)]
pub(super) struct Checks<'a> {
    store: &'a Store,
    config: &'a ContainerConfig,
    request: &'a HealthRequest,
    init: &'a PidFd,
    /// `None`: only by hand.
    next: Option<Instant>,
    /// The supervisor at work, and when it is given up.
    working: Option<(PidFd, Instant)>,
    /// It was given up, and has another moment to say so.
    given_up: bool,
    /// The container was stopped to be started again.
    pub(super) restart: bool,
}

impl<'a> Checks<'a> {
    /// The first check is due at once.
    pub(super) fn new(
        store: &'a Store,
        config: &'a ContainerConfig,
        request: &'a HealthRequest,
        init: &'a PidFd,
    ) -> Self {
        let next = request.check.interval.map(|_| Instant::now());
        Self { store, config, request, init, next, working: None, given_up: false, restart: false }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.working.as_ref().map(|(_, until)| *until).or(self.next)
    }

    /// The time has come.
    pub(super) fn tick(&mut self, now: Instant) {
        if let Some((_, until)) = &self.working {
            if *until <= now {
                self.give_up(now);
            }
            return;
        }
        if self.next.is_none_or(|next| next > now) {
            return;
        }
        let running = self.store.own_container(self.config).is_ok_and(|own| own.status == ContainerStatus::Running);
        if !running {
            return self.rest(now);
        }
        match begin(self.store, self.config, self.request, self.init) {
            Ok(starting) => self.working = Some((starting.unheard(), now + self.request.check.timeout + GRACE)),
            Err(error) => {
                tracing::warn!(%error, "health check not begun");
                self.rest(now);
            }
        }
    }

    /// In a frozen cgroup, say, a check cannot even begin. What it has made so far ends, which its supervisor sees and records;
    /// a supervisor that does not is killed: then what it had made would be ours, and stay.
    fn give_up(&mut self, now: Instant) {
        let Some((supervisor, until)) = &mut self.working else { return };
        if let Err(error) = spawn::end_children(supervisor) {
            tracing::warn!(%error, "processes of a check stay");
        }
        if self.given_up {
            end(supervisor, SIGKILL);
        }
        *until = now + FAREWELL;
        self.given_up = true;
    }

    fn rest(&mut self, now: Instant) {
        self.next = self.request.check.interval.map(|interval| now + interval);
    }

    /// A child of the monitor has ended: if it was the supervisor, what follows for the container.
    pub(super) fn child_ended(&mut self, pid: Pid, status: ExitStatus) -> Option<Wish> {
        self.working.take_if(|(supervisor, _)| supervisor.pid() == pid)?;
        self.given_up = false;
        self.rest(Instant::now());
        if Verdict::of(status) != Verdict::Unhealthy {
            return None;
        }
        tracing::info!(action = self.request.check.on_failure.as_str(), "container is unhealthy");
        match self.request.check.on_failure {
            OnFailure::None => return None,
            OnFailure::Restart => self.restart = true,
            OnFailure::Kill => self.note_stop(ContainerStatus::Running),
            OnFailure::Stop => self.note_stop(ContainerStatus::Stopping),
        }
        // It ends now: no more checks.
        self.next = None;
        Some(if self.request.check.on_failure == OnFailure::Kill { Wish::Kill } else { Wish::Stop })
    }

    /// As `stop` or `kill` do: no policy starts it again. Until it has ended it has this status.
    fn note_stop(&self, status: ContainerStatus) {
        let noted = self.store.lock_own_container(self.config).and_then(|mut locked| match locked.state.clone() {
            Some(mut state) if state.status == ContainerStatus::Running => {
                state.stopped_by_user = true;
                state.status = status;
                locked.write_state(self.store, state)
            }
            _ => Ok(()),
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "stop not noted");
        }
    }

    /// The container has ended: so does its check. True if the container is to be started again.
    pub(super) fn end(self) -> bool {
        if let Some((supervisor, _)) = self.working {
            end(&supervisor, SIGTERM);
            if !supervisor.wait_gone(Some(FAREWELL)).unwrap_or(false) {
                if let Err(error) = spawn::end_children(&supervisor) {
                    tracing::warn!(%error, "processes of a check stay");
                }
                end(&supervisor, SIGKILL);
            }
            if let Err(error) = supervisor.wait() {
                tracing::debug!(%error, "supervisor of the check");
            }
        }
        self.restart
    }
}

fn end(supervisor: &PidFd, signal: i32) {
    if let Err(error) = supervisor.signal(signal) {
        tracing::debug!(%error, "supervisor of the check");
    }
}
