//! Waiting for descriptors with a deadline.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::error::{Call, Result};

/// Waits until `fd` can be read or has hung up. False if the time ran out; `None` waits for ever.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<bool> {
    first_readable(&[fd], timeout).map(|first| first.is_some())
}

/// Waits until one of them can be read or has hung up: the first in the list that does. `None` if the time ran out.
pub(crate) fn first_readable(fds: &[BorrowedFd<'_>], timeout: Option<Duration>) -> Result<Option<usize>> {
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut watched: Vec<_> = fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        match poll(&mut watched, left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                let shown = || fds.iter().map(|fd| fd.as_raw_fd().to_string()).collect::<Vec<_>>().join(", ");
                return Err(error).call("poll", shown);
            }
            Ok(_) => return Ok(watched.iter().position(|fd| !fd.revents().is_empty())),
        }
    }
}
