//! `run`: what the program gets, and the code that it leaves.

use crate::harness::env::program;
use crate::harness::image::BUSYBOX;
use crate::harness::{Env, eventually, requires};

/// `run --rm --network=none FLAGS… busybox COMMAND…`.
fn run(env: &Env, flags: &[&str], command: &[&str]) -> crate::harness::Output {
    let words = ["run", "--rm", "--network=none"].iter().chain(flags).chain(&[BUSYBOX]).chain(command);
    env.run(words)
}

#[test]
fn codes() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, &[], &["true"]).code(0);
    run(&env, &[], &["sh", "-c", "exit 3"]).code(3);
    run(&env, &["--init"], &["sh", "-c", "kill -9 $$"]).code(137);
    run(&env, &[], &["nosuch"]).code(127).stderr_has("not found in $PATH");
    run(&env, &[], &["/no/such"]).code(127);
    run(&env, &[], &["/etc/passwd"]).code(126).stderr_has("EACCES");
    run(&env, &["--user=nobody-here"], &["true"]).code(125).stderr_has("no user");
    run(&env, &["--nope"], &["true"]).code(125).stderr_has("--nope");
    env.run(["run", "--rm", "nosuch.invalid/x:1", "true"]).code(125).stderr_has("nosuch.invalid");
    env.run(["run", "--rm", "--pull=never", "localhost/absent:1"]).code(125).stderr_has("localhost/absent:1");
    let other = ["run", "--rm", "--pull=never", "--platform=linux/s390x", BUSYBOX, "true"];
    env.run(other).code(125).stderr_has("only, not for linux/s390x").stderr_has("Hint: ");
    run(&env, &["--rm=maybe"], &["true"]).code(125).stderr_has("true or false");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn environment() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.set("FROM_HOST", "h").set("NOT_PASSED", "n");
    env.write("file", "A=file\r\nB=file\n# comment\nFROM_HOST");
    let flags = ["--env-file=file", "-e", "A=flag", "-e", "EMPTY=", "-e", "ABSENT", "-e", "TERM=x"];
    let out = run(&env, &flags, &["env"]).success().stdout();
    for line in ["A=flag", "B=file", "EMPTY=", "FROM_HOST=h", "TERM=x", "HOME=/root", "container=sampan"] {
        assert!(out.lines().any(|other| other == line), "{line} in {out}");
    }
    assert!(!out.contains("ABSENT") && !out.contains("NOT_PASSED"), "{out}");
    assert!(
        run(&env, &["--unsetenv=container"], &["env"])
            .success()
            .stdout()
            .lines()
            .all(|line| line != "container=sampan")
    );
}

#[test]
fn identity_and_place() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    run(&env, &["--user=1000:5"], &["id"]).prints("uid=1000(user) gid=5(5) groups=5(5)\n");
    run(&env, &["--user=user"], &["sh", "-c", "id -u; echo $HOME"]).prints("1000\n/home\n");
    run(&env, &["--group-add=77"], &["id", "-G"]).prints("0 77\n");
    run(&env, &["-w", "/etc"], &["pwd"]).prints("/etc\n");
    for (dir, why) in [("/new/dir", "ENOENT"), ("/etc/passwd", "ENOTDIR")] {
        run(&env, &["-w", dir], &["pwd"]).code(126).stderr_has(why).stderr_has("Hint: it must be a directory");
    }
    run(&env, &["--hostname=h1", "--name=n1"], &["hostname"]).prints("h1\n");
    run(&env, &["--read-only"], &["touch", "/x"]).code(1).stderr_has("Read-only");
    run(&env, &["--init"], &["sh", "-c", "echo $$"]).prints("2\n");
    run(&env, &["--entrypoint=echo"], &["a", "b"]).prints("a b\n");
    run(&env, &["--entrypoint=[\"echo\",\"x\"]"], &["a"]).prints("x a\n");
    run(&env, &["-i"], &["cat"]).prints("");
    let words = ["run", "-i", "--rm", "--network=none", BUSYBOX, "wc", "-c"];
    env.command(words).stdin(vec![b'x'; 200_000]).run().success().stdout_has("200000");
}

/// The last one stays; the others are replaced, some of them before they run.
#[test]
fn replacing_side_by_side() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = ["run", "-d", "--replace", "--name=same", "--network=none", "--stop-timeout=0", BUSYBOX, "sleep", "600"];
    let runs: Vec<_> = (0..6).map(|_| env.spawn(run)).collect();
    for run in runs {
        let done = run.wait();
        assert!(!done.stderr().contains("already in use"), "{}", done.stderr());
    }
    env.run(["ps", "--format", "{{.Names}}"]).prints("same\n");
    env.run(["rm", "-f", "-t0", "same"]).success();
}

