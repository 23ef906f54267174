//! Many at once; the harness checks that nothing is left.

use std::time::Duration;

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

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

#[test]
fn fifty_side_by_side() {
    requires!(userns);
    let env = Env::with_busybox();
    let words = ["run", "-d", "--network=none", BUSYBOX, "sleep", "600"];
    let starting: Vec<_> = (0..50).map(|_| env.spawn(words)).collect();
    let ids: Vec<String> = starting.into_iter().map(|one| one.wait_for(LIMIT).success().trimmed()).collect();
    assert_eq!(env.run(["ps", "-q"]).success().stdout().lines().count(), 50);
    for id in [&ids[0], &ids[49]] {
        env.run(["exec", id, "true"]).success();
    }
    env.command(["rm", "-f", "-t0", "-a"]).deadline(LIMIT).run().success();
    env.run(["ps", "-aq"]).prints("");
}
