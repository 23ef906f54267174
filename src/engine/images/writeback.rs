//! What a pull, load or import has written goes to disk while it goes on: the sync before it is published (rule R2)
//! then finds little left to do.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::engine::Error;
use crate::sys;
use crate::sys::Errno;
use crate::sys::clone::{Forked, fork};
use crate::sys::poll::{EventLoop, Interest};
use crate::sys::{descriptor, process};

/// Between the end of one sync and the beginning of the next.
const EVERY: Duration = Duration::from_millis(150);

/// Fewer bytes are synced at the end, at once.
const WORTH_IT: u64 = 16 << 20;

/// Does `work`, which writes below `dir`, while another process syncs the file system of `dir` again and again; not if
/// the compressed bytes to come are known to be few.
pub(super) fn during<T>(
    dir: &Path,
    expected: Option<u64>,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    if expected.is_some_and(|bytes| bytes < WORTH_IT) {
        return work();
    }
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
    let done = work();
    // Closing would not do: processes that the work has started may hold copies.
    let status = sys::descriptor::write_all(until.as_fd(), b".").and_then(|()| child.wait());
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
    let events = EventLoop::new()?;
    events.add(ended, 0, Interest::READ)?;
    let mut ready = Vec::new();
    loop {
        events.wait(&mut ready, Some(EVERY))?;
        if !ready.is_empty() {
            return Ok(());
        }
        sys::filesystem::sync_filesystem(dir)?;
    }
}
