//! The start of a container: from nothing to a running program, and what is written down on the way.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::Error;
use super::exit::{self, Ending};
use super::rejoin;
use super::request::StartRequest;
use super::stdio::ContainerIo;
use crate::network::{self, ClaimedPorts, NetworkHandle, PortHolder};
use crate::rootless::Outer;
use crate::rootless::outer::{Published, Turn};
use crate::runtime::cgroup::{self, ContainerCgroup};
use crate::runtime::create::{self, Created, Running, Staging};
use crate::storage::container_record::{ContainerRecord, ContainerState};
use crate::storage::containers::Locked;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::{self, Store};
use crate::sys::process::Pid;
use crate::sys::{self, process};
use crate::types::cgroup::CgroupRecord;
use crate::types::status::ContainerStatus;

/// How long a network helper may take.
const NETWORK_DEADLINE: Duration = Duration::from_secs(20);

/// What the monitor holds while the container runs.
#[derive(Debug)]
pub(super) struct Alive {
    pub(super) running: Running,
    pub(super) io: ContainerIo,
    pub(super) network: NetworkHandle,
    pub(super) ports: ClaimedPorts,
    pub(super) cgroup: Option<ContainerCgroup>,
    pub(super) published: Option<Published>,
    pub(super) warnings: Vec<String>,
    pub(super) since: Instant,
}

/// From nothing to a running program. What was begun is undone if a later step fails. `coming` is where the P comes from
/// that was begun for this start.
pub(super) fn start(
    store: &Store,
    request: &StartRequest,
    coming: Option<OwnedFd>,
    restarts: u32,
) -> Result<Alive, Error> {
    let (io, streams) = if request.config.spec.tty {
        (None, None)
    } else {
        let (io, child) = ContainerIo::pipes(request.config.spec.interactive).map_err(Error::Streams)?;
        (Some(io), Some([child.stdin, child.stdout, child.stderr]))
    };
    let (staging, taken) = stage(store, request, coming, restarts, streams)?;
    let (running, network) = match launch(store, request, restarts, staging, &taken) {
        Ok(launched) => launched,
        Err(error) => return Err(taken.give_back(error)),
    };
    let mut alive = assemble(running, io, network, taken)?;
    match write_running(store, request, &mut alive, restarts) {
        Ok(()) => Ok(alive),
        Err(error) => {
            create::end(&alive.running.init);
            exit::end_kin(alive.running.kin);
            exit::tear_down(Ending::of(alive.network, alive.ports, alive.cgroup, alive.published)).reap();
            Err(error)
        }
    }
}

/// What a start has taken from the host; given back if it fails.
#[derive(Debug)]
struct Taken {
    cgroup: Option<ContainerCgroup>,
    ports: ClaimedPorts,
    published: Option<Published>,
    warnings: Vec<String>,
}

impl Taken {
    /// Returns the error that made it necessary.
    fn give_back(self, error: Error) -> Error {
        undo(self.cgroup, Some(self.ports), error)
    }
}

/// The P of this start, and our turn if we make one.
fn find_outer(
    request: &StartRequest,
    coming: Option<OwnedFd>,
    live_dir: &Path,
) -> Result<(Outer, Option<Turn>), Error> {
    if let Some(pid) = request.joined.first().and_then(|(_, init)| init.pid()) {
        return Ok((Outer::of(request.wish.clone(), pid).map_err(Error::Outer)?, None));
    }
    let (outer, turn) = Outer::find_in_turn(request.wish.clone(), live_dir);
    Ok(match coming {
        Some(answer) if !outer.is_live() => (Outer::coming(request.wish.clone(), answer), turn),
        _ => (outer, turn),
    })
}

