//! Network devices and addresses of the calling process's network namespace.
#![expect(unsafe_code, reason = "ioctl on an interface request")]

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use super::error::{Call, Error, Result};

/// Takes `lo` up (`netdevice(7)`, SIOCSIFFLAGS); needs CAP_NET_ADMIN over this network namespace. The kernel gives it
/// 127.0.0.1 and ::1 by itself.
pub(crate) fn loopback_up() -> Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket: OwnedFd = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .call("socket", || "AF_INET, SOCK_DGRAM".to_owned())?;
    // SAFETY: ifreq is plain data for which all zeroes is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING).try_into().unwrap_or(0x41);
    // SAFETY: the kernel reads one ifreq, which lives until the call returns.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    if answer < 0 { Err(Error::last("ioctl", "SIOCSIFFLAGS, \"lo\", IFF_UP")) } else { Ok(()) }
}

/// The address from which this host would talk to the Internet; nothing is sent. None without a default route.
pub(crate) fn outbound_address() -> Option<IpAddr> {
    let source = |bind: &str, to: &str| {
        let socket = UdpSocket::bind(bind).ok()?;
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
    };
    // Documentation addresses (RFC 5737, RFC 3849) go by the default route and by no other.
    source("0.0.0.0:0", "203.0.113.1:9").or_else(|| source("[::]:0", "[2001:db8::1]:9"))
}

/// Tries whether a server could listen there now; the port that the kernel gave (for port 0, a free one).
pub(crate) fn try_listen_tcp(at: SocketAddr) -> Result<u16> {
    let listener = TcpListener::bind(at).call("bind", || format!("tcp {at}"))?;
    listener.local_addr().call("getsockname", || format!("tcp {at}")).map(|local| local.port())
}

/// The same for UDP.
pub(crate) fn try_listen_udp(at: SocketAddr) -> Result<u16> {
    let socket = UdpSocket::bind(at).call("bind", || format!("udp {at}"))?;
    socket.local_addr().call("getsockname", || format!("udp {at}")).map(|local| local.port())
}

/// Opens a socket for echo requests, which `ping_group_range` allows or not (`icmp(7)`).
pub(crate) fn try_ping_socket() -> Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
    socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(ipproto::ICMP))
        .call("socket", || "AF_INET, SOCK_DGRAM, IPPROTO_ICMP".to_owned())
        .map(drop)
}
