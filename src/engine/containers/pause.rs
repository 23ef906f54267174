//! `pause` and `unpause`: the cgroup freezer.

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::runtime::cgroup::ContainerCgroup;
use crate::types::id::ContainerId;
use crate::types::status::ContainerStatus;

impl Engine {
    /// Freezes every process of a running container.
    pub(crate) fn pause(&self, id: &ContainerId) -> Result<(), Error> {
        self.change(id, "pause", ContainerStatus::Running, ContainerStatus::Paused, ContainerCgroup::freeze)
    }

    /// Lets a paused container go on.
    pub(crate) fn unpause(&self, id: &ContainerId) -> Result<(), Error> {
        self.change(id, "unpause", ContainerStatus::Paused, ContainerStatus::Running, ContainerCgroup::thaw)
    }

    /// `act` on the cgroup of a container that is `from`; it is `to` afterwards.
    fn change(
        &self,
        id: &ContainerId,
        verb: &'static str,
        from: ContainerStatus,
        to: ContainerStatus,
        act: impl FnOnce(&ContainerCgroup) -> Result<(), crate::runtime::cgroup::Error>,
    ) -> Result<(), Error> {
        let mut locked = self.store.lock_container(id)?;
        if locked.status != from {
            return Err(Error::WrongStatus { verb, id: id.short().to_owned(), status: locked.status });
        }
        let Some(mut state) = locked.state.clone() else {
            return Err(Error::WrongStatus { verb, id: id.short().to_owned(), status: locked.status });
        };
        let cgroup = state.cgroup.as_ref().map(ContainerCgroup::open).transpose().map_err(Error::Cgroup)?.flatten();
        let cgroup = cgroup.ok_or_else(|| Error::NoCgroup { verb, id: id.short().to_owned() })?;
        act(&cgroup).map_err(Error::Cgroup)?;
        state.status = to;
        locked.write_state(&self.store, state)?;
        Ok(())
    }
}
