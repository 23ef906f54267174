//! Health checks: by the monitor, and by hand.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::image::{BUSYBOX, ImageBuilder};
use crate::harness::{Env, eventually, requires};

/// Healthy as long as there is `/well`.
const CHECK: &str = "--health-cmd=cat /well";
const QUICK: &str = "--health-interval=100ms";

#[track_caller]
fn run(env: &Env, name: &str, flags: &[&str]) {
    let name = format!("--name={name}");
    let words = ["run", "-d", "--network=none", "--stop-timeout=1", &name];
    env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sleep", "600"])).success();
}

fn inspect(env: &Env, name: &str, field: &str) -> String {
    env.run(["inspect", "--format", &format!("{{{{{field}}}}}"), name]).trimmed()
}

fn status(env: &Env, name: &str) -> String {
    inspect(env, name, ".State.Health.Status")
}

#[test]
fn the_monitor_checks_and_everybody_hears_of_it() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, "c", &[CHECK, QUICK, "--health-retries=2"]);
    env.run(["wait", "--condition=unhealthy", "c"]).success();
    env.run(["ps", "--format={{.Status}}"]).stdout_has("(unhealthy)");
    env.run(["ps", "-q", "--filter=health=healthy"]).prints("");
    assert!(inspect(&env, "c", ".State.Health.FailingStreak").parse::<u32>().unwrap() >= 2);
    let log = &env.run(["inspect", "c"]).json()[0]["State"]["Health"]["Log"];
    assert_eq!(log[0]["ExitCode"], 1);
    assert!(log[0]["Output"].as_str().unwrap().contains("/well"), "{log}");
    env.run(["exec", "c", "touch", "/well"]).success();
    env.run(["wait", "--condition=healthy", "c"]).success();
    env.run(["ps", "--filter=health=healthy", "--format={{.Names}} {{.Status}}"]).stdout_has("(healthy)");
    assert_eq!(inspect(&env, "c", ".State.Health.FailingStreak"), "0");
    assert_eq!(inspect(&env, "c", ".State.Healthcheck.FailingStreak"), "0");
    eventually("only the last five are kept", || {
        env.run(["inspect", "c"]).json()[0]["State"]["Health"]["Log"].as_array().unwrap().len() == 5
    });
    // A new run begins anew.
    env.run(["restart", "c"]).success();
    env.run(["wait", "--condition=healthy", "c"]).success();
    env.run(["stop", "c"]).success();
    env.run(["ps", "-a", "--format={{.Status}}"]).stdout_has("Exited (137)");
    env.run(["healthcheck", "run", "c"]).code(125).stderr_has("exited");
}

