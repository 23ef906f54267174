//! `cp`: in and out, running and stopped; a container's links lead nowhere else (D01–D04).

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::image::{BUSYBOX, ImageBuilder, Layer};
use crate::harness::{Env, eventually, requires};

#[test]
fn d02_d03_files_go_in_and_out() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("file", "content\n");
    std::fs::create_dir_all(env.path("dir/sub")).unwrap();
    env.write("dir/sub/x", "x\n");
    let at = |name: &str| env.path(name).to_str().unwrap().to_owned();
    env.run([
        "run",
        "-d",
        "--name=c",
        "--network=none",
        BUSYBOX,
        "sh",
        "-c",
        "ln -s /tmp /t; ln -s ../../../../etc /up; sleep 600",
    ])
    .success();
    for running in [true, false] {
        if !running {
            env.run(["stop", "-t0", "c"]).success();
        }
        // D02: the link is the container's own.
        env.run(["cp", &at("file"), "c:/t"]).success();
        env.run(["cp", "c:/tmp/file", &at("back")]).success();
        assert_eq!(std::fs::read_to_string(env.path("back")).unwrap(), "content\n");
        env.run(["cp", &at("dir"), "c:/root"]).success();
        env.run(["cp", &(at("dir") + "/."), "c:/root/new"]).success();
        env.run(["cp", "c:/root/dir/sub/x", "-"]).success();
        env.run(["cp", "c:/root/new/.", &at(&format!("out-{running}"))]).success();
        assert_eq!(std::fs::read_to_string(env.path(&format!("out-{running}/sub/x"))).unwrap(), "x\n");
        env.run(["cp", "c:/up/passwd", &at("passwd")]).success();
        assert!(std::fs::read_to_string(env.path("passwd")).unwrap().contains("A User"), "the container's");
        env.run(["cp", "c:/nope", &at("nope")]).code(125).stderr_has("does not exist");
        env.run(["cp", &at("dir"), "c:/etc/passwd"]).code(125).stderr_has("is a file");
        env.run(["cp", &at("file"), "c:/no/where/"]).code(125).stderr_has("does not exist");
        env.run(["cp", &at("file"), "c:/nowhere/."]).code(125).stderr_has("does not exist");
    }
    env.run(["start", "c"]).success();
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// Owners by `--archive`: of the container's user, or as they are, in the numbers that containers have.
#[test]
fn owners_and_fifos() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    env.write("file", "x\n");
    nix::unistd::mkfifo(&env.path("fifo"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    let at = |name: &str| env.path(name).to_str().unwrap().to_owned();
    let script = "touch /tmp/seven && chown 7:8 /tmp/seven && mkfifo -m 640 /tmp/p && sleep 600";
    let run = ["run", "-d", "--network=none", "--userns=auto:size=1024", BUSYBOX, "sh", "-c", script];
    let first = env.run(run).success().trimmed();
    let second = env.run(run).success().trimmed();
    let ready = |id: &str| env.run(["exec", id, "test", "-p", "/tmp/p"]).exit_code() == Some(0);
    eventually("both are ready", || ready(&first) && ready(&second));
    let owner = |id: &str, path: &str| env.run(["exec", id, "stat", "-c", "%u:%g %F", path]).success().trimmed();
    let third = ["run", "-d", "--name=c", "--network=none", "--user=1:2", BUSYBOX, "sleep", "600"];
    env.run(third).success();
    for (archive, of_host, of_container) in [("true", "1:2", "1:2"), ("false", "0:0", "7:8")] {
        let archive = format!("-a={archive}");
        let copy = |from: &str, to: &str| {
            env.run(["cp", &archive, from, to]).success();
        };
        copy(&at("file"), "c:/tmp/file");
        assert_eq!(owner("c", "/tmp/file"), format!("{of_host} regular file"));
        copy(&at("fifo"), "c:/tmp/fifo");
        assert_eq!(owner("c", "/tmp/fifo"), format!("{of_host} fifo"));
        copy(&format!("{first}:/tmp/seven"), "c:/tmp/seven");
        assert_eq!(owner("c", "/tmp/seven"), format!("{of_container} regular empty file"));
    }
    // Other maps, the same numbers.
    env.run(["cp", "--archive=false", &format!("{first}:/tmp/seven"), &format!("{second}:/tmp/other")]).success();
    assert_eq!(owner(&second, "/tmp/other"), "7:8 regular empty file");
    env.run(["cp", &format!("{first}:/tmp/p"), &at("out")]).success();
    let stat = nix::sys::stat::lstat(&env.path("out")).unwrap();
    assert_eq!((stat.st_mode, stat.st_uid), (0o010_640, nix::unistd::getuid().as_raw()));
    env.run(["rm", "-f", "-t0", "-a"]).success();
}

#[test]
fn d01_a_link_that_changes_sides() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("file", "evil\n");
    let sentinel = env.write("sentinel", "untouched\n");
    let outside = sentinel.parent().unwrap().to_str().unwrap().to_owned();
    let script = format!("mkdir /d; while :; do rm -rf /x; ln -s {outside} /x; rm /x; mkdir /x; done");
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sh", "-c", &script]).success();
    let file = env.path("file").to_str().unwrap().to_owned();
    for _ in 0..30 {
        // Either it lands in the container, or it says why not.
        let copied = env.path("copied").to_str().unwrap().to_owned();
        for ends in [[file.as_str(), "c:/x/sentinel"], ["c:/x", copied.as_str()]] {
            let code = env.run(["cp"].into_iter().chain(ends)).exit_code();
            assert!(matches!(code, Some(0 | 125)), "{code:?}");
        }
        assert_eq!(std::fs::read_to_string(&sentinel).unwrap(), "untouched\n");
    }
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// Volumes and binds of a container that does not run are where they are in one that runs; their links end at the
/// container's root, whichever side they lie on.
#[test]
fn d01_volumes_and_binds_of_a_stopped_container() {
    requires!(userns);
    let env = Env::with_busybox();
    let layer = Layer::new().dir("data", 0o755).file("data/image", 0o644, b"of the image\n").symlink("r", "data");
    ImageBuilder::busybox().layer(layer).docker_archive(&env.path("i.tar"), "localhost/data:1");
    let at = |name: &str| env.path(name).to_str().unwrap().to_owned();
    env.run(["load", "-i", &at("i.tar")]).success();
    for dir in ["bind", "ro", "outside", "sub"] {
        std::fs::create_dir_all(env.path(dir)).unwrap();
    }
    env.write("file", "from the host\n");
    let sentinel = env.write("outside/sentinel", "untouched\n");
    env.write("bind/mine", "of the bind\n");
    // What a container could have left there: links that mean something else on the host.
    symlink("../outside", env.path("bind/up")).unwrap();
    symlink(env.path("outside"), env.path("bind/away")).unwrap();
    symlink("/etc/passwd", env.path("bind/passwd")).unwrap();
    let (bind, ro) = (at("bind") + ":/deep/er/bind", at("ro") + ":/data/ro:ro");
    let script = "cat /data/in; ln -s ../../../../etc /data/etc";
    let words = ["create", "--name=c", "--network=none", "-v=vol:/data", "-v", &bind, "-v", &ro];
    env.run(words.into_iter().chain(["localhost/data:1", "sh", "-c", script])).success();
    let text = |name: &str| std::fs::read_to_string(env.path(name)).unwrap();
    let data = env.graphroot().join("volumes/vol/_data");

    // Never started: the volume is filled from the image first, as a start does it.
    env.run(["cp", "c:/data/image", &at("image")]).success();
    assert_eq!(text("image"), "of the image\n");
    env.run(["cp", &at("file"), "c:/r/in"]).success();
    assert_eq!(std::fs::read_to_string(data.join("in")).unwrap(), "from the host\n");
    assert!(data.join("image").exists());
    env.run(["start", "-a", "c"]).prints("from the host\n");
    env.run(["wait", "c"]).prints("0\n");

    // Ended.
    env.run(["cp", "c:/deep/er/bind/mine", &at("mine")]).success();
    assert_eq!(text("mine"), "of the bind\n");
    env.run(["cp", &at("file"), "c:/deep/er/bind"]).success();
    assert_eq!(text("bind/file"), "from the host\n");
    env.run(["cp", &at("file"), "c:/data/ro/file"]).code(125).stderr_has("EROFS");
    assert!(!env.path("ro/file").exists());
    env.run(["cp", "c:/data/.", &at("copy")]).success();
    assert_eq!(text("copy/in"), "from the host\n");

    // Hostile links, read and written through: the container's own files, or nothing.
    env.run(["cp", "c:/deep/er/bind/passwd", &at("passwd")]).success();
    assert!(text("passwd").contains("A User"), "the container's");
    env.run(["cp", "c:/data/etc/passwd", &at("passwd2")]).success();
    assert_eq!(text("passwd2"), text("passwd"));
    for link in ["up", "away"] {
        let inside = format!("c:/deep/er/bind/{link}/sentinel");
        env.run(["cp", &inside, &at("stolen")]).code(125).stderr_has("does not exist");
        env.run(["cp", &at("file"), &inside]).code(125);
    }
    assert_eq!(std::fs::read_to_string(&sentinel).unwrap(), "untouched\n");
    assert_eq!(std::fs::read_dir(env.path("outside")).unwrap().count(), 1);

    // An export is the container's own files; a source that is gone keeps nobody from the rest.
    env.run(["export", "-o", &at("export.tar"), "c"]).success();
    let export = String::from_utf8_lossy(&std::fs::read(env.path("export.tar")).unwrap()).into_owned();
    assert!(export.contains("A User") && !export.contains("from the host"));
    std::fs::remove_dir_all(env.path("bind")).unwrap();
    env.run(["cp", "c:/etc/passwd", &at("passwd3")]).success();
    env.run(["rm", "-v", "c"]).success();
    env.run(["volume", "rm", "vol"]).success();
}

/// The other roots, and a container without subordinate ids.
#[test]
fn volumes_of_a_stopped_container_with_every_driver() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.write("file", "content\n");
    let at = |env: &Env, name: &str| env.path(name).to_str().unwrap().to_owned();
    let round = |env: &Env, driver: &str| {
        let driver = format!("--storage-driver={driver}");
        let run = |words: &[&str]| env.run([driver.as_str()].iter().chain(words));
        run(&["create", "--name=c", "--network=none", "-v=vol:/new", BUSYBOX, "cat", "/new/file"]).success();
        run(&["cp", &at(env, "file"), "c:/new/file"]).success();
        run(&["start", "-a", "c"]).prints("content\n");
        run(&["cp", "c:/new/file", &at(env, "back")]).success();
        run(&["rm", "c"]).success();
        run(&["volume", "rm", "vol"]).success();
    };
    let mut drivers = vec!["copy"];
    drivers.extend(std::path::Path::new("/usr/bin/fuse-overlayfs").exists().then_some("fuse-overlayfs"));
    for driver in &drivers {
        round(&env, driver);
    }
    env.hide_programs(&["newuidmap", "newgidmap"]);
    round(&env, "copy");
}

