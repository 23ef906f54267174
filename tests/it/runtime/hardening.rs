//! What docs/security.md promises of a container, as a program in it sees it.

use crate::harness::{BUSYBOX, Env, Output, probe, requires};

fn sh(env: &Env, options: &[&str], script: &str) -> Output {
    let mut arguments = vec!["run", "--rm", "--network=none"];
    arguments.extend(options);
    arguments.extend([BUSYBOX, "sh", "-c", script]);
    env.run(arguments)
}

/// Podman's eleven, as in `/proc/PID/status`.
const ELEVEN: &str = "00000000800405fb";
const NONE: &str = "0000000000000000";

fn status(inheritable: &str, permitted: &str, bounding: &str, new_privs: u8, seccomp: u8) -> String {
    format!(
        "CapInh:\t{inheritable}\nCapPrm:\t{permitted}\nCapEff:\t{permitted}\nCapBnd:\t{bounding}\nCapAmb:\t{inheritable}\n\
         NoNewPrivs:\t{new_privs}\nSeccomp:\t{seccomp}\n"
    )
}

const STATUS: &str = "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status";

#[test]
fn c14_capabilities_no_new_privs_seccomp() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let last: u32 = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim().parse().unwrap();
    let all = format!("{:016x}", (1_u64 << (last + 1).min(41)) - 1);
    let chown = "0000000000000001";
    for (options, expected) in [
        (&[][..], status(NONE, ELEVEN, ELEVEN, 0, 2)),
        (&["--user=1000"], status(NONE, NONE, ELEVEN, 0, 2)),
        (&["--userns=keep-id"], status(NONE, NONE, ELEVEN, 0, 2)),
        (&["--cap-drop=ALL"], status(NONE, NONE, NONE, 0, 2)),
        (&["--cap-drop=all", "--cap-add=chown"], status(NONE, chown, chown, 0, 2)),
        (&["--user=1000", "--cap-drop=all", "--cap-add=chown"], status(chown, chown, chown, 0, 2)),
        (&["--security-opt=no-new-privileges"], status(NONE, ELEVEN, ELEVEN, 1, 2)),
        (&["--security-opt=seccomp=unconfined"], status(NONE, ELEVEN, ELEVEN, 0, 0)),
        (&["--privileged"], status(NONE, &all, &all, 0, 0)),
    ] {
        let out = sh(&env, options, STATUS);
        assert_eq!(out.success().stdout(), expected, "{options:?}");
    }
    sh(&env, &["--cap-add=FROB"], "true").code(125).stderr_has("FROB");
}

#[test]
fn c14_exec_has_the_same_rights() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let id = env.run(["run", "-d", "--network=none", BUSYBOX, "sleep", "1000"]).trimmed();
    env.run(["exec", &id, "sh", "-c", STATUS]).success().prints(&status(NONE, ELEVEN, ELEVEN, 0, 2));
    env.run(["exec", "--user=1000", &id, "sh", "-c", STATUS]).success().prints(&status(NONE, NONE, ELEVEN, 0, 2));
}

/// What was added by name is for the container's own user, and for root.
#[test]
fn c14_exec_gives_other_users_nothing() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let last: u32 = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim().parse().unwrap();
    let all = format!("{:016x}", (1_u64 << (last + 1).min(41)) - 1);
    let chown = "0000000000000001";
    let words = ["run", "-d", "--network=none", "--cap-drop=all", "--cap-add=chown"];
    for (name, user, of_1000) in [("--name=u", "--user=1000", chown), ("--name=r", "--user=0", NONE)] {
        env.run(words.iter().chain(&[name, user, BUSYBOX, "sleep", "1000"])).success();
        for (flags, expected) in [
            (&["--user=1000"][..], status(of_1000, of_1000, chown, 0, 2)),
            (&["--user=5"], status(NONE, NONE, chown, 0, 2)),
            (&["--user=0"], status(NONE, chown, chown, 0, 2)),
            (&["--privileged", "--user=1000"], status(of_1000, of_1000, &all, 0, 2)),
            (&["--privileged", "--user=5"], status(NONE, NONE, &all, 0, 2)),
            (&["--privileged", "--user=0"], status(NONE, &all, &all, 0, 2)),
        ] {
            let out = env.run(["exec"].iter().chain(flags).chain(&[&name[7..], "sh", "-c", STATUS]));
            assert_eq!(out.success().stdout(), expected, "{user} {flags:?}");
        }
    }
    env.run(["rm", "-f", "-t0", "u", "r"]).success();
}