#[test]
fn a_check_by_hand() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, "c", &[CHECK, "--health-interval=disable", "--health-retries=2", "--user=1:1"]);
    assert_eq!(status(&env, "c"), "starting");
    env.run(["ps", "--format={{.Status}}"]).stdout_has("(starting)");
    env.run(["healthcheck", "run", "c"]).code(1).prints("unhealthy\n");
    assert_eq!(status(&env, "c"), "starting");
    env.run(["healthcheck", "run", "c"]).code(1);
    assert_eq!(status(&env, "c"), "unhealthy");
    env.run(["exec", "--user=0", "c", "touch", "/well"]).success();
    env.run(["healthcheck", "run", "c"]).success().prints("");
    assert_eq!(status(&env, "c"), "healthy");
    assert_eq!(inspect(&env, "c", ".Config.Healthcheck.Test"), "[CMD-SHELL cat /well]");
    assert_eq!(inspect(&env, "c", "len .State.Health.Log"), "3");
    // As the container's user, and its output is cut.
    run(&env, "loud", &["--health-cmd=id -u; yes", "--health-interval=disable", "--health-timeout=1s", "--user=1:1"]);
    env.run(["healthcheck", "run", "loud"]).code(1);
    let check = env.run(["inspect", "loud"]).json()[0]["State"]["Health"]["Log"][0].clone();
    let output = check["Output"].as_str().unwrap();
    assert_eq!((check["ExitCode"].as_i64(), output.chars().count()), (Some(-1), 500));
    assert!(output.contains("took longer than 1s\n1\ny\ny\n"), "{output}");
    run(&env, "none", &[]);
    env.run(["healthcheck", "run", "none"]).code(125).stderr_has("has no health check").stderr_has("--health-cmd");
    assert_eq!(status(&env, "none"), "");
    // What is not there fails like a program that says no.
    run(&env, "lost", &[r#"--health-cmd=["/lost", "word"]"#, "--health-interval=disable"]);
    env.run(["healthcheck", "run", "lost"]).code(1);
    assert_eq!(env.run(["inspect", "lost"]).json()[0]["State"]["Health"]["Log"][0]["ExitCode"], 127);
}

#[test]
fn failures_of_the_start_period_do_not_count() {
    requires!(userns);
    let env = Env::with_busybox();
    let flags = ["--health-interval=disable", "--health-retries=1", "--health-start-period=1h", CHECK];
    run(&env, "c", &flags);
    env.run(["healthcheck", "run", "c"]).code(1);
    assert_eq!((status(&env, "c"), inspect(&env, "c", ".State.Health.FailingStreak")), ("starting".into(), "0".into()));
    env.run(["exec", "c", "touch", "/well"]).success();
    env.run(["healthcheck", "run", "c"]).success();
    assert_eq!(status(&env, "c"), "healthy");
}

#[test]
fn a_check_that_hangs_is_killed_with_its_children() {
    requires!(userns);
    let env = Env::with_busybox();
    let check = "--health-cmd=sleep 3333 & echo begun; sleep 3333";
    run(&env, "c", &[check, "--health-timeout=300ms", "--health-interval=1h", "--health-retries=1"]);
    env.run(["wait", "--condition=unhealthy", "c"]).success();
    eventually("both are gone", || !env.run(["exec", "c", "ps"]).success().stdout().contains("3333"));
    // One that is at work does not hold up a stop, and says nothing of it.
    let check = ["--health-cmd=touch /begun; sleep 3333", "--health-timeout=1h", QUICK];
    run(&env, "busy", &check);
    eventually("the check is at work", || env.run(["exec", "busy", "test", "-e", "/begun"]).is_success());
    let begun = Instant::now();
    env.run(["kill", "busy"]).success();
    env.run(["wait", "busy"]).prints("137\n");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(inspect(&env, "busy", "len .State.Health.Log"), "0");
}

#[test]
fn nothing_is_checked_while_paused() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    run(&env, "c", &["--health-cmd=echo x >>/count", QUICK]);
    run(&env, "clock", &["--health-cmd=true", QUICK]);
    for name in ["c", "clock"] {
        env.run(["wait", "--condition=healthy", name]).success();
    }
    env.run(["pause", "c"]).success();
    // One that was at work is not recorded any more. The other container tells how many might have been.
    let log = |name: &str| inspect(&env, name, "json .State.Health.Log");
    let before = log("c");
    for _ in 0..3 {
        let ticked = log("clock");
        eventually("another interval is over", || log("clock") != ticked);
        assert_eq!(log("c"), before);
    }
    assert_eq!(status(&env, "c"), "healthy");
    env.run(["unpause", "c"]).success();
    eventually("it goes on", || inspect(&env, "c", "json .State.Health.Log") != before);
    assert_eq!(status(&env, "c"), "healthy");
}

