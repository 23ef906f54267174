//! The end of a run: the record first, then ports, network and cgroup, then (`--rm`) the container itself.
//! Each step is idempotent: whoever finds the container without a monitor finishes what is left.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use super::attach::Clients;
use super::error::Error;
use super::report::ExitReport;
use super::request::StartRequest;
use super::supervise::Exited;
use crate::network::{ClaimedPorts, DyingHelper, NetworkHandle};
use crate::rootless::outer::Published;
use crate::rootless::{Outer, worker};
use crate::runtime::cgroup::ContainerCgroup;
use crate::runtime::create::Created;
use crate::runtime::kin::Kin;
use crate::storage::container_record::{ContainerConfig, ContainerRecord, ExitRecord};
use crate::storage::{self, Store, cidfile, trash};
use crate::sys::lock::FileLock;
use crate::sys::process::{ExitStatus, Pid};
use crate::sys::signal::SIGKILL;
use crate::sys::{self, family};
use crate::types::failure::{Failure, FailureKind};

/// What is left of a run when its program has ended.
#[derive(Debug)]
pub(super) struct Ending {
    network: NetworkHandle,
    ports: ClaimedPorts,
    cgroup: Option<ContainerCgroup>,
    published: Option<Published>,
    oom_killed: bool,
}

impl Ending {
    pub(super) fn of(
        network: NetworkHandle,
        ports: ClaimedPorts,
        cgroup: Option<ContainerCgroup>,
        published: Option<Published>,
    ) -> Self {
        let oom_killed = cgroup.as_ref().is_some_and(ContainerCgroup::oom_killed);
        Self { network, ports, cgroup, published, oom_killed }
    }
}

/// How long what outlives init may take to be killed.
const KIN_GRACE: Duration = Duration::from_secs(10);

/// How the processes of a container are known that outlive its init, which waits for our word.
pub(super) fn kin(created: &mut Created) -> Option<Kin> {
    created.kin().inspect_err(|error| tracing::warn!(%error, "what outlives init will stay")).ok()
}

/// Ends what outlives init.
pub(super) fn end_kin(kin: Option<Kin>) {
    if let Some(kin) = kin {
        complain(kin.end(KIN_GRACE));
    }
}

/// Ends what of a container has become ours, for we are a subreaper: every child but the network helper.
pub(super) fn end_orphans(helper: Option<Pid>) {
    complain(end_children_but(helper));
}

fn complain(ended: sys::Result<bool>) {
    match ended {
        Ok(true) => {}
        Ok(false) => tracing::warn!("processes of the container stay"),
        Err(error) => tracing::warn!(%error, "processes of the container stay"),
    }
}

/// Until there are none: the children of one that ends are ours in their turn.
fn end_children_but(spared: Option<Pid>) -> sys::Result<bool> {
    let deadline = Instant::now() + KIN_GRACE;
    loop {
        let mut left = family::children(Pid::this())?;
        left.retain(|child| Some(child.pid()) != spared);
        if left.is_empty() || Instant::now() >= deadline {
            return Ok(left.is_empty());
        }
        for child in left {
            child.signal(SIGKILL)?;
            child.wait_gone(Some(KIN_GRACE))?;
            child.try_wait()?;
        }
    }
}

/// Code of a container whose `--timeout` was over, as Podman's: who waits can tell it from another kill.
const TIMED_OUT: i32 = 255;

/// Writes the exit record, before anything that others could take is freed (rule R11).
pub(super) fn record(
    store: &Store,
    request: &StartRequest,
    exited: &Exited,
    ending: &Ending,
    restarts: u32,
) -> ExitRecord {
    // It may have ended by itself at the last moment.
    let timed_out = exited.timed_out && exited.status == ExitStatus::Signal(SIGKILL);
    let mut exit = ExitRecord::new(if timed_out { TIMED_OUT } else { exited.status.code() });
    exit.signal = match exited.status {
        ExitStatus::Signal(signal) => Some(signal),
        ExitStatus::Code(_) => None,
    };
    exit.oom_killed = ending.oom_killed;
    exit.finished_at = timestamp(exited.finished_at);
    exit.restarts = restarts;
    if timed_out {
        exit.error = Some("timeout".to_owned());
    }
    let written = write_end(store, &request.config, &mut exit, |exit, own| {
        if let Some(state) = own.and_then(|own| own.state.as_ref()) {
            exit.started_at = state.started_at;
            exit.stopped_by_user = state.stopped_by_user;
        }
        Ok(())
    });
    if let Err(error) = written {
        // The container is gone (`rm -f`), or the disk is full: the status is then "stopped, monitor lost".
        tracing::warn!(%error, container = %request.config.id, "exit not recorded");
    }
    exit
}

