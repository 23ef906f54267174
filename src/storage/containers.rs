//! Containers on disk: create, find, list, lock, rewrite, remove.
//!
//! A creation goes: staging directory → name by `link(2)` → rename to `containers/<id>`. The rename publishes. Killed
//! before the link it leaves a staging directory; killed before the rename, a name whose container does not exist,
//! which the next one who wants the name takes over (rule R6).

use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::cidfile;
use super::container_locks::MonitorWatch;
use super::container_record::{
    ContainerConfig, ContainerRecord, ContainerState, ExitRecord, MonitorLock, StorageDriver,
};
use super::error::{At as _, Error};
use super::record;
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::sys::Errno;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::cgroup::CgroupRecord;
use crate::types::id::ContainerId;
use crate::types::name::ContainerName;

/// Proof that the lock of an object is held, and the object as it was read under it.
#[derive(Debug)]
pub(crate) struct Locked<T> {
    pub(super) value: T,
    pub(super) lock: FileLock,
}

impl<T> Locked<T> {
    /// Gives the lock up and keeps what was read.
    pub(crate) fn unlock(self) -> T {
        drop(self.lock);
        self.value
    }
}

impl<T> AsFd for Locked<T> {
    /// What the lock belongs to: a child that has a copy holds it, too.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Store {
    /// Makes a container: its directory, its name, and `upper/` and `work/` where the driver needs them.
    pub(crate) fn create_container(&self, config: ContainerConfig) -> Result<ContainerRecord, Error> {
        let lock = self.lock_shared()?;
        let layout = self.layout();
        let staging = layout.staging().join(config.id.as_str());
        let made = self.stage_container(&staging, &config).and_then(|()| {
            let again = || self.stage_container(&staging, &config);
            let lock = self.take_name(&config.name, &config.id, &staging.join("config.json"), lock, again)?;
            let found = self.check_layers(&config).and_then(|()| self.make_volumes(&config));
            found.inspect_err(|_| self.release_name(&config))?;
            let target = layout.container(&config.id);
            sys::fs::rename_new(&staging, &target).writing(&target).inspect_err(|_| self.release_name(&config))?;
            drop(lock);
            Ok(())
        });
        if let Err(error) = made {
            if let Err(leftover) = sys::fs::remove_tree(&staging) {
                tracing::debug!(%leftover, "staging stays");
            }
            return Err(error);
        }
        if config.is_durable() {
            for dir in [layout.containers(), layout.names()] {
                sys::fs::sync_dir(&dir).writing(&dir)?;
            }
        }
        Ok(ContainerRecord::created(config))
    }

    fn stage_container(&self, staging: &Path, config: &ContainerConfig) -> Result<(), Error> {
        sys::fs::mkdir(staging, DIR_MODE).writing(staging)?;
        record::write_new(&staging.join("config.json"), config, config.is_durable())?;
        match config.driver {
            StorageDriver::Overlay | StorageDriver::FuseOverlayfs if config.spec.rootfs.is_none() => {
                let upper = staging.join("upper");
                sys::fs::mkdir(&upper, 0o755).writing(&upper)?;
                // `upper` becomes the container's `/`: the mode of the image's root (K-A5). Its owner, if that is not
                // the caller, is given by the stage in P.
                let mode = self.root_mode(config).unwrap_or(0o755);
                sys::fs::set_mode(&upper, mode).writing(&upper)?;
                let work = staging.join("work");
                sys::fs::mkdir(&work, DIR_MODE).writing(&work)?;
            }
            StorageDriver::Overlay | StorageDriver::FuseOverlayfs | StorageDriver::Copy => {}
        }
        if config.is_durable() {
            sys::fs::sync_dir(staging).writing(staging)?;
        }
        Ok(())
    }

    /// The definition of a container.
    pub(crate) fn container_config(&self, id: &ContainerId) -> Result<ContainerConfig, Error> {
        let path = self.layout().container_config(id);
        let broken = |source| Error::BrokenContainer { id: id.clone(), source: Box::new(source) };
        match record::read_if_exists::<ContainerConfig>(&path) {
            Ok(Some(config)) if config.id == *id => Ok(config),
            Ok(Some(config)) => Err(broken(Error::WrongRecord { path, found: format!("container {}", config.id) })),
            Ok(None) if self.has_container(id) => Err(broken(Error::Read {
                path: path.clone(),
                source: sys::Error::new("open", format!("{path:?}"), Errno::ENOENT),
            })),
            Ok(None) => Err(Error::NoContainer(id.to_string())),
            Err(error) => Err(broken(error)),
        }
    }

