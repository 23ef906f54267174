//! Hostile images and hostile neighbours: cases C of docs/reliability.md, by their ids.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::harness::image::{busybox_layer, sha256};
use crate::harness::{BUSYBOX, Env, ImageBuilder, Layer, Output, Terminal, eventually, requires};

/// Loads an image with a layer on top of busybox, and config fields.
fn image(env: &Env, layer: Layer, config: &[(&str, serde_json::Value)]) {
    let mut image = ImageBuilder::busybox().layer(layer);
    for (name, value) in config {
        image = image.config(name, value.clone());
    }
    let path = env.path("image.tar");
    image.docker_archive(&path, "localhost/hostile:1");
    env.run(["load", "-i", path.to_str().unwrap()]).success();
}

fn run(env: &Env, options: &[&str], command: &[&str]) -> Output {
    let mut arguments = vec!["run", "--rm", "--network=none"];
    arguments.extend(options);
    arguments.push("localhost/hostile:1");
    arguments.extend(command);
    env.run(arguments)
}

/// An image whose busybox root lacks some directories and has links in their place.
fn linked(env: &Env, links: &[(&str, &str)]) {
    let bytes = busybox_layer().finish();
    let mut kept = Layer::new();
    let mut archive = tar::Archive::new(bytes.as_slice());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned();
        if links.iter().any(|(name, _)| *name == path) {
            continue;
        }
        let mut data = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut data).unwrap();
        kept = kept.raw(entry.header().clone(), &data);
    }
    for (name, target) in links {
        kept = kept.symlink(name, target);
    }
    let path = env.path("linked.tar");
    ImageBuilder::scratch().layer(kept).docker_archive(&path, "localhost/hostile:1");
    env.run(["load", "-i", path.to_str().unwrap()]).success();
}

/// The binary where the container's root, the caller, may write, and its digest.
fn own_copy(env: &Env) -> (PathBuf, String) {
    let binary = env.home().join("sampan");
    std::fs::copy(crate::harness::env::program(), &binary).unwrap();
    std::fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).unwrap();
    let digest = sha256(&std::fs::read(&binary).unwrap());
    (binary, digest)
}

/// As [`own_copy`] made it: content, mode and owner.
fn assert_untouched(binary: &Path, digest: &str) {
    assert_eq!(sha256(&std::fs::read(binary).unwrap()), digest);
    let meta = std::fs::metadata(binary).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o755, nix::unistd::geteuid().as_raw()));
}

#[test]
fn c01_the_binary_cannot_be_overwritten() {
    requires!(userns);
    let env = Env::with_busybox();
    let (binary, before) = own_copy(&env);
    let attack = "while :; do for e in /proc/[0-9]*/exe; do (echo broken > $e) 2>/dev/null && echo OVERWRITTEN; \
         chmod 04757 $e 2>/dev/null; done; done";
    let started = env.other(&binary).args(["run", "-d", "--network=none", BUSYBOX, "sh", "-c", attack]).run();
    let id = started.success();
    let id = id.trimmed();
    for _ in 0..30 {
        env.other(&binary).args(["exec", &id, "true"]).run().success();
    }
    let out = env.other(&binary).args(["run", "--rm", "--network=none", BUSYBOX, "/proc/self/exe"]).run();
    assert_ne!(out.exit_code(), Some(0));
    env.run(["logs", &id]).success().prints("");
    env.run(["rm", "-f", "-t", "0", &id]).success();
    assert_untouched(&binary, &before);
}

#[test]
fn c01_an_interpreter_that_is_ourselves() {
    requires!(userns);
    let env = Env::new();
    image(&env, Layer::new().file("start", 0o755, b"#!/proc/self/exe\n"), &[]);
    let (binary, before) = own_copy(&env);
    // The interpreter is our binary, which makes nothing of it; what counts is that nobody can write it.
    let arguments = ["run", "--rm", "--network=none", "localhost/hostile:1", "/start", "--no-such-flag"];
    let out = env.other(&binary).args(arguments).run();
    assert!(matches!(out.exit_code(), Some(125..=127)), "{out:?}");
    assert_untouched(&binary, &before);
}

