//! What a pull, load or import has written goes to disk while it goes on: the sync before it is published (rule R2)
//! then finds little left to do.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::engine::{Engine, Error};
use crate::storage::lease::Lease;
use crate::storage::sync_policy::SyncPolicy;
use crate::sys;
use crate::sys::Errno;
use crate::sys::clone::{Forked, fork};
use crate::sys::poll::{EventLoop, Interest};
use crate::sys::{descriptor, process};

/// Between the end of one sync and the beginning of the next.
const PAUSE: Duration = Duration::from_millis(150);

/// The same, when there is a core for it.
const SHORT_PAUSE: Duration = Duration::from_millis(10);

/// Said to the process that syncs.
const SHORTEN: &[u8] = b"s";
const END: &[u8] = b"e";

/// Fewer bytes are synced at the end, at once.
const WORTH_IT: u64 = 16 << 20;

/// The process that syncs meanwhile, if there is one.
#[derive(Debug)]
pub(super) struct Writeback(Option<OwnedFd>);

impl Writeback {
    /// The processor has time: what is on disk already need not be waited for at the end.
    pub(super) fn shorten(&self) -> sys::Result<()> {
        self.tell(SHORTEN)
    }

    /// The end of a process that has ended already is told by its status.
    fn tell(&self, what: &[u8]) -> sys::Result<()> {
        match self.0.as_ref().map_or(Ok(()), |pipe| descriptor::write_all(pipe.as_fd(), what)) {
            Err(error) if error.is(Errno::EPIPE) => Ok(()),
            other => other,
        }
    }
}

impl Engine {
    /// Does `work`, which writes into the lease, while another process syncs the file system again and again; not if the
    /// compressed bytes to come are known to be few, or nothing is to be synced.
    pub(super) fn with_writeback<T>(
        &self,
        lease: &Lease,
        expected: Option<u64>,
        work: impl FnOnce(&Writeback) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let few = expected.is_some_and(|bytes| bytes < WORTH_IT);
        if few || self.store.sync_policy() == SyncPolicy::None {
            return work(&Writeback(None));
        }
        during(lease.dir(), work)
    }
}

fn during<T>(dir: &Path, work: impl FnOnce(&Writeback) -> Result<T, Error>) -> Result<T, Error> {
    let failed = |source| Error::Host { what: "start a process that syncs", source };
    let (ended, until) = descriptor::pipe().map_err(failed)?;
    let maker = process::Pid::this();
    let child = match fork().map_err(failed)? {
        Forked::Child => {
            drop(until);
            let result = sys::prctl::die_with(maker).and_then(|()| sync_until(&ended, dir));
            process::exit_now(result.map_or_else(|error| error.errno as i32, |()| 0))
        }
        Forked::Parent(child) => child,
    };
    drop(ended);
    let writeback = Writeback(Some(until));
    let done = work(&writeback);
    // Closing would not do: processes that the work has started may hold copies.
    let status = writeback.tell(END).and_then(|()| child.wait());
    let status = status.map_err(|source| Error::Host { what: "wait for the process that syncs", source })?;
    let done = done?;
    if status.success() {
        return Ok(done);
    }
    // The kernel tells of a failed write to one who asks, and no more to the next: it must not be lost.
    let source = sys::Error::new("syncfs", format!("{dir:?}"), Errno::from_raw(status.code()));
    Err(Error::Path { what: "write to disk what was unpacked into", path: dir.to_owned(), source })
}

fn sync_until(ended: &OwnedFd, dir: &Path) -> sys::Result<()> {
    let store = sys::fs::open(dir)?;
    let events = EventLoop::new()?;
    events.add(ended, 0, Interest::READ)?;
    let mut ready = Vec::new();
    let mut pause = PAUSE;
    loop {
        events.wait(&mut ready, Some(pause))?;
        if !ready.is_empty() {
            if descriptor::read_some(ended.as_fd(), SHORTEN.len())? != SHORTEN {
                return Ok(());
            }
            pause = SHORT_PAUSE;
        }
        sys::filesystem::sync_filesystem(store.as_fd())?;
    }
}
