//! Verbs on several containers at once.

use crate::harness::{BUSYBOX, Env, eventually, requires};

/// Each ends, and is removed, while the command waits for another one: no code is lost.
#[test]
fn wait_for_several_that_remove_themselves() {
    requires!(userns);
    let env = Env::with_busybox();
    let shared = env.path("shared");
    std::fs::create_dir(&shared).unwrap();
    let volume = format!("{}:/shared", shared.display());
    for code in ["1", "2", "3"] {
        let script = format!("while [ ! -e /shared/{code} ]; do sleep 0.05; done; exit {code}");
        let name = format!("--name=s{code}");
        env.run(["run", "-d", "--rm", &name, "--network=none", "-v", &volume, BUSYBOX, "sh", "-c", &script]).success();
    }
    let waiting = env.spawn(["wait", "s1", "s2", "s3"]);
    let watched = || {
        let fds = std::fs::read_dir(format!("/proc/{}/fd", waiting.pid())).into_iter().flatten().flatten();
        fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()).filter(|path| path.ends_with("monitor.lock")).count()
    };
    eventually("it watches all of them", || watched() == 3);
    for code in ["3", "2", "1"] {
        std::fs::write(shared.join(code), "").unwrap();
        if code != "1" {
            let name = format!("name=s{code}");
            eventually("it is gone", || env.run(["ps", "-aq", "--filter", &name]).stdout().is_empty());
        }
    }
    waiting.wait().success().prints("1\n2\n3\n");
}

/// More than are started at a time, in the order of the command line, with one that joins another one's network.
#[test]
fn start_and_restart_of_many() {
    requires!(userns);
    let env = Env::with_busybox();
    let mut names: Vec<String> = (0..18).map(|n| format!("s{n}")).collect();
    for name in &names {
        let network = if name == "s1" { "--network=container:s0" } else { "--network=none" };
        env.run(["create", "--name", name, network, BUSYBOX, "sleep", "1000"]).success();
    }
    let lines = |names: &[String]| names.iter().map(|name| format!("{name}\n")).collect::<String>();
    names.push("absent".to_owned());
    let start = |verb: &[&str]| env.run(verb.iter().copied().chain(names.iter().map(String::as_str)));
    let there = lines(&names[..18]);
    start(&["start"]).code(125).prints(&there).stderr_has("absent");
    assert_eq!(env.run(["ps", "-q"]).stdout().lines().count(), 18);
    // What runs already is no error; what ran is another program afterwards.
    start(&["start"]).code(125).prints(&there);
    let pids = || env.run(["ps", "--format", "{{.Names}} {{.Pid}}", "--sort=names"]).success().stdout();
    let before = pids();
    start(&["restart", "-t0"]).code(125).prints(&there);
    let after = pids();
    assert!(before.lines().zip(after.lines()).all(|(before, after)| before != after), "{before}{after}");
    let net = |name: &str| env.run(["exec", name, "readlink", "/proc/self/ns/net"]).success().trimmed();
    assert_eq!(net("s0"), net("s1"));
    assert_ne!(net("s0"), net("s2"));
}

#[test]
fn cgroup_manager_is_what_the_host_has() {
    requires!(userns);
    let env = Env::with_busybox();
    let ours = env.run(["info", "-f", "{{.Host.CgroupManager}}"]).success().trimmed();
    let (ours, other) = match ours.as_str() {
        "none" | "cgroupfs" => ("cgroupfs", "systemd"),
        _ => ("systemd", "cgroupfs"),
    };
    let with = |manager: &str| env.run(["--cgroup-manager", manager, "run", "--rm", "--network=none", BUSYBOX, "true"]);
    with(ours).success();
    with(other).code(125).stderr_has(&format!("--cgroup-manager={other}: here it is"));
    with("cgroup2").code(125).stderr_has("cgroup2");
}