#[test]
fn paths_are_masked_and_read_only() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /proc/sched_debug; do \
        [ ! -e $f ] || [ -z \"$(head -c1 $f)\" ] || echo shown $f; done; \
        for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do \
        [ -z \"$(ls -A $d 2>/dev/null)\" ] || echo shown $d; done; \
        for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/sys/net/ipv4/ip_forward /sys/kernel/uevent_seqnum; do \
        if [ -e $f ] && (echo 1 > $f) 2>/dev/null; then echo written $f; fi; done; \
        (echo x > /sys/fs/cgroup/cgroup.procs) 2>/dev/null && echo written cgroup; exit 0";
    sh(&env, &[], script).success().prints("");
    sh(&env, &["--security-opt=unmask=/proc/interrupts"], "wc -l < /proc/interrupts").success();
    let lines = sh(&env, &["--security-opt=unmask=/proc/inter*"], "wc -l < /proc/interrupts").trimmed();
    assert_ne!(lines, "0");
    let masked = sh(&env, &["--security-opt=mask=/etc/os-release"], "wc -c < /etc/os-release");
    assert_eq!(masked.success().trimmed(), "0");
    let covered = "grep -c ' /proc/' /proc/self/mountinfo";
    sh(&env, &["--security-opt=systempaths=unconfined"], covered).code(1).prints("0\n");
}

#[test]
fn devices_are_the_harmless_ones() {
    requires!(userns);
    let env = Env::with_busybox();
    let out = sh(&env, &[], "ls /dev; echo x > /dev/null; head -c2 /dev/zero | wc -c; mknod /tmp/n c 1 3 2>&1");
    let list = "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n2\n";
    assert!(out.stdout().starts_with(list), "{out:?}");
    out.code(1).stdout_has("mknod: /tmp/n: Operation not permitted");
    let terminal = sh(&env, &["--tty"], "test -c /dev/console && tty");
    assert_eq!(terminal.success().trimmed(), "/dev/pts/0");
}

#[test]
fn c02_only_three_descriptors() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do \
        [ ! -e /proc/1/fd/$n ] || ls -l /proc/1/fd/$n; done; pwd";
    sh(&env, &[], script).success().prints("/\n");
    // What the caller has open does not get in.
    let ours = crate::harness::env::program();
    let line =
        format!("exec 7</ 9</etc/passwd; exec {} run --rm --network=none {BUSYBOX} sh -c '{script}'", ours.display());
    env.other("/bin/sh").args(["-c", &line]).run().success().prints("/\n");
}

#[test]
fn namespaces_are_the_containers_own() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "for n in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$n; done; echo $$; hostname";
    let out = sh(&env, &["--hostname=inside"], script);
    let stdout = out.success().stdout();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(&lines[8..], ["1", "inside"], "{out:?}");
    for (name, line) in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"].iter().zip(&lines) {
        let host = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert_ne!(host.to_string_lossy(), **line, "{name}");
    }
    sh(&env, &[], "ls /sys/class/net").success().prints("lo\n");
}

#[test]
fn host_is_not_to_be_seen() {
    requires!(userns);
    let env = Env::with_busybox();
    let out = sh(&env, &[], "ls -A /home /mnt 2>/dev/null; ls /proc | grep -c '^[0-9]'");
    let stdout = out.success().stdout();
    assert!(stdout.lines().last().is_some_and(|count| count.parse::<u32>().is_ok_and(|count| count <= 4)), "{out:?}");
}

#[test]
fn limits_are_the_callers_or_less() {
    requires!(userns);
    let env = Env::with_busybox();
    sh(&env, &["--ulimit=nofile=100:200"], "ulimit -n; ulimit -Hn").success().prints("100\n200\n");
    sh(&env, &["--ulimit=core=0"], "ulimit -c").success().prints("0\n");
    sh(&env, &["--ulimit=nofile=99999999"], "true").code(125).stderr_has("nofile");
    sh(&env, &["--ulimit=frob=1"], "true").code(125);
}

#[test]
fn read_only_root_and_its_tmpfs() {
    requires!(userns);
    let env = Env::with_busybox();
    sh(&env, &["--read-only"], "touch /x 2>&1; touch /tmp/x /run/x /var/tmp/x /dev/shm/x && echo written")
        .success()
        .prints("touch: /x: Read-only file system\nwritten\n");
    let still = sh(
        &env,
        &["--read-only", "--read-only-tmpfs=false"],
        "touch /tmp/x /dev/shm/x /dev/x; echo $?; echo x > /dev/null",
    );
    assert_eq!(still.success().stdout(), "1\n", "{still:?}");
}