#[test]
fn names_ids_and_files() {
    requires!(userns);
    let env = Env::with_busybox();
    let start = |flags: &[&str]| {
        let words = ["run", "-d", "--network=none"].iter().chain(flags).chain(&[BUSYBOX, "sleep", "600"]);
        env.run(words)
    };
    let first = start(&["--name=old", "--label=x=y", "--cidfile=cid"]).success().trimmed();
    assert_eq!(std::fs::read_to_string(env.path("cid")).unwrap().trim(), first);
    start(&["--name=old"]).code(125).stderr_has("--replace");
    env.run(["ps", "-q", "--no-trunc", "--filter", "label=x=y"]).prints(&format!("{first}\n"));
    let second = start(&["--name=old", "--replace"]).success().trimmed();
    assert_ne!(first, second);
    env.run(["container", "exists", &first]).code(1);
    env.run(["container", "exists", &second[..12]]).code(0);
    env.run(["inspect", "--latest", "--format", "{{.Id}}"]).prints(&format!("{second}\n"));
    env.run(["rename", "old", "new"]).success();
    env.run(["exec", "new", "true"]).success();
    env.run(["exec", "old", "true"]).code(125).stderr_has("no such container");
    env.run(["rm", "new"]).code(2).stderr_has("it is running");
    env.run(["rm", "zz"]).code(1);
    env.run(["rm", "--ignore", "zz"]).code(0);
    env.run(["rmi", BUSYBOX]).code(2).stderr_has("in use");
    env.run(["rmi", "zz"]).code(1);
    env.run(["stop", "-t0", "new"]).prints("new\n");
    env.run(["rm", "new"]).prints("new\n");
}

#[test]
fn g05_orphans_are_collected() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "i=0; while [ $i -lt 300 ]; do (true &); i=$((i+1)); done; echo done; exec sleep 600";
    env.run(["run", "-d", "--init", "--name=c", "--network=none", BUSYBOX, "sh", "-c", script]).success();
    crate::harness::eventually("all are started", || env.run(["logs", "c"]).stdout().contains("done"));
    let zombies = ["exec", "c", "sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l"];
    crate::harness::eventually("no zombies", || env.run(zombies).stdout().trim() == "0");
    env.run(["stop", "-t0", "c"]).success();
}

#[test]
fn flags_that_leave_things_out() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = |flags: &[&str], script: &str| {
        let words = ["run", "--rm", "--network=none"];
        env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", script]))
    };
    run(&["--ipc=none"], "grep -c ' /dev/shm ' /proc/mounts; ls -d /dev/mqueue").prints("0\n/dev/mqueue\n");
    run(&["--dns=none"], "grep -c resolv.conf /proc/mounts").prints("0\n");
    run(&["--dns=none", "--dns=1.1.1.1"], "true").code(125).stderr_has("none");
    let host = env.other("sh").args(["-c", "ulimit -n; ulimit -Hn"]).run().success().stdout();
    run(&["--ulimit=host"], "ulimit -n; ulimit -Hn").prints(&host);
    run(&["--ulimit=host", "--ulimit=nofile=100:200"], "ulimit -n; ulimit -Hn").prints("100\n200\n");
    env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let out = env.run(["ps", "--ns"]).success().stdout();
    let mut lines = out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let (heading, row) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!(heading[2..], ["NAMES", "PID", "CGROUPNS", "IPC", "MNT", "NET", "PIDNS", "USERNS", "UTS"], "{out}");
    let theirs = env.run(["exec", "n", "readlink", "/proc/self/ns/net"]).success().trimmed();
    assert_eq!(format!("net:[{}]", row[6]), theirs, "{out}");
    // Somebody else uses the image: it stays. Then it goes.
    env.run(["run", "--rmi", "--network=none", BUSYBOX, "sh", "-c", "exit 4"]).code(4);
    env.run(["image", "exists", BUSYBOX]).success();
    let running = env.spawn(["run", "--rmi", "--name=told", "--network=none", BUSYBOX, "sleep", "600"]);
    let told = ["inspect", "told", "--format", "{{.State.Status}} {{.HostConfig.AutoRemoveImage}}"];
    eventually("inspect tells of it", || env.run(told).stdout() == "running true\n");
    env.run(["rm", "-f", "-t0", "told"]).success();
    running.wait().code(137);
    env.run(["rm", "-f", "-t0", "n"]).success();
    env.run(["run", "--rmi", "--network=none", BUSYBOX, "sh", "-c", "exit 4"]).code(4);
    env.run(["image", "exists", BUSYBOX]).code(1);
    env.run(["ps", "-aq"]).prints("");
    env.run(["run", "--rmi", "-d", BUSYBOX, "true"]).code(125).stderr_has("--detach");
}

