//! Bytes through pipes, terminals and sockets, without ever waiting unless the name says so.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno as RustixErrno;

use super::error::{Call, Result};

/// What one read or write gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// So many bytes, more than none.
    Bytes(usize),
    /// Reading: nothing will come any more. Writing: nobody reads any more.
    End,
    /// Nothing now; wait for readiness.
    WouldBlock,
}

/// Switches `O_NONBLOCK` of the open file description, which every process that shares it sees: only for our own.
pub(crate) fn set_nonblocking(fd: impl AsFd, on: bool) -> Result<()> {
    let fd = fd.as_fd();
    let mut flags = rustix::fs::fcntl_getfl(fd).call("fcntl", || format!("{}, F_GETFL", fd.as_raw_fd()))?;
    flags.set(OFlags::NONBLOCK, on);
    rustix::fs::fcntl_setfl(fd, flags).call("fcntl", || format!("{}, F_SETFL", fd.as_raw_fd()))
}

/// Descriptors 0, 1 and 2.
pub(crate) fn standard() -> [BorrowedFd<'static>; 3] {
    [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()]
}

/// Makes `uid` the owner of a pipe, a socket or a terminal, so that it may open it anew by `/dev/stdout`. What others use
/// too (`/dev/null`, a file) keeps its owner.
pub(crate) fn give(fd: impl AsFd, uid: u32) -> Result<()> {
    use rustix::fs::FileType;
    let fd = fd.as_fd();
    let stat = rustix::fs::fstat(fd).call("fstat", || fd.as_raw_fd().to_string())?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let ours = matches!(kind, FileType::Fifo | FileType::Socket) || rustix::termios::isatty(fd);
    if !ours || stat.st_uid == uid {
        return Ok(());
    }
    rustix::fs::fchown(fd, Some(rustix::fs::Uid::from_raw(uid)), None)
        .call("fchown", || format!("{}, {uid}", fd.as_raw_fd()))
}

/// A descriptor for what a standard stream leads to, on which reads and writes wait. Somebody who shares the pipe or the
/// terminal may have made it non-blocking, which is not ours to change: it is opened anew. (A socket cannot be.)
pub(crate) fn waiting(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    use rustix::fs::{FileType, Mode};
    let name = || fd.as_raw_fd().to_string();
    let flags = rustix::fs::fcntl_getfl(fd).call("fcntl", || format!("{}, F_GETFL", name()))?;
    let stat = rustix::fs::fstat(fd).call("fstat", name)?;
    let is_stream = matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::CharacterDevice);
    if !flags.contains(OFlags::NONBLOCK) || !is_stream {
        return duplicate(fd);
    }
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = (flags & OFlags::ACCMODE) | OFlags::CLOEXEC | OFlags::NOCTTY;
    rustix::fs::open(&path, flags, Mode::empty()).call("open", || path.clone())
}

/// Standard output or error, for what is printed: writes wait, whatever has become of the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printed(BorrowedFd<'static>);

pub(crate) fn stdout() -> Printed {
    Printed(rustix::stdio::stdout())
}

pub(crate) fn stderr() -> Printed {
    Printed(rustix::stdio::stderr())
}

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        loop {
            match rustix::io::write(self.0, bytes) {
                Err(RustixErrno::AGAIN) => wait_writable(self.0).map_err(|error| std::io::Error::from(error.errno))?,
                // Closed, which is not what Rust's own streams call an error either.
                Err(RustixErrno::BADF) => return Ok(bytes.len()),
                other => return Ok(other?),
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A second descriptor of the same open file description, close-on-exec.
pub(crate) fn duplicate(fd: impl AsFd) -> Result<OwnedFd> {
    let fd = fd.as_fd();
    fd.try_clone_to_owned().call("fcntl", || format!("{}, F_DUPFD_CLOEXEC", fd.as_raw_fd()))
}

/// One `read(2)`. A terminal or socket whose other side has gone (EIO, ECONNRESET) is at its end.
pub(crate) fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<Transfer> {
    let fd = fd.as_fd();
    loop {
        return match rustix::io::read(fd, &mut *buffer) {
            Ok(0) | Err(RustixErrno::IO | RustixErrno::CONNRESET) => Ok(Transfer::End),
            Ok(count) => Ok(Transfer::Bytes(count)),
            Err(RustixErrno::AGAIN) => Ok(Transfer::WouldBlock),
            Err(RustixErrno::INTR) => continue,
            Err(error) => Err(error).call("read", || fd.as_raw_fd().to_string()),
        };
    }
}

/// One `write(2)`. EPIPE and its kin are the end.
pub(crate) fn write(fd: impl AsFd, bytes: &[u8]) -> Result<Transfer> {
    write_vectored(fd, &[IoSlice::new(bytes)])
}

/// One `writev(2)`.
pub(crate) fn write_vectored(fd: impl AsFd, bytes: &[IoSlice<'_>]) -> Result<Transfer> {
    let fd = fd.as_fd();
    loop {
        return match rustix::io::writev(fd, bytes) {
            Ok(0) | Err(RustixErrno::AGAIN) => Ok(Transfer::WouldBlock),
            Ok(count) => Ok(Transfer::Bytes(count)),
            Err(RustixErrno::PIPE | RustixErrno::CONNRESET | RustixErrno::IO) => Ok(Transfer::End),
            Err(RustixErrno::INTR) => continue,
            Err(error) => Err(error).call("writev", || fd.as_raw_fd().to_string()),
        };
    }
}

/// Writes everything, waiting as long as it takes. EPIPE if nobody reads.
pub(crate) fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> Result<()> {
    let fd = fd.as_fd();
    while !bytes.is_empty() {
        match write(fd, bytes)? {
            Transfer::Bytes(count) => bytes = &bytes[count..],
            Transfer::End => return Err(RustixErrno::PIPE).call("write", || fd.as_raw_fd().to_string()),
            Transfer::WouldBlock => wait_writable(fd)?,
        }
    }
    Ok(())
}

fn wait_writable(fd: BorrowedFd<'_>) -> Result<()> {
    let mut fds = [rustix::event::PollFd::from_borrowed_fd(fd, rustix::event::PollFlags::OUT)];
    match rustix::event::poll(&mut fds, None) {
        Ok(_) | Err(RustixErrno::INTR) => Ok(()),
        Err(error) => Err(error).call("poll", || fd.as_raw_fd().to_string()),
    }
}
