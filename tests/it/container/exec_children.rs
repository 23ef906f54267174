//! Programs of `exec` and of health checks that leave children behind, with their output open (CVE-2026-53495 of containerd).

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, eventually, requires};

/// Ends at once, and its child holds its standard output.
const LEAVES: &str = "sleep 600 & echo left";

/// Processes of ours: monitors, and who looks after an exec.
fn ours(env: &Env) -> usize {
    let name = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let all = env.processes().into_iter().filter(|process| process.state != 'Z');
    all.filter(|process| name(process.pid).starts_with("sampan")).count()
}

#[test]
fn what_a_program_leaves_behind_keeps_nobody() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    eventually("the command is gone", || ours(&env) <= 2);
    let before = ours(&env);
    for _ in 0..3 {
        env.run(["exec", "c", "sh", "-c", LEAVES]).success().prints("left\n");
        env.run(["exec", "-t", "c", "sh", "-c", LEAVES]).success().prints("left\r\n");
        env.run(["exec", "-d", "c", "sh", "-c", LEAVES]).success();
    }
    eventually("nobody waits for a child of an exec", || ours(&env) == before);
    let check = format!("--health-cmd={LEAVES}");
    env.run(["run", "-d", "--name=h", "--network=none", &check, "--health-interval=100ms", BUSYBOX, "sleep", "600"])
        .success();
    let checks = || env.run(["inspect", "h"]).json()[0]["State"]["Health"]["Log"].as_array().map_or(0, Vec::len);
    eventually("it was checked often", || checks() == 5);
    env.run(["inspect", "h", "--format", "{{.State.Health.Status}}"]).prints("healthy\n");
    // Its monitor, and one check at a time.
    eventually("nobody waits for a child of a check", || ours(&env) <= before + 2);
    env.run(["rm", "-a", "-f", "-t0"]).success();
}
