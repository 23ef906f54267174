//! Deleting for good what commands have moved to the trash.

use super::error::failure;
use super::{Engine, Error};
use crate::rootless::worker;
use crate::storage::lease::Lease;
use crate::storage::trash;

impl Engine {
    /// Ends a lease, whatever came of the work: what it had staged goes at once. Where that fails after a failure, the next
    /// sweep takes it.
    pub(super) fn end_lease<T>(&self, lease: Lease, outcome: Result<T, Error>) -> Result<T, Error> {
        let ended = lease.finish(&self.store).map_err(Error::from).and_then(|passed| self.clean_up(passed));
        match (outcome, ended) {
            (Ok(value), ended) => ended.map(|()| value),
            (Err(error), Ok(())) => Err(error),
            (Err(error), Err(left)) => {
                tracing::debug!(error = %left, "staging directory stays");
                Err(error)
            }
        }
    }

    /// Empties the trash after a lease. Where a sweep `passed` meanwhile, what it spared for the lease may be nobody's now.
    pub(super) fn clean_up(&self, passed: bool) -> Result<(), Error> {
        if passed { self.sweep_images() } else { self.empty_trash() }
    }

    /// Empties the trash, in a worker in P if something there belongs to subordinate ids.
    pub(crate) fn empty_trash(&self) -> Result<(), Error> {
        if !self.store.has_trash() || self.store.empty_trash()? {
            return Ok(());
        }
        let path = self.store.layout().trash();
        worker::run(&self.outer()?, || trash::empty(&path).map_err(|error| failure(&error)))?;
        Ok(())
    }
}
