//! Homes as people have them (G16), and machines that were switched off (G18).

use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::env::program;
use crate::harness::image::busybox_tar;
use crate::harness::{BUSYBOX, Env, eventually, requires};

/// Uses a store in this home: every verb that hands its path to another program or to the kernel.
#[track_caller]
fn works_in(env: &Env, drivers: &[&str]) {
    env.run(["import", busybox_tar().to_str().unwrap(), BUSYBOX]).success();
    env.run(["run", "-d", "--name=h", "--network=none", "-v", "v:/data", "-i", BUSYBOX, "sh"]).success();
    env.run(["exec", "h", "sh", "-c", "echo kept >/data/f && echo x >/new"]).success();
    let here = env.path("out of it");
    env.run(["cp", "h:/data/f", here.to_str().unwrap()]).success();
    assert_eq!(std::fs::read_to_string(here).unwrap(), "kept\n");
    env.command(["attach", "h"]).stdin("echo $((40 + 2)); exit 3\n").run().code(3).prints("42\n");
    env.run(["logs", "h"]).success().prints("42\n");
    env.run(["run", "--rm", "-v", "v:/data:ro", "--network=none", BUSYBOX, "cat", "/data/f"]).prints("kept\n");
    for driver in drivers {
        let driver = format!("--storage-driver={driver}");
        let command = [&driver, "run", "--rm", "--network=none", BUSYBOX, "sh", "-c", "echo x >/new; cat /new"];
        env.run(command).success().prints("x\n");
    }
    env.run(["rm", "h"]).success();
    env.run(["system", "check"]).success();
}

