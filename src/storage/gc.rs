//! Mark and sweep (rule R4): references live in the referrer only, nothing is counted.

use super::container_record::ContainerConfig;
use super::error::{At as _, Error};
use super::store::Store;
use crate::sys;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::name::ContainerName;

/// Moves staging directories whose maker is gone to the trash. The exclusive store lock is held: whoever is in the
/// middle of making a directory holds it shared.
pub(super) fn sweep_staging(store: &Store) -> Result<usize, Error> {
    let staging = store.layout().staging();
    let mut swept = 0;
    for name in sys::fs::names(&staging).reading(&staging)? {
        let path = staging.join(&name);
        let lock = path.join("lock");
        // A container being made has no lock: its maker would hold the store's.
        if sys::fs::exists(&lock)
            && let TryLock::Busy = FileLock::try_exclusive(&lock).locking(&lock)?
        {
            continue;
        }
        store.move_to_trash(&path)?;
        swept += 1;
    }
    Ok(swept)
}

/// Frees the names whose container is gone or has another name (rule R6). The exclusive store lock is held.
pub(super) fn sweep_names(store: &Store) -> Result<usize, Error> {
    let dir = store.layout().names();
    let mut swept = 0;
    for entry in sys::fs::names(&dir).reading(&dir)? {
        let Some(name) = entry.to_str().and_then(|name| name.parse::<ContainerName>().ok()) else { continue };
        let held = match store.name_holder(&name)? {
            Some(id) => store.owns_name(&id, &name)?,
            None => false,
        };
        if !held {
            let path = dir.join(&entry);
            sys::fs::remove_file(&path).removing(&path)?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// True if a container was made by a `run` that died before it could start it: nobody will.
pub(super) fn is_orphan(store: &Store, config: &ContainerConfig) -> Result<bool, Error> {
    use super::container_record::MonitorLock;
    use super::process_identity::ProcessIdentity;
    let Some(creator) = config.creator.filter(|_| config.spec.remove) else { return Ok(false) };
    Ok(store.monitor_lock(&config.id)? == MonitorLock::Absent && matches!(ProcessIdentity::of(creator), Ok(None)))
}
