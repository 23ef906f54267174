//! From `create` to `rm`: stop, start, wait, restart policies, ports, signals.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::env::program;
use crate::harness::image::BUSYBOX;
use crate::harness::{Env, eventually, requires};

const LOOP: &str = "trap 'exit 7' TERM; trap 'exit 8' USR1; trap 'exit 9' INT; echo up; while :; do sleep 0.05; done";

fn start(env: &Env, name: &str, flags: &[&str]) {
    let name_flag = format!("--name={name}");
    let words = ["run", "-d", "--network=none", &name_flag];
    env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", LOOP])).success();
    eventually("its traps are set", || env.run(["logs", name]).stdout().contains("up"));
}

#[test]
fn stop_and_wait() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "term", &[]);
    let waiting = env.spawn(["wait", "term"]);
    env.run(["stop", "term"]).prints("term\n");
    waiting.wait().prints("7\n");
    env.run(["stop", "term"]).success();
    env.run(["wait", "term"]).prints("7\n");
    start(&env, "usr", &["--stop-signal=USR1"]);
    env.run(["stop", "usr"]).success();
    env.run(["wait", "usr"]).prints("8\n");
    env.run(["run", "-d", "--network=none", "--name=deaf", "--stop-timeout=1", BUSYBOX, "sleep", "600"]).success();
    let begun = Instant::now();
    env.run(["stop", "deaf"]).success();
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    env.run(["wait", "deaf"]).prints("137\n");
    start(&env, "kill", &[]);
    env.run(["kill", "--signal=USR1", "kill"]).success();
    env.run(["wait", "kill"]).prints("8\n");
    env.run(["kill", "kill"]).code(125).stderr_has("kill");
    env.run(["ps", "-a", "--filter", "name=usr", "--format", "{{.Status}}"]).stdout_has("Exited (8)");
}

#[test]
fn start_again() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "echo run >>/count; wc -l </count; exit 5";
    env.run(["create", "--name=c", "--network=none", BUSYBOX, "sh", "-c", script]).success();
    env.run(["ps", "-a", "--format", "{{.Status}}"]).prints("Created\n");
    env.run(["start", "-a", "c"]).code(5).prints("1\n");
    env.run(["start", "-a", "c"]).code(5).prints("2\n");
    env.run(["restart", "c"]).success();
    env.run(["wait", "c"]).prints("5\n");
    env.run(["start", "-a", "c"]).code(5).prints("4\n");
    env.run(["start", "nope"]).code(125).stderr_has("no such container");
}

#[test]
fn restart_policies() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = |name: &str, policy: &str, script: &str| {
        env.run([
            "run",
            &format!("--name={name}"),
            &format!("--restart={policy}"),
            "--network=none",
            BUSYBOX,
            "sh",
            "-c",
            script,
        ])
    };
    run("fails", "on-failure:2", "echo x; exit 1").code(1).prints("x\nx\nx\n");
    let told = || env.run(["inspect", "fails", "--format", "{{.RestartCount}} {{.State.ExitCode}}"]);
    told().prints("2 1\n");
    // A logout takes what is volatile away.
    std::fs::remove_dir_all(env.runroot()).unwrap();
    told().prints("2 1\n");
    run("well", "on-failure:2", "echo x").code(0).prints("x\n");
    let script = "echo x >>/n; [ $(wc -l </n) -lt 3 ] || exec sleep 600";
    env.run(["run", "-d", "--name=twice", "--restart=always", "--network=none", BUSYBOX, "sh", "-c", script]).success();
    eventually("it comes back", || env.run(["inspect", "twice", "--format", "{{.RestartCount}}"]).trimmed() != "0");
    env.run(["stop", "-t0", "twice"]).success();
    env.run(["ps", "-q"]).prints("");
}

