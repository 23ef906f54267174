//! `kill`, and every other way by which a container gets a signal.

use crate::engine::action::Action;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::storage::container_record::{ContainerConfig, ContainerRecord, ContainerState, Supervision};
use crate::storage::containers::Locked;
use crate::storage::process_identity::ProcessIdentity;
use crate::sys::lock::FileLock;
use crate::sys::process::PidFd;
use crate::sys::{self, signal};
use crate::types::id::ContainerId;
use crate::types::signal::Signal;

use super::farewell::DEATH;

impl Engine {
    /// Sends a signal to init; returns the run that it went to. One that ends the container counts as the user's stop: no
    /// restart policy applies then.
    pub(crate) fn kill(&self, id: &ContainerId, signal: Signal) -> Result<ContainerRecord, Error> {
        let mut locked = self.lock_started(id)?;
        if !locked.status.can_kill() {
            return Err(Error::WrongStatus { action: Action::Kill, id: id.short().to_owned(), status: locked.status });
        }
        if signal == Signal::KILL || signal == Signal::TERM {
            self.note_stop(&mut locked)?;
        }
        let record = ContainerRecord::clone(&locked);
        drop(locked);
        if let Some(init) = init_of(&record)? {
            init.signal(signal.number()).map_err(|source| Error::Host { what: "signal the container", source })?;
        }
        Ok(record)
    }

    /// Brings a signal that came to an attached command to the program. Where a policy may have started that again, it is not
    /// the `first` one any more, or there is none just now; and who asks it to end wants no next one.
    pub(super) fn pass_on(&self, config: &ContainerConfig, first: Option<&PidFd>, number: i32) -> sys::Result<()> {
        if !config.spec.may_restart() {
            return first.map_or(Ok(()), |program| program.signal(number).map(drop));
        }
        if let Err(error) = self.pass_on_to_present(&config.id, number) {
            tracing::warn!(%error, number, "a signal did not reach the container");
        }
        Ok(())
    }

    fn pass_on_to_present(&self, id: &ContainerId, number: i32) -> Result<(), Error> {
        let mut locked = self.lock_started(id)?;
        if [signal::SIGINT, signal::SIGQUIT, signal::SIGTERM].contains(&number) {
            self.note_stop(&mut locked)?;
        }
        let record = locked.unlock();
        if let Some(init) = init_of(&record)? {
            init.signal(number).map_err(|source| Error::Host { what: "signal the container", source })?;
        }
        Ok(())
    }

    /// Waits for the end of a run that got SIGKILL, so that `start` or `rm` can follow: without it a start could find the
    /// container still running, and leave it at that.
    pub(crate) fn wait_for_killed(&self, record: &ContainerRecord) -> Result<(), Error> {
        if let Some(init) = init_of(record)? {
            init.wait_gone(Some(DEATH)).map_err(|source| Error::Host { what: "wait for the container", source })?;
        }
        self.wait_for_monitor(record)
    }

    /// Records that the user ended this run.
    pub(super) fn note_stop(&self, locked: &mut Locked<ContainerRecord>) -> Result<(), Error> {
        match self.state_to_stop(locked) {
            Some(state) if !state.stopped_by_user => self.write_stop(locked, state),
            _ => Ok(()),
        }
    }

    /// The state, with the monitor in it that is at the container now. A logout took the state away, and that monitor may be
    /// about to start it again; or it has just begun, and the state is the one of the run before.
    fn state_to_stop(&self, locked: &ContainerRecord) -> Option<ContainerState> {
        let state = locked.state.clone();
        if locked.supervision != Supervision::Monitored || state.is_some() && locked.exit.is_none() {
            return state;
        }
        let monitor = self.holder(locked.id());
        match state {
            Some(state) if monitor.is_none() || monitor == state.monitor => Some(state),
            Some(state) => Some(ContainerState { monitor, stopped_by_user: false, ..state }),
            None => Some(ContainerState { monitor, ..ContainerState::new(locked.status) }),
        }
    }

    /// The monitor of a container, by its lock: no word reaches it that does not say whom it is for.
    fn holder(&self, id: &ContainerId) -> Option<ProcessIdentity> {
        let pid = FileLock::holder_pid(&self.store.layout().monitor_lock(id))?;
        ProcessIdentity::of(pid).ok().flatten()
    }

    /// The same with a new state. Where nothing can be written any more, the signal is sent all the same (rule R13).
    pub(super) fn write_stop(&self, locked: &mut Locked<ContainerRecord>, state: ContainerState) -> Result<(), Error> {
        match locked.write_state(&self.store, ContainerState { stopped_by_user: true, ..state }) {
            Err(error) if error.full().is_some() => {
                tracing::warn!(%error, "not noted that it is stopped by you: a restart policy may start it again");
                Ok(())
            }
            written => Ok(written?),
        }
    }
}

/// Init of a live container, checked not to be another process of the same number.
pub(super) fn init_of(record: &ContainerRecord) -> Result<Option<PidFd>, Error> {
    let Some(identity) = record.init() else { return Ok(None) };
    identity.open().map_err(|source| Error::Host { what: "open the container's init", source })
}