#[test]
fn g16_home_with_blanks_colons_and_other_letters() {
    requires!(userns, overlay, fuse);
    let mut env = Env::new();
    // What separates lower directories, options and lines of /proc/mounts, and what is no ASCII.
    let home = env.path(r#"my home, with:colons=\ "quotes" and 舢舨"#);
    std::fs::create_dir(&home).unwrap();
    env.set("HOME", home.to_str().unwrap());
    works_in(&env, &["copy"]);
    // fuse-overlayfs knows no escape for a colon: said, and not chosen.
    let out = env.run(["--storage-driver=fuse-overlayfs", "run", "--rm", "--network=none", BUSYBOX, "true"]);
    out.code(125).stderr_has("takes ':' for a separator");
    env.run(["rmi", "--all"]).success();
    assert!(home.join(".local/share/sampan").is_dir());
}

/// The store would be another one in each directory.
#[test]
fn a_home_that_is_not_absolute_is_refused() {
    let mut env = Env::new();
    env.set("HOME", "here");
    env.run(["images"]).code(125).stderr_has("\"here/.local/share/sampan\"").stderr_has("--root");
    assert!(!env.path("here").exists());
}

/// T-51: somebody else made the directory first, because its name could be foreseen.
#[test]
fn a_root_of_somebody_else_is_refused() {
    requires!(userns, subids);
    let env = Env::new();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let theirs = env.path("theirs");
    std::fs::create_dir(&theirs).unwrap();
    mode(&theirs, 0o777);
    let text = theirs.to_str().unwrap();
    let refused = |why: &str| {
        for option in ["--root", "--runroot"] {
            env.run([option, text, "ps"]).code(125).stderr_has(why).stderr_has("Hint: ");
            env.run([option, text, "import", busybox_tar().to_str().unwrap(), BUSYBOX]).code(125).stderr_has(why);
        }
        assert_eq!(std::fs::read_dir(&theirs).unwrap().count(), 0, "nothing is put there");
    };
    refused("has mode 777");
    env.run(["unshare", "chown", "5:5", text]).success();
    refused("belongs to user");
    // As in /var/tmp: what is made below it is ours, and root of `unshare` is its owner.
    mode(&env.root().join("work"), 0o1777);
    let (root, run) = (env.root().join("work/new/root"), env.root().join("work/new/run"));
    let roots = ["--root", root.to_str().unwrap(), "--runroot", run.to_str().unwrap()];
    let sampan = |words: &[&str]| env.run(roots.iter().chain(words)).success().trimmed();
    sampan(&["import", "-q", busybox_tar().to_str().unwrap(), BUSYBOX]);
    let program = program();
    let inside = sampan(&[&["unshare", program.to_str().unwrap()], &roots[..], &["images", "-q"]].concat());
    assert_eq!(sampan(&["images", "-q"]), inside);
    assert!(!inside.is_empty());
}

#[test]
fn g16_home_behind_a_link() {
    requires!(userns, overlay, fuse);
    let mut env = Env::new();
    let there = env.path("disk/of/somebody");
    std::fs::create_dir_all(&there).unwrap();
    let link = env.path("link");
    std::os::unix::fs::symlink(&there, &link).unwrap();
    env.set("HOME", link.to_str().unwrap());
    works_in(&env, &["fuse-overlayfs", "copy"]);
    // The same store by its other name, with a container that runs.
    env.run(["run", "-d", "--name=h", "--network=none", BUSYBOX, "sleep", "1000"]).success();
    env.set("HOME", there.to_str().unwrap());
    env.run(["exec", "h", "true"]).success();
    env.run(["rm", "-f", "-t0", "h"]).success();
}

/// Started where there is no login, as by cron, and used in one: a command with another runtime directory goes to what runs.
/// Only when nothing does, it takes its own.
#[test]
fn what_runs_is_found_from_another_environment() {
    requires!(userns);
    let mut env = Env::with_busybox();
    let runtime = ["one", "other"].map(|name| env.path(name).to_str().unwrap().to_owned());
    for dir in &runtime {
        std::fs::create_dir(dir).unwrap();
    }
    let start = ["run", "-d", "--name=w", "--restart=always", "--network=none", BUSYBOX, "sleep", "600"];
    let used = ["info", "-f", "{{.Store.RunRoot}}"];
    for (ours, theirs) in [(0, 1), (1, 0)] {
        env.set("XDG_RUNTIME_DIR", &runtime[ours]);
        env.run(start).success();
        env.set("XDG_RUNTIME_DIR", &runtime[theirs]);
        env.run(used).prints(&format!("{}/sampan\n", runtime[ours]));
        env.run(["exec", "w", "true"]).success();
        env.run(["run", "--rm", "--network=container:w", "--pid=container:w", BUSYBOX, "true"]).success();
        env.run(["kill", "w"]).success();
        env.run(["wait", "w"]).success();
        env.run(["start", "w"]).success();
        env.run(["stop", "-t0", "w"]).success();
        // Its restart policy does not bring it back.
        env.run(["rm", "w"]).success();
        env.run(used).prints(&format!("{}/sampan\n", runtime[theirs]));
    }
    // What is named is taken, and found again.
    let named = env.path("named");
    env.run(["--runroot", named.to_str().unwrap()].iter().chain(&start)).success();
    env.run(used).prints(&format!("{}\n", named.display()));
    env.run(["rm", "-f", "-t0", "w"]).success();
    // A note that leads nowhere, or to somebody else.
    let note = env.graphroot().join("runroot");
    let epoch = std::fs::read_to_string(&note).unwrap().split_once(' ').expect("a note").0.to_owned();
    env.run(start).success();
    for text in ["", "x", &format!("{epoch} run"), &format!("{epoch} /nothing"), &format!("{epoch} /usr")] {
        std::fs::write(&note, text).unwrap();
        env.run(["exec", "w", "true"]).success();
    }
    // It is a hint: whatever lies in its place keeps nobody from the store.
    for make in [
        |note: &Path| std::fs::create_dir(note).unwrap(),
        |note: &Path| nix::unistd::mkfifo(note, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        |note: &Path| std::fs::write(note, vec![b' '; 100_000]).unwrap(),
        |note: &Path| std::os::unix::fs::symlink("/dev/zero", note).unwrap(),
    ] {
        let away = env.path("away");
        std::fs::rename(&note, &away).unwrap();
        make(&note);
        env.run(["exec", "w", "true"]).success();
        env.run(["tag", BUSYBOX, "localhost/tagged:1"]).success();
        env.run(["system", "check"]).code(2).stdout_has("I13: ").stdout_has("/runroot: ");
        env.run(["system", "check", "--repair"]).code(if note.is_symlink() { 2 } else { 1 });
        if note.is_symlink() {
            std::fs::remove_file(&note).unwrap();
        }
        env.run(["system", "check"]).success();
        std::fs::rename(&away, &note).unwrap();
    }
    env.run(["rm", "-f", "-t0", "w"]).success();
}

#[test]
fn g16_home_with_a_long_path() {
    requires!(userns, overlay);
    let mut env = Env::new();
    // Longer than the address of a socket (108 bytes) and, with layers, than one page of mount options.
    let mut home = env.path("");
    for _ in 0..8 {
        home.push("a-directory-with-a-name-that-somebody-thought-was-short-enough");
    }
    std::fs::create_dir_all(&home).unwrap();
    env.set("HOME", home.to_str().unwrap());
    env.set("XDG_RUNTIME_DIR", home.join("run").to_str().unwrap());
    std::fs::create_dir(home.join("run")).unwrap();
    env.run(["import", busybox_tar().to_str().unwrap(), BUSYBOX]).success();
    env.run(["run", "-d", "--name=h", "--network=none", "-i", BUSYBOX, "sh"]).success();
    env.command(["attach", "h"]).stdin("echo $((40 + 2)); exit 3\n").run().code(3).prints("42\n");
    env.run(["rm", "h"]).success();
    env.run(["rmi", "--all"]).success();
}

/// Directory of the volatile state of this boot.
fn epoch(env: &Env) -> PathBuf {
    let mut names = std::fs::read_dir(env.runroot()).unwrap().map(|entry| entry.unwrap().path());
    names.find(|path| path.file_name().unwrap().len() == 16).expect("an epoch")
}

/// The runtime directory of another boot, with the state of containers that ran then, as after a power cut on a machine
/// whose /run is on a disk. Podman wants directories deleted by hand (#22278).
#[test]
fn g18_a_reboot_without_cleaning_up() {
    requires!(userns, slirp4netns);
    let env = Env::with_busybox();
    let start = |name: &str, more: &[&str]| {
        let name = format!("--name={name}");
        let command = ["sh", "-c", "echo kept >>/file; exec sleep 1000"];
        env.run(["run", "-d", &name].iter().chain(more).chain(&[BUSYBOX]).chain(&command)).success();
    };
    start("one", &["--network=slirp4netns", "-p", "127.0.0.1::80"]);
    start("two", &["--network=none", "--rm"]);
    start("three", &["--network=none"]);
    env.run(["pause", "three"]).success();
    let port = env.run(["port", "one", "80"]).success().trimmed();
    eventually("the machine is off", || {
        for process in env.processes() {
            kill(Pid::from_raw(process.pid), Signal::SIGKILL).ok();
        }
        env.processes().iter().all(|process| process.state == 'Z')
    });
    if let Some(cgroup) = env.cgroup() {
        env.other("find")
            .args([cgroup.to_str().unwrap(), "-mindepth", "1", "-depth", "-type", "d", "-delete"])
            .run()
            .success();
    }
    let (then, now) = (env.runroot().join("0123456789abcdef"), epoch(&env));
    std::fs::rename(&now, &then).unwrap();

    let shown = env.run(["ps", "-a", "--sort=names", "--format", "{{.Names}} {{.State}}"]);
    shown.success().prints("one exited\nthree exited\n");
    assert!(!then.exists(), "state of another boot stays");
    env.run(["wait", "one", "three"]).success().prints("-1\n-1\n");
    env.run(["system", "check"]).success();
    // The port is free, the files are there.
    let again = ["run", "--rm", "-p", &format!("{port}:80"), "--network=slirp4netns", BUSYBOX, "true"];
    env.run(again).success();
    env.run(["start", "one", "three"]).success();
    env.run(["exec", "three", "cat", "/file"]).success().prints("kept\nkept\n");
    env.run(["rm", "-f", "-t0", "one", "three"]).success();
    assert!(env.run(["volume", "ls", "-q"]).stdout().is_empty());
}

/// A command that is stopped while it has the lock of a container: who needs the same container says whom it waits
/// for; other containers are not touched by it.
#[test]
fn g20_a_stopped_command_that_holds_a_lock() {
    requires!(userns);
    let env = Env::with_busybox();
    for name in ["one", "two"] {
        env.run(["run", "-d", &format!("--name={name}"), "--network=none", BUSYBOX, "sleep", "1000"]).success();
    }
    let id = env.run(["inspect", "-f", "{{.Id}}", "one"]).success().trimmed();
    let locks = epoch(&env).join("locks");
    let lock = std::fs::read_dir(&locks).unwrap().map(|entry| entry.unwrap().path());
    let lock = lock.into_iter().find(|path| path.to_string_lossy().contains(&id)).expect("the container's lock");
    let holder = env.other("flock").args(["--no-fork", lock.to_str().unwrap(), "sleep", "1000"]).spawn();
    eventually("the lock is held", || {
        !env.other("flock").args(["--nonblock", lock.to_str().unwrap(), "true"]).run().is_success()
    });
    holder.signal(Signal::SIGSTOP);

    let waiting = env.spawn(["stop", "-t0", "one"]);
    env.run(["stop", "-t0", "two"]).success();
    // Looking takes no lock.
    env.run(["inspect", "-f", "{{.State.Status}}", "one"]).success().prints("running\n");
    env.run(["ps", "-q"]).success();
    let line = format!("waits for container {}: process {} has its lock", &id[..12], holder.pid());
    eventually("it says for whom it waits", || waiting.stderr().contains(&line));
    holder.signal(Signal::SIGKILL);
    waiting.wait().success();
    env.run(["rm", "one", "two"]).success();
}

#[test]
fn g20_a_stopped_command_that_holds_the_lock_of_the_store() {
    requires!(userns);
    let env = Env::with_busybox();
    let lock = env.graphroot().join("store.lock");
    let lock = lock.to_str().unwrap();
    let commands: [(&str, &[&str]); 2] =
        [("--exclusive", &["create", "--network=none", BUSYBOX, "true"]), ("--shared", &["untag", BUSYBOX])];
    for (share, command) in commands {
        let holder = env.other("flock").args([share, "--no-fork", lock, "sleep", "1000"]).spawn();
        eventually("the lock is held", || {
            !env.other("flock").args(["--exclusive", "--nonblock", lock, "true"]).run().is_success()
        });
        holder.signal(Signal::SIGSTOP);
        let waiting = env.spawn(command);
        // Looking takes no lock.
        env.run(["images", "-q"]).success();
        let line = format!("waits for the store: process {} has its lock", holder.pid());
        eventually("it says for whom it waits", || waiting.stderr().contains(&line));
        holder.signal(Signal::SIGKILL);
        waiting.wait().success();
    }
}
