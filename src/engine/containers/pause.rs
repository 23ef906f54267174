//! `pause` and `unpause`: the cgroup freezer.

use crate::engine::action::Action;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::runtime::cgroup::ContainerCgroup;
use crate::storage::container_record::{ContainerRecord, ContainerState};
use crate::storage::containers::Locked;
use crate::types::id::ContainerId;
use crate::types::status::ContainerStatus;

impl Engine {
    /// Freezes every process of a running container. Called paused before it is: killed on the way, or on a full disk, it is
    /// one that `unpause` takes, never a frozen one that is said to run.
    pub(crate) fn pause(&self, id: &ContainerId) -> Result<(), Error> {
        let (mut locked, state, cgroup) = self.to_change(id, Action::Pause, ContainerStatus::Running)?;
        let paused = ContainerState { status: ContainerStatus::Paused, ..state.clone() };
        locked.write_state(&self.store, paused)?;
        cgroup.freeze().map_err(|error| {
            // It may be frozen by halves.
            let undone = cgroup.thaw().map_err(Error::Cgroup);
            if let Err(error) = undone.and_then(|()| Ok(locked.write_state(&self.store, state)?)) {
                tracing::debug!(%error, "stays paused");
            }
            Error::Cgroup(error)
        })
    }

    /// Lets a paused container go on.
    pub(crate) fn unpause(&self, id: &ContainerId) -> Result<(), Error> {
        let (mut locked, state, cgroup) = self.to_change(id, Action::Unpause, ContainerStatus::Paused)?;
        cgroup.thaw().map_err(Error::Cgroup)?;
        Ok(locked.write_state(&self.store, ContainerState { status: ContainerStatus::Running, ..state })?)
    }

    /// A container that is `from`, with its state and its cgroup.
    fn to_change(
        &self,
        id: &ContainerId,
        action: Action,
        from: ContainerStatus,
    ) -> Result<(Locked<ContainerRecord>, ContainerState, ContainerCgroup), Error> {
        let locked = self.store.lock_container(id)?;
        let wrong = || Error::WrongStatus { action, id: id.short().to_owned(), status: locked.status };
        let state = locked.state.clone().filter(|_| locked.status == from).ok_or_else(wrong)?;
        let cgroup = state.cgroup.as_ref().map(ContainerCgroup::open).transpose().map_err(Error::Cgroup)?.flatten();
        let cgroup = cgroup.ok_or_else(|| Error::NoCgroup { action, id: id.short().to_owned() })?;
        Ok((locked, state, cgroup))
    }
}
