//! Clients of a running container.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::env::program;
use crate::harness::{BUSYBOX, Env, Terminal, eventually, requires};

fn start(env: &Env, flags: &[&str], program: &[&str]) -> String {
    let all = [&["run", "-d", "--network=none"], flags, &[BUSYBOX], program].concat();
    env.command(all).run().success().trimmed()
}

fn lines(env: &Env, id: &str) -> usize {
    env.run(["logs", id]).stdout().lines().count()
}

#[test]
fn attach_talks_to_the_program_and_ends_with_its_code() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = start(&env, &["-i"], &["sh"]);
    let out = env.command(["attach", &id]).stdin("echo out; echo err >&2; exit 4\n").run();
    out.code(4).prints("out\n");
    assert_eq!(out.stderr(), "err\n");
}

#[test]
fn input_ends_the_program_when_it_ends() {
    requires!(userns);
    let env = Env::with_busybox();
    let text = "a line of text that is neither short nor long\n".repeat(30_000);
    let out = env.command(["run", "--rm", "-i", "--network=none", BUSYBOX, "cat"]).stdin(text.clone()).run();
    out.success();
    assert!(out.stdout() == text, "{} bytes came back of {}", out.stdout().len(), text.len());
}

#[test]
fn without_interactive_input_is_empty() {
    requires!(userns);
    let env = Env::with_busybox();
    let out = env.command(["run", "--rm", "--network=none", BUSYBOX, "cat"]).stdin("unheard").run();
    out.success().prints("");
}

#[test]
fn attach_to_what_does_not_run_is_refused() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = env.run(["create", BUSYBOX, "true"]).trimmed();
    env.run(["attach", &id]).code(125).stderr_has("created");
    env.run(["attach", "nobody"]).code(125).stderr_has("nobody");
}

#[test]
fn g11_a_stopped_onlooker_does_not_stall_the_container() {
    requires!(userns);
    let env = Env::with_busybox();
    let text = "x".repeat(200);
    let script = format!("while true; do echo {text}; done");
    let id = start(&env, &[], &["sh", "-c", &script]);
    let stopped = env.spawn(["attach", &id]);
    eventually("the onlooker sees output", || stopped.stdout().len() > 10_000);
    stopped.signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_millis(500));
    let before = env.run(["logs", "--tail", "1", "-t", &id]).trimmed();
    eventually("the container goes on", || env.run(["logs", "--tail", "1", "-t", &id]).trimmed() != before);
    stopped.signal(Signal::SIGCONT);
    stopped.wait().code(125).stderr_has("hung up");
    env.run(["rm", "-f", "-t", "0", &id]).success();
}

#[test]
fn g12_many_clients_come_and_go() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = start(&env, &["-i"], &["sh", "-c", "while read word; do echo got $word; done"]);
    for _round in 0..20 {
        let clients: Vec<_> = (0..5).map(|_| env.spawn(["attach", "--no-stdin", &id])).collect();
        for client in &clients {
            client.signal(Signal::SIGKILL);
        }
    }
    let out = env.command(["attach", &id]).stdin("last\n").run();
    out.success().stdout_has("got last");
    assert_eq!(lines(&env, &id), 1);
}

#[test]
fn keys_detach_and_a_second_attach_goes_on() {
    requires!(userns);
    let env = Env::with_busybox();
    let mut terminal =
        Terminal::start(&env.command(["run", "-it", "--name=shell", "--network=none", BUSYBOX, "sh"]), 24, 80);
    // Before the prompt the terminal is still ours, and takes Ctrl-Q for itself.
    terminal.expect("# ");
    terminal.send("x=kept\r");
    terminal.expect("x=kept");
    terminal.send("\x10\x11");
    assert_eq!(terminal.finish().0, 0);
    assert_eq!(env.run(["inspect", "-f", "{{.State.Status}}", "shell"]).trimmed(), "running");
    let mut terminal = Terminal::start(&env.command(["attach", "--detach-keys=ctrl-a,d", "shell"]), 24, 80);
    terminal.send("echo $x $((40 + 2))\r");
    terminal.expect("kept 42");
    terminal.send("\x01d");
    assert_eq!(terminal.finish().0, 0);
    let mut terminal = Terminal::start(&env.command(["attach", "--detach-keys=", "shell"]), 24, 80);
    terminal.send("exit 5\r");
    assert_eq!(terminal.finish().0, 5);
}

#[test]
fn g19_a_wiped_runtime_directory_comes_back() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = start(&env, &["-i"], &["sh", "-c", "read word; echo got $word; exit 6"]);
    std::fs::remove_dir_all(env.runroot()).unwrap();
    eventually("the state is there again", || {
        env.run(["inspect", "-f", "{{.State.Status}} {{.State.Pid}}", &id]).trimmed().starts_with("running ")
    });
    env.command(["attach", &id]).stdin("it\n").run().code(6).prints("got it\n");
}

