//! Unix sockets: by path of any length, pairs, descriptors as passengers (`unix(7)`).

use std::ffi::OsStr;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno as RustixErrno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use super::error::{Call, Errno, Error, Result};
use super::{fs, stream::Transfer};

/// Most descriptors in one message.
pub(crate) const MAX_FDS: usize = 16;
/// `sun_path` holds 108 bytes with the terminating zero.
const MAX_PATH: usize = 107;

/// A bound, listening, non-blocking stream socket. A dead one of the same name is replaced.
pub(crate) fn listen(path: &Path) -> Result<OwnedFd> {
    fs::remove_file(path)?;
    let socket = new_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    with_address(path, |address| rustix::net::bind(&socket, address)).call("bind", || format!("{path:?}"))?;
    rustix::net::listen(&socket, 64).call("listen", || format!("{path:?}"))?;
    Ok(socket)
}

/// Connects to a listening stream socket; the result blocks.
pub(crate) fn connect(path: &Path) -> Result<OwnedFd> {
    let socket = new_socket(SocketFlags::CLOEXEC)?;
    with_address(path, |address| rustix::net::connect(&socket, address)).call("connect", || format!("{path:?}"))?;
    Ok(socket)
}

/// Takes one waiting connection, non-blocking; `None` if there is none (any more).
pub(crate) fn accept(listener: impl AsFd) -> Result<Option<OwnedFd>> {
    loop {
        return match rustix::net::accept_with(&listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(socket) => Ok(Some(socket)),
            Err(RustixErrno::AGAIN | RustixErrno::CONNABORTED) => Ok(None),
            Err(RustixErrno::INTR) => continue,
            Err(error) => Err(error).call("accept4", || listener.as_fd().as_raw_fd().to_string()),
        };
    }
}

/// Two connected stream sockets, blocking.
pub(crate) fn stream_pair() -> Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::STREAM)
}

/// Two connected sockets that keep message borders, blocking.
pub(crate) fn seqpacket_pair() -> Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::SEQPACKET)
}

/// Who is at the other end, as it was when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// `SO_PEERCRED`.
pub(crate) fn peer(socket: impl AsFd) -> Result<Peer> {
    let credentials = rustix::net::sockopt::socket_peercred(socket).call("getsockopt", || "SO_PEERCRED".to_owned())?;
    Ok(Peer { pid: credentials.pid.as_raw_pid(), uid: credentials.uid.as_raw(), gid: credentials.gid.as_raw() })
}

/// Sends what fits now, without waiting and without SIGPIPE.
pub(crate) fn send(socket: impl AsFd, bytes: &[IoSlice<'_>]) -> Result<Transfer> {
    let mut nothing = SendAncillaryBuffer::default();
    loop {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        return match rustix::net::sendmsg(&socket, bytes, &mut nothing, flags) {
            Ok(count) => Ok(Transfer::Bytes(count)),
            Err(RustixErrno::AGAIN) => Ok(Transfer::WouldBlock),
            Err(RustixErrno::PIPE | RustixErrno::CONNRESET | RustixErrno::NOTCONN) => Ok(Transfer::End),
            Err(RustixErrno::INTR) => continue,
            Err(error) => Err(error).call("sendmsg", || socket.as_fd().as_raw_fd().to_string()),
        };
    }
}

/// Sends one message with descriptors; waits if the socket blocks. EPIPE if the other side is gone.
pub(crate) fn send_with_fds(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let describe = || format!("{}, {} bytes, {} descriptors", socket.as_fd().as_raw_fd(), bytes.len(), fds.len());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::new("sendmsg", describe(), Errno::EMSGSIZE));
    }
    loop {
        match rustix::net::sendmsg(&socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => return Ok(()),
            // A stream socket took a part: no descriptor goes twice, so callers keep messages below its buffer.
            Ok(_) => return Err(Error::new("sendmsg", describe(), Errno::EMSGSIZE)),
            Err(RustixErrno::INTR) => {}
            Err(error) => return Err(error).call("sendmsg", describe),
        }
    }
}

/// Waits for the next message of a seqpacket socket and answers its length, so that nobody keeps (and clears) room for the
/// largest. Zero is the end.
pub(crate) fn next_length(socket: impl AsFd) -> Result<usize> {
    let mut nothing = [0_u8; 0];
    last_words(|| rustix::net::recv(&socket, &mut nothing[..], RecvFlags::PEEK | RecvFlags::TRUNC))
        .map(|(_, length)| length)
        .call("recv", || format!("{}, MSG_PEEK", socket.as_fd().as_raw_fd()))
}

/// Receives one message (seqpacket) or what is there (stream), with the descriptors that came along, close-on-exec.
///
/// Zero bytes are the end. A message that was cut is EMSGSIZE.
pub(crate) fn receive_with_fds(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let describe = || socket.as_fd().as_raw_fd().to_string();
    let mut slices = [IoSliceMut::new(buffer)];
    let message = last_words(|| rustix::net::recvmsg(&socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC))
        .call("recvmsg", describe)?;
    let mut fds = Vec::new();
    for ancillary in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = ancillary {
            fds.extend(received);
        }
    }
    if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(Error::new("recvmsg", format!("{}: message cut", describe()), Errno::EMSGSIZE));
    }
    Ok((message.bytes, fds))
}

