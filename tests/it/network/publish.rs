//! `-p` and `-P`: published ports carry data, belong to one container, and open nothing else.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use crate::harness::{BUSYBOX, Env, eventually, requires};

use super::server::{Answer, call_tcp, call_udp, free_ports, own_address, serve};

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn port_of(answer: Option<Answer>) -> Option<u16> {
    answer.map(|answer| answer.port)
}

/// One way only: the answer to a caller on 127.0.0.1 is what slirp4netns and pasta before October 2024 drop, because it
/// would have to go to the host's loopback (docs/podman-differences.md).
#[track_caller]
fn datagram_arrives(env: &Env, id: &str, at: SocketAddr, inside: u16) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let line = format!("datagram {inside} ");
    eventually(&format!("{at} leads to {inside}/udp"), || {
        socket.send_to(b"hello\n", at).unwrap();
        env.run(["logs", id]).stdout().contains(&line)
    });
}

/// Addresses, ranges and protocols, by one helper; `answers_udp`: to callers at this host's own address.
#[track_caller]
fn carry_data(network: &str, answers_udp: bool) {
    let env = Env::with_busybox();
    let first = free_ports(8);
    let port = |offset: u16| first + offset;
    let publish = [
        format!("127.0.0.1:{}:80", port(0)),
        format!("{}:81", port(1)),
        format!("127.0.0.1:{}-{}:8000-8002", port(2), port(4)),
        format!("{}:53/udp", port(5)),
        format!("127.0.0.1:{}-{}:54-55/udp", port(6), port(7)),
    ];
    let mut options = vec![network];
    options.extend(publish.iter().flat_map(|publish| ["-p", publish]));
    let listen = [
        "tcp:0.0.0.0:80",
        "tcp:0.0.0.0:81",
        "tcp:0.0.0.0:8000",
        "tcp:0.0.0.0:8001",
        "tcp:0.0.0.0:8002",
        "udp:0.0.0.0:53",
        "udp:0.0.0.0:54",
        "udp:0.0.0.0:55",
    ];
    let id = serve(&env, &options, &listen);
    for (offset, inside) in [(0, 80), (1, 81), (2, 8000), (3, 8001), (4, 8002)] {
        assert_eq!(port_of(call_tcp(local(port(offset)))), Some(inside), "{network}: tcp {}", port(offset));
    }
    for (offset, inside) in [(5, 53), (6, 54), (7, 55)] {
        datagram_arrives(&env, &id, local(port(offset)), inside);
    }
    // Port 1 is published on every address, port 0 on one.
    if let Some(own) = own_address() {
        assert_eq!(port_of(call_tcp(SocketAddr::new(own, port(1)))), Some(81), "{network}: {own}");
        if answers_udp {
            assert_eq!(port_of(call_udp(SocketAddr::new(own, port(5)))), Some(53), "{network}: {own}");
        }
        TcpStream::connect((own, port(0))).unwrap_err();
    }
    let shown = env.run(["port", &id]).success().stdout();
    for line in [
        format!("80/tcp -> 127.0.0.1:{}", port(0)),
        format!("81/tcp -> 0.0.0.0:{}", port(1)),
        format!("8002/tcp -> 127.0.0.1:{}", port(4)),
        format!("55/udp -> 127.0.0.1:{}", port(7)),
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line:?} is not in\n{shown}");
    }
    env.run(["port", &id, "8001"]).success().prints(&format!("127.0.0.1:{}\n", port(3)));
    env.run(["port", &id, "9"]).code(125).stderr_has("9/tcp");
    env.run(["rm", "-f", "-t", "0", &id]).success();
    for offset in 0..5 {
        TcpListener::bind(("0.0.0.0", port(offset))).unwrap_or_else(|error| panic!("{}: {error}", port(offset)));
    }
}

#[test]
fn ports_carry_data_by_pasta() {
    requires!(userns, pasta);
    carry_data("--network=pasta", false);
}