/// As with Podman: the end of a run is an end, though the policy starts the container again.
#[test]
fn each_run_of_a_policy_is_waited_for() {
    requires!(userns);
    let env = Env::with_busybox();
    let waited = |words: &[&str], printed: &str| {
        env.spawn(["wait"].iter().chain(words)).wait_for(Duration::from_mins(1)).success().prints(printed);
    };
    for policy in ["always", "on-failure"] {
        let flag = format!("--restart={policy}");
        env.run(["run", "-d", "--name", policy, &flag, "--network=none", BUSYBOX, "false"]).success();
        waited(&[policy], "1\n");
        waited(&["--condition=stopped", policy], "1\n");
        waited(&["--condition=exited", policy], "1\n");
        env.run(["rm", "-f", "-t0", policy]).success();
    }
    // The end for good is that of its monitor, too.
    env.run(["run", "-d", "--name=well", "--restart=on-failure", "--network=none", BUSYBOX, "true"]).success();
    waited(&["well"], "0\n");
    env.run(["start", "-a", "well"]).success();
    // The code is that of the run that goes on.
    env.write("d/stay", "");
    let volume = format!("{}:/d", env.path("d").display());
    let script = "echo x >>/n; n=$(wc -l </n); until [ -e /d/go$n ]; do sleep 0.05; done; exit $n";
    let run = ["run", "-d", "--name=c", "--restart=always", "--network=none", "-v", &volume];
    env.run(run.iter().chain(&[BUSYBOX, "sh", "-c", script])).success();
    let runs = |restarts: u32| {
        let state = || env.run(["inspect", "-f", "{{.RestartCount}} {{.State.Running}}", "c"]).trimmed();
        eventually("it runs", || state() == format!("{restarts} true"));
    };
    for code in 1..4 {
        runs(code - 1);
        let waiting = env.spawn(["wait", "c"]);
        let open = format!("/proc/{}/fd", waiting.pid());
        let is_pidfd = |file: std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|link| link.to_string_lossy().contains("pidfd"))
        };
        eventually("it waits", || std::fs::read_dir(&open).into_iter().flatten().flatten().any(is_pidfd));
        env.write(&format!("d/go{code}"), "");
        waiting.wait_for(Duration::from_mins(1)).success().prints(&format!("{code}\n"));
    }
    runs(3);
    env.run(["stop", "-t0", "c"]).success();
    waited(&["c"], "137\n");
}

#[test]
fn what_a_timeout_kills_is_started_again() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = ["run", "-d", "--name=c", "--restart=always", "--timeout=1", "--network=none", BUSYBOX, "sleep", "600"];
    env.run(run).success();
    eventually("it comes back", || env.run(["inspect", "c", "--format", "{{.RestartCount}}"]).trimmed() != "0");
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// With one root, which keeps what it wrote; it goes when it has ended well.
#[test]
fn rm_goes_with_restarts() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "echo x | tee -a /n; [ $(wc -l </n) = 3 ]";
    let run =
        |more: &[&str]| env.run([&["run", "--rm", "--network=none"], more, &[BUSYBOX, "sh", "-c", script]].concat());
    run(&["--restart=on-failure"]).success().prints("x\nx\nx\n");
    run(&["--restart=on-failure:1"]).code(1).prints("x\nx\n");
    run(&["--restart=always"]).code(125).stderr_has("--restart");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn rm_names_a_monitor_that_does_not_end() {
    requires!(userns);
    let env = Env::with_busybox();
    start(&env, "c", &[]);
    let monitor = env.processes().into_iter().find(|process| process.is_monitor()).unwrap();
    let signal = |signal| nix::sys::signal::kill(nix::unistd::Pid::from_raw(monitor.pid), signal).unwrap();
    signal(Signal::SIGSTOP);
    let cure = format!("kill -KILL {}", monitor.pid);
    env.run(["rm", "-f", "-t0", "c"]).code(125).stderr_has("does not run, but its monitor").stderr_has(&cure);
    signal(Signal::SIGCONT);
    env.run(["rm", "-f", "c"]).success();
}

