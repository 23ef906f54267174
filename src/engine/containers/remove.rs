//! `rm`, and the removal that `--replace`, `prune` and `system check` do.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::place;
use super::select::{Answers, Selection};
use super::signal::init_of;
use crate::engine::{Engine, Error};
use crate::runtime::cgroup;
use crate::storage;
use crate::storage::container_record::{ContainerConfig, ContainerRecord, Supervision};
use crate::sys;
use crate::types::id::ContainerId;
use crate::types::image_config::ImageConfig;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};

/// How long a killed container may take to end.
const DEATH: Duration = Duration::from_secs(10);

/// How long the monitor of a container that has ended may still tidy up.
const TIDYING: Duration = Duration::from_secs(10);

/// `rm`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemoveRequest {
    pub(crate) selection: Selection,
    /// Kill what runs.
    pub(crate) force: bool,
    /// Its anonymous volumes, too.
    pub(crate) volumes: bool,
    /// The containers that share its namespaces, too.
    pub(crate) depend: bool,
    /// With `force`: seconds between the stop signal and SIGKILL; none = SIGKILL at once.
    pub(crate) time: Option<u32>,
}

impl Engine {
    /// Removes containers; for each word of the command line what became of it.
    pub(crate) fn remove(&self, request: &RemoveRequest) -> Result<Answers<()>, Error> {
        let selected = self.select(&request.selection)?;
        let mut answers = Vec::with_capacity(selected.len());
        // Dependents first, so that `rm -a` takes a container and those that share its network in one go.
        let wanted: BTreeSet<ContainerId> =
            selected.iter().filter_map(|(_, found)| found.as_ref().ok().cloned()).collect();
        for (word, found) in selected {
            let removed = found.and_then(|id| self.remove_with_dependents(&id, request, &wanted));
            answers.push((word, removed));
        }
        self.empty_trash()?;
        Ok(answers)
    }

    /// Removes one container, by force if asked; the trash has still to be emptied.
    pub(crate) fn remove_container(&self, id: &ContainerId, force: bool, volumes: bool) -> Result<(), Error> {
        let request = RemoveRequest { force, volumes, ..RemoveRequest::default() };
        self.remove_one(id, &request)
    }

    fn remove_with_dependents(
        &self,
        id: &ContainerId,
        request: &RemoveRequest,
        wanted: &BTreeSet<ContainerId>,
    ) -> Result<(), Error> {
        let dependents = self.dependents(id)?;
        let (also, others): (Vec<_>, Vec<_>) =
            dependents.into_iter().partition(|id| request.depend || wanted.contains(id));
        if !others.is_empty() {
            let dependents = others.iter().map(|id| id.short().to_owned()).collect();
            return Err(Error::HasDependents { id: id.short().to_owned(), dependents });
        }
        for dependent in also {
            match self.remove_with_dependents(&dependent, request, wanted) {
                Err(Error::Storage(storage::Error::NoContainer(_))) => {}
                other => other?,
            }
        }
        match self.remove_one(id, request) {
            // Named itself, and gone already as a dependent of another, or by its own `--rm`.
            Err(Error::Storage(storage::Error::NoContainer(_))) if wanted.contains(id) => Ok(()),
            other => other,
        }
    }

