//! The cgroup of one container.

use std::os::fd::{AsFd, BorrowedFd};
#[cfg(test)]
use std::path::Path;

use crate::sys;
use crate::sys::Errno;
use crate::types::cgroup::CgroupRecord;
use crate::types::resources::Resources;

use super::error::Error;
use super::select::Why;
use super::{cgroupfs, freezer, limits, systemd};

/// An existing cgroup that holds the processes of one container and nothing else.
#[derive(Debug)]
pub(crate) struct ContainerCgroup {
    record: CgroupRecord,
    dir: sys::dir::Dir,
}

impl ContainerCgroup {
    /// Makes the directory if it is not there, and opens it.
    pub(super) fn create(record: CgroupRecord) -> Result<Self, Error> {
        cgroupfs::create(&record.path)?;
        Self::open_existing(record)
    }

    /// The cgroup of a container that runs, as its state names it; `None` if it is gone.
    pub(crate) fn open(record: &CgroupRecord) -> Result<Option<Self>, Error> {
        match Self::open_existing(record.clone()) {
            Err(Error::Create { source, .. }) if source.is(Errno::ENOENT) => Ok(None),
            other => other.map(Some),
        }
    }

    fn open_existing(record: CgroupRecord) -> Result<Self, Error> {
        let dir =
            sys::dir::Dir::open(&record.path).map_err(|source| Error::Create { path: record.path.clone(), source })?;
        Ok(Self { record, dir })
    }

    /// For `CLONE_INTO_CGROUP`.
    pub(crate) fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Absolute path of the directory.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &Path {
        &self.record.path
    }

    pub(crate) fn record(&self) -> &CgroupRecord {
        &self.record
    }

    /// Writes the limits (before anything runs in it, or as an update).
    pub(crate) fn apply(&self, resources: &Resources) -> Result<(), Error> {
        for controller in limits::needed_controllers(resources)? {
            if !self.record.controllers.iter().any(|have| have == controller) {
                return Err(Error::Undelegated { controller: controller.to_owned(), why: Why::Controller });
            }
        }
        limits::write(&self.record.path, &self.record.controllers, resources)
    }

    /// Takes a process of ours in: an `exec` that comes from another session. In case (b) systemd does it where the
    /// kernel refuses because the common ancestor is not ours.
    pub(crate) fn admit(&self, pid: i32) -> Result<(), Error> {
        match (cgroupfs::admit(&self.record.path, pid), &self.record.scope) {
            (Err(Error::Move { source, .. }), Some(scope)) if source.is(Errno::EACCES) => {
                let leaf = self.record.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                systemd::attach(scope, &format!("/{leaf}"), pid)
            }
            (result, _) => result.map(drop),
        }
    }

    /// Stops every process where it stands; returns when all have stopped.
    pub(crate) fn freeze(&self) -> Result<(), Error> {
        freezer::freeze(&self.record.path)
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) -> Result<(), Error> {
        freezer::thaw(&self.record.path)
    }

    /// True if it was frozen.
    #[cfg(test)]
    pub(crate) fn is_frozen(&self) -> bool {
        freezer::is_frozen(&self.record.path)
    }

    /// SIGKILL to every process in it, frozen ones and those being forked too.
    #[cfg(test)]
    pub(crate) fn kill(&self) -> Result<(), Error> {
        freezer::kill(&self.record.path)
    }

    /// True while a process lives in it or below.
    #[cfg(test)]
    pub(crate) fn is_populated(&self) -> bool {
        let text = sys::fs::read_to_string(&self.record.path.join("cgroup.events")).unwrap_or_default();
        cgroupfs::keyed(&text, "populated") == Some(1)
    }

    /// True if the kernel killed a process in it for want of memory. Ask before removing it.
    pub(crate) fn oom_killed(&self) -> bool {
        let text = sys::fs::read_to_string(&self.record.path.join("memory.events")).unwrap_or_default();
        cgroupfs::keyed(&text, "oom_kill").is_some_and(|count| count > 0)
    }

    /// Kills what is left in it and removes it. The scope goes by itself with the monitor, its last process.
    pub(crate) fn remove(self) -> Result<(), Error> {
        remove(&self.record)
    }
}

/// Removes the cgroup of a container that ended, by whoever cleans up; absent is fine.
pub(crate) fn remove(record: &CgroupRecord) -> Result<(), Error> {
    // The usual case first: all are dead and none is below. One call, and no look before it that could be wrong.
    match sys::fs::remove_dir(&record.path) {
        Ok(_) => return Ok(()),
        Err(error) if error.is(Errno::EBUSY) => {}
        Err(source) => return Err(Error::Remove { path: record.path.clone(), source }),
    }
    match cgroupfs::remove_tree(&record.path) {
        Ok(()) => return Ok(()),
        Err(error) if error.is(Errno::EBUSY) => {}
        Err(source) => return Err(Error::Remove { path: record.path.clone(), source }),
    }
    freezer::kill(&record.path)?;
    freezer::until(&record.path, || match cgroupfs::remove_tree(&record.path) {
        Ok(()) => Ok(true),
        Err(error) if error.is(Errno::EBUSY) => Ok(false),
        Err(source) => Err(Error::Remove { path: record.path.clone(), source }),
    })
}