/// In `unshare` the caller is root, and so is the owner of his files.
#[test]
fn c01_a_binary_of_the_caller_in_unshare() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let (binary, before) = own_copy(&env);
    let program = binary.to_str().unwrap();
    let attack = "chmod 04757 /proc/1/exe; chown 1 /proc/1/exe; (echo broken >/proc/1/exe); echo tried";
    let options = ["--rm", "--network=none", "--cap-add=SYS_PTRACE"];
    for way in [&["--init", BUSYBOX, "sh", "-c", attack][..], &[BUSYBOX, "/proc/self/exe", "--version"]] {
        let command = env.other(&binary).args(["unshare", program, "run"]).args(options).args(way);
        let out = command.run();
        assert!(way.len() == 3 || out.success().stdout() == "tried\n", "{out}");
        assert_untouched(&binary, &before);
    }
}

#[test]
fn c02_working_directory_of_a_descriptor() {
    requires!(userns);
    let env = Env::with_busybox();
    for n in 3..=30 {
        let dir = format!("/proc/self/fd/{n}");
        let out =
            env.run(["run", "--rm", "--network=none", "-w", &dir, BUSYBOX, "sh", "-c", "ls ../../.. /proc/self/cwd/"]);
        assert!(out.exit_code() == Some(125) || !out.stdout().contains("work"), "{n}: {out:?}");
        assert!(matches!(out.exit_code(), Some(125..=127)), "{n}: {out:?}");
    }
}

#[test]
fn c03_null_device_of_the_image_is_not_used() {
    requires!(userns);
    let env = Env::new();
    image(&env, Layer::new().symlink("dev/null", "/proc/sys/kernel/core_pattern"), &[]);
    let script = "stat -c '%F %t:%T' /proc/interrupts /dev/null; cat /proc/interrupts";
    let expected = "character special file 1:3\ncharacter special file 1:3\n";
    run(&env, &[], &["sh", "-c", script]).success().prints(expected);
}

/// What the user asks to be masked is masked, and not the link to it alone.
#[test]
fn c03_a_mask_holds_behind_a_link() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().symlink("etc/named", "/etc/passwd").symlink("etc/out", "../../../etc/group");
    image(&env, layer.symlink("etc/nowhere", "/no/such"), &[]);
    let options = ["--security-opt=mask=/etc/named:/etc/nowhere:/etc/out"];
    run(&env, &options, &["sh", "-c", "cat /etc/passwd /etc/named /etc/group"]).success().prints("");
}

#[test]
fn c04_console_of_the_image_is_not_used() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().symlink("dev/console", "/proc/sys/kernel/core_pattern").dir("dev/pts", 0o755);
    image(&env, layer.symlink("dev/pts/0", "/etc/passwd").symlink("dev/ptmx", "/etc/passwd"), &[]);
    let script = "stat -c %F /dev/console; tty; head -1 /etc/passwd";
    let out = run(&env, &["-t"], &["sh", "-c", script]);
    assert_eq!(
        out.success().stdout().replace('\r', ""),
        "character special file\n/dev/pts/0\nroot:x:0:0:root:/root:/bin/sh\n"
    );
}

