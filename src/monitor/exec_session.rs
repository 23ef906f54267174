//! The supervisor of an exec session: a small monitor without log, socket and network (K-A12).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::attach::{Clients, Pace};
use super::error::Error;
use super::hooks::{NoHooks, StopPlan};
use super::log::LogSink;
use super::report::ExitReport;
use super::spawn::{self, Kept, Reply, Started};
use super::start::identity;
use super::stdio::ContainerIo;
use super::supervise::{self, Exited, Supervised};
use crate::rootless::OuterWish;
use crate::runtime::bundle::Bundle;
use crate::runtime::cgroup::ContainerCgroup;
use crate::runtime::exec::{self, Entered};
use crate::storage::Store;
use crate::storage::exec_record::ExecRecord;
use crate::sys::process::{ExitStatus, Pid, PidFd};
use crate::sys::signal::{SIGKILL, SIGTERM, SignalFd};
use crate::types::cgroup::CgroupRecord;
use crate::types::container_spec::DEFAULT_STOP_SECONDS;
use crate::types::id::{ContainerId, ExecId};

/// A program about to be executed in a container.
#[derive(Debug)]
pub(crate) struct ExecRequest {
    pub(crate) id: ExecId,
    pub(crate) container: ContainerId,
    pub(crate) init: PidFd,
    /// The container's spec with the program's process section.
    pub(crate) bundle: Bundle,
    pub(crate) interactive: bool,
    pub(crate) cgroup: Option<CgroupRecord>,
    /// The map that P has, and where we are.
    pub(crate) wish: OuterWish,
    /// A connected socket of a caller who stays.
    pub(crate) client: Option<OwnedFd>,
}

/// Forks the supervisor of a session and waits until the program runs or has failed, or a signal at `interrupts` has waited
/// too long for that. The caller has one thread.
pub(crate) fn run(store: &Store, request: ExecRequest, interrupts: Option<&SignalFd>) -> Result<Started, Error> {
    let starting = spawn::fork_detached(request, spawn::EXEC_NAME, |request, reply| live(store, request, reply))?;
    starting.finish(interrupts)
}

impl Kept for ExecRequest {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.client.as_ref().map(AsFd::as_fd).into_iter().chain([self.init.as_fd()]).collect()
    }
}

fn live(store: &Store, mut request: ExecRequest, reply: &mut Reply) -> i32 {
    let id = request.id.clone();
    let record = ExecRecord::new(id, request.container.clone());
    let begun = Clients::new().map_err(Error::Supervise).and_then(|mut clients| {
        if let Some(client) = request.client.take() {
            clients.add(client, Pace::Lossless).map_err(Error::Supervise)?;
        }
        let (entered, io) = begin(&request)?;
        Ok((clients, entered, io))
    });
    let (mut clients, entered, io) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            reply.send(&Err(error.to_failure()));
            return 1;
        }
    };
    let pid = entered.running.init.pid().as_raw();
    let own = identity(Pid::this()).inspect_err(|error| tracing::debug!(%error, "own start time not known"));
    let record = record.running(pid, own.ok().flatten());
    if let Err(error) = store.write_exec(&record) {
        tracing::debug!(%error, "exec session not recorded");
    }
    reply.send(&Ok(Started { pid, warnings: Vec::new() }));
    spawn::forget_command_line(spawn::EXEC_NAME);
    let running = entered.finish();
    let exited = supervise::run(Supervised {
        init: &running.init,
        io,
        log: &mut LogSink::None,
        clients: &mut clients,
        socket: None,
        network_helper: None,
        timeout: None,
        stop: StopPlan { signal: SIGTERM, timeout: Some(Duration::from_secs(DEFAULT_STOP_SECONDS.into())) },
        hooks: &mut NoHooks,
    });
    let status = match exited {
        Ok(Exited { status, .. }) => status,
        Err(error) => {
            tracing::error!(%error, "supervision of the exec session failed");
            crate::runtime::create::end(&running.init);
            ExitStatus::Signal(SIGKILL)
        }
    };
    finish(store, &record.id, status, clients);
    0
}

fn finish(store: &Store, id: &ExecId, status: ExitStatus, clients: Clients) {
    // Whoever is attached is told the code, and of a detached session nobody asks for it.
    if let Err(error) = store.remove_exec(id) {
        tracing::debug!(%error, "record of the exec session stays");
    }
    let signal = match status {
        ExitStatus::Signal(signal) => u8::try_from(signal).ok(),
        ExitStatus::Code(_) => None,
    };
    if let Err(error) = clients.finish(ExitReport { code: status.code(), signal, oom_killed: false }) {
        tracing::debug!(%error, "attached client");
    }
}

/// Makes the program run in the container.
pub(super) fn begin(request: &ExecRequest) -> Result<(Entered, ContainerIo), Error> {
    let terminal =
        request.bundle.spec.process().as_ref().and_then(oci_spec::runtime::Process::terminal).unwrap_or(false);
    let (io, streams) = if terminal {
        (None, None)
    } else {
        let (io, child) = ContainerIo::pipes(request.interactive).map_err(Error::Streams)?;
        (Some(io), Some([child.stdin, child.stdout, child.stderr]))
    };
    let cgroup = request.cgroup.as_ref().map(ContainerCgroup::open).transpose().map_err(Error::Cgroup)?.flatten();
    let dir = cgroup.as_ref().map(ContainerCgroup::dir);
    let joining =
        exec::begin(request.bundle.clone(), &request.init, &request.wish, streams, dir).map_err(Error::Runtime)?;
    if let Some(cgroup) = &cgroup
        && !joining.is_in_cgroup()
    {
        cgroup.admit(joining.pid().as_raw()).map_err(Error::Cgroup)?;
    }
    let mut entered = joining.run().map_err(Error::Runtime)?;
    let io = match (io, entered.running.console.take()) {
        (Some(io), _) => Ok(io),
        (None, Some(master)) => ContainerIo::terminal(master).map_err(Error::Streams),
        (None, None) => Err(Error::Died),
    };
    match io {
        Ok(io) => Ok((entered, io)),
        Err(error) => {
            // Nobody would hear it.
            crate::runtime::create::end(&entered.finish().init);
            Err(error)
        }
    }
}