/// Whoever writes a tar, or reads one, may take his time: nobody waits for that to have the container.
#[test]
fn r7_no_lock_waits_for_a_stream() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = ["run", "--name=c", "--network=none", BUSYBOX, "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=4"];
    env.run(run).success();
    let whole = env.run(["cp", "c:/etc/passwd", "-"]).success().stdout().into_bytes();
    let cp = |from: &str, to: &str| {
        let mut command = env.command(["cp", from, to]).prepare();
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        (std::thread::sleep(Duration::from_millis(300)), child).1
    };
    let mut silent = cp("-", "c:/tmp");
    env.run(["rename", "c", "d"]).success();
    silent.stdin.take().unwrap().write_all(&whole).unwrap();
    assert!(silent.wait().unwrap().success());
    env.run(["cp", "d:/tmp/passwd", "-"]).success().stdout_has("A User");
    // More than a pipe takes.
    let unread = cp("d:/big", "-");
    env.run(["rename", "d", "e"]).success();
    let read = unread.wait_with_output().unwrap();
    assert!(read.status.success() && read.stdout.len() > 4 << 20);
    env.run(["rm", "e"]).success();
}

/// One lock is all that a copy within one container can have; two copies, there and back, do not wait for each other.
#[test]
fn within_one_container_and_there_and_back() {
    requires!(userns);
    let env = Env::with_busybox();
    for name in ["a", "b"] {
        env.run(["create", "--name", name, "--network=none", BUSYBOX, "sleep", "600"]).success();
    }
    for running in [false, true] {
        if running {
            env.run(["start", "a"]).success();
        }
        env.run(["cp", "a:/etc/passwd", "a:/tmp/x"]).success();
        env.run(["cp", "a:/tmp/x", "-"]).success().stdout_has("A User");
        // Into itself: it has an end.
        env.run(["cp", "a:/etc/.", "a:/etc/again"]).success();
        env.run(["cp", "a:/etc", "a:/etc/again"]).success();
        env.run(["cp", "a:/etc/again/passwd", "-"]).success().stdout_has("A User");
        env.run(["cp", "a:/nope", "a:/tmp"]).code(125).stderr_has("does not exist");
    }
    env.run(["stop", "-t0", "a"]).success();
    for _ in 0..8 {
        let there = env.spawn(["cp", "a:/etc/passwd", "b:/tmp/from-a"]);
        let back = env.spawn(["cp", "b:/etc/passwd", "a:/tmp/from-b"]);
        there.wait().success();
        back.wait().success();
    }
    for ends in [["a:", "out"], ["out", "a:"]] {
        env.run(["cp", ends[0], ends[1]]).code(125).stderr_has("a path is missing");
    }
}

