//! A container that holds up who enters it: by signals, or because it is frozen.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::{BUSYBOX, Env, eventually, requires};

/// Its root stops everybody, all the time.
const STOPS: &str = "while :; do kill -STOP -1; done";

/// Processes of ours of this name.
fn pids(env: &Env, name: &str) -> Vec<i32> {
    let alive = env.processes().into_iter().filter(|process| process.state != 'Z').map(|process| process.pid);
    let has_name =
        |pid: &i32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    alive.filter(has_name).collect()
}

fn named(env: &Env, name: &str) -> usize {
    pids(env, name).len()
}

/// A container whose cgroup is frozen, behind our back.
fn frozen(env: &Env, flags: &[&str]) -> PathBuf {
    let words = ["run", "-d", "--name=c", "--network=none"];
    let id = env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sleep", "600"])).trimmed();
    let file = env.cgroup().unwrap().join(format!("sampan-{id}/cgroup.freeze"));
    std::fs::write(&file, "1").unwrap();
    let events = file.with_file_name("cgroup.events");
    eventually("it is frozen", || std::fs::read_to_string(&events).unwrap().contains("frozen 1"));
    file
}

#[test]
fn a_container_that_stops_whoever_enters_holds_up_nobody() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sh", "-c", STOPS]).success();
    // Whether it is caught before it has executed the program is a matter of luck.
    let caught = (0..60).map(|_| env.run(["exec", "-d", "c", "true"])).find(|out| !out.is_success());
    if let Some(caught) = caught {
        caught
            .code(125)
            .stderr_has("the container stopped the process before it executed the program")
            .stderr_has("Hint: ");
    }
    env.run(["rm", "-f", "-t0", "c"]).success();
    eventually("nobody is left", || named(&env, "sampan-exec") == 0);
}

#[test]
fn a_container_that_stops_whoever_is_among_its_processes_holds_up_no_start() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sh", "-c", STOPS]).success();
    for _ in 0..4 {
        let words = ["run", "-d", "--network=none", "--pid=container:c", BUSYBOX, "sleep", "600"];
        let start = env.spawn(words).wait_for(Duration::from_secs(30));
        // As above: stopped at the wrong moment or not.
        if !start.is_success() {
            start.code(125).stderr_has("the container stopped the process before it executed the program");
        }
    }
    env.run(["rm", "-f", "-a", "-t0"]).success();
    eventually("nobody is left", || env.processes().iter().all(|process| process.state == 'Z'));
}

#[test]
fn an_exec_that_cannot_begin_ends_by_a_signal() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    let freeze = frozen(&env, &[]);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let exec = env.spawn(["exec", "c", "true"]);
        eventually("it joins", || named(&env, "sampan-exec") >= 2);
        exec.signal(signal);
        let out = exec.wait_for(Duration::from_secs(30));
        // By the signal itself, as it would have been before there was anything to wait for.
        assert_eq!(out.exit_code(), None, "{out}");
        eventually("nobody is left", || named(&env, "sampan-exec") == 0);
    }
    std::fs::write(&freeze, "0").unwrap();
    env.run(["exec", "c", "true"]).success();
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// Whoever dies while it begins: others that hold the pipe of its answer keep nobody waiting.
#[test]
fn an_exec_whose_supervisor_is_killed_ends() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    let freeze = frozen(&env, &[]);
    let exec = env.spawn(["exec", "c", "true"]);
    eventually("it joins", || named(&env, "sampan-exec") >= 2);
    let family = |parent: i32| std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let supervisor = family(exec.pid().as_raw()).trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(supervisor), Signal::SIGKILL).unwrap();
    exec.wait_for(Duration::from_secs(30)).code(125);
    std::fs::write(&freeze, "0").unwrap();
    env.run(["rm", "-f", "-t0", "c"]).success();
}

#[test]
fn health_checks_that_cannot_begin_do_not_pile_up() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    frozen(&env, &["--health-cmd=true", "--health-interval=1s", "--health-timeout=1s"]);
    // Its supervisor, and the process that is to join.
    let mut first = Vec::new();
    eventually("a check begins", || {
        first = pids(&env, "sampan-health");
        first.len() == 2
    });
    // It is given up after eleven seconds.
    eventually("another one is in its place, and alone", || {
        let now = pids(&env, "sampan-health");
        now.len() == 2 && now.iter().all(|pid| !first.contains(pid))
    });
    env.run(["rm", "-f", "-t0", "c"]).success();
}
