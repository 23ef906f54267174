//! All containers, for listings and whoever looks through them.
//!
//! Most containers of a long list do not run, and many never did: those take two looks at the disk each, below an open
//! directory. Of all others everything is read as if they were asked for by their id.

use std::ffi::{OsStr, OsString};

use super::container_record::{ContainerConfig, ContainerRecord};
use super::error::{At as _, Error};
use super::record;
use super::store::Store;
use crate::sys;
use crate::sys::small_files::SmallFiles;
use crate::types::id::ContainerId;

/// One entry of a listing: a damaged container is listed too (case F07).
#[derive(Debug)]
pub(crate) struct BrokenContainer {
    pub(crate) id: ContainerId,
    pub(crate) error: Error,
}

impl Store {
    /// All containers, sorted by id, and the damaged ones.
    pub(crate) fn containers(&self) -> Result<(Vec<ContainerRecord>, Vec<BrokenContainer>), Error> {
        let mut whole = Vec::new();
        let broken = self.each_container(|record| whole.push(record))?;
        Ok((whole, broken))
    }

    /// Shows one container after another, sorted by id: records are large, and who needs little of each keeps just that.
    /// The damaged ones are the answer. Foreign entries are passed over (case F08).
    pub(crate) fn each_container(&self, mut visit: impl FnMut(ContainerRecord)) -> Result<Vec<BrokenContainer>, Error> {
        let mut broken = Vec::new();
        let dir = self.layout().containers();
        let Some(mut files) = SmallFiles::open(&dir).reading(&dir)? else { return Ok(broken) };
        // Before any lock is looked at: one that is made after this is of a start, which takes the lock first.
        let volatile = self.layout().run_containers();
        let volatile = sys::fs::names(&volatile).reading(&volatile)?;
        for name in files.names().reading(&dir)? {
            let Some(id) = name.to_str().and_then(|name| name.parse::<ContainerId>().ok()) else { continue };
            let read = match self.never_started(&mut files, &volatile, &id) {
                Some(config) => Ok(ContainerRecord::created(config)),
                None => self.container(&id),
            };
            match read {
                Ok(record) => visit(record),
                // Removed since the directory was read.
                Err(Error::NoContainer(_)) => {}
                Err(error) => broken.push(BrokenContainer { id, error }),
            }
        }
        Ok(broken)
    }

    /// The definition of a container that has neither a liveness lock nor a volatile directory, so that there is nothing
    /// else to read. None for any other, and wherever something is not as usual.
    fn never_started(
        &self,
        files: &mut SmallFiles,
        volatile: &[OsString],
        id: &ContainerId,
    ) -> Option<ContainerConfig> {
        let own = OsStr::new(id.as_str());
        if volatile.binary_search_by(|name| name.as_os_str().cmp(own)).is_ok() {
            return None;
        }
        let path = self.layout().container_config(id);
        let bytes = files.read(OsStr::new(&format!("{id}/config.json")), record::LIMIT).ok()??;
        let config = record::parse::<ContainerConfig>(&path, bytes).ok().filter(|config| config.id == *id)?;
        // After the definition: one that starts or goes meanwhile is read again, from the beginning.
        let never = !files.has(OsStr::new(&format!("{id}/monitor.lock"))).ok()?;
        never.then_some(config)
    }
}