/// P with the stage in it; cgroup and ports while `newuidmap` runs.
fn stage(
    store: &Store,
    request: &StartRequest,
    coming: Option<OwnedFd>,
    restarts: u32,
    streams: create::Streams,
) -> Result<(Staging, Taken), Error> {
    let spec = &request.config.spec;
    let live_dir = store.layout().outers();
    let (outer, turn) = find_outer(request, coming, &live_dir)?;
    let creating = create::begin(&request.bundle, &outer, streams).map_err(Error::Runtime)?;
    let pids = [Pid::this().as_raw(), creating.stage_pid().as_raw()];
    let wanted = cgroup::Request {
        id: &request.config.id,
        mode: spec.cgroups,
        parent: spec.cgroup_parent.as_deref(),
        resources: &spec.resources,
    };
    let mut announce = |cgroup: &CgroupRecord| {
        if let Err(error) = write_initialized(store, request, None, Some(cgroup), restarts) {
            // The start will meet the same error.
            tracing::debug!(%error, "cgroup not announced");
        }
    };
    let pending = cgroup::begin(wanted, &pids, &mut announce);
    let holder = PortHolder { id: &request.config.id, name: request.config.name.as_str() };
    let ports = network::claim(&store.layout().ports(), &request.network.ports, &holder).map_err(Error::Network);
    let mapped = creating.map().map_err(Error::Runtime);
    let published = mapped.as_ref().ok().and_then(|(staging, own)| {
        let offered = outer.offer(own.as_ref(), staging.stage_pid(), &live_dir);
        // Only an offer to others: without it they make their own.
        offered.inspect_err(|error| tracing::debug!(%error, "P not offered")).ok()
    });
    drop(turn);
    let mut warnings = Vec::new();
    let cgroup = pending.and_then(|pending| pending.finish(&mut warnings)).map_err(Error::Cgroup);
    // Whichever error, and what the others have brought is given back.
    let ((staging, _), ports, cgroup) = match (mapped, ports, cgroup) {
        (Ok(staging), Ok(ports), Ok(cgroup)) => (staging, ports, cgroup),
        (Err(error), ports, cgroup) => return Err(undo(cgroup.ok().flatten(), ports.ok(), error)),
        (_, Err(error), cgroup) => return Err(undo(cgroup.ok().flatten(), None, error)),
        (_, Ok(ports), Err(error)) => return Err(undo(None, Some(ports), error)),
    };
    Ok((staging, Taken { cgroup, ports, published, warnings }))
}

/// Init, its network, and the program.
fn launch(
    store: &Store,
    request: &StartRequest,
    restarts: u32,
    staging: Staging,
    taken: &Taken,
) -> Result<(Running, NetworkHandle), Error> {
    let group = taken.cgroup.as_ref();
    if let Some(group) = group {
        group.apply(&request.config.spec.resources).map_err(Error::Cgroup)?;
    }
    let placed = staging.place(group.map(ContainerCgroup::dir)).map_err(Error::Runtime)?;
    let run_dir = store.layout().run_container(&request.config.id);
    let outer = request.wish.above(placed.userns.as_fd()).map_err(Error::Outer);
    let network = outer.and_then(|outer| {
        let (outer, netns) = (outer.as_ref().map(AsFd::as_fd), placed.netns.as_fd());
        network::start(&request.network, &taken.ports.ports, &run_dir, outer, netns).map_err(Error::Network)
    });
    let mut network = match network {
        Ok(network) => network,
        Err(error) => {
            placed.abandon();
            return Err(error);
        }
    };
    // While init builds its root: from now on a killed monitor leaves a trace of whom it has started.
    let init = placed.init.pid();
    let trace = |init| write_initialized(store, request, Some(init), group.map(ContainerCgroup::record), restarts);
    let begun = match trace(init) {
        Ok(()) => placed.created().map_err(Error::Runtime),
        Err(error) => {
            placed.abandon();
            Err(error)
        }
    };
    let begun = begun.and_then(|mut created| {
        // Among the processes of another container a second process becomes the program.
        let prepared = trace_successor(&created, init, trace)
            .and_then(|()| rejoin::confirm(request))
            .and_then(|()| network.wait_ready(Instant::now() + NETWORK_DEADLINE).map_err(Error::Network));
        if let Err(error) = prepared {
            created.abandon();
            return Err(error);
        }
        // While init waits for our word.
        let outlives = request.config.spec.outlives_init(group.is_some());
        let kin = if outlives { exit::kin(&mut created) } else { None };
        created.start().map(|running| Running { kin, ..running }).map_err(Error::Runtime)
    });
    match begun {
        Ok(running) => Ok((running, network)),
        Err(error) => {
            exit::stop_network(network);
            Err(error)
        }
    }
}

fn trace_successor(created: &Created, before: Pid, trace: impl FnOnce(Pid) -> Result<(), Error>) -> Result<(), Error> {
    if created.init.pid() == before { Ok(()) } else { trace(created.init.pid()) }
}

/// Gives back what a start that fails has taken; returns its error.
fn undo(cgroup: Option<ContainerCgroup>, ports: Option<ClaimedPorts>, error: Error) -> Error {
    exit::remove_cgroup(cgroup);
    if let Some(ports) = ports {
        ports.release();
    }
    error
}

