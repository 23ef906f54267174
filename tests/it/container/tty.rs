//! `-t`: a real terminal, its size, its signals, and its state afterwards.

use nix::sys::signal::Signal;

use crate::harness::{BUSYBOX, Env, Terminal, eventually, requires};

fn shell(env: &Env, program: &[&str]) -> Terminal {
    let all = [&["run", "--rm", "-it", "--network=none", BUSYBOX], program].concat();
    Terminal::start(&env.command(all), 31, 97)
}

#[test]
fn size_follows_the_window() {
    requires!(userns);
    let env = Env::with_busybox();
    let mut terminal = shell(&env, &["sh", "-c", "trap 'stty size' WINCH; stty size; while true; do sleep 0.05; done"]);
    terminal.expect("31 97");
    terminal.resize(40, 120);
    terminal.expect("40 120");
    terminal.send("\x03");
    assert_eq!(terminal.finish().0, 130);
}

/// A program looks at its start, and what it does then must fit.
#[test]
fn the_size_is_there_before_the_program_looks() {
    requires!(userns);
    let env = Env::with_busybox();
    for input in ["-it", "-t"] {
        let run = ["run", "--rm", input, "--network=none", BUSYBOX, "stty", "size"];
        let mut terminal = Terminal::start(&env.command(run), 31, 97);
        terminal.expect("31 97\r\n");
        assert_eq!(terminal.finish().0, 0);
    }
    env.run(["run", "-d", "--name=box", "--network=none", BUSYBOX, "sleep", "1000"]).success();
    for _ in 0..4 {
        let mut terminal = Terminal::start(&env.command(["exec", "-it", "box", "stty", "size"]), 32, 98);
        terminal.expect("32 98\r\n");
        assert_eq!(terminal.finish().0, 0);
    }
    env.run(["rm", "-f", "-t0", "box"]).success();
}

/// The terminal of a restarted container is another one.
#[test]
fn a_restarted_program_has_the_size_that_was_last() {
    requires!(userns);
    let env = Env::with_busybox();
    let script =
        "stty size; [ -e /second ] && exit 0; trap '>/second; exit 3' WINCH; echo ready; while :; do sleep 0.05; done";
    let run = ["run", "--rm", "-it", "--restart=on-failure", "--network=none", BUSYBOX, "sh", "-c", script];
    let mut terminal = Terminal::start(&env.command(run), 31, 97);
    terminal.expect("31 97\r\nready\r\n");
    terminal.resize(40, 120);
    terminal.expect("40 120\r\n");
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn jobs_are_controlled() {
    requires!(userns);
    let env = Env::with_busybox();
    let mut terminal = shell(&env, &["sh"]);
    terminal.expect("# ");
    // It speaks when it is in the foreground: a key that comes before would be the shell's.
    terminal.send("sh -c 'trap \"echo $((40 + 2))x\" CONT; echo $((20 + 3))x; while :; do sleep 0.05; done'\r");
    terminal.expect("23x");
    terminal.send("\x1a");
    terminal.expect("Stopped");
    terminal.send("fg\r");
    terminal.expect("42x");
    terminal.send("\x03");
    terminal.send("echo $?\r");
    terminal.expect("130\r\n");
    terminal.send("exit 9\r");
    assert_eq!(terminal.finish().0, 9);
}

#[test]
fn g06_the_terminal_is_restored_however_the_session_ends() {
    requires!(userns);
    let env = Env::with_busybox();
    for signal in [None, Some(Signal::SIGTERM), Some(Signal::SIGHUP)] {
        let mut terminal =
            shell(&env, &["sh", "-c", "trap 'exit 3' TERM HUP; echo ready; while true; do sleep 0.05; done"]);
        terminal.expect("ready");
        assert!(!terminal.is_cooked());
        match signal {
            None => terminal.send("\x03"),
            Some(signal) => {
                let run = env
                    .processes()
                    .into_iter()
                    .find(|process| process.command.contains("run --rm -it") && !process.is_monitor());
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(run.unwrap().pid), signal).unwrap();
            }
        }
        eventually("cooked again", || terminal.is_cooked());
        let expected = if signal.is_some() { 3 } else { 130 };
        assert_eq!(terminal.finish().0, expected, "{signal:?}");
    }
}