/// An error while a monitor looks whether a restart is still wanted is no stop.
#[test]
fn a_restart_survives_what_cannot_be_read_for_a_moment() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("shared/n", "");
    let volume = format!("{}:/d", env.path("shared").display());
    let script = "echo x >>/d/n; exit 1";
    let run = ["run", "-d", "--restart=always", "--network=none", "-v", &volume, BUSYBOX, "sh", "-c", script];
    let id = env.run(run).success().trimmed();
    let runs = || std::fs::read_to_string(env.path("shared/n")).unwrap().lines().count();
    // The pause grows: 100, 200, 400, now 800 ms.
    eventually("it has been restarted", || runs() >= 4);
    std::thread::sleep(Duration::from_millis(150));
    let epochs = std::fs::read_dir(env.runroot()).unwrap().flatten();
    let state = epochs.map(|epoch| epoch.path().join("ctr").join(&id).join("state.json")).find(|path| path.exists());
    let set_mode = |mode| std::fs::set_permissions(state.as_ref().unwrap(), PermissionsExt::from_mode(mode)).unwrap();
    set_mode(0o000);
    std::thread::sleep(Duration::from_millis(200));
    set_mode(0o600);
    eventually("it is started again", || runs() >= 6);
    env.run(["rm", "-f", "-t0", &id]).success();
}

/// What it needs is gone when the policy starts it again: that end is the one that is shown.
#[test]
fn a_restart_that_fails_is_recorded() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("shared/stay", "");
    let dir = env.path("shared");
    let (volume, script) = (format!("{}:/d", dir.display()), "while [ -e /d/stay ]; do sleep 0.05; done; exit 7");
    let run =
        ["run", "-d", "--name=c", "--restart=always", "--network=none", "-v", &volume, BUSYBOX, "sh", "-c", script];
    env.run(run).success();
    std::fs::remove_dir_all(&dir).unwrap();
    let look = || env.run(["inspect", "c", "--format", "{{.State.ExitCode}} {{.RestartCount}} {{.State.Error}}"]);
    eventually("the end is shown", || look().stdout().starts_with("-1 "));
    let shown = look().stdout();
    assert!(!shown.starts_with("-1 0") && shown.contains("shared"), "{shown}");
    env.run(["wait", "c"]).prints("-1\n");
    env.run(["system", "check"]).success();
}

/// The user's file cannot be written: nothing has been started, and nothing is forgotten.
#[test]
fn a_pidfile_that_cannot_be_written_changes_nothing() {
    requires!(userns);
    let env = Env::with_busybox();
    let flag = format!("--pidfile={}", env.path("pids/c").display());
    let status = || env.run(["ps", "-a", "--format", "{{.Status}}"]).success().stdout();
    env.run(["create", "--name=c", &flag, "--network=none", BUSYBOX, "sh", "-c", "exit 7"]).success();
    env.run(["start", "c"]).code(125).stderr_has("pids/c");
    assert!(status().starts_with("Created"), "{}", status());
    env.write("pids/other", "");
    env.run(["start", "-a", "c"]).code(7);
    std::fs::remove_dir_all(env.path("pids")).unwrap();
    env.run(["start", "c"]).code(125).stderr_has("pids/c");
    assert!(status().starts_with("Exited (7)"), "{}", status());
    env.run(["system", "check"]).success();
}

#[test]
fn who_never_started_is_not_waited_for() {
    requires!(userns);
    let env = Env::with_busybox();
    for name in ["one", "two"] {
        env.run(["create", "--name", name, "--network=none", BUSYBOX, "false"]).success();
    }
    for condition in [None, Some("--condition=stopped"), Some("--condition=exited")] {
        let waiting = env.spawn(["wait", "one", "two"].into_iter().chain(condition));
        waiting.wait_for(Duration::from_secs(20)).success().prints("0\n0\n");
    }
    env.run(["start", "-a", "one"]).code(1);
    env.run(["wait", "one", "two"]).prints("1\n0\n");
}

#[test]
fn waits_for_a_removal() {
    requires!(userns);
    let env = Env::with_busybox();
    for condition in ["removing", "removed"] {
        env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
        // One that comes too late says the same.
        let waiting = env.spawn(["wait", "--ignore", &format!("--condition={condition}"), "c"]);
        env.run(["rm", "-f", "c"]).success();
        waiting.wait().success().prints("-1\n");
    }
}

