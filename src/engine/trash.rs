//! Deleting for good what commands have moved to the trash.

use super::{Engine, Error};
use crate::rootless::worker;
use crate::storage::trash;
use crate::types::failure::{Failure, FailureKind};

impl Engine {
    /// Empties the trash, in a worker in P if something there belongs to subordinate ids.
    pub(crate) fn empty_trash(&self) -> Result<(), Error> {
        if !self.store.has_trash() || self.store.empty_trash()? {
            return Ok(());
        }
        let path = self.store.layout().trash();
        worker::run(&self.outer()?, || {
            trash::empty(&path).map_err(|error| Failure::from_error(FailureKind::Other, &error))
        })?;
        Ok(())
    }
}