    /// Everything recorded of a container, without its lock.
    pub(crate) fn container(&self, id: &ContainerId) -> Result<ContainerRecord, Error> {
        self.container_of(self.container_config(id)?)
    }

    fn container_of(&self, config: ContainerConfig) -> Result<ContainerRecord, Error> {
        // The lock before the records: an end between the two reads shows as an exit record, never as a lost container.
        let lock = self.monitor_lock(&config.id)?;
        self.container_with(config, lock)
    }

    fn container_with(&self, config: ContainerConfig, lock: MonitorLock) -> Result<ContainerRecord, Error> {
        let id = &config.id;
        let layout = self.layout();
        let broken = |source| Error::BrokenContainer { id: id.clone(), source: Box::new(source) };
        let state = record::read_if_exists::<ContainerState>(&layout.container_state(id)).map_err(broken)?;
        let read_exit = || record::read_if_exists::<ExitRecord>(&layout.container_exit(id)).map_err(broken);
        let exit = match lock {
            // Never started. One with a state has lost its lock.
            MonitorLock::Absent if state.is_none() => None,
            // There may have been no room for the record.
            MonitorLock::Free => read_exit()?.or_else(|| self.noted_exit(id)),
            MonitorLock::Absent | MonitorLock::Held => read_exit()?,
        };
        // A logout took runroot away: the state is noted where the liveness lock is.
        let state = match (state, &exit, lock) {
            (None, None, MonitorLock::Held | MonitorLock::Free) => self.noted_state(id),
            (state, ..) => state,
        };
        let health = match lock {
            MonitorLock::Absent => None,
            MonitorLock::Free | MonitorLock::Held => self.health_of(&config),
        };
        Ok(ContainerRecord { health, ..ContainerRecord::assemble(config, state, exit, lock)? })
    }

    /// Whether the container has a live monitor.
    pub(crate) fn monitor_lock(&self, id: &ContainerId) -> Result<MonitorLock, Error> {
        let path = self.layout().monitor_lock(id);
        Ok(match FileLock::probe(&path).locking(&path)? {
            Some(true) => MonitorLock::Held,
            Some(false) => MonitorLock::Free,
            None => MonitorLock::Absent,
        })
    }

    /// Ids of all containers, sorted.
    pub(crate) fn container_ids(&self) -> Result<Vec<ContainerId>, Error> {
        let dir = self.layout().containers();
        let names = sys::fs::names(&dir).reading(&dir)?;
        Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
    }

    /// Locks a container and reads it. Waits for whoever changes it; nobody holds the lock while a container runs.
    pub(crate) fn lock_container(&self, id: &ContainerId) -> Result<Locked<ContainerRecord>, Error> {
        self.read_locked(id, || self.container(id))
    }

    /// Like [`Self::lock_container`], for its monitor, which has read the definition and holds the liveness lock: that the
    /// lock has still its name is proof that the container is there. The name of the container may be an old one.
    pub(crate) fn lock_own_container(&self, config: &ContainerConfig) -> Result<Locked<ContainerRecord>, Error> {
        self.read_locked(&config.id, || self.own_container(config))
    }

    /// Like [`Self::container`], for its monitor.
    pub(crate) fn own_container(&self, config: &ContainerConfig) -> Result<ContainerRecord, Error> {
        match self.monitor_lock(&config.id)? {
            MonitorLock::Absent => Err(Error::NoContainer(config.id.to_string())),
            lock => self.container_with(config.clone(), lock),
        }
    }

    /// Takes the liveness lock of a container, for its monitor; none if another monitor lives.
    pub(crate) fn take_monitor_lock(&self, container: &Locked<ContainerRecord>) -> Result<Option<FileLock>, Error> {
        let path = self.layout().monitor_lock(container.id());
        loop {
            match FileLock::try_exclusive(&path).locking(&path)? {
                TryLock::Held(lock) => return Ok(Some(lock)),
                // Somebody who looks (`ps`) holds it shared for an instant: only an exclusive holder is a monitor, and
                // the container's lock that we have keeps a second one away.
                TryLock::Busy if self.monitor_lock(container.id())? == MonitorLock::Held => return Ok(None),
                TryLock::Busy => {}
            }
        }
    }
}

impl Store {
    /// What it takes to wait for the container's monitor, even if the container is removed meanwhile. None if it was
    /// never started.
    pub(crate) fn watch_monitor(&self, id: &ContainerId) -> Result<Option<MonitorWatch>, Error> {
        MonitorWatch::open(self.layout().monitor_lock(id))
    }