/// A file copied to a link is written where that leads, in the container's root and its volumes; the link stays.
#[test]
fn d02_a_file_to_a_link() {
    requires!(userns);
    let env = Env::with_busybox();
    let sentinel = env.write("sentinel", "untouched\n");
    let script = format!(
        "ln -s /vol/conf /etc/conf; echo old >/vol/conf; ln -s ../vol/new /etc/dangling; ln -s conf /etc/twice
        ln -s ../../../../../../../../tmp/up /etc/up; ln -s {} /etc/host; mkdir -p {}; ln -s ring /etc/ring; exec sleep 600",
        sentinel.display(),
        sentinel.parent().unwrap().display(),
    );
    env.run(["run", "-d", "--name=c", "--network=none", "-v=vol:/vol", BUSYBOX, "sh", "-c", &script]).success();
    eventually("the links are there", || env.run(["exec", "c", "test", "-L", "/etc/ring"]).exit_code() == Some(0));
    for running in [true, false] {
        if !running {
            env.run(["stop", "-t0", "c"]).success();
        }
        let links = [
            ("conf", "vol/conf"),
            ("dangling", "vol/new"),
            ("twice", "vol/conf"),
            ("up", "tmp/up"),
            ("host", sentinel.to_str().unwrap()),
        ];
        for (link, to) in links {
            let text = format!("{link} {running}\n");
            let file = env.write("file", &text);
            env.run(["cp", file.to_str().unwrap(), &format!("c:/etc/{link}")]).success();
            let back = env.path("back");
            env.run(["cp", &format!("c:{}", Path::new("/").join(to).display()), back.to_str().unwrap()]).success();
            assert_eq!(std::fs::read_to_string(&back).unwrap(), text, "{link}");
        }
        let file = env.path("file");
        env.run(["cp", file.to_str().unwrap(), "c:/etc/ring"]).code(125).stderr_has("ELOOP");
    }
    assert_eq!(std::fs::read_to_string(&sentinel).unwrap(), "untouched\n");
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// One file stays one, unless its names come to lie on several mounts.
#[test]
fn a_file_with_two_names() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("dir/a/f", "content");
    std::fs::create_dir_all(env.path("dir/b")).unwrap();
    std::fs::hard_link(env.path("dir/a/f"), env.path("dir/b/f")).unwrap();
    let dir = env.path("dir/.").to_str().unwrap().to_owned();
    let words = ["run", "-d", "--name=c", "--network=none", "-v", "one:/x/a", "-v", "two:/x/b"];
    env.run(words.into_iter().chain([BUSYBOX, "sleep", "600"])).success();
    for stop in [false, true] {
        for (place, links) in [("/x", 1), ("/tmp/x", 2)] {
            env.run(["cp", &dir, &format!("c:{place}")]).success();
            env.run(["exec", "c", "sh", "-c", &format!("stat -c %h {place}/a/f {place}/b/f; cat {place}/b/f")])
                .prints(&format!("{links}\n{links}\ncontent"));
        }
        if !stop {
            env.run(["stop", "-t0", "c"]).success();
            env.run(["cp", &dir, "c:/x"]).success();
            env.run(["start", "c"]).success();
        }
    }
    env.run(["rm", "-f", "-t0", "c"]).success();
}