#[test]
fn ports_carry_data_by_slirp4netns() {
    requires!(userns, slirp4netns);
    carry_data("--network=slirp4netns", true);
}

/// Host ports that nobody named.
#[track_caller]
fn random(network: &str) {
    let env = Env::with_busybox();
    let options = [network, "-p", "80", "-p", "127.0.0.1::53/udp", "-P", "--expose=82", "--expose=80"];
    let id = serve(&env, &options, &["tcp:0.0.0.0:80", "tcp:0.0.0.0:82", "udp:0.0.0.0:53"]);
    let published = |port: &str| -> u16 {
        let out = env.run(["port", &id, port]);
        out.success().trimmed().rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{out:?}"))
    };
    assert_eq!(port_of(call_tcp(local(published("80")))), Some(80));
    assert_eq!(port_of(call_tcp(local(published("82/tcp")))), Some(82));
    datagram_arrives(&env, &id, local(published("53/udp")), 53);
    assert_eq!(env.run(["port", &id]).stdout().lines().count(), 3);
    env.run(["ps", "--format", "{{.Ports}}"]).success().stdout_has("->80/tcp");
}

#[test]
fn random_ports_by_pasta() {
    requires!(userns, pasta);
    random("--network=pasta");
}

#[test]
fn random_ports_by_slirp4netns() {
    requires!(userns, slirp4netns);
    random("--network=slirp4netns");
}

#[test]
fn a_port_in_use_is_refused() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let port = free_ports(2);
    let run = |name: &str, publish: &str| {
        let name = format!("--name={name}");
        env.run(["run", "-d", &name, "--network=slirp4netns", "-p", publish, BUSYBOX, "sleep", "1000"])
    };
    run("first", &format!("127.0.0.1:{port}:80")).success();
    // The same port, a range around it, every address; not another address, not the other protocol.
    for (name, publish) in [
        ("same", format!("127.0.0.1:{port}:81")),
        ("range", format!("127.0.0.1:{}-{}:80-81", port - 1, port)),
        ("every", format!("{port}:80")),
    ] {
        run(name, &publish).code(125).stderr_has(&format!("port {port}/tcp is in use by container first"));
    }
    run("address", &format!("127.0.0.2:{port}:80")).success();
    run("protocol", &format!("127.0.0.1:{port}:80/udp")).success();
    // A server that is no container's.
    let server = TcpListener::bind(("127.0.0.1", port + 1)).unwrap();
    run("foreign", &format!("127.0.0.1:{}:80", port + 1)).code(125).stderr_has("is in use on this host");
    drop(server);
    run("elsewhere", &format!("203.0.113.9:{}:80", port + 1)).code(125).stderr_has("not one of this host's");
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    if first.trim().parse::<u16>().unwrap() > 80 {
        let out = run("low", "127.0.0.1:80:80");
        out.code(125)
            .stderr_has("port 80/tcp is reserved")
            .stderr_has("Hint:")
            .stderr_has("ip_unprivileged_port_start");
    }
    // What goes wrong after the claim, or in the middle of it, gives everything back.
    let half = [format!("127.0.0.1:{}:80", port + 1), format!("127.0.0.1:{port}:81")];
    env.run(["run", "--rm", "--network=slirp4netns", "-p", &half[0], "-p", &half[1], BUSYBOX, "true"]).code(125);
    env.run(["run", "--rm", "--network=slirp4netns", "-p", &half[0], BUSYBOX, "/nonexistent"]).code(127);
    // What was refused once starts when the port is free.
    env.run(["rm", "-f", "-t", "0", "first"]).success();
    env.run(["start", "same"]).success();
}

