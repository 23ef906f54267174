//! `start`: the request of a start, and the monitor.

use std::os::fd::OwnedFd;

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::spawn::{self, Started};
use crate::storage::container_record::{ContainerRecord, Supervision};
use crate::types::id::ContainerId;

impl Engine {
    /// Starts a container that does not run. `client` is attached before the program starts.
    pub(crate) fn start(&self, id: &ContainerId, client: Option<OwnedFd>) -> Result<Started, Error> {
        let record = self.startable(id)?;
        self.launch(&record, client)
    }

    /// A container that can be started.
    pub(super) fn startable(&self, id: &ContainerId) -> Result<ContainerRecord, Error> {
        let record = self.store.container(id)?;
        if record.supervision == Supervision::Unsupervised {
            return Err(Error::Unsupervised { verb: "start", id: id.short().to_owned() });
        }
        if !record.status.can_start() {
            return Err(Error::WrongStatus { verb: "start", id: id.short().to_owned(), status: record.status });
        }
        Ok(record)
    }

    /// Starts a container that is known not to run.
    pub(super) fn launch(&self, record: &ContainerRecord, client: Option<OwnedFd>) -> Result<Started, Error> {
        self.store.make_run()?;
        let mut request = self.place(&record.config)?;
        request.client = client;
        let started = spawn::spawn(&self.store, request)
            .map_err(|source| Error::Start { id: record.id().short().to_owned(), source })?;
        self.note_filled(&record.config.spec)?;
        self.warn_of_single_id();
        Ok(started)
    }
}
