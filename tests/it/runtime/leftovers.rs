//! Processes that the kernel does not end with a container's init (invariant I11): no pid namespace of its own, no cgroup.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{BUSYBOX, Env, eventually, requires};

/// Children, one of them in another session and orphaned at once.
const MANY: &str = "sleep 601 & sleep 602 & (setsid sleep 603 &) ; exec sleep 604";
/// The same, and no program any more.
const LEAVES: &str = "sleep 605 & (setsid sleep 606 &) ; exit 0";

/// Commands that run.
fn sleepers(env: &Env) -> usize {
    let all = env.processes().into_iter().filter(|process| process.state != 'Z');
    all.filter(|process| process.command.starts_with("sleep ")).count()
}

fn run(env: &Env, pid: &str, flags: &[&str], script: &str) {
    let pid = format!("--pid={pid}");
    let words = ["run", "--network=none", "--cgroups=disabled", &pid];
    env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", script])).success();
}

fn exec_more(env: &Env) {
    env.run(["exec", "-d", "c", "sh", "-c", "sleep 607 & sleep 608"]).success();
    env.run(["exec", "c", "sh", "-c", "sleep 609 >/dev/null 2>&1 & exit 0"]).success();
}

#[test]
fn nothing_stays_of_a_container_in_the_pid_namespace_of_the_host() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, "host", &["-d", "--name=c"], MANY);
    exec_more(&env);
    eventually("all of them run", || sleepers(&env) >= 7);
    env.run(["rm", "-f", "-t0", "c"]).success();
    eventually("nothing runs", || env.processes().iter().all(|process| process.state == 'Z'));
    run(&env, "host", &["--rm"], LEAVES);
    eventually("nothing runs", || env.processes().iter().all(|process| process.state == 'Z'));
}

#[test]
fn nothing_stays_of_a_container_in_the_pid_namespace_of_another() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=a", "--network=none", BUSYBOX, "sh", "-c", "sleep 600 & exec sleep 600"]).success();
    eventually("the other one runs", || sleepers(&env) == 2);
    run(&env, "container:a", &["-d", "--name=c"], MANY);
    exec_more(&env);
    eventually("all of them run", || sleepers(&env) >= 9);
    env.run(["rm", "-f", "-t0", "c"]).success();
    eventually("only those of the other one run", || sleepers(&env) == 2);
    run(&env, "container:a", &["--rm"], LEAVES);
    eventually("only those of the other one run", || sleepers(&env) == 2);
    env.run(["rm", "-f", "-t0", "a"]).success();
}

/// A mount namespace of its own hides it, but it becomes a child of the monitor.
#[test]
fn nothing_stays_that_has_a_mount_namespace_of_its_own() {
    requires!(userns);
    let env = Env::with_busybox();
    let flags = ["--rm", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined"];
    run(
        &env,
        "host",
        &flags,
        "unshare -m sh -c ': >/tmp/in; exec sleep 605' & while [ ! -e /tmp/in ]; do sleep 0.01; done",
    );
    eventually("nothing runs", || env.processes().iter().all(|process| process.state == 'Z'));
}

#[test]
fn nothing_stays_of_a_container_whose_monitor_was_killed() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, "host", &["-d", "--name=c"], MANY);
    exec_more(&env);
    eventually("all of them run", || sleepers(&env) >= 7);
    let monitor: i32 = env.run(["inspect", "-f", "{{.State.ConmonPid}}", "c"]).trimmed().parse().unwrap();
    kill(Pid::from_raw(monitor), Signal::SIGKILL).unwrap();
    eventually("it is seen", || env.run(["ps"]).stdout().contains("unsupervised"));
    env.run(["rm", "-f", "-t0", "c"]).success();
    eventually("nothing runs", || env.processes().iter().all(|process| process.state == 'Z'));
}