#[test]
fn what_happens_to_the_unhealthy() {
    requires!(userns);
    let env = Env::with_busybox();
    let start = |name: &str, action: &str| {
        run(&env, name, &[CHECK, QUICK, "--health-retries=1", &format!("--health-on-failure={action}")]);
    };
    start("killed", "kill");
    env.run(["wait", "killed"]).prints("137\n");
    start("stopped", "stop");
    env.run(["wait", "stopped"]).prints("137\n");
    assert_eq!(inspect(&env, "stopped", ".State.StoppedByUser"), "true");
    // While it has the time to end.
    let patient = ["--health-retries=1", "--health-on-failure=stop", "--stop-timeout=600"];
    run(&env, "stopping", &[&[CHECK, QUICK][..], &patient].concat());
    eventually("it is told to end", || inspect(&env, "stopping", ".State.Status") == "stopping");
    env.run(["kill", "stopping"]).success();
    env.run(["wait", "stopping"]).prints("137\n");
    start("again", "restart");
    eventually("it is started again", || inspect(&env, "again", ".RestartCount") != "0");
    // In whichever of its runs.
    eventually("it gets well", || env.run(["exec", "again", "touch", "/well"]).is_success());
    env.run(["wait", "--condition=healthy", "again"]).success();
    assert_eq!(inspect(&env, "again", ".Config.HealthcheckOnFailureAction"), "restart");
    // By hand, too.
    let flags = [CHECK, "--health-interval=disable", "--health-retries=1", "--health-on-failure=kill"];
    run(&env, "hand", &flags);
    env.run(["healthcheck", "run", "hand"]).code(1);
    env.run(["wait", "hand"]).prints("137\n");
}

#[test]
fn the_check_of_an_image() {
    requires!(userns);
    let env = Env::new();
    let check = json!({"Test": ["CMD", "/bin/busybox", "true"], "Interval": 100_000_000, "Retries": 4});
    let archive = env.path("image.tar");
    ImageBuilder::busybox().config("Healthcheck", check).docker_archive(&archive, "localhost/checked:1");
    env.run(["load", "-i", archive.to_str().unwrap()]).success();
    let run = |name: &str, flags: &[&str]| {
        let name = format!("--name={name}");
        let words = ["run", "-d", "--network=none", &name];
        env.run(words.iter().chain(flags).chain(&["localhost/checked:1", "/bin/busybox", "sleep", "600"])).success();
    };
    run("c", &[]);
    env.run(["wait", "--condition=healthy", "c"]).success();
    let shown = "{{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Retries}} {{.Config.Healthcheck.Timeout}}";
    // An image has no say below a second.
    env.run(["inspect", "--format", shown, "c"]).prints("1000000000 4 30000000000\n");
    run("own", &["--health-cmd=exit 3", "--health-retries=1"]);
    env.run(["wait", "--condition=unhealthy", "own"]).success();
    for (name, flag) in [("without", "--no-healthcheck"), ("none", "--health-cmd=none")] {
        run(name, &[flag]);
        env.run(["healthcheck", "run", name]).code(125).stderr_has("has no health check");
        assert!(env.run(["inspect", name]).json()[0]["Config"]["Healthcheck"].is_null());
    }
}

#[test]
fn flags_that_cannot_be() {
    requires!(userns);
    let env = Env::with_busybox();
    for (flags, words) in [
        (vec!["--health-interval=5"], "--health-interval"),
        (vec![CHECK, "--health-timeout=0"], "--health-timeout"),
        (vec![CHECK, "--health-retries=0"], "--health-retries"),
        (vec![CHECK, "--health-on-failure=cry"], "none, kill, restart or stop"),
        (vec![CHECK, "--health-on-failure=restart", "--restart=always"], "exclude each other"),
        (vec![CHECK, "--no-healthcheck"], "exclude each other"),
        (vec!["--health-cmd= "], "names no command"),
        (vec!["--health-retries=5"], "Hint: give one with --health-cmd"),
        (vec!["--health-on-failure=kill"], "Hint: give one with --health-cmd"),
    ] {
        let command = ["create", "--network=none"];
        env.run(command.iter().chain(&flags).chain(&[BUSYBOX, "true"])).code(125).stderr_has(words);
    }
    env.run(["ps", "-aq"]).prints("");
}