    fn remove_one(&self, id: &ContainerId, request: &RemoveRequest) -> Result<(), Error> {
        let record = match self.store.container(id) {
            Ok(record) => record,
            // What cannot be read can still be removed, if nothing runs there.
            Err(storage::Error::BrokenContainer { .. }) => return self.remove_broken(id),
            Err(error) => return Err(error.into()),
        };
        if record.status.is_alive() {
            if !request.force {
                return Err(Error::WrongStatus { verb: "remove", id: id.short().to_owned(), status: record.status });
            }
            if !self.end_by_force(&record, request.time)? {
                return Err(Error::WillNotDie { id: id.short().to_owned(), seconds: DEATH.as_secs() });
            }
        } else if record.supervision == Supervision::Monitored && !self.wait_for_end(id, TIDYING)? {
            return Err(Error::WrongStatus { verb: "remove", id: id.short().to_owned(), status: record.status });
        }
        let config = record.config;
        match self.store.lock_container(id) {
            Ok(locked) if locked.status.is_alive() => {
                // Started again between the look and the lock.
                return Err(Error::WrongStatus { verb: "remove", id: id.short().to_owned(), status: locked.status });
            }
            Ok(locked) => {
                // A monitor that was killed left it. The monitor of any other is gone, and the cgroup with it.
                if let Some(cgroup) = locked.state.as_ref().and_then(|state| state.cgroup.as_ref()) {
                    cgroup::remove(cgroup).map_err(Error::Cgroup)?;
                }
                self.store.remove_container(locked)?;
            }
            // `--rm`: its monitor was faster.
            Err(storage::Error::NoContainer(_)) => {}
            Err(error) => return Err(error.into()),
        }
        remove_cidfile(&config);
        if request.volumes || config.spec.remove {
            self.store.remove_anonymous_volumes(&config)?;
        }
        Ok(())
    }

    /// SIGKILL to everything in the container, after the stop signal and a grace if asked; then until its monitor has
    /// tidied up. Also of a paused one: SIGKILL passes through the freezer.
    fn end_by_force(&self, record: &ContainerRecord, grace: Option<u32>) -> Result<bool, Error> {
        let id = record.id();
        match self.store.lock_container(id) {
            // No restart policy brings it back.
            Ok(mut locked) if locked.status.is_alive() => self.note_stop(&mut locked)?,
            Ok(_) | Err(storage::Error::NoContainer(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let host = |source| Error::Host { what: "signal the container", source };
        if let Some(init) = init_of(record)? {
            let mut gone = false;
            if let Some(grace) = grace.filter(|grace| *grace > 0) {
                let empty = ImageConfig::default();
                let image = record.config.image.as_ref().map_or(&empty, |image| &image.config);
                init.signal(place::stop_signal(&record.config, image).number()).map_err(host)?;
                gone = init.wait_gone(Some(Duration::from_secs(grace.into()))).map_err(host)?;
            }
            if !gone {
                init.signal(9).map_err(host)?;
            }
        }
        self.wait_for_end(id, DEATH)
    }

    fn remove_broken(&self, id: &ContainerId) -> Result<(), Error> {
        use crate::storage::container_record::MonitorLock;
        if self.store.monitor_lock(id)? == MonitorLock::Held {
            return Err(Error::Storage(storage::Error::BrokenContainer {
                id: id.clone(),
                source: Box::new(storage::Error::ContainerRuns(id.clone())),
            }));
        }
        self.store.discard_container(id, None)?;
        Ok(self.store.sweep().map(drop)?)
    }

    /// Containers that share a namespace of this one.
    pub(crate) fn dependents(&self, id: &ContainerId) -> Result<Vec<ContainerId>, Error> {
        let mut dependents = Vec::new();
        for other in self.store.container_ids()? {
            if let Ok(config) = self.store.container_config(&other)
                && dependencies(&config).contains(&id)
            {
                dependents.push(other);
            }
        }
        Ok(dependents)
    }
}

/// Containers whose namespaces this one joins.
pub(super) fn dependencies(config: &ContainerConfig) -> BTreeSet<&ContainerId> {
    let spec = &config.spec;
    let mut ids = BTreeSet::new();
    if let Some(NetworkMode::Container(id)) = &spec.network {
        ids.insert(id);
    }
    if let UsernsMode::Container(id) = &spec.userns {
        ids.insert(id);
    }
    for mode in [&spec.pid, &spec.ipc, &spec.uts, &spec.cgroupns] {
        if let NamespaceMode::Container(id) = mode {
            ids.insert(id);
        }
    }
    ids
}

/// The file of `--cidfile` goes with its container, if it still names it.
fn remove_cidfile(config: &ContainerConfig) {
    let Some(path) = &config.spec.cidfile else { return };
    let names_it = |path: &Path| {
        sys::fs::read_limited(path, 1024)
            .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).trim() == config.id.as_str())
    };
    if names_it(path)
        && let Err(error) = sys::fs::remove_file(path)
    {
        tracing::warn!(%error, "cidfile stays");
    }
}
