//! The event loop's kernel part: `epoll(7)`, level-triggered, with a token per descriptor.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::error::{Call, Result};

/// What the owner of a descriptor calls it; comes back with its events.
pub(crate) type Token = u64;

/// What to wait for. An error or a hang-up of the other side is always reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Interest {
    pub(crate) const NONE: Self = Self { read: false, write: false };
    pub(crate) const READ: Self = Self { read: true, write: false };
    pub(crate) const WRITE: Self = Self { read: false, write: true };

    fn flags(self) -> EventFlags {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.read);
        flags.set(EventFlags::OUT, self.write);
        flags
    }
}

/// One descriptor that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) token: Token,
    /// Bytes, a connection, a signal, or the end can be read.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The other side has gone (`EPOLLHUP` or `EPOLLERR`); there may still be bytes to read.
    pub(crate) closed: bool,
}

/// A set of descriptors to wait for. Close-on-exec; a descriptor leaves it when its last copy is closed.
#[derive(Debug)]
pub(crate) struct EventLoop {
    epoll: OwnedFd,
}

/// Events taken by one wait; more of them wait for the next.
const BATCH: usize = 32;

impl EventLoop {
    pub(crate) fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).call("epoll_create1", || "EPOLL_CLOEXEC".to_owned())?;
        Ok(Self { epoll })
    }

    /// Starts to watch. EPERM for a regular file or `/dev/null`: those are always ready.
    pub(crate) fn add(&self, fd: impl AsFd, token: Token, interest: Interest) -> Result<()> {
        let fd = fd.as_fd();
        epoll::add(&self.epoll, fd, EventData::new_u64(token), interest.flags())
            .call("epoll_ctl", || format!("EPOLL_CTL_ADD, {}", fd.as_raw_fd()))
    }

    /// Waits for something else from now on.
    pub(crate) fn change(&self, fd: impl AsFd, token: Token, interest: Interest) -> Result<()> {
        let fd = fd.as_fd();
        epoll::modify(&self.epoll, fd, EventData::new_u64(token), interest.flags())
            .call("epoll_ctl", || format!("EPOLL_CTL_MOD, {}", fd.as_raw_fd()))
    }

    /// Stops watching.
    pub(crate) fn remove(&self, fd: impl AsFd) -> Result<()> {
        let fd = fd.as_fd();
        epoll::delete(&self.epoll, fd).call("epoll_ctl", || format!("EPOLL_CTL_DEL, {}", fd.as_raw_fd()))
    }

    /// Waits until something is ready or the time is over (then `ready` is empty). A signal handler's interruption
    /// counts as time over.
    pub(crate) fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Duration>) -> Result<()> {
        ready.clear();
        let timeout = timeout.map(|timeout| rustix::time::Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        let mut space = [const { MaybeUninit::uninit() }; BATCH];
        let events = match epoll::wait(&self.epoll, &mut space, timeout.as_ref()) {
            Ok((events, _unused)) => events,
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error).call("epoll_wait", String::new),
        };
        ready.extend(events.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Ready {
                token: data.u64(),
                readable: flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR),
                writable: flags.intersects(EventFlags::OUT | EventFlags::ERR),
                closed: flags.intersects(EventFlags::HUP | EventFlags::ERR),
            }
        }));
        Ok(())
    }
}

impl AsFd for EventLoop {
    /// Readable while something in the set is ready, so that a set can be part of another.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{EventLoop, Interest, Ready};
    use crate::sys::stream;

    #[test]
    fn reports_reading_writing_and_closing_by_token() {
        let (reader, writer) = crate::sys::descriptor::pipe().expect("pipe");
        let events = EventLoop::new().expect("epoll");
        let mut ready = Vec::new();
        events.add(&reader, 7, Interest::READ).expect("add");
        events.wait(&mut ready, Some(Duration::ZERO)).expect("wait");
        assert_eq!(ready, []);
        stream::write_all(&writer, b"x").expect("write");
        events.wait(&mut ready, Some(Duration::from_secs(5))).expect("wait");
        assert_eq!(ready, [Ready { token: 7, readable: true, writable: false, closed: false }]);
        events.change(&reader, 8, Interest::NONE).expect("change");
        events.wait(&mut ready, Some(Duration::ZERO)).expect("wait");
        assert_eq!(ready, []);
        drop(writer);
        events.wait(&mut ready, Some(Duration::from_secs(5))).expect("wait");
        assert!(ready.len() == 1 && ready[0].token == 8 && ready[0].closed, "{ready:?}");
        events.remove(&reader).expect("remove");
        events.wait(&mut ready, Some(Duration::ZERO)).expect("wait");
        assert_eq!(ready, []);
    }
}