    /// Renames a container: new name, new configuration, old name gone. Each step leaves at worst a stale name.
    pub(crate) fn rename_container(
        &self,
        container: &mut Locked<ContainerRecord>,
        name: &ContainerName,
    ) -> Result<(), Error> {
        if container.config.name == *name {
            return Ok(());
        }
        let shared = self.lock_shared()?;
        let layout = self.layout();
        let id = container.id().clone();
        let config = ContainerConfig { name: name.clone(), ..container.config.clone() };
        let target = layout.container_config(&id);
        let temporary = layout.container(&id).join(format!("config.{}.tmp", hex::encode(sys::fs::random::<6>())));
        record::write_new(&temporary, &config, true)?;
        // Nobody takes it from its directory without the container's lock.
        let taken = self.take_name(name, &id, &temporary, shared, || Ok(()));
        let renamed = taken.and_then(|shared| {
            sys::fs::rename(&temporary, &target).writing(&target)?;
            Ok(shared)
        });
        let shared = renamed.inspect_err(|_| {
            if let Err(error) = sys::fs::remove_file(&temporary) {
                tracing::debug!(%error, "temporary file stays");
            }
        })?;
        let old = layout.name(&container.config.name);
        sys::fs::remove_file(&old).removing(&old)?;
        drop(shared);
        for dir in [layout.container(&id), layout.names()] {
            sys::fs::sync_dir(&dir).writing(&dir)?;
        }
        container.value.config = config;
        Ok(())
    }

    /// Takes a container out of the store: its name is free and its directory in the trash when this returns. The caller
    /// has seen to it that nothing runs. What lies in the trash is deleted by [`super::trash`].
    /// The answer is where: [`super::trash::delete`] deletes just that.
    pub(crate) fn remove_container(&self, container: Locked<ContainerRecord>) -> Result<PathBuf, Error> {
        let (id, name) = (container.id().clone(), container.config.name.clone());
        // Without its container the name is stale, and may be taken over: not between our look at it and its removal.
        let shared = self.lock_shared()?;
        let trashed = self.move_to_trash(&self.layout().container(&id))?;
        let cgroup = container.state.as_ref().and_then(|state| state.cgroup.as_ref());
        self.forget_container(&id, Some(&name), cgroup)?;
        drop(shared);
        // Whoever was told that it is gone does not meet it again after a power cut.
        if container.config.is_durable() {
            for dir in [self.layout().containers(), self.layout().names()] {
                sys::fs::sync_dir(&dir).writing(&dir)?;
            }
        }
        Ok(trashed)
    }

    /// Like [`Self::remove_container`], for one that cannot even be read; the file of `--cidfile` goes, too. Rename and unlink
    /// need no space (rule R13). A caller with a name holds the exclusive store lock.
    pub(crate) fn discard_container(&self, id: &ContainerId, name: Option<&ContainerName>) -> Result<PathBuf, Error> {
        let config = self.container_config(id).ok();
        let trashed = self.move_to_trash(&self.layout().container(id))?;
        self.forget_container(id, name, self.cgroup_of(id).as_ref())?;
        config.iter().for_each(cidfile::remove);
        Ok(trashed)
    }

    pub(super) fn cgroup_of(&self, id: &ContainerId) -> Option<CgroupRecord> {
        record::read_if_exists::<ContainerState>(&self.layout().container_state(id)).ok().flatten()?.cgroup
    }

    /// Removes what there is of a container outside its directory. The record of a cgroup that could not be removed
    /// stays, so that `system check` finds both. A caller with a name holds the store lock, so that nobody takes that over
    /// between the look and the removal.
    pub(super) fn forget_container(
        &self,
        id: &ContainerId,
        name: Option<&ContainerName>,
        cgroup: Option<&CgroupRecord>,
    ) -> Result<(), Error> {
        let layout = self.layout();
        if let Some(name) = name
            && self.name_holder(name)?.as_ref() == Some(id)
        {
            let path = layout.name(name);
            sys::fs::remove_file(&path).removing(&path)?;
        }
        let volatile = layout.run_container(id);
        let gone = |cgroup: &CgroupRecord| matches!(sys::fs::lstat(&cgroup.path), Ok(None));
        if cgroup.is_none_or(gone) {
            sys::fs::remove_tree(&volatile).removing(&volatile)?;
        }
        self.remove_execs(id)?;
        // Last: whoever waits for it finds no container any more.
        self.remove_lock(id);
        Ok(())
    }
}
