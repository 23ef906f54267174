//! `container prune`.

use super::filter::Filters;
use crate::engine::{Engine, Error};
use crate::storage;
use crate::storage::container_record::Supervision;
use crate::types::id::ContainerId;

/// What was removed.
#[derive(Debug, Default)]
pub(crate) struct PruneReport {
    pub(crate) removed: Vec<ContainerId>,
    pub(crate) failed: Vec<(ContainerId, Error)>,
    /// Bytes.
    pub(crate) reclaimed: u64,
}

impl Engine {
    /// Removes the containers that do not run.
    pub(crate) fn prune_containers(&self, filters: &[String]) -> Result<PruneReport, Error> {
        if filters.is_empty() && self.store.discard_asides()? > 0 {
            self.empty_trash()?;
        }
        let filters = Filters::parse(self, filters)?;
        let (mut records, _) = self.store.containers()?;
        records.retain(|record| {
            !record.status.is_alive() && record.supervision != Supervision::Monitored && filters.matches(record)
        });
        // One that a `run --rm` of another process is about to start is not ours.
        records.retain(|record| {
            record.config.creator.is_none() || storage::gc::is_orphan(&self.store, &record.config).unwrap_or(false)
        });
        let mut report = PruneReport::default();
        if records.is_empty() {
            return Ok(report);
        }
        let sizes = self.sizes(&records)?;
        for (record, size) in records.iter().zip(sizes) {
            match self.remove_container(record.id(), false, false) {
                Ok(()) => {
                    report.removed.push(record.id().clone());
                    report.reclaimed += size.rw;
                }
                Err(Error::Storage(storage::Error::NoContainer(_))) => {}
                Err(error) => report.failed.push((record.id().clone(), error)),
            }
        }
        self.empty_trash()?;
        Ok(report)
    }
}
