//! The monitor's life: start the container, supervise it, record its end, start it again or tidy up.

use std::time::{Duration, Instant};

use super::attach::{Clients, Pace};
use super::error::Error;
use super::exit::{self, Ending, Remains};
use super::health::Checks;
use super::hooks::{Hooks, StopPlan, Wish};
use super::log::{K8sFile, LogSink};
use super::rejoin;
use super::request::StartRequest;
use super::restart::{Decision, Ended, Restarts, pause_unless};
use super::scratch;
use super::spawn::{self, Reply, Started};
use super::start::{Alive, identity, start, why_failed};
use super::supervise::{self, Exited, Supervised};
use crate::rootless::outer::Published;
use crate::storage::Store;
use crate::storage::container_record::{ContainerRecord, ContainerState, ExitRecord};
use crate::storage::containers::Locked;
use crate::sys;
use crate::sys::lock::FileLock;
use crate::sys::process::{ExitStatus, Pid, PidFd};
use crate::sys::signal::{SIGKILL, SIGTERM};
use crate::types::container_spec::LogDriver;
use crate::types::status::ContainerStatus;

/// How long fuse-overlayfs may take to end.
const FUSE_GRACE: Duration = Duration::from_secs(5);

/// Runs the container to its end; the monitor's exit code.
pub(super) fn live(
    store: &Store,
    mut request: StartRequest,
    locked: Locked<ContainerRecord>,
    reply: &mut Reply,
) -> i32 {
    let held = match hold(store, &locked) {
        Ok(held) => held,
        Err(error) => {
            reply.send(&Err(error.to_failure()));
            return 1;
        }
    };
    // From now on this container has a monitor.
    drop(locked);
    let prepared = Clients::new().map_err(Error::Supervise).and_then(|mut clients| {
        if let Some(client) = request.client.take() {
            clients.add(client, Pace::Lossless).map_err(Error::Supervise)?;
        }
        scratch::renew(store, &request, &held)?;
        Ok((clients, open_log(store, &request)?))
    });
    let (mut clients, mut log) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            exit::undo_start(store, &request, &held);
            reply.send(&Err(error.to_failure()));
            return 1;
        }
    };
    // Good for one start; a restart makes its own.
    let mut outer = request.outer.take();
    let mut restarts = Restarts::new(request.config.spec.restart);
    let mut last: Option<ExitRecord> = None;
    loop {
        let joined = if last.is_some() { rejoin::renew(store, &mut request) } else { Ok(()) };
        let mut alive = match joined.and_then(|()| start(store, &request, outer.take(), restarts.count())) {
            Ok(alive) => alive,
            Err(error) => {
                let error = why_failed(store, &request, error);
                if let (Error::StopAsked(_), Some(record)) = (&error, &last) {
                    // As if the word had come in the pause before.
                    drop(log);
                    exit::finish(store, &request, Remains::nothing(), held, clients, record);
                    return 0;
                }
                exit::failed_start(store, &request, &held, &error, restarts.count());
                reply.send(&Err(error.to_failure()));
                return 1;
            }
        };
        reply.send(&Ok(Started {
            pid: alive.running.init.pid().as_raw(),
            warnings: std::mem::take(&mut alive.warnings),
        }));
        spawn::forget_command_line(spawn::NAME);
        let since = alive.since;
        let (exited, ending, unhealthy) = until_exit(store, &request, alive, &mut log, &mut clients);
        let record = exit::record(store, &request, &exited, &ending, restarts.count());
        let ended =
            Ended { code: record.code, ran_for: since.elapsed(), stopped_by_user: record.stopped_by_user, unhealthy };
        let decision = restarts.decide(ended);
        let remains = exit::tear_down(ending);
        if let Decision::Restart { pause } = decision
            && pause_unless(pause, || exit::stop_asked(store, &request))
        {
            remains.reap();
            if let Some(size) = clients.window() {
                request.bundle.set_window(size);
            }
            request.bundle.keep_volumes();
            last = Some(record);
            continue;
        }
        drop(log);
        exit::finish(store, &request, remains, held, clients, &record);
        return 0;
    }
}

/// Takes the liveness lock.
fn hold(store: &Store, locked: &Locked<ContainerRecord>) -> Result<FileLock, Error> {
    let lock = store.take_monitor_lock(locked).map_err(Error::Storage)?;
    lock.ok_or_else(|| Error::Held(locked.id().short().to_owned()))
}