fn assemble(
    mut running: Running,
    io: Option<ContainerIo>,
    network: NetworkHandle,
    taken: Taken,
) -> Result<Alive, Error> {
    let io = match (io, running.console.take()) {
        (Some(io), _) => Ok(io),
        (None, Some(master)) => ContainerIo::terminal(master).map_err(Error::Streams),
        (None, None) => Err(Error::Streams(sys::Error::new("recvmsg", "no terminal came", sys::Errno::ENOTTY))),
    };
    match io {
        Ok(io) => {
            let Taken { cgroup, ports, published, warnings } = taken;
            Ok(Alive { running, io, network, ports, cgroup, published, warnings, since: Instant::now() })
        }
        Err(error) => {
            create::end(&running.init);
            exit::end_kin(running.kin);
            exit::stop_network(network);
            Err(taken.give_back(error))
        }
    }
}

/// The lock for a new state, which would make the word of a `stop` or `rm --force` forgotten that came since this monitor
/// began, or since it decided to start the container again.
fn lock_unless_stopped(store: &Store, request: &StartRequest) -> Result<Locked<ContainerRecord>, Error> {
    let locked = store.lock_own_container(&request.config).map_err(Error::Storage)?;
    if is_to_end(&locked)? {
        return Err(Error::StopAsked(request.config.id.short().to_owned()));
    }
    Ok(locked)
}

/// True if somebody wants what this monitor starts to end. The word may be for another run, long ago.
fn is_to_end(container: &ContainerRecord) -> Result<bool, Error> {
    let Some(state) = container.state.as_ref().filter(|state| state.stopped_by_user) else { return Ok(false) };
    Ok(state.monitor == identity(Pid::this())?)
}

/// What a start has failed for: where its processes were killed because somebody wants it to end, that.
pub(super) fn why_failed(store: &Store, request: &StartRequest, error: Error) -> Error {
    let asked = match store.own_container(&request.config) {
        Ok(own) => is_to_end(&own).unwrap_or(false),
        Err(gone) => matches!(gone, storage::Error::NoContainer(_)),
    };
    if !asked {
        return error;
    }
    tracing::debug!(%error, "start ended by a stop");
    Error::StopAsked(request.config.id.short().to_owned())
}

/// Makes cgroup and init known before the program runs: whoever finds the container without a monitor knows what there
/// is to end and to remove.
fn write_initialized(
    store: &Store,
    request: &StartRequest,
    init: Option<Pid>,
    cgroup: Option<&CgroupRecord>,
    restarts: u32,
) -> Result<(), Error> {
    let mut locked = lock_unless_stopped(store, request)?;
    let mut state = ContainerState::new(ContainerStatus::Initialized);
    state.init = init.map(identity).transpose()?.flatten();
    state.monitor = identity(Pid::this())?;
    state.cgroup = cgroup.cloned();
    state.restarts = restarts;
    locked.write_state(store, state).map_err(Error::Storage)
}

/// Makes the run known: the old exit is forgotten, the state says running.
fn write_running(store: &Store, request: &StartRequest, alive: &mut Alive, restarts: u32) -> Result<(), Error> {
    // The user's file, on the user's disk: if that fails, the old exit still counts.
    if let Some(path) = &request.config.spec.pidfile {
        let text = format!("{}\n", alive.running.init.pid());
        sys::fs::replace_volatile(path, text.as_bytes())
            .map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    let mut locked = lock_unless_stopped(store, request)?;
    if locked.exit.is_some() {
        locked.clear_exit(store).map_err(Error::Storage)?;
    }
    if request.health.is_some() {
        // Before it is said to run: nobody shall take the last run's health for this one's.
        locked.begin_health(store).map_err(Error::Storage)?;
    }
    let mut state = ContainerState::new(ContainerStatus::Running);
    state.init = identity(alive.running.init.pid())?;
    state.monitor = identity(Pid::this())?;
    state.started_at = Some(Timestamp::now());
    state.cgroup = alive.cgroup.as_ref().map(|cgroup| cgroup.record().clone());
    state.ports.clone_from(&alive.ports.ports);
    state.restarts = restarts;
    state.network.helper = alive.network.helper().map(|helper| helper.to_string()).unwrap_or_default();
    state.network.ip_address = alive.network.address.map(|address| address.to_string());
    state.network.gateway = alive.network.gateway.map(|address| address.to_string());
    locked.write_state(store, state).map_err(Error::Storage)
}

/// None for a process that has ended. An error is none of that: a container whose init nobody knows could not be stopped.
pub(super) fn identity(pid: Pid) -> Result<Option<ProcessIdentity>, Error> {
    let start_time = process::start_time(pid).map_err(Error::Supervise)?;
    let number = u32::try_from(pid.as_raw()).ok();
    Ok(start_time.zip(number).map(|(start_time, pid)| ProcessIdentity { pid, start_time }))
}
