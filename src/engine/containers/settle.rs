//! Waiting for a container to come to rest: until its monitor has left, or its program is there.

use std::time::{Duration, Instant};

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::storage;
use crate::storage::container_record::{ContainerRecord, Supervision};
use crate::storage::containers::Locked;
use crate::types::id::ContainerId;
use crate::types::status::ContainerStatus;

use super::farewell::DEATH;

/// How long a container may take to get from its start to its program.
const STARTING: Duration = Duration::from_secs(25);
/// How long a monitor that has recorded the end may take to leave. Nothing has been killed: a busy machine is a reason to wait.
const LEAVING: Duration = Duration::from_secs(25);
/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(1);
/// The longest.
const LONGEST: Duration = Duration::from_millis(15);

impl Engine {
    /// Looks at a container until `enough`, at most for `timeout`; the last look, or `None` if the container is gone. The
    /// end of its monitor is seen at once.
    pub(super) fn look_until(
        &self,
        id: &ContainerId,
        timeout: Duration,
        enough: impl Fn(&ContainerRecord) -> bool,
    ) -> Result<Option<ContainerRecord>, Error> {
        let deadline = Instant::now() + timeout;
        let mut pause = FIRST;
        loop {
            let over = Instant::now() >= deadline;
            match self.store.container(id) {
                Err(storage::Error::NoContainer(_)) => return Ok(None),
                Ok(record) if over || enough(&record) => return Ok(Some(record)),
                Ok(record) => rest(&record, pause)?,
                // It may be about to go.
                Err(storage::Error::BrokenContainer { .. } | storage::Error::InitUnknown { .. }) if !over => {
                    std::thread::sleep(pause);
                }
                Err(error) => return Err(error.into()),
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// Waits until nothing of the container runs and its monitor is gone; false after `timeout`.
    pub(crate) fn wait_for_end(&self, id: &ContainerId, timeout: Duration) -> Result<bool, Error> {
        Ok(self.look_until(id, timeout, is_at_rest)?.is_none_or(|record| is_at_rest(&record)))
    }

    /// The same of the run that `before` tells of; none if somebody has begun another one since.
    pub(super) fn wait_for_end_of_run(
        &self,
        before: &ContainerRecord,
        timeout: Duration,
    ) -> Result<Option<bool>, Error> {
        let is_another = |now: &ContainerRecord| now.monitor().is_some() && now.monitor() != before.monitor();
        let last = self.look_until(before.id(), timeout, |now| is_at_rest(now) || is_another(now))?;
        Ok(match last {
            Some(record) if is_at_rest(&record) => Some(true),
            Some(record) => (!is_another(&record)).then_some(false),
            None => Some(true),
        })
    }

    /// Waits until the monitor of this run has recorded the end and freed everything, so that `rm` or `start` can follow.
    pub(super) fn wait_for_monitor(&self, record: &ContainerRecord) -> Result<(), Error> {
        let monitor = record.monitor();
        // Somebody else may have started it again by then.
        let gone = |now: &ContainerRecord| {
            now.supervision != Supervision::Monitored || (monitor.is_some() && now.monitor() != monitor)
        };
        if !gone(record) {
            self.look_until(record.id(), DEATH, gone)?;
        }
        Ok(())
    }

    /// The container once no monitor is about to leave it: one that has recorded the end still frees the network, the ports
    /// and the cgroup, or will start the program again as its policy says.
    pub(super) fn settled(&self, id: &ContainerId) -> Result<ContainerRecord, Error> {
        // One that is damaged is not waited for.
        let record = self.store.container(id)?;
        if is_to_go(&record) {
            // It goes, as its monitor would have had it.
            self.record_loss(id, None)?;
            return Ok(self.store.container(id)?);
        }
        if !is_leaving(&record) {
            return Ok(record);
        }
        match self.look_until(id, LEAVING, |now| !is_leaving(now))? {
            Some(record) => Ok(record),
            // Says that it is gone.
            None => Ok(self.store.container(id)?),
        }
    }

    /// The container, not while its start is under way.
    pub(super) fn started(&self, id: &ContainerId) -> Result<ContainerRecord, Error> {
        let record = self.store.container(id)?;
        if is_starting(&record) { Ok(self.lock_started(id)?.unlock()) } else { Ok(record) }
    }

    /// The same, locked.
    pub(super) fn lock_started(&self, id: &ContainerId) -> Result<Locked<ContainerRecord>, Error> {
        let deadline = Instant::now() + STARTING;
        loop {
            let locked = self.store.lock_container(id)?;
            if !is_starting(&locked) || Instant::now() >= deadline {
                return Ok(locked);
            }
            drop(locked);
            std::thread::sleep(2 * FIRST);
        }
    }
}

/// [`Engine::settled`] has something to do.
pub(super) fn is_unsettled(record: &ContainerRecord) -> bool {
    is_to_go(record) || is_leaving(record)
}

/// Its monitor has recorded the end.
fn is_leaving(record: &ContainerRecord) -> bool {
    record.status.can_start() && record.supervision == Supervision::Monitored
}

/// Its monitor died before it could remove it.
fn is_to_go(record: &ContainerRecord) -> bool {
    record.supervision == Supervision::Lost && record.config.spec.remove
}

/// A monitor is at it, and its program does not run yet.
fn is_starting(record: &ContainerRecord) -> bool {
    let is_early = matches!(record.status, ContainerStatus::Created | ContainerStatus::Initialized);
    is_early && record.supervision == Supervision::Monitored
}

/// Nothing of it runs, not even a monitor.
fn is_at_rest(record: &ContainerRecord) -> bool {
    !record.status.is_alive() && matches!(record.supervision, Supervision::None | Supervision::Lost)
}

/// A pause, cut short by the end of the monitor.
fn rest(record: &ContainerRecord, pause: Duration) -> Result<(), Error> {
    let monitor = record.monitor().and_then(|monitor| monitor.open().ok().flatten());
    let Some(monitor) = monitor else {
        std::thread::sleep(pause);
        return Ok(());
    };
    let gone = monitor.wait_gone(Some(pause)).map_err(|source| Error::Host { what: "wait for the monitor", source })?;
    if gone {
        // What it held is free in a moment.
        std::thread::sleep(FIRST);
    }
    Ok(())
}
