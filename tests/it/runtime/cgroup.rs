//! A cgroup per container. The limits themselves are tried in the guest (`tests/guest`), which has the controllers.

use std::path::{Path, PathBuf};

use crate::harness::{BUSYBOX, Env, eventually, requires};

/// Directory that holds the container's processes, in the cgroup that this test started in.
fn leaf(env: &Env, id: &str) -> PathBuf {
    env.cgroup().unwrap().join(format!("sampan-{id}"))
}

fn processes(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn container_has_a_leaf_of_its_own() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    let id = env.run(["run", "-d", "--network=none", BUSYBOX, "sleep", "1000"]).trimmed();
    let leaf = leaf(&env, &id);
    let init = env.run(["inspect", "-f", "{{.State.Pid}}", &id]).trimmed();
    assert_eq!(processes(&leaf), [init]);
    env.run(["exec", &id, "tail", "-n", "1", "/proc/self/cgroup"]).success().prints("0::/\n");
    env.run(["exec", "-d", &id, "sleep", "1000"]).success();
    eventually("the exec is in the leaf", || processes(&leaf).len() == 2);
    env.run(["rm", "-f", "-t", "0", &id]).success();
    assert!(!leaf.exists());
}

#[test]
fn container_sees_its_leaf_as_the_root() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    let script = "sed -n s/^0::/0::/p /proc/self/cgroup; mount | grep -c 'type cgroup2 (ro'; echo 1 > /sys/fs/cgroup/cgroup.freeze";
    let out = env.run(["run", "--rm", "--network=none", BUSYBOX, "sh", "-c", script]);
    out.code(1).prints("0::/\n1\n").stderr_has("Read-only file system");
}

#[test]
fn limit_without_its_controller_is_refused_with_the_cure() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    let out = env.run(["run", "--rm", "--network=none", "--memory=64m", BUSYBOX, "true"]);
    out.code(125).stderr_has("\"memory\"").stderr_has("Delegate=cpu cpuset io memory pids");
}

#[test]
fn disabled_cgroups_make_no_leaf() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    let id = env.run(["run", "-d", "--network=none", "--cgroups=disabled", BUSYBOX, "sleep", "1000"]).trimmed();
    assert!(!leaf(&env, &id).exists());
    env.run(["rm", "-f", "-t", "0", &id]).success();
    env.run(["run", "--rm", "--network=none", "--cgroups=disabled", "--pids-limit=5", BUSYBOX, "true"]).code(125);
}

#[test]
fn c15_parent_and_raw_files_stay_below() {
    requires!(userns, cgroup);
    let env = Env::with_busybox();
    for flag in [
        "--cgroup-parent=../..",
        "--cgroup-parent=a/../../..",
        "--cgroup-conf=../cgroup.procs=1",
        "--cgroup-conf=cgroup.procs=1",
        "--cgroup-conf=a/memory.max=1",
    ] {
        let out = env.run(["run", "--rm", "--network=none", flag, BUSYBOX, "true"]);
        assert_eq!(out.exit_code(), Some(125), "{flag}: {out:?}");
    }
    assert!(env.cgroup().unwrap().parent().unwrap().join("cgroup.procs").exists());
}