/// Records an end; `complete` adds what only the records tell, if they can be read, under the container's lock.
fn write_end(
    store: &Store,
    config: &ContainerConfig,
    exit: &mut ExitRecord,
    complete: impl FnOnce(&mut ExitRecord, Option<&ContainerRecord>) -> Result<(), storage::Error>,
) -> Result<bool, storage::Error> {
    let locked = match store.lock_own_container(config) {
        Ok(locked) => Ok(locked),
        Err(error @ storage::Error::NoContainer(_)) => return Err(error),
        // Not even the lock can be made, for a logout took all of `/run/user/UID`: two records cannot be.
        Err(error) => {
            tracing::debug!(%error, "end recorded without a lock");
            Err(store.own_container(config).ok())
        }
    };
    complete(exit, locked.as_deref().map_or_else(Option::as_ref, Some))?;
    store.record_exit(config, exit)
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_else(|_| Timestamp::now())
}

/// What is still there when the network, the ports and the cgroup of a run are freed.
#[derive(Debug)]
pub(super) struct Remains {
    /// P as this monitor keeps it: it stays for the removal.
    published: Option<Published>,
    /// The network helper, if nobody has to wait for its end.
    helper: Option<DyingHelper>,
}

impl Remains {
    /// Of a run that was never begun.
    pub(super) fn nothing() -> Self {
        Self { published: None, helper: None }
    }

    /// Waits for the network helper's end. Our hold on P ends, too.
    pub(super) fn reap(self) {
        reap(self.helper);
    }
}

/// Waits for the end of a network helper: the last thing that a monitor does.
fn reap(helper: Option<DyingHelper>) {
    if let Some(helper) = helper
        && let Err(error) = helper.reap()
    {
        tracing::warn!(%error, "network helper");
    }
}

/// Frees the network, the ports and the cgroup. The helper dies meanwhile; only published ports have to wait for that.
pub(super) fn tear_down(ending: Ending) -> Remains {
    let mut helper = ending.network.kill().inspect_err(|error| tracing::warn!(%error, "network helper")).ok();
    remove_cgroup(ending.cgroup);
    if !ending.ports.ports.is_empty() {
        reap(helper.take());
    }
    ending.ports.release();
    Remains { published: ending.published, helper }
}

pub(super) fn stop_network(network: NetworkHandle) {
    if let Err(error) = network.stop() {
        tracing::warn!(%error, "network helper");
    }
}

pub(super) fn remove_cgroup(cgroup: Option<ContainerCgroup>) {
    if let Some(cgroup) = cgroup
        && let Err(error) = cgroup.remove()
    {
        tracing::warn!(%error, "cgroup stays");
    }
}

/// The last acts of a monitor: `--rm`, the end of its lock, and the word to everyone who is attached.
pub(super) fn finish(
    store: &Store,
    request: &StartRequest,
    remains: Remains,
    held: FileLock,
    clients: Clients,
    exit: &ExitRecord,
) {
    let Remains { published, helper } = remains;
    let report = ExitReport {
        code: exit.code,
        signal: exit.signal.and_then(|signal| u8::try_from(signal).ok()),
        oom_killed: exit.oom_killed,
    };
    if request.config.spec.remove
        && let Err(error) = remove(store, request, published.as_ref())
    {
        tracing::warn!(%error, container = %request.config.id, "container not removed");
    }
    if let Some(published) = published
        && let Err(error) = published.withdraw()
    {
        tracing::debug!(%error, "entry of P stays");
    }
    // From here on the container may be started again, or is gone: nothing of it is ours any more. Somebody who is attached
    // takes the time he wants.
    drop(held);
    if let Err(error) = clients.finish(report) {
        tracing::debug!(%error, "attached clients");
    }
    reap(helper);
}