/// What we write to `/proc` for a container goes to a procfs of our own, whatever image and mounts put in its place.
#[test]
fn c05_writes_to_proc_are_not_redirected() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().dir("proc/sys", 0o755).dir("proc/sys/net", 0o755).dir("proc/sys/net/ipv4", 0o755);
    let layer = layer.file("proc/sys/net/ipv4/ip_forward", 0o666, b"of the image\n").symlink("p", "/proc");
    image(&env, layer.symlink("s", "../proc/sys"), &[]);
    let sysctl = "--sysctl=net.ipv4.ip_forward=1";
    let value = ["cat", "/proc/sys/net/ipv4/ip_forward"];
    run(&env, &[sysctl], &value).success().prints("1\n");
    let ours = env.write("decoy/ipv4/ip_forward", "untouched\n");
    let decoy = env.path("decoy");
    std::fs::write(decoy.join("current"), "untouched\n").unwrap();
    let targets = ["/proc/self/attr", "/proc/thread-self/attr", "/proc/sys", "/proc/sys/net", "/p/sys/net", "/s/net"];
    for target in targets {
        for mount in [
            format!("--volume={}:{target}", decoy.display()),
            format!("--mount=type=bind,source={},target={target}", decoy.display()),
            format!("--tmpfs={target}"),
        ] {
            run(&env, &[sysctl, &mount], &value).code(125).stderr_has(target);
            assert_eq!(std::fs::read_to_string(&ours).unwrap(), "untouched\n", "{mount}");
            assert_eq!(std::fs::read_to_string(decoy.join("current")).unwrap(), "untouched\n", "{mount}");
        }
    }
}

#[test]
fn c06_proc_and_sys_must_be_directories() {
    requires!(userns);
    let env = Env::new();
    for (name, target) in [("proc", "/tmp"), ("sys", "/etc"), ("dev", "/tmp"), ("proc", "../../../tmp")] {
        linked(&env, &[(name, target)]);
        run(&env, &[], &["true"]).code(125).stderr_has(&format!("/{name}"));
    }
}

#[test]
fn c07_dev_of_a_volume_is_left_alone() {
    requires!(userns);
    let env = Env::new();
    linked(&env, &[("dev", "/shared")]);
    let shared = env.path("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("ptmx"), "mine").unwrap();
    let volume = format!("{}:/shared", shared.display());
    run(&env, &["-v", &volume], &["true"]).code(125);
    let names: Vec<_> = std::fs::read_dir(&shared).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["ptmx"]);
    assert_eq!(std::fs::read(shared.join("ptmx")).unwrap(), b"mine");
}

#[test]
fn c09_managed_files_that_are_links() {
    requires!(userns);
    let env = Env::new();
    let host = env.write("host-file", "untouched");
    let outside = host.to_str().unwrap();
    let layer = Layer::new().symlink("etc/hosts", outside).symlink("etc/resolv.conf", "../../../../../etc/shadow");
    image(&env, layer.symlink("etc/hostname", "/proc/self/environ").symlink("etc/mtab", outside), &[]);
    let out = run(&env, &["--userns=keep-id"], &["cat", "/etc/passwd"]);
    assert!(matches!(out.exit_code(), Some(0 | 125)), "{out:?}");
    assert_eq!(std::fs::read(&host).unwrap(), b"untouched");
}

#[test]
fn c09_an_entry_is_written_to_the_containers_own_passwd_only() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let passwd = env.write("passwd", "root:x:0:0:root:/root:/bin/sh\n");
    let volume = format!("{}:/etc/passwd", passwd.display());
    let script = "whoami || id -u";
    env.run(["run", "--rm", "--network=none", "--user=1234", BUSYBOX, "sh", "-c", "id -un"]).success().prints("1234\n");
    // Whether the program knows its name is not the question.
    drop(env.run(["run", "--rm", "--network=none", "--user=1234", "-v", &volume, BUSYBOX, "sh", "-c", script]));
    assert_eq!(std::fs::read_to_string(&passwd).unwrap(), "root:x:0:0:root:/root:/bin/sh\n");
}

