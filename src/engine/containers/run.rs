//! `run`: create, start, and stay with the container or not.

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::report::ExitReport;
use crate::storage::container_record::ContainerRecord;
use crate::storage::images::FoundImage;
use crate::sys::process::{Pid, PidFd};
use crate::sys::socket;
use crate::types::container_spec::ContainerSpec;
use crate::types::id::ContainerId;

use super::attach::{self, AttachOptions, AttachOutcome};
use super::signal_proxy::SignalProxy;

/// How `run` and `start -a` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunReport {
    /// The container runs on: `-d`, or the detach keys.
    Detached { id: ContainerId, warnings: Vec<String> },
    /// The program ended.
    Exited { id: ContainerId, report: ExitReport },
    /// The monitor died before it could tell the exit code.
    Lost { id: ContainerId },
}

/// What the caller's streams do, for one who stays.
#[derive(Debug)]
pub(crate) struct Foreground<'a> {
    pub(crate) options: AttachOptions<'a>,
    /// `--sig-proxy`.
    pub(crate) proxy_signals: bool,
}

impl Engine {
    /// Makes a container and starts it. A container that cannot start stays as `created`, or goes with `--rm`.
    pub(crate) fn run(
        &self,
        spec: ContainerSpec,
        image: Option<FoundImage>,
        foreground: Option<Foreground<'_>>,
    ) -> Result<RunReport, Error> {
        let record = self.create(spec, image)?;
        self.launch_and_stay(&record, foreground)
    }

    /// Starts an existing container, attached if `foreground`.
    pub(crate) fn start_attached(&self, id: &ContainerId, foreground: Foreground<'_>) -> Result<RunReport, Error> {
        let record = self.startable(id)?;
        self.launch_and_stay(&record, Some(foreground))
    }

    fn launch_and_stay(&self, record: &ContainerRecord, foreground: Option<Foreground<'_>>) -> Result<RunReport, Error> {
        let id = record.id().clone();
        let Some(foreground) = foreground else {
            let started = self.launch(record, None)?;
            return Ok(RunReport::Detached { id, warnings: started.warnings });
        };
        let failed = |source| Error::Attach { id: id.short().to_owned(), source };
        // Before the start: a signal that comes while the container starts is for the container.
        let proxy = SignalProxy::new(foreground.proxy_signals).map_err(failed)?;
        let (ours, theirs) = socket::stream_pair().map_err(failed)?;
        let started = self.launch(record, Some(theirs))?;
        // The program may have ended already.
        let init = Pid::from_raw(started.pid).and_then(|pid| PidFd::open(pid).ok());
        let options = foreground.options;
        match attach::attach(ours, options, proxy, init.as_ref()).map_err(failed)? {
            AttachOutcome::Exited(report) => Ok(RunReport::Exited { id, report }),
            AttachOutcome::Detached | AttachOutcome::OutputClosed => Ok(RunReport::Detached { id, warnings: Vec::new() }),
            AttachOutcome::Lost => Ok(RunReport::Lost { id }),
        }
    }
}
