//! Kernels without what is newer than they (`docs/kernel-features.md`): each feature taken away in turn, everything
//! works all the same, or the refusal is one line that names the kernel.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use syscalls::Sysno;

use crate::harness::image::busybox_tar;
use crate::harness::{BUSYBOX, Env, Output, eventually, requires};

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
    env.run(["run", "-d", "--name=i", "--init", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["exec", "i", "cat", "/proc/1/cmdline"]).success().stdout_has("sampan-init");
    env.run(["cp", "i:/etc/os-release", "copied"]).success();
    env.run(["rm", "-f", "-t", "0", "i"]).success();
    env.run(["exec", "c", "sh", "-c", "echo new >/etc/new"]).success();
    env.run(["diff", "c"]).success().stdout_has("A /etc/new");
    env.run(["export", "-o", "root.tar", "c"]).success();
    env.run(["save", "-q", "--format=oci-archive", "-o", "image.tar", BUSYBOX]).success();
    env.run(["load", "-q", "-i", "image.tar"]).success();
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
        /// Calls that a test takes away, and everything works all the same.
        const WORKS: &[&[&str]] = &[$(&$calls),*];
        $(#[test]
        fn $test() {
            works_without(&$calls);
        })*
    };
}

macro_rules! refused {
    ($($test:ident: $calls:expr, $version:literal;)*) => {
        /// Calls that a test takes away, and the refusal names the kernel.
        const REFUSED: &[&[&str]] = &[$(&$calls),*];
        $(#[test]
        fn $test() {
            refused_without(&$calls, $version);
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

refused! {
    without_clone3_is_refused: ["clone3"], "Linux 5.7 has this call";
    without_mount_setattr_is_refused: ["mount_setattr"], "Linux 5.12 has this call";
    without_the_mount_interface_is_refused:
        ["fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree"], "Linux 5.2 has this call";
    without_pidfds_is_refused: ["pidfd_open", "pidfd_send_signal", "clone3"], "Linux 5.7 has this call";
}

/// True of a call that Linux 5.0 did not have: since then they have one number on all architectures.
fn is_newer(call: Sysno) -> bool {
    call.id() >= Sysno::pidfd_send_signal.id()
}

/// True of such a call that no test here takes away.
pub(crate) fn is_never_taken_away(call: Sysno) -> bool {
    is_newer(call) && !WORKS.iter().chain(REFUSED).any(|calls| calls.contains(&call.name()))
}

/// A feature that code begins to use cannot be forgotten here: whatever name of such a call stands in `sys`, in code, in
/// the name of an error or in a comment, is taken away by a test.
#[test]
fn every_newer_call_that_sys_names_is_taken_away() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sys");
    let (mut seen, mut missed) = (0, BTreeSet::new());
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        // The worker's list of what it may call says nothing of what it does call.
        if path.is_dir() || path.ends_with("sys/confine.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for call in words.filter_map(|word| word.trim_start_matches("SYS_").parse::<Sysno>().ok()) {
            seen += usize::from(is_newer(call));
            if is_never_taken_away(call) {
                missed.insert(call.name());
            }
        }
    }
    assert!(seen > 30, "the calls of src/sys are not found any more");
    assert!(missed.is_empty(), "a test of this file must take them away: {missed:?}");
}

/// What is written of in the table is what is tried.
#[test]
fn every_call_in_the_table_is_taken_away() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kernel-features.md");
    let page = std::fs::read_to_string(page).unwrap();
    let words = page.split('`').skip(1).step_by(2).filter_map(|name| name.parse::<Sysno>().ok());
    let missed: BTreeSet<_> = words.filter(|call| is_never_taken_away(*call)).map(|call| call.name()).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_sync_that_fails_while_an_image_comes_is_told() {
    requires!(userns);
    let mut env = Env::new();
    env.without_calls(&["syncfs"]);
    let mut command = env.command(["import", "-", "i:1"]).prepare();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut import = command.spawn().unwrap();
    let mut input = import.stdin.take().unwrap();
    let tar = std::fs::read(busybox_tar()).unwrap();
    input.write_all(&tar[..tar.len() / 2]).unwrap();
    // The process that syncs ends at its first try, long before the rest of the tar has come.
    let children = format!("/proc/{0}/task/{0}/children", import.id());
    let ended =
        |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    eventually("the process that syncs ends", || {
        std::fs::read_to_string(&children).unwrap().split_whitespace().any(ended)
    });
    input.write_all(&tar[tar.len() / 2..]).unwrap();
    drop(input);
    let out = import.wait_with_output().unwrap();
    let error = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(125), "{error}");
    assert!(error.contains("syncfs") && error.contains("Function not implemented"), "{error}");
    env.run(["images", "-q"]).success().prints("");
}

#[test]
fn r2_content_that_nobody_synced_is_synced_before_the_next_image_is_acknowledged() {
    requires!(userns);
    let mut env = Env::new();
    let tar = busybox_tar().display().to_string();
    let notes = |env: &Env| std::fs::read_dir(env.graphroot().join("unsynced")).map_or(0, Iterator::count);
    env.without_calls(&["syncfs"]);
    env.run(["import", "-q", &tar, "a:1"]).code(125).stderr_has("syncfs");
    env.run(["--storage-opt", "overlay.sync=none", "import", "-q", &tar, "a:1"]).success();
    env.run(["run", "--rm", "a:1", "true"]).success();
    env.run(["--storage-opt", "sync=none", "import", "-q", "-m", "again", &tar, "a:2"]).success();
    assert_eq!(notes(&env), 1);
    // All that this one stores are a few bytes, but its layer is the one that may not be on the disk yet.
    env.run(["import", "-q", "-m", "other", &tar, "b:1"]).code(125).stderr_has("syncfs");
    env.run(["image", "exists", "b:1"]).code(1);
    env.run(["system", "check", "--full"]).success();
    env.without_calls(&[]);
    env.run(["import", "-q", "-m", "other", &tar, "b:1"]).success();
    assert_eq!(notes(&env), 0);
    env.without_calls(&["syncfs"]);
    env.run(["import", "-q", "-m", "third", &tar, "c:1"]).success();
    env.run(["--storage-opt", "sync=maybe", "images"]).code(125).stderr_has("filesystem or none");
}

#[test]
fn r2_content_that_a_power_cut_may_have_taken_is_told_until_all_is_checked() {
    requires!(userns);
    let env = Env::new();
    let tar = busybox_tar().display().to_string();
    let cut = "system check --full --repair";
    let import = |name| env.run(["import", "-q", "-m", name, &tar, name]);
    env.run(["--storage-opt", "sync=none", "import", "-q", &tar, "a:1"]).success();
    let dir = env.graphroot().join("unsynced");
    let note = std::fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
    // As if the machine had been started anew.
    std::fs::rename(note, dir.join("00000000000000bb-000000000000")).unwrap();
    import("b:1").success().stderr_has(cut);
    import("c:1").success().stderr_has(cut);
    env.run(["system", "check"]).success();
    import("d:1").success().stderr_has(cut);
    env.run(["system", "check", "--full"]).success();
    assert!(!import("e:1").success().stderr().contains(cut));
}

/// Containers' own profiles hide clone3 (ours too), and namespaces with it: the error says so, whatever is tried first.
#[test]
fn a_container_around_us_that_hides_clone3_is_named() {
    let mut env = Env::new();
    env.without_calls(&["clone3"]);
    let out = env.run([std::ffi::OsStr::new("import"), busybox_tar().as_os_str(), BUSYBOX.as_ref()]);
    out.code(125).stderr_has("create a user namespace").stderr_has("Hint: the kernel or the container around us");
}