#[test]
fn g17_one_of_sixteen_gets_the_port() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let publish = format!("{}:80", free_ports(1));
    let all: Vec<_> = (0..16)
        .map(|number| {
            let name = format!("--name=c{number}");
            env.spawn(["run", "-d", &name, "--network=slirp4netns", "-p", &publish, BUSYBOX, "sleep", "1000"])
        })
        .collect();
    let answers: Vec<_> = all.into_iter().map(super::super::harness::Background::wait).collect();
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|out| out.is_success());
    assert_eq!(won.len(), 1, "{answers:?}");
    let winner = env.run(["ps", "--format", "{{.Names}}"]).trimmed();
    for out in lost {
        out.code(125).stderr_has(&format!("is in use by container {winner}"));
    }
}

#[test]
fn c27_callers_are_seen_and_loopback_is_private() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let port = free_ports(2);
    let publish = [format!("{port}:80"), format!("{}:81", port + 1)];
    let options = ["-p", publish[0].as_str(), "-p", publish[1].as_str()];
    serve(&env, &options, &["tcp:0.0.0.0:80", "tcp:127.0.0.1:81"]);
    let mut from = vec![IpAddr::from([127, 0, 0, 1])];
    from.extend(own_address());
    for address in from {
        let answer = call_tcp(SocketAddr::new(address, port)).unwrap_or_else(|| panic!("no answer at {address}"));
        assert!(!answer.peer.is_loopback(), "{address}: {answer:?}");
        // A service that listens on the container's loopback alone is not published.
        assert_eq!(call_tcp(SocketAddr::new(address, port + 1)), None, "{address}");
    }
}

/// No way from the container to what listens on the host's loopback.
#[track_caller]
fn host_loopback_is_out_of_reach(network: &str) {
    let env = Env::with_busybox();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    let script = format!(
        "for a in 127.0.0.1 10.0.2.2 10.0.2.3 169.254.1.1 169.254.1.2 host.containers.internal \
         $(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p'); do nc -w 1 $a {port} < /dev/null; done; exit 0"
    );
    env.run(["run", "--rm", network, BUSYBOX, "sh", "-c", &script]).success();
    assert_eq!(server.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{network}");
}

#[test]
fn c27_host_loopback_is_out_of_reach_by_pasta() {
    requires!(userns, pasta);
    host_loopback_is_out_of_reach("--network=pasta");
}

#[test]
fn c27_host_loopback_is_out_of_reach_by_slirp4netns() {
    requires!(userns, slirp4netns);
    host_loopback_is_out_of_reach("--network=slirp4netns");
    let env = Env::with_busybox();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    // Only whether it arrives.
    let script = "timeout 3 nc 10.0.2.2 \"$1\" < /dev/null; exit 0";
    let network = "--network=slirp4netns:allow_host_loopback=true";
    env.run(["run", "--rm", network, BUSYBOX, "sh", "-c", script, "sh", &port]).success();
    server.set_nonblocking(true).unwrap();
    server.accept().unwrap();
}

/// A port that nobody named is the container's from the beginning to the end.
#[test]
fn a_random_port_stays() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let create = ["create", "--name=c", "--network=slirp4netns", "-p", "127.0.0.1::80", "-P", "--expose=81"];
    env.run(create.iter().chain(&[BUSYBOX, "sleep", "600"])).success();
    let ports = "{{range $port, $at := .HostConfig.PortBindings}}{{$port}}:{{(index $at 0).HostPort}}\n{{end}}";
    let shown = || env.run(["inspect", "--format", ports, "c"]).success().stdout().trim_end().to_owned();
    let first = shown();
    assert!(first.lines().count() == 2 && !first.contains(":0\n"), "{first}");
    for verb in [&["start", "c"][..], &["restart", "-t0", "c"], &["stop", "-t0", "c"]] {
        env.run(verb).success();
        assert_eq!(shown(), first, "{verb:?}");
        let listed = env.run(["port", "c"]).success().stdout();
        // Nobody listens while it does not run; `port -a` says the same.
        let count = if verb[0] == "stop" { 0 } else { 2 };
        assert_eq!(listed.lines().count(), count, "{verb:?}: {listed}");
        assert_eq!(env.run(["port", "-a"]).success().stdout().lines().count(), count);
    }
    env.run(["port", "c", "80"]).success().prints("");
    // Somebody else has it meanwhile.
    let port = first.lines().next().unwrap().rsplit(':').next().unwrap().to_owned();
    let server = TcpListener::bind(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap();
    env.run(["start", "c"])
        .code(125)
        .stderr_has(&format!("port {port}/tcp is in use"))
        .stderr_has("Hint: publish another");
    drop(server);
    env.run(["start", "c"]).success();
    env.run(["rm", "-f", "-t0", "c"]).success();
}

#[test]
fn slirp4netns_has_no_ipv6_addresses() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let out = env.run(["run", "--rm", "--network=slirp4netns", "-p", "[::1]:8082:80", BUSYBOX, "true"]);
    out.code(125).stderr_has("[::1]:8082").stderr_has("Hint: take the other helper: --network pasta");
}