/// A word that comes while the monitor starts it again, at whatever moment, is not forgotten.
#[test]
fn what_starts_again_and_again_is_stopped_and_removed() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = ["run", "-d", "--name=again", "--network=none", "--restart=always", BUSYBOX, "false"];
    for round in 0..8 {
        env.run(run).success();
        // The moments between its first and its second life.
        std::thread::sleep(Duration::from_millis(25 * round));
        if round % 2 == 0 {
            env.run(["rm", "-f", "-t0", "again"]).success();
            env.run(["container", "exists", "again"]).code(1);
        } else {
            env.run(["stop", "-t0", "again"]).success();
            env.run(["inspect", "again", "--format", "{{.State.Status}}"]).prints("exited\n");
            env.run(["rm", "again"]).success();
        }
    }
}

/// Between two lives it has ended: `rm` needs no force then, as in Podman; while it runs, it is refused at once.
#[test]
fn what_waits_for_its_next_life_is_removed_without_force() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=again", "--network=none", "--restart=always", BUSYBOX, "false"]).success();
    eventually("it is removed", || {
        let removed = env.run(["rm", "again"]).exit_code();
        assert!(matches!(removed, Some(0 | 2)), "{removed:?}");
        removed == Some(0)
    });
    env.run(["container", "exists", "again"]).code(1);
}

#[test]
fn signals_of_the_cli_reach_the_program() {
    requires!(userns);
    let env = Env::with_busybox();
    for (signal, code) in [(Signal::SIGTERM, 7), (Signal::SIGUSR1, 8), (Signal::SIGINT, 9)] {
        let running = env.spawn(["run", "--rm", "--network=none", BUSYBOX, "sh", "-c", LOOP]);
        eventually("it is up", || running.stdout().contains("up"));
        running.signal(signal);
        running.wait().code(code);
    }
}

#[test]
fn ports_are_published_and_in_use() {
    requires!(userns, pasta);
    let env = Env::with_busybox();
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
    let publish = format!("127.0.0.1:{port}:80");
    env.run([
        "run",
        "-d",
        "--name=web",
        "-p",
        &publish,
        BUSYBOX,
        "sh",
        "-c",
        "echo hi >/tmp/index.html; httpd -f -h /tmp -p 80",
    ])
    .success();
    env.run(["port", "web"]).prints(&format!("80/tcp -> 127.0.0.1:{port}\n"));
    env.run(["port", "web", "80"]).prints(&format!("127.0.0.1:{port}\n"));
    env.run(["port", "web", "81"]).code(125);
    let url = format!("http://127.0.0.1:{port}/");
    eventually("the page comes", || env.other("curl").args(["-s", &url]).run().stdout() == "hi\n");
    env.run(["run", "-d", "--name=two", "-p", &publish, BUSYBOX, "sleep", "600"])
        .code(125)
        .stderr_has("in use by container web")
        .stderr_has("Hint:");
    env.run(["rm", "-f", "-t0", "web"]).success();
    env.run(["start", "two"]).success();
}

#[test]
fn the_cidfile_goes_with_its_container() {
    requires!(userns);
    let env = Env::with_busybox();
    let file = env.path("cid");
    let flag = format!("--cidfile={}", file.display());
    env.run(["run", "--rm", &flag, "--network=none", BUSYBOX, "true"]).success();
    assert!(!file.exists());
    let run = ["run", "-d", "--rm", &flag, "--network=none", BUSYBOX, "sh", "-c", "read x </proc/self/stat; sleep 600"];
    env.run(run).success();
    env.run(["exec", "--cidfile", file.to_str().unwrap(), "true"]).success();
    env.run(["stop", "--timeout=0", "--cidfile", file.to_str().unwrap()]).success();
    eventually("the file is gone", || !file.exists());
    env.run(["run", "--rm", &flag, "--network=none", BUSYBOX, "/nope"]).code(127);
    assert!(!file.exists());
}

