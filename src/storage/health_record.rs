//! `health.json`: what the health checks of the present run have said. Volatile, replaced under the container's lock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::container_record::{ContainerConfig, ContainerRecord};
use super::containers::Locked;
use super::error::Error;
use super::record::{self, Record, Rest};
use super::store::Store;
use crate::types::health::HealthStatus;

/// Checks that are kept.
const KEPT: usize = 5;

/// Status, and the last checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct HealthRecord {
    pub(crate) version: u32,
    pub(crate) status: HealthStatus,
    /// Failures in a row.
    pub(crate) failing_streak: u32,
    /// Oldest first.
    pub(crate) log: Vec<CheckRecord>,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

record::record!(HealthRecord);

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CheckRecord {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// 0 = healthy; -1 if its time ran out.
    pub(crate) exit_code: i32,
    pub(crate) output: String,
}

impl Default for HealthRecord {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            status: HealthStatus::Starting,
            failing_streak: 0,
            log: Vec::new(),
            rest: Rest::new(),
        }
    }
}

impl HealthRecord {
    /// Takes a check in. A failure that does not count (in the start period) is only listed.
    fn add(&mut self, check: CheckRecord, counts: bool, retries: u32) {
        if check.exit_code == 0 {
            self.status = HealthStatus::Healthy;
            self.failing_streak = 0;
        } else if counts {
            self.failing_streak = self.failing_streak.saturating_add(1);
            if self.failing_streak >= retries {
                self.status = HealthStatus::Unhealthy;
            }
        }
        self.log.push(check);
        self.log.drain(..self.log.len().saturating_sub(KEPT));
    }
}

impl Store {
    /// What the checks of the present or the last run have said; `None` for a container without a check, or not started.
    pub(super) fn health_of(&self, config: &ContainerConfig) -> Option<HealthRecord> {
        config.health_check()?;
        record::read_if_exists(&self.layout().container_health(&config.id)).unwrap_or_else(|error| {
            // The next check writes it anew.
            tracing::debug!(%error, "health not known");
            None
        })
    }
}

impl Locked<ContainerRecord> {
    /// A run begins: nothing is known of its health.
    pub(crate) fn begin_health(&mut self, store: &Store) -> Result<(), Error> {
        store.make_run_container(self.id())?;
        let health = HealthRecord::default();
        store.in_runroot(record::write_volatile_or_over(&store.layout().container_health(self.id()), &health))?;
        self.value.health = Some(health);
        Ok(())
    }

    /// Records a check; what the container is by it.
    pub(crate) fn add_check(
        &mut self,
        store: &Store,
        check: CheckRecord,
        counts: bool,
        retries: u32,
    ) -> Result<HealthStatus, Error> {
        store.make_run_container(self.id())?;
        let mut health = self.value.health.take().unwrap_or_default();
        health.add(check, counts, retries);
        store.in_runroot(record::write_volatile_or_over(&store.layout().container_health(self.id()), &health))?;
        let status = health.status;
        self.value.health = Some(health);
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{CheckRecord, HealthRecord, KEPT};
    use crate::types::health::HealthStatus::{Healthy, Starting, Unhealthy};

    #[test]
    fn failures_in_a_row_make_it_unhealthy_and_one_success_healthy() {
        let now = Timestamp::UNIX_EPOCH;
        let check = |exit_code| CheckRecord { start: now, end: now, exit_code, output: String::new() };
        let mut health = HealthRecord::default();
        for (code, counts, status, streak) in [
            (1, false, Starting, 0),
            (1, true, Starting, 1),
            (-1, true, Unhealthy, 2),
            (1, false, Unhealthy, 2),
            (0, false, Healthy, 0),
            (1, true, Healthy, 1),
            (0, true, Healthy, 0),
            (1, true, Healthy, 1),
            (127, true, Unhealthy, 2),
        ] {
            health.add(check(code), counts, 2);
            assert_eq!((health.status, health.failing_streak), (status, streak), "{code} {counts}");
        }
        assert_eq!(health.log.len(), KEPT);
        assert_eq!(health.log.last().map(|check| check.exit_code), Some(127));
    }
}
