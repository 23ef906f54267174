//! Kernels without what is newer than they (`docs/kernel-features.md`): each feature taken away in turn, everything
//! works all the same, or the refusal is one line that names the kernel.

use crate::harness::image::busybox_tar;
use crate::harness::{BUSYBOX, Env, Output, requires};

/// What people do most, once each. Dropping the `Env` removes the container and checks the store.
fn works_without(calls: &[&str]) {
    requires!(userns);
    let mut env = Env::new();
    env.without_calls(calls);
    let tar = busybox_tar().to_str().unwrap().to_owned();
    env.run(["import", &tar, BUSYBOX]).success();
    let run = |words: &[&str]| env.run(["run", "--rm", "--network=none"].iter().chain(words));
    run(&[BUSYBOX, "echo", "hi"]).success().prints("hi\n");
    env.write("bound/file", "bound\n");
    let bind = format!("{}:/b:ro", env.path("bound").display());
    let script = "cat /b/file; id -u; echo x >/v/x; echo y 2>/dev/null >/b/y || echo ro; pwd";
    run(&["-v", &bind, "-v", "v:/v", "-w", "/tmp", "--hostname=h", BUSYBOX, "sh", "-c", script])
        .success()
        .prints("bound\n0\nro\n/tmp\n");
    run(&["--read-only", "--user=1000", "--init", BUSYBOX, "sh", "-c", "exit 7"]).code(7);
    run(&[BUSYBOX, "/no/such"]).code(127);
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["exec", "c", "cat", "/etc/os-release"]).success().prints("NAME=busybox\nID=busybox\n");
    env.run(["cp", "c:/etc/os-release", "copied"]).success();
    env.run(["ps", "-q"]).success();
    env.run(["stop", "-t", "0", "c"]).success();
    env.run(["start", "c"]).success();
    env.run(["logs", "c"]).success();
    env.run(["rm", "-f", "-t", "0", "c"]).success();
    env.run(["volume", "rm", "v"]).success();
    env.run(["system", "check"]).success();
}

/// One line, with the version that has it.
#[track_caller]
fn refused_without(calls: &[&str], version: &str) {
    requires!(userns);
    let mut env = Env::new();
    let tar = busybox_tar().to_str().unwrap().to_owned();
    env.without_calls(&["io_uring_setup"]);
    env.run(["import", &tar, BUSYBOX]).success();
    env.without_calls(calls);
    let out: Output = env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]);
    out.code(125).stderr_has(version);
    let lines = out.stderr().lines().filter(|line| line.starts_with("Error: ")).count();
    assert_eq!(lines, 1, "{out:?}");
    env.run(["ps", "-aq"]).success().prints("");
    env.without_calls(&["io_uring_setup"]);
    env.run(["system", "check"]).success();
}

macro_rules! works {
    ($($test:ident: $calls:expr,)*) => {
        $(#[test]
        fn $test() {
            works_without(&$calls);
        })*
    };
}

works! {
    without_openat2: ["openat2"],
    without_close_range: ["close_range"],
    without_statx: ["statx"],
    without_faccessat2_and_fchmodat2: ["faccessat2", "fchmodat2"],
    without_landlock: ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
    without_copy_file_range: ["copy_file_range"],
    without_memfd_create: ["memfd_create"],
    without_epoll_pwait2: ["epoll_pwait2"],
    without_pidfd_getfd: ["pidfd_getfd"],
    without_execveat: ["execveat"],
    without_inotify: ["inotify_init1"],
    without_what_no_code_needs: ["io_uring_setup", "io_uring_enter", "membarrier", "rseq", "name_to_handle_at", "process_madvise"],
    without_calls_of_later_kernels: ["futex_waitv", "cachestat", "map_shadow_stack"],
}

#[test]
fn without_clone3_is_refused() {
    refused_without(&["clone3"], "Linux 5.7 has this call");
}

#[test]
fn without_mount_setattr_is_refused() {
    refused_without(&["mount_setattr"], "Linux 5.12 has this call");
}

#[test]
fn without_the_mount_interface_is_refused() {
    refused_without(&["fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree"], "Linux 5.2 has this call");
}

#[test]
fn without_pidfds_is_refused() {
    refused_without(&["pidfd_open", "pidfd_send_signal", "clone3"], "Linux 5.7 has this call");
}