/// Nothing of the host but files and directories is written over.
#[test]
fn what_is_no_file_keeps_its_place() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("file", "content\n");
    nix::unistd::mkfifo(&env.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let (file, fifo) = (env.path("file"), env.path("fifo"));
    for (from, to) in [("c:/etc/passwd", fifo.to_str().unwrap()), ("c:/etc", "/dev/null")] {
        env.run(["cp", from, to]).code(125).stderr_has("must be a directory or a regular file");
    }
    // What a link leads to is written, not the link.
    symlink(&file, env.path("link")).unwrap();
    env.run(["cp", "c:/etc/hostname", env.path("link").to_str().unwrap()]).success();
    assert_eq!(std::fs::read_link(env.path("link")).unwrap(), file);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), env.run(["exec", "c", "cat", "/etc/hostname"]).stdout());
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&std::fs::metadata(&fifo).unwrap().file_type()));
}

/// With `/.` the content goes, into a stream too.
#[test]
fn the_content_of_a_directory_goes_into_a_stream() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "--name=c", "--network=none", BUSYBOX, "sh", "-c", "mkdir -p /data/a; echo x >/data/f"]).success();
    let names = |path: &str| -> Vec<String> {
        let tar = env.run(["cp", path, "-"]).success().stdout().into_bytes();
        let mut archive = tar::Archive::new(tar.as_slice());
        let name = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| entry.unwrap().path().unwrap().display().to_string();
        let mut names: Vec<String> = archive.entries().unwrap().map(name).collect();
        names.sort();
        names
    };
    assert_eq!(names("c:/data/."), [".", "./a", "./f"]);
    assert_eq!(names("c:/data"), ["data", "data/a", "data/f"]);
}

