//! The names of containers: who has which, and which container a word of the user means.

use std::path::Path;

use super::container_record::ContainerConfig;
use super::error::{At as _, Error};
use super::record;
use super::store::Store;
use crate::sys;
use crate::sys::Errno;
use crate::sys::lock::FileLock;
use crate::types::id::{ContainerId, is_id_prefix};
use crate::types::name::ContainerName;

/// Only what a name file must hold; it is a link to a whole configuration, or this alone.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct NameFile {
    version: u32,
    id: ContainerId,
}

impl record::Record for NameFile {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Store {
    /// Takes a name by making a link; a name whose container is not there is taken over. Consumes the shared store lock,
    /// because the take-over needs the exclusive one: under that no creation is under way. `stage_again` makes what a
    /// sweep has taken while neither was held.
    pub(super) fn take_name(
        &self,
        name: &ContainerName,
        id: &ContainerId,
        config: &Path,
        lock: FileLock,
        stage_again: impl FnOnce() -> Result<(), Error>,
    ) -> Result<FileLock, Error> {
        let path = self.layout().name(name);
        let first = link_name(config, &path, id);
        if !matches!(&first, Err(error) if error.is(Errno::EEXIST)) {
            first.writing(&path)?;
            return Ok(lock);
        }
        if let Some(holder) = self.name_holder(name)? {
            // A creation under way has its name before its directory: only the exclusive lock tells it from a stale one.
            if self.owns_name(&holder, name)? {
                return Err(Error::NameInUse { name: name.clone(), id: holder });
            }
        }
        drop(lock);
        let lock = self.lock_exclusive()?.into_lock();
        match self.name_holder(name)? {
            Some(holder) if self.owns_name(&holder, name)? => {
                return Err(Error::NameInUse { name: name.clone(), id: holder });
            }
            _ => sys::fs::remove_file(&path).removing(&path)?,
        };
        if !sys::fs::is_there(config).reading(config)? {
            stage_again()?;
        }
        link_name(config, &path, id).writing(&path)?;
        Ok(lock)
    }

    /// Takes back a name on the way out of another error.
    pub(super) fn release_name(&self, config: &ContainerConfig) {
        if let Err(error) = sys::fs::remove_file(&self.layout().name(&config.name)) {
            tracing::debug!(%error, name = %config.name, "name stays");
        }
    }

    /// The container that a name file names, whether or not that exists. A damaged name file is mostly a link to a
    /// damaged configuration: then that container has the name.
    pub(super) fn name_holder(&self, name: &ContainerName) -> Result<Option<ContainerId>, Error> {
        match record::read_if_exists::<NameFile>(&self.layout().name(name)) {
            Ok(file) => Ok(file.map(|file| file.id)),
            Err(Error::Parse { .. }) => self.linked_container(&self.layout().name(name)),
            Err(error) => Err(error),
        }
    }

    /// The container whose configuration is the same file as this one.
    fn linked_container(&self, name: &Path) -> Result<Option<ContainerId>, Error> {
        use std::os::unix::fs::MetadataExt;
        let file = |path: &Path| Ok(sys::fs::lstat(path).reading(path)?.map(|status| (status.dev(), status.ino())));
        let Some(wanted) = file(name)? else { return Ok(None) };
        for id in self.container_ids()? {
            if file(&self.layout().container_config(&id))? == Some(wanted) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// True if the container exists and has this name. One that cannot be read keeps its names.
    pub(super) fn owns_name(&self, id: &ContainerId, name: &ContainerName) -> Result<bool, Error> {
        match self.container_config(id) {
            Ok(config) => Ok(config.name == *name),
            Err(Error::NoContainer(_)) => Ok(false),
            Err(Error::BrokenContainer { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Finds a container by full id, name, or unique prefix of an id; in this order.
    pub(crate) fn find_container(&self, text: &str) -> Result<ContainerId, Error> {
        if let Ok(id) = text.parse::<ContainerId>()
            && self.is_container(&id)?
        {
            return Ok(id);
        }
        if let Ok(name) = text.parse::<ContainerName>()
            && let Some(id) = self.name_holder(&name)?
            && self.owns_name(&id, &name)?
        {
            return Ok(id);
        }
        let mut matches = Vec::new();
        if is_id_prefix(text) {
            for id in self.container_ids()?.into_iter().filter(|id| id.as_str().starts_with(text)) {
                if self.is_container(&id)? {
                    matches.push(id);
                }
            }
        }
        match (matches.len(), matches.pop()) {
            (1, Some(id)) => Ok(id),
            (0, _) | (_, None) => Err(Error::NoContainer(text.to_owned())),
            (_, Some(last)) => {
                matches.push(last);
                let candidates = matches.iter().map(|id| self.describe(id)).collect();
                Err(Error::AmbiguousContainer { prefix: text.to_owned(), candidates })
            }
        }
    }

    fn describe(&self, id: &ContainerId) -> String {
        match self.container_config(id) {
            Ok(config) => format!("{} ({})", id.short(), config.name),
            Err(_) => id.short().to_owned(),
        }
    }
}

/// Makes the name file: a link to the configuration, or a file of its own where links are missing (K-B8).
pub(super) fn link_name(config: &Path, name: &Path, id: &ContainerId) -> sys::Result<()> {
    match sys::fs::link(config, name) {
        Err(error) if error.is(Errno::EPERM) || error.is(Errno::EOPNOTSUPP) => {
            let text = format!("{{\"version\":1,\"id\":\"{id}\"}}\n");
            sys::fs::write_new_durable(name, text.as_bytes())
        }
        other => other,
    }
}
