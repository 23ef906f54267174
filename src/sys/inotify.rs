//! Changes of files (`inotify(7)`). A user has few instances (128): one per process, and polling where there is none.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::error::{Call, Result};
use super::fs::absent_is_none;
use super::stream::{self, Transfer};

/// Wakes its reader when a watched file was written, closed by a writer, renamed or removed.
#[derive(Debug)]
pub(crate) struct Inotify {
    fd: OwnedFd,
}

impl Inotify {
    /// EMFILE if the user has no instance left.
    pub(crate) fn new() -> Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .call("inotify_init1", || "IN_CLOEXEC|IN_NONBLOCK".to_owned())?;
        Ok(Self { fd })
    }

    /// Watches what is at `path` now (once, however often it is said). False if there is nothing.
    pub(crate) fn watch(&self, path: &Path) -> Result<bool> {
        let events = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        let added = inotify::add_watch(&self.fd, path, events).call("inotify_add_watch", || format!("{path:?}"));
        absent_is_none(added).map(|watch| watch.is_some())
    }

    /// Forgets what has happened so far.
    pub(crate) fn drain(&self) -> Result<()> {
        let mut buffer = [0; 4096];
        while matches!(stream::read(&self.fd, &mut buffer)?, Transfer::Bytes(_)) {}
        Ok(())
    }
}

impl AsFd for Inotify {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
