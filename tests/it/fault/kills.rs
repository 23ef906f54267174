//! `kill -9` of monitor, init and command line (G01–G03): the next command tells the truth.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, eventually, requires};

fn start(env: &Env, name: &str) {
    let name = format!("--name={name}");
    env.run(["run", "-d", &name, "--network=none", BUSYBOX, "sleep", "600"]).success();
}

fn kill_process(env: &Env, name: &str, field: &str) {
    let format = format!("{{{{.State.{field}}}}}");
    let pid = env.run(["inspect", name, "--format", &format]).success().trimmed().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

fn status(env: &Env, name: &str) -> String {
    env.run(["ps", "-a", "--filter", &format!("name=^{name}$"), "--format", "{{.Status}}"]).success().trimmed()
}

#[test]
fn g01_monitor() {
    requires!(userns);
    let env = Env::with_busybox();
    for verb in ["rm", "stop", "init"] {
        start(&env, "m");
        kill_process(&env, "m", "ConmonPid");
        eventually("the truth", || status(&env, "m").contains("unsupervised"));
        env.run(["exec", "m", "true"]).success();
        env.run(["logs", "m"]).success();
        match verb {
            "rm" => {}
            "stop" => {
                env.run(["stop", "-t0", "m"]).success();
                assert!(!status(&env, "m").starts_with("Up"), "{}", status(&env, "m"));
                let begun = Instant::now();
                env.run(["wait", "m"]).success();
                assert!(begun.elapsed() < Duration::from_secs(1));
                env.run(["start", "m"]).success();
                env.run(["exec", "m", "true"]).success();
            }
            _ => {
                let waiting = env.spawn(["wait", "m"]);
                kill_process(&env, "m", "Pid");
                waiting.wait_for(Duration::from_secs(5)).success();
                assert!(!status(&env, "m").starts_with("Up"), "{}", status(&env, "m"));
            }
        }
        env.run(["rm", "-f", "-t0", "m"]).success();
        env.run(["ps", "-aq"]).prints("");
    }
    env.run(["system", "check"]).success();
}

#[test]
fn g02_init() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "m");
    let waiting = env.spawn(["wait", "m"]);
    kill_process(&env, "m", "Pid");
    waiting.wait_for(Duration::from_secs(5)).prints("137\n");
    assert!(status(&env, "m").starts_with("Exited (137)"));
    env.run(["rm", "m"]).success();
}

#[test]
fn g03_command_line_and_monitor_while_it_stops() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "m");
    let stopping = env.spawn(["stop", "-t30", "m"]);
    eventually("it is stopping", || status(&env, "m").to_lowercase().contains("stopping"));
    stopping.signal(Signal::SIGKILL);
    kill_process(&env, "m", "ConmonPid");
    drop(stopping.wait());
    env.run(["stop", "-t0", "m"]).success();
    assert!(!status(&env, "m").to_lowercase().contains("stopping"), "{}", status(&env, "m"));
    env.run(["start", "m"]).success();
    env.run(["rm", "-f", "-t0", "m"]).success();
}

#[test]
fn the_container_outlives_its_command_line() {
    requires!(userns);
    let env = Env::with_busybox();
    let running = env.spawn(["run", "--name=fg", "--network=none", BUSYBOX, "sh", "-c", "echo up; exec sleep 600"]);
    eventually("it is up", || running.stdout().contains("up"));
    running.signal(Signal::SIGKILL);
    drop(running.wait());
    assert!(status(&env, "fg").starts_with("Up"));
    env.run(["stop", "-t0", "fg"]).success();
    env.run(["wait", "fg"]).prints("137\n");
}

#[test]
fn a_run_killed_at_any_moment_leaves_nothing_half() {
    requires!(userns);
    let env = Env::with_busybox();
    for delay in (0..60).step_by(4) {
        let running = env.spawn(["run", "--rm", "--network=none", BUSYBOX, "sleep", "600"]);
        std::thread::sleep(Duration::from_millis(delay));
        running.signal(Signal::SIGKILL);
        drop(running.wait());
        env.run(["ps", "-a"]).success();
    }
    env.run(["rm", "-f", "-t0", "-a"]).success();
    env.run(["ps", "-aq"]).prints("");
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
    let check = env.run(["system", "check", "--repair"]);
    assert!(matches!(check.exit_code(), Some(0 | 1)), "{check}");
    env.run(["system", "check"]).success();
}