/// Until the ends are on record nothing runs that makes the directories again but the monitors.
#[test]
fn g19_monitors_alone_record_restart_and_remove_after_a_logout() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("shared/stay", "");
    let volume = format!("{}:/d", env.path("shared").display());
    let begin = |flags: &[&str]| {
        let script = "while [ ! -e /d/go ]; do sleep 0.05; done; grep -q container /etc/hostname && exit 3; exit 4";
        start(&env, &[&["-v", &volume, "--hostname=container"], flags].concat(), &["sh", "-c", script])
    };
    let exit = |id: &str| {
        let text = std::fs::read_to_string(env.graphroot().join("containers").join(id).join("exit.json")).ok()?;
        let exit: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some((exit["code"].as_i64()?, exit["restarts"].as_i64()?, exit["started_at"].is_string()))
    };
    let (once, again, removed) = (begin(&[]), begin(&["--restart=on-failure:2"]), begin(&["--rm"]));
    std::fs::remove_dir_all(env.runroot()).unwrap();
    env.write("shared/go", "");
    eventually("the end is on record", || exit(&once) == Some((3, 0, true)));
    eventually("the policy has its way", || exit(&again) == Some((3, 2, true)));
    eventually("--rm has its way", || !env.graphroot().join("containers").join(&removed).exists());
    env.run(["system", "check"]).success();
    std::fs::remove_file(env.path("shared/go")).unwrap();
    let (bare, stuck) = (begin(&[]), begin(&["--restart=on-failure:2"]));
    // Nor can any directory be made: `/run/user/UID` went as a whole.
    std::fs::remove_dir_all(env.runroot()).unwrap();
    std::fs::write(env.runroot(), "").unwrap();
    env.write("shared/go", "");
    eventually("the end is on record without a lock", || exit(&bare) == Some((3, 0, true)));
    eventually("the failed restart is, too", || exit(&stuck) == Some((-1, 1, true)));
    std::fs::remove_file(env.runroot()).unwrap();
    let why = env.run(["inspect", "-f", "{{.State.Error}}", &stuck]).stdout();
    assert!(why.contains(env.runroot().to_str().unwrap()), "{why}");
    env.run(["wait", &once, &again, &bare]).prints("3\n3\n3\n");
}

/// `| less`, or Ctrl-Z: the output waits for its reader, and nothing else does.
#[test]
fn a_reader_that_pauses_keeps_nothing_of_an_ended_container() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("shared/stay", "");
    let volume = format!("{}:/d", env.path("shared").display());
    let script = "echo begun; while [ ! -e /d/go ]; do sleep 0.05; done; head -c 420000 /dev/zero | tr '\\0' x; exit 3";
    let run = ["run", "--name=slow", "--network=none", "-v", &volume, BUSYBOX, "sh", "-c", script];
    let reader = env.spawn(run);
    eventually("it runs", || reader.stdout() == "begun\n");
    reader.signal(Signal::SIGSTOP);
    env.write("shared/go", "");
    env.run(["wait", "slow"]).prints("3\n");
    // Its monitor lives on for the reader alone: nothing is wrong, and nobody ends it.
    env.run(["system", "check", "--repair"]).success();
    env.run(["start", "slow"]).success();
    env.run(["wait", "slow"]).prints("3\n");
    env.run(["rm", "slow"]).success();
    reader.signal(Signal::SIGCONT);
    let out = reader.wait();
    out.code(3);
    assert_eq!(out.stdout().len(), 420_006);
}

/// The program goes on to its end, and what comes of it is no success.
#[test]
fn output_that_cannot_be_written_is_an_error() {
    requires!(userns);
    let env = Env::with_busybox();
    let shell = |line: &str| env.other("sh").args(["-c", line, program().to_str().unwrap(), BUSYBOX]).run();
    let lost = "Error: output of the container was lost: ENOSPC";
    let run = "\"$0\" run --rm --network=none \"$1\"";
    shell(&format!("{run} sh -c 'echo lost; echo kept >&2' >/dev/full"))
        .code(125)
        .stderr_has("kept\n")
        .stderr_has(lost);
    shell(&format!("{run} sh -c 'echo lost; exit 3' >/dev/full")).code(3).stderr_has(lost);
    env.run(["ps", "-aq"]).prints("");
    let id = start(&env, &["--name=c"], &["sleep", "600"]);
    shell("\"$0\" exec c echo lost >/dev/full").code(125).stderr_has(lost);
    // Nobody reads: as if SIGPIPE had ended us.
    shell("{ \"$0\" exec c yes; echo $? >&2; } | head -n 1").prints("y\n").stderr_has("141\n");
    env.run(["rm", "-f", "-t0", &id]).success();
}

#[test]
fn start_attaches_to_what_runs() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = start(&env, &["-i"], &["sh", "-c", "read word; echo got $word; exit 4"]);
    env.command(["start", "-ai", &id]).stdin("it\n").run().code(4).prints("got it\n");
}

/// A terminal takes what is typed, with `-i` or without; the end of another's input is not its own.
#[test]
fn a_terminal_without_interactive_takes_input() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, &["-t", "--name=shell"], &["sh"]);
    let onlooker = env.spawn(["attach", "shell"]);
    let mut terminal = Terminal::start(&env.command(["attach", "shell"]), 24, 80);
    terminal.send("echo $((40 + 2))x\r");
    terminal.expect("42x");
    assert!(!terminal.is_cooked());
    terminal.send("\x10\x11");
    assert_eq!(terminal.finish().0, 0);
    let mut terminal = Terminal::start(&env.command(["start", "-ai", "shell"]), 24, 80);
    terminal.send("exit 5\r");
    assert_eq!(terminal.finish().0, 5);
    onlooker.wait().code(5);
}

/// The program has nobody to wait for: its input ends at once.
#[test]
fn input_that_nobody_attaches_ends() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = ["sh", "-c", "cat; echo over"];
    env.run([&["create", "-i", "--name=c", "--network=none", BUSYBOX][..], &script].concat()).success();
    let spawned = |arguments: &[&str]| env.spawn(arguments).wait_for(Duration::from_secs(20));
    spawned(&["start", "-a", "c"]).success().prints("over\n");
    let run = ["run", "--rm", "-i", "-a", "stdout", "--network=none", BUSYBOX];
    spawned(&[&run[..], &script].concat()).success().prints("over\n");
    env.command(["start", "-ai", "c"]).stdin("typed\n").run().success().prints("typed\nover\n");
}
