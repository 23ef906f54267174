//! A server for inside containers that says who called: this very test binary, which is static, bound to `/server`.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::harness::{BUSYBOX, Env, eventually};

const VARIABLE: &str = "SAMPAN_SERVER";
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server answered to "hello".
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Port on which the server was reached, as the container counts.
    pub(super) port: u16,
    /// Who called, as the container sees it.
    pub(super) peer: IpAddr,
}

/// Starts a container that serves on `tcp:ADDRESS:PORT` and `udp:ADDRESS:PORT`; returns when it does.
#[track_caller]
pub(super) fn serve(env: &Env, options: &[&str], listen: &[&str]) -> String {
    let volume = format!("{}:/server:ro", std::env::current_exe().unwrap().display());
    let variable = format!("{VARIABLE}={}", listen.join(" "));
    let mut arguments = vec!["run", "-d", "-v", &volume, "-e", &variable];
    arguments.extend(options);
    let test = "network::server::inside_a_container";
    arguments.extend([BUSYBOX, "/server", "--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    let id = env.run(arguments).success().trimmed();
    eventually("the server listens", || env.run(["logs", &id]).stdout().contains("serving"));
    id
}

#[test]
#[ignore = "runs inside containers, for other tests"]
fn inside_a_container() {
    let Ok(listen) = std::env::var(VARIABLE) else { return };
    let mut threads = Vec::new();
    for item in listen.split(' ') {
        let (protocol, at) = item.split_once(':').unwrap();
        let at: SocketAddr = at.parse().unwrap();
        if protocol == "tcp" {
            let listener = TcpListener::bind(at).unwrap();
            threads.push(std::thread::spawn(move || tcp_server(&listener, at.port())));
        } else {
            let socket = UdpSocket::bind(at).unwrap();
            threads.push(std::thread::spawn(move || udp_server(&socket, at.port())));
        }
    }
    writeln!(std::io::stdout(), "\nserving").unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn tcp_server(listener: &TcpListener, port: u16) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let Ok(peer) = stream.peer_addr() else { continue };
        let mut line = String::new();
        if BufReader::new(&stream).read_line(&mut line).is_ok() && line == "hello\n" {
            writeln!(stream, "{port} {}", peer.ip()).ok();
        }
    }
}

fn udp_server(socket: &UdpSocket, port: u16) {
    let mut bytes = [0; 64];
    while let Ok((_, peer)) = socket.recv_from(&mut bytes) {
        writeln!(std::io::stdout(), "datagram {port} {peer}").ok();
        socket.send_to(format!("{port} {}\n", peer.ip()).as_bytes(), peer).ok();
    }
}

fn parse(line: &str) -> Option<Answer> {
    let (port, peer) = line.strip_suffix('\n')?.split_once(' ')?;
    Some(Answer { port: port.parse().ok()?, peer: peer.parse().ok()? })
}

/// Says hello; none if nobody answers.
pub(super) fn call_tcp(at: SocketAddr) -> Option<Answer> {
    let mut stream = TcpStream::connect_timeout(&at, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"hello\n").ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    parse(&line)
}

/// Says hello a few times: datagrams may be lost.
pub(super) fn call_udp(at: SocketAddr) -> Option<Answer> {
    let socket = UdpSocket::bind(if at.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).unwrap();
    socket.connect(at).ok()?;
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    (0..8).find_map(|_| {
        socket.send(b"hello\n").ok()?;
        let mut bytes = [0; 64];
        let count = socket.recv(&mut bytes).ok()?;
        parse(&String::from_utf8_lossy(&bytes[..count]))
    })
}

/// First of `count` ports that nothing on this host uses, below those that the kernel gives away.
pub(super) fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let free = |port: u16| TcpListener::bind(("0.0.0.0", port)).is_ok() && UdpSocket::bind(("0.0.0.0", port)).is_ok();
    loop {
        let step = NEXT.fetch_add(count, Ordering::Relaxed);
        let base = 12_000 + u16::try_from(std::process::id() % 180).unwrap() * 100;
        let first = 12_000 + (base - 12_000 + step) % 18_000;
        if (first..first + count).all(free) {
            return first;
        }
    }
}

/// An address of this host that is not its loopback.
pub(super) fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("203.0.113.1:9").ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified())
}