/// Who has not the caller's id in the container (`nomap`, `auto`) does not get his files written by a link.
#[test]
fn a_copy_into_a_container_may_do_what_its_root_may() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    env.write("project/kept", "");
    env.write("run.sh", "echo hostile\n");
    let file = env.path("run.sh").display().to_string();
    let volume = format!("{}:/x", env.path("project").display());
    for userns in ["--userns=nomap", "--userns=auto:size=1024"] {
        let script = "rm -rf /srv; ln -s /x /srv; mkdir /own; chown 7:7 /own; touch /ready; sleep 600";
        let run = ["run", "-d", "--name=c", "--network=none", userns, "-v", &volume, BUSYBOX, "sh", "-c", script];
        env.run(run).success();
        eventually("it has made its link", || env.run(["exec", "c", "test", "-e", "/ready"]).is_success());
        env.run(["cp", &file, "c:/srv/run.sh"]).code(125).stderr_has("Permission denied");
        assert_eq!(std::fs::read_dir(env.path("project")).unwrap().count(), 1, "{userns}");
        // What is the container's is its root's to change, whoever has it there.
        env.run(["cp", &file, "c:/own/run.sh"]).success();
        env.run(["exec", "c", "stat", "-c", "%u:%g", "/own/run.sh"]).success().prints("0:0\n");
        env.run(["rm", "-f", "-t0", "c"]).success();
    }
}

/// As with Podman.
#[test]
fn a_stream_may_be_compressed() {
    requires!(userns, xz, zstd);
    let env = Env::with_busybox();
    env.run(["create", "--name=c", "--network=none", BUSYBOX, "true"]).success();
    for (program, ending) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")] {
        env.write("packed.tar", Layer::new().file(ending, 0o644, b"packed\n").finish());
        env.other(program).args(["-kqf", env.path("packed.tar").to_str().unwrap()]).run().success();
        let packed = std::fs::read(env.path(&format!("packed.tar.{ending}"))).unwrap();
        env.command(["cp", "-", "c:/tmp"]).stdin(packed.clone()).run().success();
        env.run(["cp", &format!("c:/tmp/{ending}"), "-"]).success().stdout_has("packed\n");
        let cut = &packed[..packed.len() - 20];
        env.command(["cp", "-", "c:/tmp"]).stdin(cut).run().code(125).stderr_has("decompress");
    }
}