#[test]
fn a_cidfile_that_cannot_be_written_leaves_nothing() {
    requires!(userns);
    let env = Env::with_busybox();
    for verb in [&["create"][..], &["run", "--rm"]] {
        let flags = ["--cidfile=no/such/cid", "--network=none", "-v", "/data", BUSYBOX, "true"];
        env.run(verb.iter().chain(&flags)).code(125).stderr_has("no/such/cid");
        env.run(["volume", "ls", "-q"]).prints("");
        env.run(["ps", "-aq"]).prints("");
        env.run(["system", "check"]).success();
    }
}

/// The files of a start are not left behind where a `rm` was faster.
#[test]
fn a_start_beside_a_removal_leaves_nothing() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = env.run(["create", "--name=victim", "--network=none", BUSYBOX, "true"]).success().trimmed();
    let epoch = std::fs::read_dir(env.runroot()).unwrap().map(|entry| entry.unwrap().path());
    let epoch = epoch.into_iter().find(|path| path.join("locks").exists()).expect("an epoch");
    let lock = epoch.join("locks").join(format!("ctr-{id}"));
    let holder = env.other("flock").args(["--no-fork", lock.to_str().unwrap(), "sleep", "1000"]).spawn();
    eventually("the lock is held", || {
        !env.other("flock").args(["--nonblock", lock.to_str().unwrap(), "true"]).run().is_success()
    });
    let start = env.spawn(["start", "victim"]);
    let volatile = epoch.join("ctr").join(&id);
    let open = format!("/proc/{}/fd", start.pid());
    let is_lock = |fd: std::fs::DirEntry| std::fs::read_link(fd.path()).is_ok_and(|file| file == lock);
    eventually("it waits", || std::fs::read_dir(&open).into_iter().flatten().flatten().any(is_lock));
    // What `rm` does under that lock.
    std::fs::rename(env.graphroot().join("containers").join(&id), env.path("trash")).unwrap();
    std::fs::remove_file(env.graphroot().join("names/victim")).unwrap();
    holder.signal(Signal::SIGKILL);
    start.wait().code(125).stderr_has("no container");
    assert!(!volatile.exists());
    env.run(["system", "check"]).success();
}

#[test]
fn latest_of_none_is_an_error() {
    requires!(userns);
    let env = Env::with_busybox();
    for (verb, code) in [("rm", 1), ("stop", 125), ("wait", 125), ("port", 125), ("kill", 125), ("start", 125)] {
        env.run([verb, "--latest"]).code(code).stderr_has("there are no containers");
    }
    env.run(["rm", "--latest", "--ignore"]).success();
    env.run(["create", "--name=c", BUSYBOX, "true"]).success();
    env.run(["inspect", "--latest", "c"]).code(125);
    env.run(["inspect", "--latest"]).success();
    env.run(["start"]).code(125).stderr_has("name a container, or use --all, --latest or --filter\n");
    for verb in ["kill", "wait"] {
        env.run([verb]).code(125).stderr_has("name a container, or use --all, --latest or --cidfile\n");
    }
}

#[test]
fn an_attached_start_beside_the_end_has_the_code() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["create", "--name=c", "--network=none", BUSYBOX, "sh", "-c", "exit 5"]).success();
    // It may still run, be on its way out, or have ended: then it runs once more.
    for _ in 0..10 {
        env.run(["start", "c"]).success();
        env.run(["start", "--attach", "c"]).code(5);
    }
    env.run(["attach", "c"]).code(125).stderr_has("it is exited");
}

#[test]
fn a_start_after_a_kill_starts() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    for _ in 0..10 {
        env.run(["kill", "c"]).prints("c\n");
        env.run(["ps", "-a", "--format={{.State}}"]).prints("exited\n");
        env.run(["start", "c"]).prints("c\n");
        env.run(["exec", "c", "true"]).success();
    }
    env.run(["kill", "c"]).success();
    env.run(["rm", "c"]).prints("c\n");
}

/// A umask for files that nobody shall read, the owner neither.
#[test]
fn any_umask_will_do() {
    requires!(userns);
    let env = Env::with_busybox();
    let (program, root, runroot) = (program(), env.graphroot(), env.runroot());
    for umask in ["0777", "0177"] {
        let command = format!(
            "umask {umask}; exec {} --root {} --runroot {} run --rm --network=none {BUSYBOX} true",
            program.display(),
            root.display(),
            runroot.display()
        );
        env.other("sh").args(["-c", &command]).run().success();
    }
    env.run(["image", "prune", "-f"]).success();
    env.run(["system", "check"]).success();
}

