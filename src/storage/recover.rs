//! The first command of an epoch (rule R12): after a reboot nothing runs, whatever the records say.
//!
//! Idempotent, and may be killed at any point: the marker `ready` is made last, and not at all as long as a container cannot
//! be read, or its end not be recorded, for a reason that may pass; then the next command begins anew, beside others. A logout that took runroot away
//! looks the same from here; containers whose monitor lives are left alone.

use std::path::PathBuf;

use super::container_record::{ExitRecord, MonitorLock};
use super::error::{At as _, Error};
use super::process_identity::ProcessIdentity;
use super::store::Store;
use crate::sys;
use crate::sys::Errno;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::id::ContainerId;

/// Why the exit code of a container is not known.
pub(super) const HOST_RESTART: &str = "host restart";

/// Brings the store in order and makes the epoch's directories. If somebody is making an object right now, the next
/// command tries again.
pub(super) fn begin_epoch(store: &Store) -> Result<(), Error> {
    let layout = store.layout();
    // A home that cannot be written has nothing to recover, and its commands must not fail for that.
    let Some(lock) = store.try_lock_exclusive()? else { return Ok(()) };
    if sys::fs::exists(&layout.ready()) {
        return Ok(());
    }
    store.make_run()?;
    let whole = end_dead_containers(store)?;
    super::gc::sweep_staging(store, &lock)?;
    super::gc::sweep_names(store)?;
    store.sweep_volumes()?;
    remove_old_epochs(store)?;
    if whole {
        let ready = layout.ready();
        sys::fs::replace_volatile(&ready, b"").writing(&ready)?;
    }
    // What a power cut left there may be large: nobody waits for that.
    drop(lock);
    store.empty_trash().map(drop)
}

/// A container that was started, has no exit record and no monitor ended with the machine. False if one could not be read,
/// or its end not be recorded: on a full disk the sweep that follows makes room for that.
fn end_dead_containers(store: &Store) -> Result<bool, Error> {
    let mut whole = true;
    for id in store.container_ids()? {
        whole &= end_if_dead(store, &id).unwrap_or_else(|error| {
            tracing::debug!(%error, container = %id, "end not recorded");
            false
        });
    }
    Ok(whole)
}

/// The same of one container.
fn end_if_dead(store: &Store, id: &ContainerId) -> Result<bool, Error> {
    // Who has its lock is of this epoch and about to start or to remove it.
    let path = store.layout().container_lock(id);
    let TryLock::Held(_lock) = FileLock::try_exclusive(&path).locking(&path)? else { return Ok(true) };
    let lock = store.monitor_lock(id)?;
    let config = match store.container_config(id) {
        Ok(config) => config,
        // One of `--rm` that a power cut took before its definition was on the disk. What is damaged otherwise is the
        // business of `system check`.
        Err(_) if lock != MonitorLock::Held && store.was_never_defined(id) => {
            store.discard_container(id, None)?;
            return Ok(true);
        }
        Err(error) => return Ok(!may_pass(&error)),
    };
    // Its monitor lives, or it lives on without one: a logout took runroot away.
    if lock == MonitorLock::Held {
        return Ok(true);
    }
    match store.noted_state(id).and_then(|state| state.init).map_or(Ok(false), ProcessIdentity::is_alive) {
        Ok(false) => {}
        Ok(true) => return Ok(true),
        // Nobody knows now.
        Err(_) => return Ok(false),
    }
    // Made in this epoch by a `run` that is about to start it: its own command answers for it, and the sweep.
    if super::gc::is_about_to_start(store, &config) && lock == MonitorLock::Absent {
        return Ok(true);
    }
    if config.spec.remove && (lock == MonitorLock::Free || config.creator.is_some()) {
        store.discard_container(id, Some(&config.name))?;
    } else if lock == MonitorLock::Free {
        // False if there is a record already: the run ended before the machine did.
        store.record_exit(&config, &ExitRecord::unknown(HOST_RESTART))?;
    }
    Ok(true)
}

/// The definition is there and the kernel does not give it now: no memory, no descriptor, a disk that errs.
fn may_pass(error: &Error) -> bool {
    let Error::BrokenContainer { source, .. } = error else { return false };
    matches!(source.as_ref(), Error::Read { source, .. } if !source.is(Errno::ENOENT))
}

/// Directories of earlier epochs go as soon as somebody sees them.
fn remove_old_epochs(store: &Store) -> Result<(), Error> {
    for path in old_epochs(store)? {
        sys::fs::remove_tree(&path).removing(&path)?;
    }
    Ok(())
}

/// Directories of earlier epochs.
pub(super) fn old_epochs(store: &Store) -> Result<Vec<PathBuf>, Error> {
    let layout = store.layout();
    let runroot = layout.runroot();
    let mut names = sys::fs::names(runroot).reading(runroot)?;
    names.retain(|name| {
        let is_epoch = name.len() == 16 && name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_hexdigit()));
        is_epoch && *name != *layout.epoch()
    });
    Ok(names.into_iter().map(|name| runroot.join(name)).collect())
}