#[test]
fn c10_working_directory_through_a_link() {
    requires!(userns);
    let env = Env::new();
    let outside = env.path("outside");
    std::fs::create_dir(&outside).unwrap();
    let layer = Layer::new().symlink("l", outside.to_str().unwrap());
    image(&env, layer, &[("WorkingDir", serde_json::json!("/l/x"))]);
    let out = run(&env, &[], &["pwd"]);
    assert!(matches!(out.exit_code(), Some(0 | 126)), "{out:?}");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn c11_user_databases_that_are_no_files() {
    requires!(userns);
    let env = Env::new();
    for target in ["/dev/zero", "/tmp", "/proc/self/fd/0"] {
        let layer = Layer::new().whiteout("etc/passwd");
        let layer = layer.symlink("etc/group", target);
        image(&env, layer, &[]);
        let out = run(&env, &["--user=root"], &["true"]);
        assert_eq!(out.exit_code(), Some(125), "{target}: {out:?}");
    }
}

#[test]
fn c12_c13_users_and_groups() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let of = |options: &[&str]| {
        let mut arguments = vec!["run", "--rm", "--network=none"];
        arguments.extend(options);
        arguments.extend([
            BUSYBOX,
            "sh",
            "-c",
            "echo $(id -u):$(id -g) $(sed -n 's/^Groups://p' /proc/1/status) $HOME",
        ]);
        env.run(arguments)
    };
    for (options, expected) in [
        (&[][..], "0:0 0 /root\n"),
        (&["--user=user"], "1000:1000 50 1000 /home\n"),
        (&["--user=1000"], "1000:1000 50 1000 /home\n"),
        (&["--user=user:staff"], "1000:50 50 /home\n"),
        (&["--user=77"], "77:0 0 /\n"),
        (&["--user=77:88", "--group-add=99", "--group-add=bin"], "77:88 1 88 99 /\n"),
    ] {
        assert_eq!(of(options).success().stdout(), expected, "{options:?}");
    }
    for user in ["-1", "4294967295", "4294967296", "nobody", "1:2:3", "99999999999999999999"] {
        of(&[&format!("--user={user}")]).code(125).stderr_has(user);
    }
}

#[test]
fn c16_a_terminal_cannot_be_typed_into() {
    requires!(userns);
    let env = Env::with_busybox();
    // The caller's terminal is not the container's, not even as standard input of a program without `-t`.
    let command =
        env.command(["run", "--rm", "-i", "--network=none", BUSYBOX, "sh", "-c", "tty; (: < /dev/tty) 2>&1; echo end"]);
    let mut terminal = Terminal::start(&command, 24, 80);
    let shown = terminal.expect("end");
    assert!(shown.contains("not a tty") && shown.contains("/dev/tty"), "{shown:?}");
}

#[test]
fn c17_c18_a_container_cannot_fool_who_joins_it() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let script = "mkdir /x; while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || ls -l $p/fd $p/exe 2>/dev/null; done; done";
    let id = env.run(["run", "-d", "--network=none", "--cap-add=SYS_PTRACE", BUSYBOX, "sh", "-c", script]).trimmed();
    for _ in 0..20 {
        env.run(["exec", &id, "true"]).success();
    }
    let out = env.run(["logs", &id]);
    for line in out.success().stdout().lines() {
        assert!(!line.contains("sampan") && !line.contains("/var/tmp"), "{line}");
    }
    env.run(["rm", "-f", "-t", "0", &id]).success();
}

#[test]
fn c24_environment_of_the_image() {
    requires!(userns);
    let mut env = Env::new();
    env.set("SECRET", "of-the-host");
    image(&env, Layer::new(), &[("Env", serde_json::json!(["SECRET", "*", "=x", "S*", "A=1"]))]);
    let out = run(&env, &[], &["env"]);
    assert!(!out.success().stdout().contains("of-the-host"), "{out:?}");
    out.stdout_has("A=1\n");
}

#[test]
fn c26_volumes_over_kernel_file_systems() {
    requires!(userns);
    let env = Env::new();
    for volume in ["/", "/proc", "/dev", "/sys/x", "relative"] {
        image(&env, Layer::new(), &[("Volumes", serde_json::json!({volume: {}}))]);
        run(&env, &[], &["true"]).code(125).stderr_has(volume);
    }
    image(&env, Layer::new(), &[("Volumes", serde_json::json!({"/../../data": {}}))]);
    run(&env, &[], &["sh", "-c", "grep -c ' /data ' /proc/self/mountinfo"]).success().prints("1\n");
    let here = env.path("");
    for target in ["/proc", "/proc/self", "/", "/proc/sys/kernel"] {
        run(&env, &["-v", &format!("{}:{target}", here.display())], &["true"]).code(125);
    }
}