/// Nobody else removes what is of `--rm`.
#[test]
fn a_lost_container_of_rm_is_pruned() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.lose("lost");
    env.run(["container", "prune", "-f"]).success();
    env.run(["ps", "-aq"]).prints("");
}

/// Where somebody wants to start it, it is gone, as it would be with its monitor alive.
#[test]
fn a_lost_container_of_rm_is_not_started() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.lose("lost");
    env.run(["start", "lost"]).code(125).stderr_has("no container");
    env.run(["ps", "-aq"]).prints("");
}

/// As `trap 'sampan rm -f' EXIT` in a job that is cancelled early: the word reaches a start at any point of it.
#[test]
fn a_removal_by_force_ends_a_start() {
    requires!(userns);
    let env = Env::with_busybox();
    let name = env.graphroot().join("names/early");
    for delay in 0..32 {
        let start = env.spawn(["run", "-d", "--name=early", "--network=none", BUSYBOX, "sleep", "600"]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !name.exists() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(delay / 2));
        env.run(["rm", "-f", "-t0", "early"]).success();
        let started = start.wait();
        // Removed before it was there, or before it ran.
        env.run(["rm", "-f", "-t0", "early"]).success();
        if !started.is_success() {
            started.code(125);
        }
    }
    env.run(["ps", "-aq"]).prints("");
}

/// Of one that has run before, the state is the earlier run's until its new monitor writes its own.
#[test]
fn a_removal_by_force_ends_a_second_start() {
    requires!(userns);
    let env = Env::with_busybox();
    for delay in 0..24 {
        env.run(["run", "--name=again", "--network=none", BUSYBOX, "true"]).success();
        // What the user stopped once may be started again, and stopped again.
        env.run(["stop", "again"]).success();
        let start = env.spawn(["start", "again"]);
        std::thread::sleep(Duration::from_micros(delay * 500));
        env.run(["rm", "-f", "-t0", "again"]).success();
        let started = start.wait();
        if !started.is_success() {
            started.code(125);
        }
        assert_eq!(env.run(["ps", "-aq"]).trimmed(), "");
    }
}

/// What is told to a container that somebody starts waits until it runs.
#[test]
fn exec_and_kill_wait_for_a_start() {
    requires!(userns);
    let env = Env::with_busybox();
    for words in [&["exec", "early", "true"][..], &["kill", "early"]] {
        env.run(["create", "--name=early", "--network=none", BUSYBOX, "sleep", "600"]).success();
        let start = env.spawn(["start", "early"]);
        eventually("it is begun", || {
            env.graphroot()
                .join("containers")
                .read_dir()
                .unwrap()
                .all(|dir| dir.unwrap().path().join("monitor.lock").exists())
        });
        env.run(words).success();
        start.wait().success();
        env.run(["rm", "-f", "-t0", "early"]).success();
    }
}

#[test]
fn a_container_that_stops_is_not_called_started() {
    requires!(userns);
    let env = Env::with_busybox();
    let script =
        "trap 'while [ ! -e /d/go ]; do sleep 0.05; done; exit 0' TERM; touch /d/up; while :; do sleep 0.05; done";
    env.write("shared/stay", "");
    let volume = format!("{}:/d", env.path("shared").display());
    env.run(["run", "-d", "--name=slow", "--network=none", "-v", &volume, BUSYBOX, "sh", "-c", script]).success();
    eventually("it listens", || env.path("shared/up").exists());
    let stop = env.spawn(["stop", "-t60", "slow"]);
    eventually("it stops", || env.run(["inspect", "-f", "{{.State.Status}}", "slow"]).trimmed() == "stopping");
    env.run(["start", "slow"]).code(125).stderr_has("it is stopping");
    env.write("shared/go", "");
    stop.wait().success();
    env.run(["rm", "slow"]).success();
}