/// What names no address is open where the configuration wants it, and nowhere else.
#[track_caller]
fn configured_address(network: &str) {
    let env = Env::with_busybox();
    env.configure("[network]\ndefault_host_ips = ['127.0.0.1']\n");
    let port = free_ports(3);
    let publish = [format!("{port}:80"), format!("0.0.0.0:{}:81", port + 1)];
    let options = [network, "-p", &publish[0], "-p", &publish[1], "-P", "--expose=82"];
    let id = serve(&env, &options, &["tcp:0.0.0.0:80", "tcp:0.0.0.0:81", "tcp:0.0.0.0:82"]);
    let shown = env.run(["port", &id]).success().stdout();
    let at = |inside: &str| -> SocketAddr {
        let line = shown.lines().find_map(|line| line.strip_prefix(inside)).unwrap_or_else(|| panic!("{shown}"));
        line.parse().unwrap()
    };
    let (named, open, exposed) = (at("80/tcp -> "), at("81/tcp -> "), at("82/tcp -> "));
    assert_eq!((named, open), (local(port), SocketAddr::from(([0, 0, 0, 0], port + 1))));
    assert_eq!(exposed, local(exposed.port()));
    for (at, inside) in [(named, 80), (local(open.port()), 81), (exposed, 82)] {
        assert_eq!(port_of(call_tcp(at)), Some(inside), "{at}");
    }
    if let Some(own) = own_address() {
        assert_eq!(port_of(call_tcp(SocketAddr::new(own, open.port()))), Some(81));
        for at in [named, exposed] {
            TcpStream::connect((own, at.port())).unwrap_err();
        }
    }
}

#[test]
fn configured_addresses_by_pasta() {
    requires!(userns, pasta);
    configured_address("--network=pasta");
}

#[test]
fn configured_addresses_by_slirp4netns() {
    requires!(userns, slirp4netns);
    configured_address("--network=slirp4netns");
}

/// As Podman: the ports of the network that it has.
#[test]
fn ports_of_a_joined_network_are_shown() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let port = free_ports(1);
    let run = |name: &str, flags: &[&str]| {
        let name = format!("--name={name}");
        let all = [&["run", "-d", &name][..], flags, &[BUSYBOX, "sleep", "600"]].concat();
        env.run(all).success();
    };
    run("owner", &["--network=slirp4netns", "-p", &format!("127.0.0.1:{port}:80")]);
    run("side", &["--network=container:owner"]);
    run("beside", &["--network=container:side"]);
    for name in ["owner", "side", "beside"] {
        env.run(["port", name]).success().prints(&format!("80/tcp -> 127.0.0.1:{port}\n"));
        let shown = env.run(["ps", "--filter", &format!("name=^{name}$"), "--format", "{{.Ports}}"]).trimmed();
        assert_eq!(shown, format!("127.0.0.1:{port}->80/tcp"), "{name}");
    }
    env.run(["rm", "-f", "-t0", "beside", "side", "owner"]).success();
}
