//! What changes while a container lives: its state, how its run ended, and the note of both that outlives a logout.

use super::container_record::{ContainerConfig, ContainerRecord, ContainerState, ExitRecord};
use super::containers::Locked;
use super::error::{At as _, Error};
use super::record;
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::sys::Errno;
use crate::types::id::ContainerId;

/// Field of a noted state: which epoch it is of.
const EPOCH: &str = "epoch";

/// What may be done to a container under its lock.
impl Locked<ContainerRecord> {
    /// Reads the container again under the lock.
    pub(crate) fn refresh(&mut self, store: &Store) -> Result<(), Error> {
        self.value = store.container(self.id())?;
        Ok(())
    }

    /// Replaces `state.json`. Makes the volatile directory of the container if it is not there.
    pub(crate) fn write_state(&mut self, store: &Store, mut state: ContainerState) -> Result<(), Error> {
        let path = store.layout().container_state(self.id());
        let found = record::read_if_exists::<ContainerState>(&path).ok().flatten().map_or(0, |old| old.generation);
        let expected = self.state.as_ref().map_or(0, |old| old.generation);
        // Zero: a logout took the file away meanwhile.
        if found != 0 && found != expected {
            return Err(Error::Generation { path, found, expected });
        }
        state.generation = expected + 1;
        store.make_run_container(self.id())?;
        store.in_runroot(record::write_volatile_or_over(&path, &state))?;
        if state.status.is_alive() {
            store.note_state(self.id(), &state)?;
        }
        self.value.status = state.status;
        self.value.state = Some(state);
        Ok(())
    }

    /// Forgets how the last run ended: the first thing that a start does, after taking `monitor.lock`.
    pub(crate) fn clear_exit(&mut self, store: &Store) -> Result<(), Error> {
        store.clear_exit(self.id())?;
        self.value.exit = None;
        Ok(())
    }

    /// Records how the run ended. Write-once: if there is a record it stays, and is what counts (`false`).
    pub(crate) fn write_exit(&mut self, store: &Store, exit: ExitRecord) -> Result<bool, Error> {
        let written = store.record_exit(&self.value.config, &exit)?;
        self.refresh(store)?;
        Ok(written)
    }
}

impl Store {
    /// The same for a monitor, which reads no state: under the container's lock, or without one where a logout took all of
    /// `/run/user/UID`.
    pub(crate) fn clear_exit(&self, id: &ContainerId) -> Result<(), Error> {
        let path = self.layout().container_exit(id);
        if sys::fs::remove_file(&path).removing(&path)? {
            self.note(id, b"");
        }
        Ok(())
    }

    /// Makes the volatile directory of a container.
    pub(crate) fn make_run_container(&self, id: &ContainerId) -> Result<(), Error> {
        let dir = self.layout().run_container(id);
        let made = match sys::fs::mkdir(&dir, DIR_MODE) {
            Err(error) if error.is(Errno::EEXIST) => Ok(()),
            Err(error) if error.is(Errno::ENOENT) => sys::fs::mkdir_all(&dir, DIR_MODE),
            other => other,
        };
        self.in_runroot(made.writing(&dir))
    }

    /// Makes `exit.json` by `link(2)`, so that exactly one of two writers succeeds (rule R11).
    pub(crate) fn record_exit(&self, config: &ContainerConfig, exit: &ExitRecord) -> Result<bool, Error> {
        let dir = self.layout().container(&config.id);
        let path = self.layout().container_exit(&config.id);
        let temporary = dir.join(format!("exit.{}.tmp", hex::encode(sys::fs::random::<6>())));
        if let Err(error) = record::write_new(&temporary, exit, config.is_durable()) {
            // A full disk: `monitor.lock` has room, for the state that stands there.
            self.note(&config.id, &record::to_bytes(&path, exit)?);
            sys::fs::remove_file(&temporary).removing(&temporary)?;
            return Err(error);
        }
        let linked = sys::fs::link(&temporary, &path);
        // File systems without links answer EPERM or EOPNOTSUPP: there the rename that refuses to replace does it.
        let linked = match linked {
            Err(error) if error.is(Errno::EPERM) || error.is(Errno::EOPNOTSUPP) => {
                sys::fs::rename_new(&temporary, &path)
            }
            other => other,
        };
        sys::fs::remove_file(&temporary).removing(&temporary)?;
        match linked {
            Err(error) if error.is(Errno::EEXIST) => Ok(false),
            other => {
                other.writing(&path)?;
                self.note(&config.id, &record::to_bytes(&path, exit)?);
                if config.is_durable() {
                    sys::fs::sync_dir(&dir).writing(&dir)?;
                }
                Ok(true)
            }
        }
    }

    /// Leaves the state of a run in `monitor.lock`, which no logout takes away (K-A10).
    fn note_state(&self, id: &ContainerId, state: &ContainerState) -> Result<(), Error> {
        let mut state = state.clone();
        state.rest.insert(EPOCH.to_owned(), self.layout().epoch().into());
        self.note(id, &record::to_bytes(&self.layout().monitor_lock(id), &state)?);
        Ok(())
    }

    /// The state that was noted in this epoch. Anything else in the file is none.
    pub(super) fn noted_state(&self, id: &ContainerId) -> Option<ContainerState> {
        let mut state = record::read_if_exists::<ContainerState>(&self.layout().monitor_lock(id)).ok().flatten()?;
        let epoch = state.rest.remove(EPOCH)?;
        (epoch == self.layout().epoch()).then_some(state)
    }

    /// The end of the last run where there was no room for its record.
    pub(super) fn noted_exit(&self, id: &ContainerId) -> Option<ExitRecord> {
        record::read_if_exists::<ExitRecord>(&self.layout().monitor_lock(id)).ok().flatten()
    }

    /// Leaves the exit record in `monitor.lock` too: whoever waits for a `--rm` container has that file open, and reads
    /// the code from it after the container is gone. Best effort: the record itself is `exit.json`.
    fn note(&self, id: &ContainerId, text: &[u8]) {
        let path = self.layout().monitor_lock(id);
        if let Err(error) = sys::fs::exists(&path).then(|| sys::fs::rewrite(&path, text)).transpose() {
            tracing::debug!(%error, "not noted");
        }
    }
}
