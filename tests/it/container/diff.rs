//! `diff`.

use std::time::Duration;

use crate::harness::{BUSYBOX, Env, requires};

/// A container makes as much of it as it likes.
#[test]
fn many_long_names_do_not_hang_it() {
    requires!(userns);
    let env = Env::with_busybox();
    // 20,000 paths of 3.6 kB: 72 MB.
    let script = "d=$(printf %0250d 0); i=0; while [ $i -lt 14 ]; do mkdir $d; cd $d; i=$((i+1)); done
        i=0; while [ $i -lt 20000 ]; do : >$i; i=$((i+1)); done";
    let patiently = |words: &[&str]| env.command(words).deadline(Duration::from_mins(5)).run();
    patiently(&["run", "--name=c", "--network=none", BUSYBOX, "sh", "-c", script]).success();
    let out = patiently(&["diff", "c"]);
    assert!(out.success().stdout().lines().count() >= 20_014);
    env.run(["rm", "c"]).success();
}
