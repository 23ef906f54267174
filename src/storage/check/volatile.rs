//! I11 and I16 for the files of runroot: what belongs to no container, to one that does not run, or to an earlier epoch.

use std::path::Path;

use super::finding::{Findings, Invariant, Repair};
use crate::storage::container_record::ContainerState;
use crate::storage::error::{At as _, Error};
use crate::storage::exec_record::ExecRecord;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::record;
use crate::storage::recover;
use crate::storage::store::Store;
use crate::sys;
use crate::sys::lock::FileLock;
use crate::types::id::ContainerId;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let layout = store.layout();
    for path in recover::old_epochs(store)? {
        findings.path(Invariant::I16, &path, "of an earlier boot", Some(Repair::Tree(path.clone())));
    }
    let shared = is_shared(store)?;
    let dir = layout.run_containers();
    for name in sys::fs::names(&dir).reading(&dir)? {
        let path = dir.join(&name);
        let id = name.to_str().and_then(|name| name.parse::<ContainerId>().ok());
        // Of another store's we do not know which are there.
        let known = id.is_some_and(|id| shared || store.has_container(&id));
        if !known && !is_of_another_store(&path, findings) {
            let repair = if path.is_dir() { Repair::Tree(path.clone()) } else { Repair::Unlink(path.clone()) };
            findings.path(Invariant::I11, &path, "volatile directory of no container", Some(repair));
        }
    }
    let dir = layout.ports();
    for name in sys::fs::names(&dir).reading(&dir)? {
        let path = dir.join(&name);
        // Whoever uses a port holds the lock on its file; `lock` is the directory's own.
        let is_file = sys::fs::lstat(&path).reading(&path)?.is_some_and(|metadata| metadata.is_file());
        if name != "lock" && !(is_file && FileLock::is_held(&path).locking(&path)?) {
            findings.path(Invariant::I11, &path, "port of no running container", Some(Repair::Unlink(path.clone())));
        }
    }
    let dir = layout.execs();
    for name in sys::fs::names(&dir).reading(&dir)? {
        let path = dir.join(&name);
        let owner = record::read_if_exists::<ExecRecord>(&path);
        let known = match owner {
            Ok(Some(exec)) if ended_unseen(&exec) => {
                findings.path(
                    Invariant::I11,
                    &path,
                    "exec session that ended unseen",
                    Some(Repair::Unlink(path.clone())),
                );
                true
            }
            // One that runs is of another store that shares our runroot.
            Ok(Some(exec)) => store.has_container(&exec.container) || exec.code.is_none(),
            // Gone meanwhile, or not to be told.
            Ok(None) | Err(Error::NewerRecord { .. }) => true,
            Err(_) => false,
        };
        if !known {
            findings.path(Invariant::I11, &path, "exec session of no container", Some(Repair::Unlink(path.clone())));
        }
    }
    Ok(())
}

/// True if another store has begun this epoch in our runroot.
fn is_shared(store: &Store) -> Result<bool, Error> {
    let (dir, own) = (store.layout().run_epoch(), store.layout().ready());
    let names = sys::fs::names(&dir).reading(&dir)?;
    Ok(names.iter().any(|name| name.to_string_lossy().starts_with("ready-") && own.file_name() != Some(name)))
}

/// The program is gone, and so is its supervisor, killed: nobody will say how it ended.
fn ended_unseen(exec: &ExecRecord) -> bool {
    let is_gone = |pid: i32| u32::try_from(pid).is_ok_and(|pid| matches!(ProcessIdentity::of(pid), Ok(None)));
    // One that cannot be told may live.
    let supervised = || exec.supervisor.is_some_and(|supervisor| supervisor.is_alive().unwrap_or(true));
    exec.code.is_none() && exec.pid.is_some_and(is_gone) && !supervised()
}

/// True if a container runs that this volatile directory is of: it is in another store that shares our runroot. Of one that
/// is gone the directory is kept as long as its cgroup is there.
fn is_of_another_store(path: &Path, findings: &mut Findings) -> bool {
    let Ok(Some(state)) = record::read_if_exists::<ContainerState>(&path.join("state.json")) else { return false };
    // One that cannot be told may run.
    let may_live = |process: ProcessIdentity| process.is_alive().unwrap_or(true);
    if [state.init, state.monitor].into_iter().flatten().any(may_live) {
        return true;
    }
    if let Some(cgroup) = state.cgroup
        && sys::fs::exists(&cgroup.path)
    {
        let path = cgroup.path.clone();
        findings.path(Invariant::I11, &path, "cgroup of no container", Some(Repair::Cgroup(cgroup)));
    }
    false
}
