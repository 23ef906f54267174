//! Containers whose definition is lost: made whole from their name, or put where their files are safe.

use std::path::PathBuf;

use super::container_record::{ContainerConfig, ContainerState, ExitRecord, MonitorLock};
use super::error::{At as _, Error};
use super::record;
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::types::id::ContainerId;

impl Store {
    /// Puts a container that cannot be read, or made whole, where its files are safe until somebody prunes. Its anonymous
    /// volumes stay. False if something runs in it.
    pub(super) fn set_container_aside(&self, id: &ContainerId) -> Result<bool, Error> {
        if self.container_config(id).is_ok() || self.monitor_lock(id)? == MonitorLock::Held {
            return Ok(false);
        }
        self.release_volumes(id)?;
        let state = record::read_if_exists::<ContainerState>(&self.layout().container_state(id)).ok().flatten();
        let target = self.layout().aside(id);
        sys::fs::mkdir_all(&self.layout().asides(), DIR_MODE).writing(&target)?;
        let path = self.layout().container(id);
        sys::fs::rename_new(&path, &target).writing(&target)?;
        for dir in [self.layout().asides(), self.layout().containers()] {
            sys::fs::sync_dir(&dir).writing(&dir)?;
        }
        self.forget_container(id, None, state.and_then(|state| state.cgroup).as_ref())?;
        Ok(true)
    }

    /// True if the definition is there and nothing is in it: a power cut leaves that of a container that was to go with its
    /// run (`--rm`), whose definition is never synced. That of any other is, before anybody sees it. One whose end is on
    /// record was there: its definition is damaged, and what it has written is worth keeping.
    pub(super) fn was_never_defined(&self, id: &ContainerId) -> bool {
        let path = self.layout().container_config(id);
        let blank = sys::fs::read_ordinary(&path, record::LIMIT).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0));
        // What cannot be read may be such a record. One without content is what the same power cut has left of it.
        let has_ended = || match record::read_if_exists::<ExitRecord>(&self.layout().container_exit(id)) {
            Ok(exit) => exit.is_some(),
            Err(error) => !matches!(error, Error::Parse { .. }),
        };
        blank && !has_ended()
    }

    /// The file of `names/` that still has the definition of a container, if `config.json` itself is lost.
    pub(super) fn definition_in_names(&self, id: &ContainerId) -> Option<PathBuf> {
        let dir = self.layout().names();
        let mut paths = sys::fs::names(&dir).ok()?.into_iter().map(|name| dir.join(name));
        paths.find(|path| record::read::<ContainerConfig>(path).is_ok_and(|config| config.id == *id))
    }

    /// The definition of a container, for who asks what containers use. That of one whose file is lost is still in its name.
    /// None: it is gone, or nobody can say any more what it used.
    pub(crate) fn definition(&self, id: &ContainerId) -> Result<Option<ContainerConfig>, Error> {
        match self.container_config(id) {
            Ok(config) => Ok(Some(config)),
            Err(Error::NoContainer(_)) => Ok(None),
            Err(error) if error.is_lost() => match self.definition_in_names(id) {
                Some(path) => record::read(&path).map(Some),
                None => Ok(None),
            },
            Err(error) => Err(error),
        }
    }

    /// A container of which nobody can say what it uses: why, for who removes what nobody uses.
    pub(crate) fn unknown_user(&self) -> Result<Option<Error>, Error> {
        for id in self.container_ids()? {
            if self.definition(&id)?.is_none()
                && let Err(error @ Error::BrokenContainer { .. }) = self.container_config(&id)
            {
                return Ok(Some(error));
            }
        }
        Ok(None)
    }

    /// Makes `config.json` anew from the container's name, which is a link to it.
    pub(super) fn restore_definition(&self, id: &ContainerId) -> Result<bool, Error> {
        let Some(from) = self.definition_in_names(id) else { return Ok(false) };
        let path = self.layout().container_config(id);
        let temporary = self.layout().container(id).join(format!("config.{}.tmp", hex::encode(sys::fs::random::<6>())));
        sys::fs::link(&from, &temporary).writing(&temporary)?;
        sys::fs::rename(&temporary, &path).writing(&path)?;
        // It stays where both are one file already.
        sys::fs::remove_file(&temporary).removing(&temporary)?;
        let dir = self.layout().container(id);
        sys::fs::sync_dir(&dir).writing(&dir).map(|()| true)
    }

    /// What was set aside goes to the trash; how many.
    pub(crate) fn discard_asides(&self) -> Result<usize, Error> {
        let dir = self.layout().asides();
        let names = sys::fs::names(&dir).reading(&dir)?;
        for name in &names {
            self.move_to_trash(&dir.join(name))?;
        }
        Ok(names.len())
    }
}