#[test]
fn c28_id_maps_that_cannot_be() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    for map in ["0:0:4294967295", "0:0:2,1:5:1", "0:999999:1", "0:1:0", "x:0:1"] {
        let mut arguments = vec!["run".to_owned(), "--rm".to_owned(), "--network=none".to_owned()];
        arguments.extend(map.split(',').map(|line| format!("--uidmap={line}")));
        arguments.extend([BUSYBOX.to_owned(), "true".to_owned()]);
        env.run(arguments).code(125);
    }
    env.run(["ps", "-aq"]).success().prints("");
}

#[test]
fn c29_a_shared_layer_is_copied_before_it_changes() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "echo changed > /etc/os-release; chmod 0600 /etc/group; rm /etc/passwd; echo done";
    env.run(["run", "--rm", "--network=none", BUSYBOX, "sh", "-c", script]).success().prints("done\n");
    let out = env.run(["run", "--rm", "--network=none", BUSYBOX, "cat", "/etc/os-release"]);
    out.success().prints("NAME=busybox\nID=busybox\n");
    env.run(["run", "--rm", "--network=none", BUSYBOX, "stat", "-c", "%a", "/etc/group", "/etc/passwd"])
        .success()
        .prints("644\n644\n");
}

#[test]
fn c08_a_neighbour_swaps_mount_targets() {
    requires!(userns);
    let env = Env::with_busybox();
    let shared = env.path("shared");
    std::fs::create_dir_all(shared.join("real")).unwrap();
    let volume = format!("{}:/shared", shared.display());
    let victim = env.path("victim");
    std::fs::create_dir(&victim).unwrap();
    // `t` is a directory, then a link out of the tree, then a directory again.
    let swap =
        format!("cd /shared; while :; do mkdir t; rmdir t; ln -s {} t; rm t; done 2>/dev/null", victim.display());
    let id = env.run(["run", "-d", "--network=none", "-v", &volume, BUSYBOX, "sh", "-c", &swap]).trimmed();
    for _ in 0..20 {
        let out = env.run(["run", "--rm", "--network=none", "-v", &volume, "--tmpfs=/shared/t/deep", BUSYBOX, "true"]);
        assert!(matches!(out.exit_code(), Some(0 | 125)), "{out:?}");
    }
    env.run(["rm", "-f", "-t", "0", &id]).success();
    assert_eq!(std::fs::read_dir(&victim).unwrap().count(), 0, "something was made outside");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(Path::new(&shared).to_str().unwrap()));
    eventually("the neighbour is gone", || env.run(["ps", "-aq"]).stdout().is_empty());
}

#[test]
fn c19_nothing_of_the_container_is_run_on_the_host() {
    requires!(userns);
    let env = Env::with_busybox();
    let trap = env.path("trap");
    let script = format!(
        "for f in /bin/tar /bin/xz /usr/bin/unpigz /usr/bin/nsenter /bin/ps /usr/bin/getent /lib/libnss_files.so.2; do \
         mkdir -p ${{f%/*}}; rm -f $f; printf '#!/bin/sh\\ntouch {0} /trapped\\n' >$f; chmod 755 $f; done; \
         echo up; exec sleep 600",
        trap.display()
    );
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sh", "-c", &script]).success();
    crate::harness::eventually("it is up", || env.run(["logs", "c"]).stdout().contains("up"));
    env.write("file", "text");
    env.run(["cp", "file", "c:/tmp/file"]).success();
    env.run(["cp", "c:/etc", "out"]).success();
    env.run(["cp", "c:/bin/tar", "-"]).success();
    env.run(["inspect", "c"]).success();
    env.run(["exec", "c", "ls", "/trapped"]).code(1);
    env.run(["stop", "-t0", "c"]).success();
    env.run(["cp", "c:/etc", "out2"]).success();
    assert!(!trap.exists(), "a program of the image ran on the host");
}

