//! Waiting for the locks of containers: for a command that holds one, and for a monitor that lives.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::container_record::ExitRecord;
use super::error::{At as _, Error};
use super::record;
use super::store::Store;
use crate::sys;
use crate::sys::lock::{FileLock, LockWatch, TryLock};
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
    /// Removes the locks of containers that are gone: a killed command left them. One of another store that shares our
    /// runroot may go, too: nobody holds it, and who wants it makes it anew.
    pub(crate) fn sweep_locks(&self) -> Result<(), Error> {
        let dir = self.layout().locks();
        for name in sys::fs::names(&dir).reading(&dir)? {
            let id = name.to_str().and_then(|name| name.strip_prefix("ctr-")?.parse::<ContainerId>().ok());
            let path = dir.join(&name);
            if id.is_some_and(|id| !self.has_container(&id))
                && let TryLock::Held(lock) = FileLock::try_exclusive(&path).locking(&path)?
            {
                lock.remove().removing(&path)?;
            }
        }
        Ok(())
    }
}

/// How long to wait for a lock before saying for whom (case G20).
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits for the exclusive lock of an object; after a while says who has it, so that a stopped command is found.
pub(super) fn patient_lock(path: &Path, object: &str) -> Result<FileLock, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(50);
    while Instant::now() < deadline {
        match FileLock::try_exclusive(path).locking(path)? {
            TryLock::Held(lock) => return Ok(lock),
            TryLock::Busy => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(2));
    }
    match FileLock::holder_pid(path) {
        Some(pid) => tracing::warn!("waits for {object}: process {pid} has its lock"),
        None => tracing::warn!("waits for {object}: another command has its lock"),
    }
    FileLock::exclusive(path).locking(path)
}