#[test]
fn time_zone() {
    requires!(userns);
    let env = Env::with_busybox();
    let date = ["date", "-d", "@1782907200", "+%H"];
    run(&env, &["--tz=Etc/GMT-5"], &date).prints("17\n");
    run(&env, &[], &date).prints("12\n");
    run(&env, &["--tz=local"], &["true"]).success();
    for (zone, why) in [("Mars/Base", "does not exist"), ("Etc", "a directory")] {
        run(&env, &[&format!("--tz={zone}")], &["true"]).code(125).stderr_has(why).stderr_has("Hint: ");
    }
    run(&env, &["--tz=../../../etc/passwd"], &["true"]).code(125).stderr_has("a zone like Europe/Berlin");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn sources_that_are_not_there() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, &["--device=/dev/nothing"], &["true"]).code(125).stderr_has("device \"/dev/nothing\" does not exist");
    run(&env, &["--device=/etc/passwd"], &["true"]).code(125).stderr_has("is not a device").stderr_has("Hint: ");
    run(&env, &["-v/nothing:/x"], &["true"]).code(125).stderr_has("mkdir -p \"/nothing\"");
    let words = ["run", "--rm", "--network=none", "--rootfs", "/nothing", "true"];
    env.run(words).code(125).stderr_has("root file system \"/nothing\" does not exist").stderr_has("Hint: ");
    let words = ["create", "--rootfs", "/etc/passwd", "true"];
    env.run(words).code(125).stderr_has("root file system \"/etc/passwd\" is not a directory").stderr_has("Hint: ");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn file_systems_have_names() {
    requires!(userns);
    let env = Env::with_busybox();
    let words = ["sh", "-c", "awk '{print $1, $2}' /proc/self/mounts"];
    let mounts = run(&env, &["--tmpfs=/t"], &words).success().stdout();
    for line in ["tmpfs /t", "shm /dev/shm", "proc /proc", "tmpfs /dev", "devpts /dev/pts", "mqueue /dev/mqueue"] {
        assert!(mounts.lines().any(|other| other == line), "{line} in {mounts}");
    }
    assert!(mounts.lines().all(|line| !line.starts_with("none ")), "{mounts}");
}

#[test]
fn what_inspect_says_of_a_run() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=watched", "--network=host", "-eA=1", BUSYBOX, "sleep", "600"]).success();
    let of = |field: &str| env.run(["inspect", "--format", field, "watched"]).success().stdout();
    let host = env.run(["exec", "watched", "hostname"]).success().stdout();
    assert_eq!(of("{{.Config.Hostname}}"), host, "the host's with its network");
    assert_eq!(env.run(["exec", "watched", "cat", "/proc/sys/kernel/hostname"]).success().stdout(), host);
    let environment = of("{{join .Config.Env \" \"}}");
    for variable in ["PATH=/usr/local/sbin", "A=1", "container=sampan", &format!("HOSTNAME={}", host.trim())] {
        assert!(environment.contains(variable), "{variable} in {environment}");
    }
    assert_eq!(of("{{len .ExecIDs}}"), "0\n");
    let session = env.run(["exec", "-d", "watched", "sleep", "600"]).success().stdout();
    assert_eq!(of("{{join .ExecIDs \" \"}}"), session);
    // As with Podman, it goes at its end.
    env.run(["exec", "-d", "watched", "true"]).success();
    eventually("the other one goes", || of("{{join .ExecIDs \" \"}}") == session);
    env.run(["rm", "-ft0", "watched"]).success();
}

/// A program may end before its init has blocked SIGCHLD: with four at once one in eighty did, and was waited for for ever.
#[test]
fn init_sees_a_program_that_ended_before_it_looked() {
    requires!(userns);
    let env = Env::with_busybox();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    run(&env, &["--init"], &["sh", "-c", "exit 7"]).code(7);
                }
            });
        }
    });
}

#[test]
fn mtab_is_a_link_unless_the_image_has_one() {
    requires!(userns);
    let env = Env::with_busybox();
    std::fs::create_dir(env.path("etc")).unwrap();
    let volume = format!("{}:/etc", env.path("etc").display());
    for (flags, link) in [(&[][..], true), (&["--read-only"], true), (&["-v", &volume, "--no-hosts"], false)] {
        let words = [&["run", "--rm", "--network=none"], flags, &[BUSYBOX, "readlink", "/etc/mtab"]].concat();
        let out = env.run(words);
        assert_eq!(out.stdout(), if link { "/proc/mounts\n" } else { "" }, "{out}");
    }
    assert!(!env.path("etc/mtab").is_symlink());
    let own = ["create", "--name=c", "--network=none", BUSYBOX, "readlink", "/etc/mtab"];
    env.run(own).success();
    env.write("mtab", "mine\n");
    env.run(["cp", env.path("mtab").to_str().unwrap(), "c:/etc/mtab"]).success();
    env.run(["start", "-a", "c"]).code(1);
}

