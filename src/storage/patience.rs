//! Waiting for locks, and saying so when it takes long: a command that was stopped keeps its locks (case G20).

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::{At as _, Error};
use crate::sys;
use crate::sys::lock::{FileLock, TryLock};

/// How long to wait for a lock before saying for whom.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many may hold a lock at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Share {
    Exclusive,
    Shared,
}

impl Share {
    fn attempt(self, path: &Path) -> sys::Result<TryLock> {
        match self {
            Self::Exclusive => FileLock::try_exclusive(path),
            Self::Shared => FileLock::try_shared(path),
        }
    }

    fn wait(self, path: &Path) -> sys::Result<FileLock> {
        match self {
            Self::Exclusive => FileLock::exclusive(path),
            Self::Shared => FileLock::shared(path),
        }
    }
}

/// Waits for the lock of an object, as long as it takes; after a while says who has it.
pub(super) fn lock(path: &Path, share: Share, object: impl Fn() -> String) -> Result<FileLock, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(50);
    while Instant::now() < deadline {
        match share.attempt(path).locking(path)? {
            TryLock::Held(lock) => return Ok(lock),
            TryLock::Busy => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(2));
    }
    let object = object();
    match FileLock::holder_pid(path).or_else(|| FileLock::sharer_pid(path)) {
        Some(pid) => tracing::warn!("waits for {object}: process {pid} has its lock"),
        None => tracing::warn!("waits for {object}: another command has its lock"),
    }
    share.wait(path).locking(path)
}
