//! `/etc/resolv.conf` and `/etc/hosts` of containers.

use crate::harness::{BUSYBOX, Env, eventually, requires};

fn file(env: &Env, path: &str, options: &[&str]) -> String {
    let mut arguments = vec!["run", "--rm", "--hostname=inside", "--name=outside"];
    arguments.extend(options);
    arguments.extend([BUSYBOX, "cat", path]);
    env.run(arguments).success().stdout()
}

#[test]
fn name_servers() {
    requires!(userns, pasta, slirp4netns);
    let env = Env::with_busybox();
    let host = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    for (network, forwarder) in [("--network=pasta", "169.254.1.1"), ("--network=slirp4netns", "10.0.2.3")] {
        let text = file(&env, "/etc/resolv.conf", &[network]);
        if host.contains("nameserver") {
            assert!(text.contains(&format!("nameserver {forwarder}\n")), "{network}: {text}");
        }
        assert!(!text.contains("nameserver 127."), "{network}: {text}");
        let flags =
            [network, "--dns=9.9.9.9", "--dns=149.112.112.112", "--dns-search=a.example", "--dns-option=ndots:2"];
        let text = file(&env, "/etc/resolv.conf", &flags);
        assert_eq!(text, "search a.example\nnameserver 9.9.9.9\nnameserver 149.112.112.112\noptions ndots:2\n");
    }
    assert_eq!(file(&env, "/etc/resolv.conf", &["--network=host"]), host);
    env.run(["run", "--rm", "--dns=nobody", BUSYBOX, "true"]).code(125).stderr_has("nobody");
    env.run(["run", "--rm", "--dns-search=a\nnameserver 6.6.6.6", BUSYBOX, "true"]).code(125).stderr_has("dns-search");
}

#[test]
fn hosts() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let add = ["--add-host=db;database:10.1.2.3", "--add-host=six:[fd00::7]"];
    let text = file(&env, "/etc/hosts", &["--network=slirp4netns", add[0], add[1]]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(&lines[..2], ["10.1.2.3\tdb database", "fd00::7\tsix"], "{text}");
    assert!(lines.iter().any(|line| line.starts_with("127.0.0.1\t") && line.contains("localhost")), "{text}");
    assert!(lines.contains(&"10.0.2.100\tinside outside"), "{text}");
    let text = file(&env, "/etc/hosts", &["--network=none"]);
    assert!(text.contains("inside"), "{text}");
    let text = file(&env, "/etc/hosts", &["--network=host", "--add-host=here:host-gateway"]);
    assert!(text.starts_with("127.0.0.1\there\n"), "{text}");
    for bad in ["--add-host=x", "--add-host=a b:1.1.1.1", "--add-host=x:nowhere", "--add-host=x\ny:1.1.1.1"] {
        env.run(["run", "--rm", "--network=none", bad, BUSYBOX, "true"]).code(125).stderr_has("add-host");
    }
    let out = env.run(["run", "--rm", "--network=none", "--add-host=x:host-gateway", BUSYBOX, "true"]);
    out.code(125).stderr_has("host-gateway");
    assert_eq!(file(&env, "/etc/hostname", &["--network=none"]), "inside\n");
}

#[test]
fn the_container_can_change_them() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "echo 10.9.9.9 later >> /etc/hosts && echo nameserver 10.9.9.9 > /etc/resolv.conf && \
                  grep -c later /etc/hosts && cat /etc/resolv.conf";
    let out = env.run(["run", "--rm", "--network=none", BUSYBOX, "sh", "-c", script]);
    out.success().prints("1\nnameserver 10.9.9.9\n");
}

