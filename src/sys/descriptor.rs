//! Descriptors: whole reads and writes, pipes, and what an `execve(2)` inherits.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::error::{Call, Errno, Error, Result};
use super::raw;

/// Reads from a descriptor to its end, at most `limit` bytes (EFBIG beyond).
pub(crate) fn read_to_end(fd: BorrowedFd<'_>, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 16 << 10];
    loop {
        match rustix::io::read(fd, &mut buffer[..]) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).call("read", || fd.as_raw_fd().to_string()),
        }
        if bytes.len() as u64 > limit {
            return Err(Error::new("read", format!("{}: more than {limit} bytes", fd.as_raw_fd()), Errno::EFBIG));
        }
    }
}

/// One `read(2)` of at most `limit` bytes; empty at the end.
pub(crate) fn read_some(fd: BorrowedFd<'_>, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; limit];
    loop {
        match rustix::io::read(fd, &mut bytes[..]) {
            Ok(count) => {
                bytes.truncate(count);
                return Ok(bytes);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).call("read", || fd.as_raw_fd().to_string()),
        }
    }
}

/// One byte, or `None` at the end.
pub(crate) fn read_byte(fd: BorrowedFd<'_>) -> Result<Option<u8>> {
    read_some(fd, 1).map(|bytes| bytes.first().copied())
}

/// Writes everything.
pub(crate) fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).call("write", || fd.as_raw_fd().to_string()),
        }
    }
    Ok(())
}

/// Copies everything from one descriptor to another; returns how much.
pub(crate) fn copy_stream(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<u64> {
    let mut total = 0;
    loop {
        let bytes = read_some(from, 256 << 10)?;
        if bytes.is_empty() {
            return Ok(total);
        }
        write_all(to, &bytes)?;
        total += bytes.len() as u64;
    }
}

/// An anonymous file in memory with these bytes, to be read once (`memfd_create(2)`); a pipe where a sandbox lacks that.
pub(crate) fn memory_file(name: &str, bytes: &[u8]) -> Result<OwnedFd> {
    match rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC).call("memfd_create", || format!("{name:?}")) {
        Err(error) if error.is(Errno::ENOSYS) => filled_pipe(bytes),
        made => {
            let fd = made?;
            write_all(fd.as_fd(), bytes)?;
            rustix::fs::seek(&fd, rustix::fs::SeekFrom::Start(0)).call("lseek", || format!("{name:?}"))?;
            Ok(fd)
        }
    }
}

/// The reading end of a pipe that holds all of this, and then its end.
fn filled_pipe(bytes: &[u8]) -> Result<OwnedFd> {
    let (reader, writer) = pipe()?;
    set_pipe_size(writer.as_fd(), bytes.len());
    let room = rustix::pipe::fcntl_getpipe_size(&writer).call("fcntl", || "F_GETPIPE_SZ".to_owned())?;
    if room < bytes.len() {
        return Err(Error::new("fcntl", format!("F_SETPIPE_SZ, {}", bytes.len()), Errno::EFBIG));
    }
    write_all(writer.as_fd(), bytes)?;
    Ok(reader)
}

/// Descriptor 2.
pub(crate) fn standard_error() -> BorrowedFd<'static> {
    rustix::stdio::stderr()
}

/// `pipe2(O_CLOEXEC)`: reading end, writing end.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call("pipe2", || "O_CLOEXEC".to_owned())
}

/// Asks for room in a pipe (`F_SETPIPE_SZ`). It works with less, so a refusal is no error.
pub(crate) fn set_pipe_size(pipe: BorrowedFd<'_>, bytes: usize) {
    if let Err(error) = rustix::pipe::fcntl_setpipe_size(pipe, bytes) {
        tracing::debug!(%error, bytes, "the pipe stays small");
    }
}

/// `/dev/null` for reading and writing.
pub(crate) fn dev_null() -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .call("open", || "\"/dev/null\"".to_owned())
}

/// Closes every descriptor from 3 on that is not in `keep`.
pub(crate) fn close_all_but(keep: &[BorrowedFd<'_>]) -> Result<()> {
    each_gap(keep, |first, last| raw::close_range(first, last, false))
}

/// Marks every descriptor from 3 on close-on-exec but those in `keep`.
pub(crate) fn cloexec_all_but(keep: &[BorrowedFd<'_>]) -> Result<()> {
    each_gap(keep, |first, last| raw::close_range(first, last, true))
}

fn each_gap(keep: &[BorrowedFd<'_>], mut act: impl FnMut(u32, u32) -> Result<()>) -> Result<()> {
    let mut numbers: Vec<u32> = keep.iter().map(|fd| fd.as_raw_fd().cast_unsigned()).filter(|n| *n >= 3).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut first = 3;
    for number in numbers {
        if number > first {
            act(first, number - 1)?;
        }
        first = number + 1;
    }
    act(first, u32::MAX)
}

/// Clears or sets close-on-exec.
pub(crate) fn set_cloexec(fd: BorrowedFd<'_>, on: bool) -> Result<()> {
    let flags = if on { rustix::io::FdFlags::CLOEXEC } else { rustix::io::FdFlags::empty() };
    rustix::io::fcntl_setfd(fd, flags).call("fcntl", || format!("{}, F_SETFD", fd.as_raw_fd()))
}

/// Takes ownership of a descriptor that was left to us across an exec (by the number that the sender wrote down).
pub(crate) fn adopt_fd(number: RawFd) -> Result<OwnedFd> {
    raw::adopt(number)
}

/// Makes `fd` our standard input, output or error (0, 1, 2).
pub(crate) fn redirect(fd: BorrowedFd<'_>, stream: RawFd) -> Result<()> {
    if fd.as_raw_fd() == stream {
        return set_cloexec(fd, false);
    }
    let result = match stream {
        0 => rustix::stdio::dup2_stdin(fd),
        1 => rustix::stdio::dup2_stdout(fd),
        2 => rustix::stdio::dup2_stderr(fd),
        _ => return Err(Error::new("dup2", format!("{stream} is not a standard stream"), Errno::EBADF)),
    };
    result.call("dup2", || format!("{}, {stream}", fd.as_raw_fd()))
}