/// A neighbour that shares a volume does not choose where else in a container something is mounted, made or given away.
#[test]
fn c08_links_of_a_neighbour_lead_no_mount_away() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let private = env.path("private");
    std::fs::create_dir_all(&private).unwrap();
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).unwrap();
    let bind = format!("{}:/private", private.display());
    let neighbour = |script: &str| {
        env.run(["run", "--rm", "--network=none", "-v=shared:/data", "-v=sub:/sub", BUSYBOX, "sh", "-c", script])
            .success();
    };
    let ours = |options: &[&str], script: &str| {
        let mounts = ["run", "--rm", "--network=none", "-v", &bind, "-v=shared:/data"];
        env.run([&mounts, options, &[BUSYBOX, "sh", "-c", script]].concat())
    };
    let refused = "is a link in another mount";
    neighbour(
        "ln -s /bin /data/bin; ln -s /etc /data/etc; ln -s /private /data/open; ln -s /private/new /data/new; echo x >/sub/sh",
    );
    ours(&["-v=sub:/data/bin"], "true").code(125).stderr_has(refused).stderr_has("/data/bin");
    ours(&["--user=1000", "-v=fresh:/data/etc"], "true").code(125).stderr_has(refused);
    ours(&["--tmpfs=/data/open"], "true").code(125).stderr_has(refused);
    ours(&["--tmpfs=/data/open/deeper"], "true").code(125).stderr_has(refused);
    ours(&["-v=sub:/data/new"], "true").code(125).stderr_has(refused);
    ours(&["-v", &format!("{}:/data/new", env.write("file", "").display())], "true").code(125).stderr_has(refused);
    assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o7777, 0o700);
    assert_eq!(std::fs::read_dir(&private).unwrap().count(), 0, "nothing was made on the host");
    let deep = "/deeper".repeat(50);
    // What leads below its own directory, and what is missing, is made and mounted on all the same.
    neighbour("mkdir /data/real; ln -s real /data/alias; rm /data/new");
    ours(
        &["-v=sub:/data/alias", "-v", &format!("sub:/data/new{deep}")],
        &format!("cat /data/real/sh /data/new{deep}/sh"),
    )
    .success()
    .prints("x\nx\n");
}

/// The next start finds the directory that a tmpfs was mounted on as everybody's.
#[test]
fn a_tmpfs_where_the_image_has_nothing_is_everybodys() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let script = "stat -c %a /in/the/tmp /in/the; touch /in/the/tmp/x";
    let run = ["run", "--name=c", "--network=none", "--user=1000", "--tmpfs=/in/the/tmp", BUSYBOX, "sh", "-c", script];
    env.run(run).success().prints("1777\n755\n");
    env.run(["start", "-a", "c"]).success().prints("1777\n755\n");
}

/// Whoever owns a file in a container can write attributes of it, and nobody believes what they say of owners that the map has.
#[test]
fn a15_a_note_of_an_owner_makes_no_one_root() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let run = ["run", "-d", "--name=c", "--network=none", "-v=v:/v", BUSYBOX, "sh", "-c"];
    env.run(run.iter().chain(&["cp /bin/busybox /v/tool && chmod 755 /v/tool && sleep 600"])).success();
    let tool = env.graphroot().join("volumes/v/_data/tool");
    eventually("it is there", || std::fs::metadata(&tool).is_ok_and(|stat| stat.mode() & 0o7777 == 0o755));
    let note = "user.containers.override_stat";
    rustix::fs::setxattr(&tool, note, b"33:33:0104755", rustix::fs::XattrFlags::empty()).unwrap();
    env.run(["cp", "--archive=false", "c:/v/tool", "c:/usr/tool"]).success();
    env.run(["exec", "c", "stat", "-c", "%u:%g %a", "/usr/tool"]).success().prints("0:0 755\n");
    env.run(["rm", "-f", "-t0", "c"]).success();
}
