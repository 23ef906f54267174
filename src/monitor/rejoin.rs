//! The containers whose namespaces are joined: the bundle leads to them by the pid of their init, which is another one when
//! they have been started anew, and may be anybody's.

use std::time::{Duration, Instant};

use super::error::Error;
use super::exit;
use super::request::StartRequest;
use super::restart::pause_unless;
use crate::storage::container_record::Supervision;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::{self, Store};
use crate::types::id::ContainerId;
use crate::types::status::ContainerStatus;

/// How long one may take that its own monitor is about to start again.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at it.
const GLANCE: Duration = Duration::from_millis(50);

/// Before a further start: they are joined where they are now. `StopAsked` if that is the word meanwhile.
pub(super) fn renew(store: &Store, request: &mut StartRequest) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut moved = Vec::new();
    let mut joined = Vec::new();
    for (id, before) in &request.joined {
        let now = running(store, request, id, deadline)?;
        moved.push((before.pid, now.pid));
        joined.push((id.clone(), now));
    }
    request.joined = joined;
    request.bundle.follow(&moved);
    Ok(())
}

/// After the join, and before the program: they live, so that what was joined was theirs.
pub(super) fn confirm(request: &StartRequest) -> Result<(), Error> {
    request.joined.iter().try_for_each(|(id, init)| match init.is_alive() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::NotJoined(id.short().to_owned())),
        Err(source) => Err(Error::LookAtJoined { id: id.short().to_owned(), source }),
    })
}

fn running(
    store: &Store,
    request: &StartRequest,
    id: &ContainerId,
    deadline: Instant,
) -> Result<ProcessIdentity, Error> {
    let ended = || Error::NotJoined(id.short().to_owned());
    loop {
        let record = match store.container(id) {
            Err(storage::Error::NoContainer(_)) => return Err(ended()),
            other => other.map_err(Error::Storage)?,
        };
        let runs = record.status.is_alive() && record.status != ContainerStatus::Initialized;
        if let Some(init) = record.init().filter(|_| runs) {
            return Ok(init);
        }
        if record.supervision != Supervision::Monitored || Instant::now() >= deadline {
            return Err(ended());
        }
        if !pause_unless(GLANCE, || exit::stop_asked(store, request)) {
            return Err(Error::StopAsked(request.config.id.short().to_owned()));
        }
    }
}
