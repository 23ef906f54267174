//! `container prune`.

use super::filter::Filters;
use super::remove::RemoveRequest;
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
    /// Removes the containers that do not run, and whose namespaces no other one needs.
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
        records.retain(|record| !storage::gc::is_about_to_start(&self.store, &record.config));
        let mut report = PruneReport::default();
        if records.is_empty() {
            return Ok(report);
        }
        let sizes = self.sizes(&records)?;
        let ids: Vec<_> = records.iter().map(|record| record.id().clone()).collect();
        let removed = self.remove_unneeded(&ids, &RemoveRequest::default())?;
        for ((id, removed), size) in ids.iter().zip(removed).zip(sizes) {
            match removed {
                Ok(()) => {
                    report.removed.push(id.clone());
                    report.reclaimed += size.rw;
                }
                // Needed, or running by now.
                Err(Error::HasDependents { .. } | Error::WrongStatus { .. }) => {}
                Err(error) => report.failed.push((id.clone(), error)),
            }
        }
        self.empty_trash()?;
        Ok(report)
    }
}