fn open_log(store: &Store, request: &StartRequest) -> Result<LogSink, Error> {
    let log = &request.config.spec.log;
    match log.driver {
        LogDriver::None => Ok(LogSink::None),
        LogDriver::K8sFile => {
            let path = log.path.clone().unwrap_or_else(|| store.layout().container_log(&request.config.id));
            let file = K8sFile::open(&path, log.max_size, log.max_files);
            file.map(|file| LogSink::K8sFile(Box::new(file))).map_err(|source| Error::Log { path, source })
        }
    }
}

/// Supervises until the program has ended; what is left to tear down, and whether its checks want it started again.
fn until_exit(
    store: &Store,
    request: &StartRequest,
    alive: Alive,
    log: &mut LogSink,
    clients: &mut Clients,
) -> (Exited, Ending, bool) {
    let spec = &request.config.spec;
    let Alive { running, io, network, ports, cgroup, published, .. } = alive;
    let state = store.own_container(&request.config).ok().and_then(|record| record.state);
    let checks = request.health.as_ref();
    let checks = checks.map(|health| Checks::new(store, &request.config, health, &running.init));
    let mut hooks = Owner { store, request, init: running.init.pid(), published: published.as_ref(), state, checks };
    let supervised = Supervised {
        init: &running.init,
        io,
        log,
        clients,
        socket: Some(store.layout().attach_socket(&request.config.id)),
        network_helper: network.pidfd(),
        timeout: spec.timeout.map(|seconds| Duration::from_secs(seconds.into())),
        stop: StopPlan { signal: request.stop_signal, timeout: Some(Duration::from_secs(spec.stop_seconds().into())) },
        hooks: &mut hooks,
    };
    let exited = supervise::run(supervised).unwrap_or_else(|error| lost(&running.init, &error));
    let unhealthy = hooks.checks.is_some_and(Checks::end);
    let outlived = running.kin.is_some();
    exit::end_kin(running.kin);
    if let Some(Err(error)) = running.fuse.as_ref().map(end_fuse) {
        tracing::warn!(%error, "fuse-overlayfs");
    }
    if outlived {
        exit::end_orphans(network.pidfd().map(PidFd::pid));
    }
    (exited, Ending::of(network, ports, cgroup, published), unhealthy)
}

/// Ends the server of the root file system: by its own leave, or at last without.
fn end_fuse(server: &PidFd) -> sys::Result<()> {
    server.signal(SIGTERM)?;
    if !server.wait_gone(Some(FUSE_GRACE))? {
        server.signal(SIGKILL)?;
    }
    Ok(())
}

/// The loop could not do its work: the container must not run on unseen.
fn lost(init: &PidFd, error: &sys::Error) -> Exited {
    tracing::error!(%error, "supervision failed");
    if let Err(error) = init.signal(SIGKILL) {
        tracing::error!(%error, "init not killed");
    }
    let status = init.wait().unwrap_or(ExitStatus::Signal(SIGKILL));
    Exited { status, finished_at: std::time::SystemTime::now(), timed_out: false }
}

/// Runs the health checks, and writes the state anew when a logout took the runroot away.
#[derive(Debug)]
struct Owner<'a> {
    store: &'a Store,
    request: &'a StartRequest,
    init: Pid,
    published: Option<&'a Published>,
    /// As it was when the program started.
    state: Option<ContainerState>,
    checks: Option<Checks<'a>>,
}

impl Hooks for Owner<'_> {
    fn deadline(&self) -> Option<Instant> {
        self.checks.as_ref()?.deadline()
    }

    fn tick(&mut self, now: Instant) {
        if let Some(checks) = &mut self.checks {
            checks.tick(now);
        }
    }

    fn child_ended(&mut self, pid: Pid, status: ExitStatus) -> Option<Wish> {
        self.checks.as_mut()?.child_ended(pid, status)
    }

    fn runroot_restored(&mut self) -> bool {
        let restored = self.store.lock_container(&self.request.config.id).and_then(|mut locked| {
            let state = locked.state.clone().or_else(|| self.state.clone());
            let mut state = state.unwrap_or_else(|| ContainerState::new(ContainerStatus::Running));
            let known = |pid| identity(pid).inspect_err(|error| tracing::warn!(%error, "not known")).ok().flatten();
            state.init = known(self.init);
            state.monitor = known(Pid::this());
            locked.write_state(self.store, state)
        });
        if let Some(Err(error)) = self.published.map(Published::renew) {
            tracing::debug!(%error, "P not offered");
        }
        restored.inspect_err(|error| tracing::warn!(%error, "state not restored")).is_ok()
    }
}