#[test]
fn terminal_without_one_of_ours_works_with_pipes() {
    requires!(userns);
    let env = Env::with_busybox();
    let out = env.command(["run", "--rm", "-t", "-i", "--network=none", BUSYBOX, "sh"]).stdin("tty\nexit 3\n").run();
    out.code(3).stdout_has("/dev/");
}

/// The end of input comes while the terminal gathers lines; the program then takes bytes, as readline does, and must hear
/// of it all the same.
#[test]
fn the_end_of_input_survives_a_change_of_the_terminals_mode() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "sleep 1; stty -icanon min 1; while :; do \
        [ \"$(dd bs=1 count=1 2>/dev/null | od -An -tx1)\" != ' 04' ] || exit 5; done";
    env.command(["run", "--rm", "-it", "--network=none", BUSYBOX, "sh", "-c", script]).stdin("").run().code(5);
}

#[test]
fn g06_signals_reach_the_program_unless_told_otherwise() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "trap 'echo usr1' USR1; trap 'exit 8' INT; echo ready; while true; do sleep 0.05; done";
    let run = env.spawn(["run", "--rm", "--network=none", BUSYBOX, "sh", "-c", script]);
    eventually("ready", || run.stdout().contains("ready"));
    run.signal(Signal::SIGUSR1);
    eventually("usr1", || run.stdout().contains("usr1"));
    run.signal(Signal::SIGINT);
    run.wait().code(8);
    let run = env.spawn(["run", "--name=deaf", "--sig-proxy=false", "--network=none", BUSYBOX, "sh", "-c", script]);
    eventually("ready", || run.stdout().contains("ready"));
    run.signal(Signal::SIGINT);
    assert!(!run.wait().is_success());
    assert_eq!(env.run(["inspect", "-f", "{{.State.Status}}", "deaf"]).trimmed(), "running");
}

/// Whoever was started first is gone then, and in the pause nobody is there.
#[test]
fn signals_reach_a_program_that_was_started_again_and_end_a_pause() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "[ -e /second ] || { >/second; exit 3; }; trap 'echo usr1' USR1; trap 'exit 8' INT; \
        echo ready; while :; do sleep 0.05; done";
    let again = ["--restart=always", "--network=none", BUSYBOX, "sh", "-c"];
    let run = env.spawn([&["run", "--name=again"], &again[..], &[script]].concat());
    eventually("ready", || run.stdout().contains("ready"));
    run.signal(Signal::SIGUSR1);
    eventually("usr1", || run.stdout().contains("usr1"));
    // It is no wish for a third run.
    run.signal(Signal::SIGINT);
    run.wait().code(8);
    assert_eq!(env.run(["inspect", "-f", "{{.State.Status}}", "again"]).trimmed(), "exited");
    let run = env.spawn([&["run", "--name=pause"], &again[..], &["exit 3"]].concat());
    let restarts = || env.run(["inspect", "-f", "{{.RestartCount}}", "pause"]).trimmed().parse().unwrap_or(0);
    eventually("a pause of seconds", || restarts() >= 4);
    run.signal(Signal::SIGTERM);
    run.wait().code(3);
    let client = env.spawn([&["run", "-d", "--name=other"], &again[..], &[script]].concat());
    client.wait().success();
    eventually("ready", || env.run(["logs", "other"]).stdout().contains("ready"));
    let attached = env.spawn(["attach", "other"]);
    env.run(["exec", "other", "kill", "-USR1", "1"]).success();
    eventually("usr1", || attached.stdout().contains("usr1"));
    attached.signal(Signal::SIGINT);
    attached.wait().code(8);
    env.run(["rm", "-f", "again", "pause", "other"]).success();
}

/// Nobody takes what is typed: the lines come as the program ended them, and Ctrl-C is a signal for it.
#[test]
fn without_interactive_the_terminal_is_the_programs_all_the_same() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "trap 'exit 3' INT; echo one; echo two; while :; do sleep 0.05; done";
    let run = ["run", "--rm", "-t", "--network=none", BUSYBOX, "sh", "-c", script];
    let mut terminal = Terminal::start(&env.command(run), 24, 80);
    let before = terminal.expect("two\r\n");
    assert!(before.ends_with("one\r\n") && !before.ends_with("\r\r\n"), "{before:?}");
    assert!(!terminal.is_cooked());
    terminal.send("\x03");
    assert_eq!(terminal.finish().0, 3);
}