/// Receives, also from one who closed its end without having read all that it was sent: ECONNRESET comes once, at any
/// moment, before what it had said (`sock_error` in the kernel's `__skb_try_recv_datagram`, Linux 6.18).
fn last_words<T>(mut receive: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    let mut reset = false;
    loop {
        match receive() {
            Err(RustixErrno::INTR) => {}
            Err(RustixErrno::CONNRESET) if !reset => reset = true,
            result => return result,
        }
    }
}

/// Says that nothing more will be sent; the other side reads its end.
pub(crate) fn shut_down_sending(socket: impl AsFd) -> Result<()> {
    rustix::net::shutdown(&socket, rustix::net::Shutdown::Write)
        .call("shutdown", || format!("{}, SHUT_WR", socket.as_fd().as_raw_fd()))
}

fn pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .call("socketpair", || format!("AF_UNIX, {kind:?}"))
}

fn new_socket(flags: SocketFlags) -> Result<OwnedFd> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .call("socket", || "AF_UNIX, SOCK_STREAM".to_owned())
}

/// Calls with an address for `path`, by way of `/proc/self/fd/N/<name>` where the path is too long.
fn with_address(
    path: &Path,
    act: impl FnOnce(&SocketAddrUnix) -> rustix::io::Result<()>,
) -> std::result::Result<(), RustixErrno> {
    if path.as_os_str().len() <= MAX_PATH {
        return act(&SocketAddrUnix::new(path)?);
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    let name: &OsStr = path.file_name().ok_or(RustixErrno::INVAL)?;
    let dir = rustix::fs::open(parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(name);
    act(&SocketAddrUnix::new(&short)?)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::{
        accept, connect, listen, next_length, peer, receive_with_fds, send_with_fds, seqpacket_pair, shut_down_sending,
    };
    use crate::sys::stream::{self, Transfer};
    use crate::sys::{process, wait_readable};

    #[test]
    fn listens_on_a_path_longer_than_an_address() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let long = dir.path().join("d".repeat(120));
        crate::sys::fs::mkdir(&long, 0o700).expect("mkdir");
        let path = long.join("attach.sock");
        for _again in 0..2 {
            let listener = listen(&path).expect("listen");
            assert!(accept(&listener).expect("accept").is_none());
            let client = connect(&path).expect("connect");
            wait_readable(listener.as_fd(), None).expect("wait");
            let server = accept(&listener).expect("accept").expect("a connection");
            assert_eq!(peer(&server).expect("peer").pid, process::Pid::this().as_raw());
            stream::write_all(&client, b"hello").expect("write");
            shut_down_sending(&client).expect("shutdown");
            let mut buffer = [0; 16];
            wait_readable(server.as_fd(), None).expect("wait");
            assert_eq!(stream::read(&server, &mut buffer).expect("read"), Transfer::Bytes(5));
            assert_eq!(stream::read(&server, &mut buffer).expect("read"), Transfer::End);
        }
    }

    /// Who ends on an error reads no further; its report must not be lost, whenever its end closes.
    #[test]
    fn last_words_outlive_what_was_not_read() {
        for closed_before_its_length_was_asked in [true, false] {
            let (left, right) = seqpacket_pair().expect("pair");
            send_with_fds(&right, b"unread", &[]).expect("send");
            send_with_fds(&left, b"words", &[]).expect("send");
            let mut left = Some(left);
            if closed_before_its_length_was_asked {
                left.take();
            }
            assert_eq!(next_length(&right).expect("length"), 5);
            drop(left);
            let mut buffer = [0; 5];
            assert_eq!(receive_with_fds(&right, &mut buffer).expect("receive").0, 5);
            assert_eq!(&buffer, b"words");
            assert_eq!(next_length(&right).expect("end"), 0);
        }
    }

    #[test]
    fn descriptors_travel_with_their_message() {
        let (left, right) = seqpacket_pair().expect("pair");
        let (reader, writer) = crate::sys::descriptor::pipe().expect("pipe");
        send_with_fds(&left, b"take", &[writer.as_fd(), writer.as_fd()]).expect("send");
        drop(writer);
        assert_eq!(next_length(&right).expect("length"), 4);
        let mut buffer = [0; 64];
        let (count, fds) = receive_with_fds(&right, &mut buffer).expect("receive");
        assert_eq!((&buffer[..count], fds.len()), (&b"take"[..], 2));
        stream::write_all(&fds[1], b"x").expect("write");
        drop(fds);
        assert_eq!(stream::read(&reader, &mut buffer).expect("read"), Transfer::Bytes(1));
        assert_eq!(stream::read(&reader, &mut buffer).expect("read"), Transfer::End);
        drop(left);
        assert_eq!(next_length(&right).expect("end"), 0);
        assert_eq!(receive_with_fds(&right, &mut buffer).expect("receive").0, 0);
    }
}