#[test]
fn c21_shared_memory_has_a_size() {
    requires!(userns);
    let env = Env::with_busybox();
    let fill = "dd if=/dev/zero of=/dev/shm/x bs=1M count=3 2>&1 | grep -c 'No space'";
    sh(&env, &["--shm-size=2m"], fill).success().prints("1\n");
    sh(&env, &["--shm-size=8m"], fill).code(1).prints("0\n");
}

#[test]
fn c16_c20_c23_system_calls_that_are_refused() {
    requires!(userns);
    let env = Env::with_busybox();
    const PERM: i64 = -1;
    for (call, answer) in [
        ("socket 38 5 0", -97),
        ("socket 0x100000026 5 0", -97),
        ("socket 40 1 0", -97),
        ("socket 1 1 0", 3),
        ("ioctl 0 0x5412 0", PERM),
        ("ioctl 0 0x100005412 0", PERM),
        ("ioctl 0 0x541c 0", PERM),
        ("add_key", PERM),
        ("keyctl", PERM),
        ("request_key", PERM),
        ("userfaultfd 1", PERM),
        ("io_uring_setup 1 0", -38),
        ("unshare 0x10000000", PERM),
        ("unshare 0x20000", PERM),
        ("mount 0 0 0 0", PERM),
        ("clone3 0 0", -38),
        ("bpf 0 0 0", PERM),
        ("perf_event_open", PERM),
        ("open_by_handle_at", PERM),
        ("setns 99 0", PERM),
        ("999", -38),
    ] {
        let got = probe::answers(&env, &[], &[call])[0];
        // The number of a new descriptor is whatever is free.
        assert!(got == answer || (answer > 0 && got > 0), "{call}: {got}, not {answer}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn c23_other_interfaces_of_the_same_kernel() {
    requires!(userns);
    let env = Env::with_busybox();
    // x32's getpid and socket; i386's getpid (20), socketcall (102), socket (359) and keyctl (288).
    let calls = ["1073741863", "1073741865 38 5", "i386:20", "i386:102 1 0", "i386:359 38 5", "i386:288"];
    let answers = probe::answers(&env, &[], &calls);
    assert_eq!(answers[..2], [-38, -38]);
    if answers[2] != -38 {
        assert!(answers[2] > 0, "{answers:?}");
        assert_eq!(answers[3..], [-38, -97, -1]);
    }
}

#[test]
fn c22_profiles_that_cannot_be_used_stop_the_start() {
    requires!(userns);
    let env = Env::with_busybox();
    let option = |text: &str| format!("--security-opt=seccomp={}", env.write("profile.json", text).display());
    for text in [
        "",
        "{",
        r#"{"defaultAction":"SCMP_ACT_FROB"}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_VAX"]}"#,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"}]}"#,
    ] {
        sh(&env, &[&option(text)], "true").code(125).stderr_has("seccomp");
    }
    sh(&env, &["--security-opt=seccomp=/no/such/file"], "true").code(125).stderr_has("/no/such/file");
    let fine = option(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat","no_such_call"],
        "action":"SCMP_ACT_ERRNO","errnoRet":28}]}"#,
    );
    sh(&env, &[&fine], "mkdir /x 2>&1").code(1).prints("mkdir: can't create directory '/x': No space left on device\n");
}