#[test]
fn masked_user_databases_are_empty() {
    requires!(userns);
    let env = Env::with_busybox();
    for (mask, user, code) in [("/etc/group", "0", 0), ("/etc/passwd:/etc/group", "", 0), ("/etc/passwd", "root", 125)]
    {
        let mask = format!("--security-opt=mask={mask}");
        env.run(["run", "--rm", "--network=none", &mask, "--user", user, BUSYBOX, "true"]).code(code);
    }
}

#[test]
fn a_long_mount_that_is_not_rw_is_read_only() {
    requires!(userns);
    let env = Env::with_busybox();
    let source = env.path("");
    for (option, writes) in [("rw=false", false), ("ro", false), ("rw", true), ("readonly=0", true)] {
        let mount = format!("--mount=type=bind,src={},dst=/m,{option}", source.display());
        let out = env.run(["run", "--rm", "--network=none", &mount, BUSYBOX, "touch", "/m/x"]);
        assert_eq!(out.is_success(), writes, "{option}: {out}");
    }
    let both = format!("--mount=type=bind,src={},dst=/m,ro,rw", source.display());
    env.run(["run", "--rm", "--network=none", &both, BUSYBOX, "true"]).code(125).stderr_has("exclude each other");
}

#[test]
fn empty_values_are_none() {
    requires!(userns);
    let env = Env::with_busybox();
    for flags in
        [["--platform=", "--authfile=", "--cert-dir=", "--health-cmd="], ["--os=", "--arch=", "--variant=", "--pull="]]
    {
        env.run(["run", "--rm", "--network=none"].iter().chain(&flags).chain(&[BUSYBOX, "true"])).success();
    }
}

#[test]
fn a_path_that_is_read_as_the_name_of_a_volume() {
    requires!(userns);
    let env = Env::with_busybox();
    for (volume, cure) in [("site/html:/srv:ro", "-v ./site/html:/srv:ro"), ("~/site:/srv", "-v \"$HOME/site:/srv\"")] {
        env.run(["run", "--volume", volume, BUSYBOX, "true"])
            .code(125)
            .stderr_has("is not a valid name")
            .stderr_has(cure);
    }
}

#[test]
fn a_container_without_a_network_has_no_address() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["inspect", "--format={{.NetworkSettings.IPAddress}}|", "c"]).prints("|\n");
    env.run(["rm", "-f", "-t0", "c"]).success();
}

#[test]
fn a_score_that_only_root_may_lower_stays() {
    requires!(userns);
    let env = Env::with_busybox();
    let ours = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse::<i32>().unwrap();
    for (wanted, has) in [(ours - 1, ours), (ours + 1, ours + 1)] {
        let flag = format!("--oom-score-adj={wanted}");
        let ran = env.run(["run", "--rm", "--network=none", &flag, BUSYBOX, "cat", "/proc/self/oom_score_adj"]);
        ran.success().stdout_has(&format!("{has}\n"));
        assert_eq!(ran.stderr().contains(&format!("it stays {ours}")), wanted < ours, "{ran}");
    }
}

/// The container's terminal gives TERM to its program, and to every other that comes in.
#[test]
fn a_terminal_has_its_name_in_exec() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "-d", "-t", "--name=t", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "sleep", "600"]).success();
    for (flags, wanted) in [(&["t"][..], "xterm\n"), (&["-e", "TERM=x", "t"], "x\n"), (&["n"], "\n")] {
        env.run(["exec"].iter().chain(flags).chain(&["sh", "-c", "echo $TERM"])).success().prints(wanted);
    }
}

#[test]
fn a_score_that_nobody_asks_for_is_the_callers() {
    requires!(userns);
    let env = Env::with_busybox();
    let score = 1 + std::fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse::<i32>().unwrap();
    env.run(["run", "-d", "--name=n", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let (program, root, runroot) = (program(), env.graphroot(), env.runroot());
    for flag in ["--hostname=h", "--pid=container:n", "--init"] {
        let script = format!(
            "echo {score} >/proc/$$/oom_score_adj
             exec {} --root {} --runroot {} run --rm --network=none {flag} {BUSYBOX} cat /proc/self/oom_score_adj",
            program.display(),
            root.display(),
            runroot.display(),
        );
        env.other("sh").args(["-c", &script]).run().prints(&format!("{score}\n"));
    }
}
