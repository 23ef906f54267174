//! `rm`, and the removal that `--replace`, `prune` and `system check` do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::dependencies::dependencies;
use super::farewell::{AT_ONCE, DEATH, Farewell, see_off};
use super::select::{Answers, Selection};
use super::signal::init_of;
use crate::engine::action::Action;
use crate::engine::{Engine, Error};
use crate::runtime::cgroup;
use crate::storage;
use crate::storage::cidfile;
use crate::storage::container_record::Supervision;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::volumes::VolumeUsers;
use crate::sys::lock::FileLock;
use crate::types::id::ContainerId;

/// How long the monitor of a container that has ended may still tidy up.
const TIDYING: Duration = Duration::from_secs(10);

/// How often a removal by force ends a container that others start again.
const ENDINGS: u32 = 20;

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

impl RemoveRequest {
    /// By force, with the anonymous volumes.
    pub(crate) fn with_all() -> Self {
        Self { force: true, volumes: true, ..Self::default() }
    }
}

impl Engine {
    /// Removes containers; for each word of the command line what became of it.
    pub(crate) fn remove(&self, request: &RemoveRequest) -> Result<Answers<()>, Error> {
        let selected = self.select(&request.selection)?;
        let plan = self.plan(request, selected.iter().filter_map(|(_, found)| found.as_ref().ok()).cloned())?;
        if request.force {
            self.end_all_by_force(&plan)?;
        }
        let mut users = VolumeUsers::default();
        let remove = |(word, found): (String, Result<ContainerId, Error>)| {
            (word, found.and_then(|id| self.remove_with_dependents(&id, &plan, &mut users)))
        };
        let answers = selected.into_iter().map(remove).collect();
        self.empty_trash()?;
        Ok(answers)
    }

    /// Removes these containers, but those that others need; what became of each. The trash has still to be emptied.
    pub(super) fn remove_unneeded(
        &self,
        ids: &[ContainerId],
        request: &RemoveRequest,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let plan = self.plan(request, ids.iter().cloned())?;
        let mut users = VolumeUsers::default();
        Ok(ids.iter().map(|id| self.remove_with_dependents(id, &plan, &mut users)).collect())
    }

    /// The same with the trash emptied; the first error of them.
    pub(crate) fn remove_entirely(&self, ids: &[ContainerId], request: &RemoveRequest) -> Result<(), Error> {
        let removed = self.remove_unneeded(ids, request)?;
        self.empty_trash()?;
        removed.into_iter().collect()
    }

