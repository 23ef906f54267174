//! `--network`: which namespace, and who connects it.

use crate::harness::{BUSYBOX, Env, eventually, requires};

use super::server::{call_tcp, free_ports, serve};

#[test]
fn none_has_loopback_alone() {
    requires!(userns);
    let env = Env::with_busybox();
    let out = env.run(["run", "--rm", "--network=none", BUSYBOX, "sh", "-c", "ls /sys/class/net; ip -4 addr show lo"]);
    assert!(out.success().stdout().starts_with("lo\n"), "{out:?}");
    out.stdout_has("127.0.0.1/8").stdout_has(",UP");
    let out = env.run(["run", "--rm", "--network=none", "-p", "80:80", BUSYBOX, "true"]);
    out.success().stderr_has("Port mappings have been discarded because \"none\" network");
}

#[test]
fn host_is_the_hosts() {
    requires!(userns);
    let env = Env::with_busybox();
    let own = std::fs::read_link("/proc/self/ns/net").unwrap();
    let out = env.run(["run", "--rm", "--network=host", BUSYBOX, "readlink", "/proc/self/ns/net"]);
    assert_eq!(out.success().trimmed(), own.to_string_lossy());
    let port = free_ports(1);
    serve(&env, &["--network=host"], &[&format!("tcp:127.0.0.1:{port}")]);
    assert_eq!(call_tcp(([127, 0, 0, 1], port).into()).map(|answer| answer.port), Some(port));
}

#[test]
fn container_shares_another_ones() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = serve(&env, &["--network=none", "--name=one"], &["tcp:127.0.0.1:80"]);
    let first = env.run(["exec", &id, "readlink", "/proc/self/ns/net"]).trimmed();
    for name in ["one", &id[..12]] {
        let mode = format!("--network=container:{name}");
        let script = "readlink /proc/self/ns/net; echo hello | nc 127.0.0.1 80";
        let out = env.run(["run", "--rm", &mode, BUSYBOX, "sh", "-c", script]);
        out.success().prints(&format!("{first}\n80 127.0.0.1\n"));
    }
    env.run(["stop", "-t", "0", "one"]).success();
    // It is started with the one that needs it.
    env.run(["run", "--rm", "--network=container:one", BUSYBOX, "true"]).success();
    env.run(["ps", "--format", "{{.Names}}"]).prints("one\n");
    env.run(["run", "--rm", "--network=container:two", BUSYBOX, "true"]).code(125).stderr_has("two");
}

#[test]
fn helpers_connect_the_container() {
    requires!(userns, pasta, slirp4netns);
    let env = Env::with_busybox();
    for (network, helper) in [("pasta", "pasta"), ("slirp4netns:mtu=1400,cidr=10.9.8.0/24", "slirp4netns")] {
        let mode = format!("--network={network}");
        let id = env.run(["run", "-d", &mode, BUSYBOX, "sleep", "1000"]).success().trimmed();
        let out = env.run(["exec", &id, "sh", "-c", "ls /sys/class/net; ip addr; ip route"]);
        assert!(out.success().stdout().lines().nth(1).is_some_and(|line| !line.contains(':')), "{out:?}");
        out.stdout_has("default via");
        if helper == "slirp4netns" {
            out.stdout_has("src 10.9.8.100").stdout_has("mtu 1400");
        }
        assert!(env.processes().iter().any(|process| process.command.contains(helper)), "{:?}", env.processes());
        env.run(["rm", "-f", "-t", "0", &id]).success();
        // Killed before the answer; the kernel takes its time to close the tap device.
        eventually("the helper is gone", || !env.processes().iter().any(|process| process.command.contains(helper)));
    }
}

#[test]
fn options_that_are_not_the_users_are_refused() {
    requires!(userns, pasta, slirp4netns);
    let env = Env::with_busybox();
    for (mode, word) in [
        ("pasta:--netns=/proc/1/ns/net", "--netns"),
        ("pasta:-P,/tmp/x", "-P"),
        ("slirp4netns:frob=1", "frob"),
        ("slirp4netns:mtu=7", "mtu"),
        ("slirp4netns:port_handler=rootlesskit", "port_handler=slirp4netns"),
        ("pasta:foo", "begins with -"),
        ("bridge", "bridge"),
        ("none:x", "none:x"),
        ("pasta:--frobnicate", "frobnicate"),
    ] {
        let mode = format!("--network={mode}");
        let refused = env.run(["run", "-d", &mode, BUSYBOX, "true"]).code(125).stderr_has(word).stderr();
        assert!(refused.len() < 300, "{refused}");
        // What only the helper knows shows at the start.
        if word != "frobnicate" {
            env.run(["ps", "-aq"]).prints("");
        }
    }
}

#[test]
fn without_helpers_the_error_has_the_cure() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.hide_programs(&["pasta", "slirp4netns"]);
    let out = env.run(["run", "--rm", BUSYBOX, "true"]);
    out.code(125).stderr_has("neither is in PATH").stderr_has("Hint:").stderr_has("apt install passt");
    env.run(["run", "--rm", "--network=pasta", BUSYBOX, "true"]).code(125).stderr_has("pasta is not in PATH");
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
    env.run(["run", "--rm", "--network=host", BUSYBOX, "true"]).success();
}