/// Whoever changes or removes the file later changes nothing: neither a start nor `exec` looks at it again.
#[test]
fn c22_the_profile_is_that_of_the_time_the_container_was_made() {
    requires!(userns);
    let env = Env::with_busybox();
    let profile = env.write(
        "profile.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}"#,
    );
    let option = format!("--security-opt=seccomp={}", profile.display());
    env.run(["create", "--name=box", "--network=none", &option, BUSYBOX, "sleep", "1000"]).success();
    env.write("profile.json", r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#);
    env.run(["start", "box"]).success();
    env.run(["exec", "box", "mkdir", "/x"]).code(1).stderr_has("Operation not permitted");
    std::fs::remove_file(&profile).unwrap();
    env.run(["restart", "-t0", "box"]).success();
    env.run(["exec", "box", "mkdir", "/x"]).code(1).stderr_has("Operation not permitted");
    env.run(["rm", "-f", "-t0", "box"]).success();
    // Not even made, and no wait for somebody to write.
    nix::unistd::mkfifo(&profile, nix::sys::stat::Mode::S_IRWXU).unwrap();
    env.run(["create", &option, BUSYBOX, "true"]).code(125).stderr_has("seccomp profile");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn sysctls_of_the_container_only() {
    requires!(userns);
    let env = Env::with_busybox();
    let options = ["--sysctl=net.ipv4.ip_forward=1", "--sysctl=kernel.shmmni=100"];
    let script = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni";
    sh(&env, &options, script).success().prints("1\n100\n");
    sh(&env, &["--sysctl=kernel.core_pattern=x"], "true").code(125).stderr_has("kernel.core_pattern");
    sh(&env, &["--sysctl=net.ipv4.../../x=1"], "true").code(125);
    let range = sh(&env, &[], "cat /proc/sys/net/ipv4/ping_group_range").trimmed();
    assert!(range.starts_with('0') && !range.starts_with("0\t2147483647"), "{range}");
}

/// T-46: what stays as process 1 has nothing of the command that started the container.
#[test]
fn t46_init_shows_nothing_of_the_caller() {
    requires!(userns, subids);
    let mut env = Env::with_busybox();
    env.set("SECRET", "of-the-host");
    let script =
        "cat /proc/1/cmdline /proc/1/environ /proc/1/maps 2>/dev/null | tr '\\0' '\\n'; ls -l /proc/1/fd /proc/1/cwd";
    for options in [&["--init"][..], &["--init", "--user=1000"], &["--init", "--cap-add=SYS_PTRACE"]] {
        let out = sh(&env, options, script);
        out.stdout_has("sampan-init\n");
        for leak in ["of-the-host", "--rm", "--network", "SECRET"] {
            assert!(!out.stdout().contains(leak), "{options:?}: {out:?}");
        }
    }
    // Whoever enters still can.
    let words = ["run", "-d", "--name=i", "--init", "--network=none", "--user=1000", BUSYBOX, "sleep", "600"];
    env.run(words).success();
    env.run(["exec", "i", "sh", "-c", "id -u; ps | grep -c '[s]leep 600'"]).prints("1000\n1\n");
    env.run(["rm", "-f", "-t0", "i"]).success();
}

/// T-50: everybody on the host may read the command line of a process that stays.
#[test]
fn t50_what_supervises_shows_no_arguments() {
    requires!(userns);
    let env = Env::with_busybox();
    let words = ["run", "-d", "--name=c", "--network=none", "-e", "PASSWORD=hidden", BUSYBOX, "sleep", "600"];
    env.run(words).success();
    env.run(["exec", "-d", "-e", "PASSWORD=hidden", "c", "sleep", "600"]).success();
    let shows = |words: &str| env.processes().iter().any(|process| process.command.contains(words));
    crate::harness::eventually("nobody shows it", || !shows("PASSWORD"));
    assert!(shows("sampan-monitor [") && shows("sampan-exec ["));
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// T-46: the process that becomes the program of `exec` does not bear the command line of `exec`, which everybody in the
/// container may read.
#[test]
fn t46_exec_shows_nothing_of_the_caller() {
    requires!(userns, subids);
    let mut env = Env::with_busybox();
    env.set("SECRET", "of-the-host");
    // Stops whoever comes, and looks.
    let script = "seen=' '; echo ready; while :; do for p in /proc/[0-9]*; do n=${p#/proc/}; case $seen in *\" $n \"*) \
                  continue;; esac; kill -STOP $n; seen=\"$seen$n \"; tr '\\0' ' ' <$p/cmdline; echo; \
                  tr '\\0' ' ' <$p/environ; kill -CONT $n; done; done 2>/dev/null";
    let words = ["run", "-d", "--name=c", "--network=none", "--cap-add=SYS_PTRACE", BUSYBOX, "sh", "-c", script];
    env.run(words).success();
    crate::harness::eventually("it looks", || env.run(["logs", "c"]).stdout().contains("ready"));
    for _ in 0..20 {
        env.run(["exec", "--user=0", "-e", "TOKEN=hidden", "c", "sh", "-c", "unset TOKEN; true"]).success();
    }
    let seen = env.run(["logs", "c"]).success().stdout();
    for leak in ["exec --user", "of-the-host", "-e TOKEN"] {
        assert!(!seen.contains(leak), "{leak:?}");
    }
    env.run(["rm", "-f", "-t0", "c"]).success();
}