    /// Dependents go first, so that `rm -a` takes a container and those that share its network in one go.
    fn plan<'a>(
        &self,
        request: &'a RemoveRequest,
        wanted: impl Iterator<Item = ContainerId>,
    ) -> Result<Plan<'a>, Error> {
        Ok(Plan { request, wanted: wanted.collect(), dependents: self.dependents()? })
    }

    fn remove_with_dependents(&self, id: &ContainerId, plan: &Plan<'_>, users: &mut VolumeUsers) -> Result<(), Error> {
        let (also, others) = plan.dependents(id);
        if !others.is_empty() {
            let dependents = others.iter().map(|id| id.short().to_owned()).collect();
            return Err(Error::HasDependents { id: id.short().to_owned(), dependents });
        }
        for dependent in also {
            match self.remove_with_dependents(dependent, plan, users) {
                Err(Error::Storage(storage::Error::NoContainer(_))) => {}
                other => other?,
            }
        }
        match self.remove_one(id, plan.request, users) {
            // Named itself, and gone already as a dependent of another, or by its own `--rm`.
            Err(Error::Storage(storage::Error::NoContainer(_))) if plan.wanted.contains(id) => Ok(()),
            other => other,
        }
    }

    /// Ends everything that will be removed, side by side. What goes wrong here is met again, and told, by the removal.
    fn end_all_by_force(&self, plan: &Plan<'_>) -> Result<(), Error> {
        let doomed: Vec<_> = plan.doomed().into_iter().collect();
        for batch in doomed.chunks(AT_ONCE) {
            let told = batch.iter().filter_map(|id| match self.tell_to_end(id, plan.request.time) {
                Ok(told) => told,
                Err(error) => {
                    tracing::debug!(%error, "not told to end");
                    None
                }
            });
            see_off(&mut told.collect::<Vec<_>>())
                .map_err(|source| Error::Host { what: "wait for containers", source })?;
        }
        Ok(())
    }

    /// SIGKILL to everything in the container, after the stop signal and a grace if asked. Also of a paused one: SIGKILL
    /// passes through the freezer.
    fn tell_to_end(&self, id: &ContainerId, grace: Option<u32>) -> Result<Option<Farewell>, Error> {
        let mut locked = self.store.lock_container(id)?;
        // No restart policy brings it back, and no health check: its monitor may be about to start it again.
        if locked.status.is_alive() || locked.supervision == Supervision::Monitored {
            self.note_stop(&mut locked)?;
        }
        if !locked.status.is_alive() {
            return Ok(None);
        }
        let record = locked.unlock();
        let Some(init) = init_of(&record)? else { return Ok(None) };
        let grace = Duration::from_secs(grace.unwrap_or(0).into());
        let told = Farewell::say(&record, init, grace);
        told.map(Some).map_err(|source| Error::Host { what: "signal the container", source })
    }

    /// Whoever may need it; the trash has still to be emptied. By force also if a `start` comes between the end and the
    /// removal.
    pub(super) fn remove_one(
        &self,
        id: &ContainerId,
        request: &RemoveRequest,
        users: &mut VolumeUsers,
    ) -> Result<(), Error> {
        let mut endings = if request.force { ENDINGS } else { 1 };
        loop {
            endings -= 1;
            match self.remove_if_ended(id, request, users) {
                Err(Error::WrongStatus { .. }) if endings > 0 => {}
                done => return done,
            }
        }
    }

    /// Ends it first by force. [`Error::WrongStatus`] if it runs when it is locked for the removal.
    fn remove_if_ended(&self, id: &ContainerId, request: &RemoveRequest, users: &mut VolumeUsers) -> Result<(), Error> {
        let record = match self.store.container(id) {
            Ok(record) => record,
            // What is damaged can still be removed, if nothing runs there. A disk that does not answer may do so later.
            Err(error @ storage::Error::BrokenContainer { .. }) if request.force || error.is_damage() => {
                return self.remove_broken(id, request.volumes);
            }
            Err(error) => return Err(error.into()),
        };
        if request.force && (record.status.is_alive() || record.supervision == Supervision::Monitored) {
            if !self.end_by_force(id, request.time)? {
                return Err(self.who_stays(id));
            }
        } else if record.status.is_alive()
            || record.supervision == Supervision::Monitored
                && !(self.call_off_restart(id)? && self.wait_for_end(id, TIDYING)?)
        {
            return Err(Error::WrongStatus {
                action: Action::Remove,
                id: id.short().to_owned(),
                status: record.status,
            });
        }
        let config = record.config;
        let with_volumes = request.volumes || config.spec.remove;
        if !with_volumes {
            self.store.release_volumes_of(&config)?;
        }
        match self.store.lock_container(id) {
            Ok(locked) if locked.status.is_alive() => {
                // Started again between the look and the lock.
                return Err(Error::WrongStatus {
                    action: Action::Remove,
                    id: id.short().to_owned(),
                    status: locked.status,
                });
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
        cidfile::remove(&config);
        if with_volumes {
            self.store.remove_volumes_with(&config, users)?;
        }
        Ok(())
    }

    /// What has ended stays so: its monitor may be in the pause before it starts it again. False if it runs.
    fn call_off_restart(&self, id: &ContainerId) -> Result<bool, Error> {
        match self.store.lock_container(id) {
            Ok(locked) if locked.status.is_alive() => Ok(false),
            Ok(mut locked) => self.note_stop(&mut locked).map(|()| true),
            // `--rm`: its monitor was faster.
            Err(storage::Error::NoContainer(_)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends one container, and each run of it that others begin meanwhile; then until its monitor has tidied up.
    fn end_by_force(&self, id: &ContainerId, grace: Option<u32>) -> Result<bool, Error> {
        for _ in 0..ENDINGS {
            let before = match self.store.container(id) {
                Err(storage::Error::NoContainer(_)) => return Ok(true),
                found => found?,
            };
            let told = match self.tell_to_end(id, grace) {
                Err(Error::Storage(storage::Error::NoContainer(_))) => None,
                told => told?,
            };
            see_off(&mut told.into_iter().collect::<Vec<_>>())
                .map_err(|source| Error::Host { what: "wait for the container", source })?;
            if let Some(ended) = self.wait_for_end_of_run(&before, DEATH)? {
                return Ok(ended);
            }
        }
        Ok(false)
    }

    /// What of a container is still there: its program, or its monitor alone.
    fn who_stays(&self, id: &ContainerId) -> Error {
        let is_gone = |init: ProcessIdentity| matches!(init.is_alive(), Ok(false));
        let program_is_gone = self.store.container(id).is_ok_and(|record| record.init().is_none_or(is_gone));
        let monitor = FileLock::holder_pid(&self.store.layout().monitor_lock(id));
        let id = id.short().to_owned();
        match monitor.filter(|_| program_is_gone) {
            Some(pid) => Error::MonitorStays { id, pid },
            None => Error::WillNotDie { id, seconds: DEATH.as_secs() },
        }
    }

    fn remove_broken(&self, id: &ContainerId, volumes: bool) -> Result<(), Error> {
        use crate::storage::container_record::MonitorLock;
        if self.store.monitor_lock(id)? == MonitorLock::Held {
            return Err(Error::Storage(storage::Error::BrokenContainer {
                id: id.clone(),
                source: Box::new(storage::Error::ContainerRuns(id.clone())),
            }));
        }
        // Those that are not released go with the sweep.
        if !volumes {
            self.store.release_volumes(id)?;
        }
        self.store.discard_container(id, None)?;
        Ok(self.store.sweep().map(drop)?)
    }

    /// For each container those that share a namespace of it.
    fn dependents(&self) -> Result<BTreeMap<ContainerId, Vec<ContainerId>>, Error> {
        let mut dependents: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for other in self.store.container_ids()? {
            if let Ok(config) = self.store.container_config(&other) {
                for id in dependencies(&config) {
                    dependents.entry(id.clone()).or_default().push(other.clone());
                }
            }
        }
        Ok(dependents)
    }
}

/// What a `rm` is about to do.
struct Plan<'a> {
    request: &'a RemoveRequest,
    /// What the command line means.
    wanted: BTreeSet<ContainerId>,
    dependents: BTreeMap<ContainerId, Vec<ContainerId>>,
}

impl Plan<'_> {
    /// Dependents of a container: those that go with it, and those that stand in its way.
    fn dependents(&self, id: &ContainerId) -> (Vec<&ContainerId>, Vec<&ContainerId>) {
        let all = self.dependents.get(id).into_iter().flatten();
        all.partition(|id| self.request.depend || self.wanted.contains(id))
    }

    /// Everything that will be removed if nothing goes wrong.
    fn doomed(&self) -> BTreeSet<ContainerId> {
        let mut doomed = BTreeSet::new();
        let mut open: Vec<&ContainerId> = self.wanted.iter().collect();
        while let Some(id) = open.pop() {
            let (also, others) = self.dependents(id);
            if others.is_empty() && doomed.insert(id.clone()) {
                open.extend(also);
            }
        }
        doomed
    }
}
