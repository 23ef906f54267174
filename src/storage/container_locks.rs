//! Waiting for the locks of containers: for a command that holds one, and for a monitor that lives.

use std::path::PathBuf;

use super::container_record::{ContainerRecord, ExitRecord};
use super::containers::Locked;
use super::error::{At as _, Error};
use super::patience::{self, Share};
use super::record;
use super::store::Store;
use crate::sys::lock::{FileLock, LockWatch, TryLock};
use crate::sys::{self, Errno};
use crate::types::id::ContainerId;

/// The open liveness lock of a container.
#[derive(Debug)]
pub(crate) struct MonitorWatch {
    watch: LockWatch,
    path: PathBuf,
}

impl MonitorWatch {
    /// None if there is no such lock.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>, Error> {
        let watch = FileLock::watch(&path).locking(&path)?;
        Ok(watch.map(|watch| Self { watch, path }))
    }

    /// Waits until the container has no monitor, and reads how its last run ended, by the word of its monitor. None if
    /// nobody saw the end. No lock is held.
    pub(crate) fn wait(self) -> Result<Option<ExitRecord>, Error> {
        let bytes = self.watch.wait().locking(&self.path)?;
        // What is no exit record is the state of a run whose monitor died.
        Ok(record::parse::<ExitRecord>(&self.path, &bytes).ok())
    }
}

impl Store {
    /// Waits for the lock of a container, and reads the container under it.
    pub(super) fn read_locked(
        &self,
        id: &ContainerId,
        read: impl FnOnce() -> Result<ContainerRecord, Error>,
    ) -> Result<Locked<ContainerRecord>, Error> {
        self.make_run()?;
        let path = self.layout().container_lock(id);
        let wait = || patience::lock(&path, Share::Exclusive, || format!("container {}", id.short()));
        let lock = match wait() {
            // A logout took the directory of locks away since it was made (G19).
            Err(Error::Lock { source, .. }) if source.is(Errno::ENOENT) => {
                self.remake_run()?;
                wait()?
            }
            waited => waited?,
        };
        let value = read().inspect_err(|error| {
            // To wait for the lock of a container that is gone made it anew.
            if matches!(error, Error::NoContainer(_)) {
                self.remove_lock(id);
            }
        })?;
        Ok(Locked { value, lock })
    }

    /// Removes the lock of a container that is gone, whether it is held or not: who waits for it makes the next one, and
    /// finds no container either. One that stays is empty and is the next repair's.
    pub(super) fn remove_lock(&self, id: &ContainerId) {
        if let Err(error) = sys::fs::remove_file(&self.layout().container_lock(id)) {
            tracing::debug!(%error, "lock of a removed container stays");
        }
    }

    /// Removes the locks of containers that are gone: a killed command left them. One of another store that shares our
    /// runroot may go, too: nobody holds it, and who wants it makes it anew.
    pub(crate) fn sweep_locks(&self) -> Result<(), Error> {
        let dir = self.layout().locks();
        for name in sys::fs::names(&dir).reading(&dir)? {
            let id = name.to_str().and_then(|name| name.strip_prefix("ctr-")?.parse::<ContainerId>().ok());
            let Some(id) = id.filter(|id| !self.has_container(id)) else { continue };
            let path = dir.join(&name);
            if let TryLock::Held(_lock) = FileLock::try_exclusive(&path).locking(&path)? {
                self.remove_lock(&id);
            }
        }
        Ok(())
    }
}
