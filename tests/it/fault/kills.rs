//! `kill -9` of monitor, init and command line (G01–G03): the next command tells the truth.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::image::BUSYBOX;
use crate::harness::leaks::Process;
use crate::harness::{Env, Output, eventually, requires};

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
        within_a_second(|| env.run(["exec", "m", "true"])).success();
        within_a_second(|| env.run(["logs", "m"])).success();
        // There will be no exit code: that is said now and not when the container ends.
        let waited = within_a_second(|| env.run(["wait", "m"]));
        waited.code(125).stderr_has("unsupervised").stderr_has("Hint: ");
        within_a_second(|| env.run(["start", "--attach", "m"])).code(125).stderr_has("unsupervised");
        within_a_second(|| env.run(["attach", "m"])).code(125).stderr_has("unsupervised");
        within_a_second(|| env.run(["inspect", "m", "--format", "{{.State.Status}} {{.State.ConmonPid}}"]))
            .prints("running 0\n");
        within_a_second(|| env.run(["rm", "m"])).code(2);
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
                let waiting = env.spawn(["wait", "--condition=stopped", "m"]);
                kill_process(&env, "m", "Pid");
                // Since Linux 6.15 the kernel keeps the code for us, too.
                let waited = waiting.wait_for(Duration::from_secs(20));
                assert!(["-1\n", "137\n"].contains(&waited.success().stdout().as_str()), "{waited:?}");
                assert!(!status(&env, "m").starts_with("Up"), "{}", status(&env, "m"));
            }
        }
        env.run(["rm", "-f", "-t0", "m"]).success();
        env.run(["ps", "-aq"]).prints("");
    }
    env.run(["system", "check"]).success();
}

#[test]
fn g01_a_code_that_no_monitor_saw() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done";
    env.run(["run", "-d", "--name=m", "--network=none", BUSYBOX, "sh", "-c", script]).success();
    eventually("the trap is set", || env.run(["logs", "m"]).stdout() == "ready\n");
    kill_process(&env, "m", "ConmonPid");
    eventually("the truth", || status(&env, "m").contains("unsupervised"));
    env.run(["stop", "-t60", "m"]).success();
    let code = env.run(["inspect", "-f", "{{.State.ExitCode}} {{.State.Status}}", "m"]).success().stdout();
    assert!(["7 exited\n", "-1 exited\n"].contains(&code.as_str()), "{code}");
    env.run(["wait", "m"]).success();
    env.run(["start", "m"]).success();
    env.run(["rm", "-f", "-t0", "m"]).success();
}

/// The answer of a command, which must not take longer than G01 grants (and the machine's other work needs).
fn within_a_second(command: impl FnOnce() -> Output) -> Output {
    let begun = Instant::now();
    let output = command();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}: {output}", begun.elapsed());
    output
}

#[test]
fn g01_who_waits_is_told_when_the_monitor_dies() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "m");
    let waiting = env.spawn(["wait", "m"]);
    let words = ["run", "--name=fg", "--network=none", BUSYBOX, "sh", "-c", "echo up; exec sleep 600"];
    let foreground = env.spawn(words);
    eventually("it is up", || foreground.stdout().contains("up"));
    kill_process(&env, "m", "ConmonPid");
    kill_process(&env, "fg", "ConmonPid");
    waiting.wait_for(Duration::from_secs(5)).code(125).stderr_has("unsupervised");
    foreground.wait_for(Duration::from_secs(5)).code(125).stderr_has("monitor is gone").stderr_has("unsupervised");
    env.run(["stop", "-t0", "m", "fg"]).prints("m\nfg\n");
    assert!(!env.run(["system", "check"]).stdout().contains("I10"));
}

#[test]
fn g01_a_monitor_killed_at_any_moment_of_a_start() {
    requires!(userns);
    let env = Env::with_busybox();
    for round in 0..24 {
        // Half of them have ended once already.
        let again = round % 2 == 1;
        if again {
            env.run(["run", "--name=m", "--network=none", BUSYBOX, "sh", "-c", SECOND]).code(3);
            eventually("its monitor is gone", || alive(&env).is_empty());
        }
        let starting = if again {
            env.spawn(["start", "m"])
        } else {
            env.spawn(["run", "-d", "--name=m", "--network=none", BUSYBOX, "sleep", "600"])
        };
        let monitor = || alive(&env).into_iter().find(|process| process.is_monitor());
        let mut found = None;
        eventually("a monitor", || {
            found = monitor();
            found.is_some()
        });
        std::thread::sleep(Duration::from_micros(round * 900));
        kill(Pid::from_raw(found.unwrap().pid), Signal::SIGKILL).unwrap();
        drop(starting.wait());
        let runs = || alive(&env).iter().any(|process| process.command.contains("sleep 600"));
        let says = || status(&env, "m").contains("unsupervised");
        // Init of a start that was cut off takes an instant to notice.
        let deadline = Instant::now() + Duration::from_secs(10);
        while runs() != says() {
            let (status, processes) = (status(&env, "m"), alive(&env));
            assert!(Instant::now() < deadline, "round {round}: {status:?} {processes:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        env.run(["rm", "-f", "-t0", "m"]).success();
        eventually("nothing runs", || alive(&env).is_empty());
    }
    env.run(["system", "check"]).success();
}

/// Processes of the test but for the dead that a machine's first process has not collected yet.
fn alive(env: &Env) -> Vec<Process> {
    env.processes().into_iter().filter(|process| process.state != 'Z').collect()
}

/// Ends with 3 the first time, and runs on the second.
const SECOND: &str = "test -e /ran && exec sleep 600; touch /ran; exit 3";

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