#[test]
fn in_the_network_of_another_container_they_are_its_own() {
    requires!(userns);
    let env = Env::with_busybox();
    let flags = ["--hostname=giver", "--dns=9.9.9.9", "--dns-search=a.example", "--add-host=db:10.1.2.3"];
    let run = [&["run", "-d", "--name=donor", "--network=none"], &flags[..], &[BUSYBOX, "sleep", "600"]].concat();
    env.run(run).success();
    let join = "--network=container:donor";
    assert_eq!(file(&env, "/etc/resolv.conf", &[join]), "search a.example\nnameserver 9.9.9.9\n");
    assert_eq!(file(&env, "/etc/resolv.conf", &[join, "--dns=1.1.1.1"]), "search a.example\nnameserver 1.1.1.1\n");
    let text = file(&env, "/etc/hosts", &[join, "--add-host=more:10.1.2.4"]);
    for line in ["10.1.2.3\tdb", "127.0.0.1\tgiver donor", "10.1.2.4\tmore", "127.0.0.1\tinside outside"] {
        assert!(text.lines().any(|other| other == line), "{line:?} is not in {text}");
    }
    assert_eq!(file(&env, "/etc/hostname", &[join]), "inside\n");
}

/// A container may give its files away, or close them: it starts again, and who joins its network reads them.
#[test]
fn they_are_made_anew_whoever_has_them() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let script = "chown -R 1000 /etc; chmod 0 /etc/hosts /etc/resolv.conf; echo done; sleep 600";
    let run = ["run", "-d", "--name=b", "--network=none", "--dns=9.9.9.9", "--add-host=db:10.1.2.3", BUSYBOX];
    env.run(run.iter().chain(&["sh", "-c", script])).success();
    for turn in 1..=2 {
        eventually("they are closed", || env.run(["logs", "b"]).stdout().lines().count() == turn);
        assert_eq!(file(&env, "/etc/resolv.conf", &["--network=container:b"]), "nameserver 9.9.9.9\n");
        assert!(file(&env, "/etc/hosts", &["--network=container:b"]).contains("10.1.2.3\tdb\n"));
        if turn == 1 {
            env.run(["restart", "-t0", "b"]).success();
        }
    }
}

/// With `--userns=keep-id` they were those of the container's ordinary user, with `nomap` nobody's.
#[test]
fn they_are_the_containers_roots() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let script =
        "for f in /etc/hosts /etc/hostname /run/.containerenv; do stat -c %u:%g $f; echo x >>$f && echo written; done";
    for (userns, user, answer) in
        [("keep-id", None, "0:0\n"), ("keep-id", Some("--user=0"), "0:0\nwritten\n"), ("nomap", None, "0:0\nwritten\n")]
    {
        let userns = format!("--userns={userns}");
        let words = ["run", "--rm", "--network=none", &userns].into_iter().chain(user);
        let out = env.run(words.chain([BUSYBOX, "sh", "-c", script]));
        assert_eq!(out.stdout(), answer.repeat(3), "{userns} {user:?} {out}");
    }
}

#[test]
fn read_only_holds_for_them() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "for f in /etc/hosts /etc/hostname /run/.containerenv; do grep \" $f \" /proc/mounts | cut -d' ' -f4 | cut -d, -f1-4; \
                  echo x >>$f; done 2>/dev/null";
    for flags in [&["--read-only"][..], &["--read-only", "--read-only-tmpfs=false"]] {
        let words = ["run", "--rm", "--network=none"].iter().chain(flags);
        let out = env.run(words.chain(&[BUSYBOX, "sh", "-c", script]));
        assert_eq!(out.stdout(), "ro,nosuid,nodev,noexec\n".repeat(3), "{out}");
    }
}

/// A donor cannot forbid others to join, and cannot make them slow.
#[test]
fn a_long_file_of_the_donor_is_cut() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); echo 10.0.0.1 name-of-length-$i; done >>/etc/hosts; \
                  echo nameserver 9.9.9.9 >/etc/resolv.conf; echo done; sleep 600";
    env.run(["run", "-d", "--name=donor", "--network=none", BUSYBOX, "sh", "-c", script]).success();
    eventually("it is long", || env.run(["logs", "donor"]).stdout() == "done\n");
    let out = env.run(["run", "--rm", "--network=container:donor", BUSYBOX, "sh", "-c", "wc -l </etc/hosts"]);
    out.success().stderr_has("the rest is left out");
    assert!(out.stdout().trim().parse::<u32>().unwrap() > 30000, "{out}");
}