/// Removes the container and its anonymous volumes.
fn remove(store: &Store, request: &StartRequest, published: Option<&Published>) -> Result<(), Error> {
    let locked = store.lock_container(&request.config.id).map_err(Error::Storage)?;
    let mut trashed = vec![store.remove_container(locked).map_err(Error::Storage)?];
    cidfile::remove(&request.config);
    let volumes = trash_volumes(store, request, &mut trashed);
    // What is in the trash goes in any case.
    delete(store, request, published, trashed).and(volumes.map_err(Error::Storage))
}

fn trash_volumes(store: &Store, request: &StartRequest, trashed: &mut Vec<PathBuf>) -> Result<(), storage::Error> {
    let mut kept = Ok(());
    for name in store.volumes_that_go_with(&request.config)? {
        match store.trash_volume(&name) {
            Ok(path) => trashed.push(path),
            // Another container mounts it, and takes it along some day; or somebody has removed it.
            Err(storage::Error::VolumeInUse { .. } | storage::Error::NoVolume(_)) => {}
            Err(error) => kept = kept.and(Err(error)),
        }
    }
    kept
}

/// Deletes trees that are ours alone, as what we moved to the trash: by ourselves if every file is the caller's, else in P.
pub(super) fn delete(
    store: &Store,
    request: &StartRequest,
    published: Option<&Published>,
    trees: Vec<PathBuf>,
) -> Result<(), Error> {
    let mut left = Vec::new();
    for path in trees {
        if !trash::delete(&path).map_err(Error::Storage)? {
            left.push(path);
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let outer = match published {
        Some(published) => Outer::with_live(request.wish.clone(), published.userns()).map_err(Error::Outer)?,
        None => Outer::find(request.wish.clone(), &store.layout().outers()),
    };
    let job = || left.iter().try_for_each(|path| trash::delete(path).map(drop));
    worker::run(&outer, || job().map_err(|error| Failure::from_error(FailureKind::Other, &error))).map_err(Error::Outer)
}

/// A container that never started goes back to what it was; with `--rm` it goes altogether.
pub(super) fn failed_start(store: &Store, request: &StartRequest, held: &FileLock, error: &Error, restarts: u32) {
    if restarts > 0 && !request.config.spec.remove && !matches!(error, Error::StopAsked(_)) {
        let mut exit = ExitRecord::unknown("restart failed");
        exit.error = Some(error.to_failure().to_string());
        exit.restarts = restarts;
        let recorded = write_end(store, &request.config, &mut exit, |exit, own| {
            exit.started_at = own.and_then(|own| own.exit.as_ref()).and_then(|last| last.started_at);
            // The end of the run before is not the last word any more.
            store.clear_exit(&request.config.id)
        });
        if let Err(error) = recorded {
            tracing::warn!(%error, "exit not recorded");
        }
        return;
    }
    undo_start(store, request, held);
}

pub(super) fn undo_start(store: &Store, request: &StartRequest, held: &FileLock) {
    let undone = if request.config.spec.remove {
        remove(store, request, None)
    } else if sys::fs::exists(&store.layout().container_exit(&request.config.id)) {
        Ok(())
    } else {
        // Never ran: without the lock file its status is "created" again.
        sys::fs::remove_file(held.path())
            .map(drop)
            .map_err(|source| Error::Write { path: held.path().to_owned(), source })
    };
    if let Err(error) = undone {
        tracing::warn!(%error, "failed start not undone");
    }
}

/// During the pause before a restart: somebody stopped or removed the container. No state is none of that (a logout took it
/// away), nor is an error: the next look tells.
pub(super) fn stop_asked(store: &Store, request: &StartRequest) -> bool {
    match store.own_container(&request.config) {
        Ok(own) => own.state.is_some_and(|state| state.stopped_by_user),
        Err(error) => matches!(error, storage::Error::NoContainer(_)),
    }
}
