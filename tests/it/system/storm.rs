//! Many at once; the harness checks that nothing is left.

use std::time::Duration;

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, eventually, requires};

const LIMIT: Duration = Duration::from_mins(2);

#[test]
fn sixty_four_runs_at_once() {
    requires!(userns);
    let env = Env::with_busybox();
    let words = ["run", "--rm", "--network=none", "-v", "/anon", BUSYBOX, "echo", "ok"];
    let running: Vec<_> = (0..64).map(|_| env.spawn(words)).collect();
    for one in running {
        one.wait_for(LIMIT).success().prints("ok\n");
    }
    env.run(["ps", "-aq"]).prints("");
    env.run(["volume", "ls", "-q"]).prints("");
}

/// How many run side by side: 200, or what `SAMPAN_TEST_MANY` says where the machine is small.
fn many() -> usize {
    std::env::var("SAMPAN_TEST_MANY").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

#[test]
fn two_hundred_side_by_side() {
    requires!(userns);
    let env = Env::with_busybox();
    let words = ["run", "-d", "--network=none", BUSYBOX, "sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"];
    let mut ids: Vec<String> = Vec::new();
    while ids.len() < many() {
        // As many at once as a machine with two processors has use for.
        let starting: Vec<_> = (0..8.min(many() - ids.len())).map(|_| env.spawn(words)).collect();
        ids.extend(starting.into_iter().map(|one| one.wait_for(LIMIT).success().trimmed()));
    }
    assert_eq!(env.run(["ps", "-q"]).success().stdout().lines().count(), many());
    for id in [&ids[0], &ids[ids.len() - 1]] {
        env.run(["exec", id, "true"]).success();
    }
    env.command(["stop", "-a"]).deadline(LIMIT).run().success();
    env.run(["ps", "-q"]).prints("");
    eventually("nothing runs", || env.processes().iter().all(|process| process.state == 'Z'));
    env.command(["rm", "-a"]).deadline(LIMIT).run().success();
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn deadlines_run_side_by_side() {
    requires!(userns);
    let env = Env::with_busybox();
    // Deaf to every stop signal.
    let words = ["run", "-d", "--network=none", BUSYBOX, "sh", "-c", "trap '' TERM; echo deaf; exec sleep 600"];
    let start = || {
        let ids: Vec<String> = (0..8).map(|_| env.run(words).success().trimmed()).collect();
        for id in &ids {
            eventually("it is deaf", || env.run(["logs", id]).stdout().contains("deaf"));
        }
    };
    for command in [&["stop", "-a", "-t3"][..], &["restart", "-a", "-t3"], &["rm", "-a", "-f", "-t3"]] {
        if command[0] == "stop" {
            start();
        } else if command[0] == "restart" {
            env.run(["start", "--all"]).success();
        }
        let begun = std::time::Instant::now();
        env.run(command).success();
        let took = begun.elapsed();
        assert!(took >= Duration::from_secs(3) || command[0] != "stop", "{command:?} took {took:?}");
        assert!(took < Duration::from_secs(24), "{command:?}: one after another: {took:?}");
    }
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn one_that_cannot_be_stopped_is_no_reason_for_the_others() {
    requires!(userns);
    let env = Env::with_busybox();
    for name in ["a", "b"] {
        env.run(["run", "-d", "--name", name, "--network=none", BUSYBOX, "sleep", "600"]).success();
    }
    let stopped = env.run(["stop", "-t0", "a", "nobody", "b"]);
    stopped.code(125).stdout_has("a\nb\n").stderr_has("nobody");
    env.run(["restart", "-t0", "nobody", "a"]).code(125).stdout_has("a\n");
    env.run(["rm", "-f", "-t0", "a", "b"]).prints("a\nb\n");
}
