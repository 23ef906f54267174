//! Mounts of every type, and what a hostile volume tries (D05, D07, D08).

use std::os::unix::fs::PermissionsExt;

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, eventually, requires};
use crate::harness::{ImageBuilder, Layer, Output};

fn run(env: &Env, flags: &[&str], script: &str) -> Output {
    let words = ["run", "--rm", "--network=none"];
    env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", script]))
}

#[test]
fn volumes() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, &["-v", "v1:/data"], "echo hi >/data/f").success();
    run(&env, &["-v", "v1:/data:ro"], "cat /data/f; echo x >/data/g").code(1).prints("hi\n").stderr_has("Read-only");
    run(&env, &["-v", "v2:/etc"], "grep -c . /etc/passwd").prints("3\n");
    let of_image = run(&env, &[], "stat -c %Y /bin").success().stdout();
    run(&env, &["-v", "v4:/bin"], "stat -c %Y /bin").prints(&of_image);
    run(&env, &["-v", "v3:/etc:nocopy"], "ls /etc/passwd").code(1);
    run(&env, &["-v", "v1:/bin/x:ro"], "cat /bin/x/f").prints("hi\n");
    // D05: once, never over what is there.
    run(&env, &["-v", "v2:/etc"], "rm /etc/group; echo mine >/etc/passwd").success();
    run(&env, &["-v", "v2:/etc"], "cat /etc/passwd; ls /etc/group").code(1).prints("mine\n");
    run(&env, &["-v", "v1:/etc"], "ls /etc/passwd").code(1);
    run(&env, &["-v", "/no/such:/y"], "true").code(125).stderr_has("/no/such").stderr_has("does not exist");
    env.run(["run", "-d", "--name=src", "--network=none", "-v", "v1:/vv", "-v", "/anon", BUSYBOX, "sleep", "600"])
        .success();
    run(&env, &["--volumes-from=src"], "cat /vv/f; echo a >/anon/a").prints("hi\n");
    env.run(["exec", "src", "cat", "/anon/a"]).prints("a\n");
    run(&env, &["--volumes-from=src:ro"], "echo b >/vv/b").code(1).stderr_has("Read-only");
}

/// A container of `--rm` goes whole, but for the volume that another one mounts.
#[test]
fn an_anonymous_volume_that_is_shared_stays_alone() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "echo a >/a/f; echo b >/b/f; echo c >/f; exec sleep 600";
    // Not "c": that is the beginning of an id in one of sixteen cases.
    let words =
        ["run", "-d", "--rm", "--name=owner", "--network=none", "-v", "/a", "-v", "/b", BUSYBOX, "sh", "-c", script];
    env.run(words).success();
    let mounts = env.run(["inspect", "owner"]).json()[0]["Mounts"].clone();
    let name = mounts.as_array().unwrap().iter().find(|mount| mount["Destination"] == "/a").unwrap()["Name"].clone();
    let name = name.as_str().unwrap();
    env.run(["create", "--name=heir", "--network=none", "-v", &format!("{name}:/x"), BUSYBOX, "cat", "/x/f"]).success();
    env.run(["stop", "-t0", "owner"]).success();
    eventually("it is gone", || !env.run(["container", "exists", "owner"]).is_success());
    eventually("only that volume stays", || env.run(["volume", "ls", "-q"]).trimmed() == name);
    let trash = || std::fs::read_dir(env.graphroot().join("trash")).unwrap().count();
    eventually("nothing waits to be deleted", || trash() == 0);
    env.run(["start", "-a", "heir"]).success().prints("a\n");
    // Nobody who mounts it is left, and nobody asked that it stays.
    env.run(["rm", "-v", "heir"]).success();
    env.run(["volume", "ls", "-q"]).success().prints("");
}

/// The last container that mounts what another had for itself decides what becomes of it.
#[test]
fn an_anonymous_volume_goes_with_the_last_that_mounts_it() {
    requires!(userns);
    let env = Env::with_busybox();
    let shared = |owner: &[&str], heir: &[&str]| {
        let sleeps = ["--network=none", BUSYBOX, "sleep", "600"];
        env.run(["run", "-d", "--name=owner", "-v", "/a"].iter().chain(&sleeps)).success();
        let heir = ["run", "-d", "--name=heir", "--volumes-from=owner"].iter().chain(heir);
        env.run(heir.chain(&sleeps)).success();
        env.run(["inspect", "-f", "{{.HostConfig.VolumesFrom}}", "heir"]).prints("[owner]\n");
        env.run(["rm", "-f", "-t0"].iter().chain(owner).chain(&["owner"])).success();
        assert_eq!(env.run(["volume", "ls", "-q"]).success().stdout().lines().count(), 1, "the heir mounts it");
    };
    let none_left = || env.run(["volume", "ls", "-q"]).success().stdout().is_empty();
    shared(&["-v"], &[]);
    env.run(["rm", "-f", "-v", "-t0", "heir"]).success();
    assert!(none_left());
    shared(&["-v"], &["--rm"]);
    env.run(["stop", "-t0", "heir"]).success();
    eventually("it goes with the heir", none_left);
    // Without `-v` it stays, and what sweeps the store leaves it alone.
    shared(&["-v"], &[]);
    env.run(["stop", "-t0", "heir"]).success();
    env.run(["rm", "heir"]).success();
    env.run(["image", "prune", "-f"]).success();
    assert!(!none_left());
    env.run(["volume", "prune", "-f"]).success();
    assert!(none_left());
}

/// As with Podman.
#[test]
fn a_name_that_is_taken_makes_no_volume() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["create", "--name=taken", BUSYBOX, "true"]).success();
    env.run(["create", "--name=taken", "-v", "fresh:/x", BUSYBOX, "true"]).code(125).stderr_has("in use");
    env.run(["volume", "ls", "-q"]).prints("");
    env.run(["create", "--name=other", "-v", "fresh:/x", BUSYBOX, "true"]).success();
    env.run(["volume", "ls", "-q"]).prints("fresh\n");
}

#[test]
fn a_new_volume_is_the_programs_or_its_directorys() {
    requires!(userns);
    let env = Env::with_busybox();
    // The image has no such directory.
    for flags in [&["-v", "mine:/nope"][..], &["-v", "/nope"], &["--mount=type=volume,src=other,dst=/a/b"]] {
        let target = if flags[0].starts_with("--") { "/a/b" } else { "/nope" };
        let user = [flags, &["-u", "1000:1001"]].concat();
        run(&env, &user, &format!("touch {target}/f && stat -c %u:%g {target} {target}/f"))
            .prints("1000:1001\n1000:1001\n");
    }
    run(&env, &["-v", "mine:/elsewhere", "-u", "5"], "stat -c %u /elsewhere").prints("1000\n");
    // The image has it.
    run(&env, &["-v", "roots:/etc", "-u", "1000"], "stat -c %u /etc").prints("0\n");
    // A container's own volume is as it was when it starts again.
    env.run(["run", "--name=c", "--network=none", "-u", "7", "-v", "/own", BUSYBOX, "stat", "-c", "%u", "/own"])
        .prints("7\n");
    env.run(["start", "-a", "c"]).prints("7\n");
}

#[test]
fn a_volume_that_was_filled_in_part_is_filled_anew() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().file("data/a", 0o644, b"aaa").file("data/b", 0o644, b"bbb");
    ImageBuilder::busybox().layer(layer).docker_archive(&env.path("i.tar"), "filled:1");
    env.run(["load", "-i", "i.tar"]).success();
    env.run(["volume", "create", "v"]).success();
    let data = env.graphroot().join("volumes/v/_data");
    // What a full disk or a kill leaves.
    std::fs::write(data.join("a"), "a").unwrap();
    std::fs::create_dir_all(data.join("half/done")).unwrap();
    rustix::fs::setxattr(&data, "user.sampan.filling", b"", rustix::fs::XattrFlags::empty()).unwrap();
    let look = ["run", "--rm", "--network=none", "-v", "v:/data", "filled:1", "sh", "-c", "ls /data; cat /data/*"];
    env.run(look).prints("a\nb\naaabbb");
    assert!(rustix::fs::getxattr(&data, "user.sampan.filling", &mut [0; 8][..]).is_err());
    // From now on it is the user's.
    env.run(["run", "--rm", "--network=none", "-v", "v:/data", "filled:1", "rm", "/data/a"]).success();
    env.run(look).prints("b\nbbb");
}

/// The mark of a filling is an attribute that a program in the container can set: after its first run nobody believes it.
#[test]
fn d05_a_program_cannot_have_a_volume_emptied() {
    requires!(userns);
    let env = Env::with_busybox();
    let data = |name: &str| env.graphroot().join("volumes").join(name).join("_data");
    let mark = |name: &str| {
        rustix::fs::setxattr(data(name), "user.sampan.filling", b"", rustix::fs::XattrFlags::empty()).unwrap();
    };
    let volume = |name: &str| env.run(["inspect", "-f", "{{(index .Mounts 0).Name}}", name]).trimmed();
    let run = |name: &str, options: &[&str], script: &str| {
        let name = format!("--name={name}");
        env.run([&["run", &name, "--network=none"], options, &[BUSYBOX, "sh", "-c", script]].concat())
    };
    // One of its own, by a second start and by a copy out of what does not run.
    run("own", &["-v", "/etc"], "echo kept >/etc/kept").success();
    mark(&volume("own"));
    env.run(["cp", "own:/bin/sh", "-"]).success();
    assert!(data(&volume("own")).join("kept").exists(), "a copy of something else empties nothing");
    env.run(["start", "-a", "own"]).success();
    assert!(data(&volume("own")).join("passwd").exists());
    // One with a name, by a restart of the policy.
    let script = "n=$(wc -l </etc/runs); echo x >>/etc/runs; [ $n -ge 2 ] || { while [ ! -e /etc/go$n ]; do sleep 0.05; done; exit 1; }";
    run("named", &["-d", "--restart=on-failure", "-v=v:/etc"], &format!("touch /etc/runs; {script}")).success();
    for turn in ["0", "1"] {
        eventually("it runs", || {
            std::fs::read_to_string(data("v").join("runs"))
                .is_ok_and(|text| text.lines().count() > turn.parse().unwrap())
        });
        mark("v");
        std::fs::write(data("v").join(format!("go{turn}")), "").unwrap();
    }
    let ended = || env.run(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "named"]).trimmed() == "exited 0";
    eventually("the third run ends well", ended);
    assert_eq!(std::fs::read_to_string(data("v").join("runs")).unwrap(), "x\nx\nx\n");
}

/// Its record cannot be written (a full disk, say) when the program runs already.
#[test]
fn a_volume_that_cannot_be_noted_as_filled_is_a_warning() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["volume", "create", "v"]).success();
    let dir = env.graphroot().join("volumes/v");
    let set_mode = |mode| std::fs::set_permissions(&dir, PermissionsExt::from_mode(mode)).unwrap();
    let run = ["run", "--rm", "--network=none", "-v", "v:/etc", BUSYBOX, "sh", "-c", "rm /etc/passwd && echo runs"];
    set_mode(0o500);
    env.run(run).success().prints("runs\n").stderr_has("volume v is filled, but not noted as such");
    set_mode(0o700);
    // It is not filled once more.
    env.run(["run", "--rm", "--network=none", "-v", "v:/etc", BUSYBOX, "test", "-e", "/etc/passwd"]).code(1);
}

#[test]
fn d05_copy_up_stays_in_the_image() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().symlink("data", "/etc").symlink("out", "../../../../etc");
    ImageBuilder::busybox().layer(layer).docker_archive(&env.path("i.tar"), "d05:1");
    env.run(["load", "-i", "i.tar"]).success();
    for (volume, target) in [("a:/data", "/data"), ("b:/out", "/out")] {
        let out = env.run(["run", "--rm", "--network=none", "-v", volume, "d05:1", "cat", &format!("{target}/passwd")]);
        assert!(!out.is_success() || out.stdout().contains("A User"), "the image's, or a refusal: {out}");
    }
    let both: Vec<_> =
        (0..4).map(|_| env.spawn(["run", "--rm", "--network=none", "-v", "once:/var", "d05:1", "true"])).collect();
    for one in both {
        one.wait().success();
    }
}

/// Of starts that come at once one wins; the others do not take its changes away from under it.
#[test]
fn a_start_that_comes_too_late_leaves_the_mounts_of_the_first_alone() {
    requires!(userns, overlay);
    let env = Env::with_busybox();
    std::fs::create_dir(env.path("src")).unwrap();
    env.write("src/old", "old\n");
    let bind = format!("{}:/m:O", env.path("src").display());
    let image = format!("--mount=type=image,src={BUSYBOX},dst=/i,rw=true");
    // What another user of the container writes is not the caller's to delete.
    let script = "cat /m/* /i/m; echo new >/m/new && cp /m/new /i/m && chown -R 5:5 /m && exec sleep 600";
    env.run(["create", "--name=over", "--network=none", "-v", &bind, &image, BUSYBOX, "sh", "-c", script]).success();
    for _ in 0..8 {
        let starts: Vec<_> = (0..4).map(|_| env.spawn(["start", "over"])).collect();
        for start in starts {
            start.wait().success();
        }
        let look =
            ["exec", "over", "sh", "-c", "until cat /i/m; do :; done 2>/dev/null; cat /m/old /m/new; echo y >/m/y"];
        env.run(look).success().prints("new\nold\nnew\n");
        env.run(["stop", "-t0", "over"]).success();
    }
    env.run(["logs", "over"]).prints(&"old\n".repeat(8));
}

/// `-v SRC:/app -v /app/deps`, as with Docker and Podman: the volume is for what the image has there, not for what the
/// user's directory has. `cp` before the first start fills it, too.
#[test]
fn a_volume_in_a_bind_is_filled_by_the_image() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().dir("app", 0o755).dir("app/deps", 0o711).file("app/deps/lib", 0o644, b"image");
    ImageBuilder::busybox().layer(layer).docker_archive(&env.path("i.tar"), "app:1");
    env.run(["load", "-i", "i.tar"]).success();
    let work = env.write("w/deps/lib", "user").parent().unwrap().parent().unwrap().to_owned();
    let bind = format!("{}:/app", work.display());
    let script = "cat /app/deps/lib; stat -c ' %a' /app/deps; stat -c %a /app/new";
    env.run([
        "run",
        "--rm",
        "--network=none",
        "-v",
        &bind,
        "-v",
        "/app/deps",
        "-v",
        "/app/new",
        "app:1",
        "sh",
        "-c",
        script,
    ])
    .success()
    .prints("image 711\n755\n");
    assert_eq!(std::fs::read_to_string(work.join("deps/lib")).unwrap(), "user");
    env.run(["create", "--name=c", "--network=none", "-v", &bind, "-v", "v:/app/deps", "app:1", "true"]).success();
    env.run(["cp", "c:/app/deps/lib", "lib"]).success();
    assert_eq!(std::fs::read_to_string(env.path("lib")).unwrap(), "image");
}

/// What has fifty names is one file: in a volume that the image fills, and in what `cp` takes from it.
#[test]
fn a_copy_of_the_images_files_is_no_larger_than_they_are() {
    use std::os::unix::fs::MetadataExt as _;
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new()
        .dir("data", 0o755)
        .dir("data/d", 0o755)
        .pax(&[("SCHILY.xattr.user.of-file", b"file")])
        .file("data/d/first", 0o640, b"content")
        .hardlink("data/second", "data/d/first")
        .pax(&[("SCHILY.xattr.user.of-dir", b"dir")])
        .dir("data/e", 0o700)
        .hardlink("data/e/third", "data/d/first");
    ImageBuilder::busybox().layer(layer).docker_archive(&env.path("i.tar"), "links:1");
    env.run(["load", "-i", "i.tar"]).success();
    env.run(["run", "--name=c", "--network=none", "-v", "v:/data", "links:1", "true"]).success();
    let data = env.graphroot().join("volumes/v/_data");
    env.run(["cp", "c:/data", "copy"]).success();
    for top in [&data, &env.path("copy")] {
        let files = ["d/first", "second", "e/third"].map(|name| std::fs::metadata(top.join(name)).unwrap());
        assert_eq!(files.each_ref().map(|file| (file.nlink(), file.ino())), [(3, files[0].ino()); 3], "{top:?}");
        assert_eq!((files[0].len(), files[0].mode() & 0o777), (7, 0o640));
        for (name, attribute, expected) in [("second", "user.of-file", "file"), ("e", "user.of-dir", "dir")] {
            let mut value = [0; 16];
            let length = rustix::fs::getxattr(top.join(name), attribute, &mut value[..]);
            assert_eq!(length.map(|length| value[..length].to_vec()), Ok(expected.into()), "{top:?} {name}");
        }
    }
}

/// What the image lacks is not made there before the mounts are: the root may be another's, and a link of the image may lead to
/// what only a mount makes.
#[test]
fn a_volume_whose_place_only_a_mount_has() {
    requires!(userns, subids);
    let env = Env::new();
    let layer = Layer::new().dir("app", 0o755).symlink("l/h", "/etc/hosts").symlink("late", "/made");
    let image = ImageBuilder::busybox().layer(layer).config("Volumes", serde_json::json!({"/l/h": {}}));
    image.docker_archive(&env.path("i.tar"), "late:1");
    env.run(["load", "-i", "i.tar"]).success();
    let work = env.write("w/deps/f", "").parent().unwrap().parent().unwrap().to_owned();
    // The user's bind brings the place along; the volume is the program's all the same, at the next start, too.
    let binds = [format!("{}:/app", work.display()), format!("{}:/made", work.display())];
    let words = ["run", "--name=c", "--network=none", "-u", "7", "-v", &binds[0], "-v", &binds[1]];
    let script = "stat -c %u /app/deps /late/deps; test -f /l/h";
    let volumes = ["-v", "/app/deps", "-v", "/late/deps", "late:1", "sh", "-c", script];
    env.run(words.iter().chain(&volumes)).success().prints("7\n7\n");
    env.run(["start", "-a", "c"]).success().prints("7\n7\n");
    let stat = std::fs::metadata(work.join("deps")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&stat), nix::unistd::geteuid().as_raw());
}

/// The path of a `VOLUME` may be a link to where the user's bind goes: what he asked for is not covered, and none of his
/// files goes into a volume that is gone with the container.
#[test]
fn a_volume_of_the_image_covers_no_mount_of_the_user() {
    requires!(userns);
    let env = Env::new();
    let layer = Layer::new().dir("work", 0o755).symlink("zz", "/work").symlink("var/tmp", "/tmp");
    let volumes = serde_json::json!({"/zz": {}});
    ImageBuilder::busybox().layer(layer).config("Volumes", volumes).docker_archive(&env.path("i.tar"), "zz:1");
    env.run(["load", "-i", "i.tar"]).success();
    let work = env.write("w/input", "in\n").parent().unwrap().to_owned();
    let bind = |target: &str| format!("{}:{target}", work.display());
    for (option, target) in
        [("--image-volume=anonymous", "/work"), ("--image-volume=tmpfs", "/work"), ("--read-only", "/tmp")]
    {
        let script = format!("cat {target}/input; echo result >{target}/result; grep -c ' {target} ' /proc/mounts");
        env.run(["run", "--rm", "--network=none", option, "-v", &bind(target), "zz:1", "sh", "-c", &script])
            .success()
            .prints("in\n1\n");
        std::fs::remove_file(work.join("result")).unwrap_or_else(|error| panic!("{option}: {error}"));
    }
    // Without it, it is there, and `cp` to a container that does not run sees what the container saw.
    env.run(["run", "--rm", "--network=none", "zz:1", "grep", "-c", " /work ", "/proc/mounts"]).prints("1\n");
    env.run(["create", "--name=c", "--network=none", "-v", &bind("/work"), "zz:1", "true"]).success();
    env.run(["cp", "c:/work/input", "-"]).success();
    env.write("late", "late");
    env.run(["cp", "late", "c:/work/late"]).success();
    assert!(work.join("late").exists());
}

#[test]
fn d07_subpath_is_no_way_out() {
    requires!(userns);
    let env = Env::with_busybox();
    run(
        &env,
        &["-v", "v1:/d"],
        "mkdir /d/sub; echo s >/d/sub/f; ln -s /etc /d/evil; ln -s ../../.. /d/up; ln -s sub /d/in",
    )
    .success();
    let mount = |sub: &str| format!("--mount=type=volume,src=v1,dst=/s,subpath={sub}");
    run(&env, &[&mount("sub")], "cat /s/f").prints("s\n");
    for link in ["evil", "up", "in", "evil/ssh", "up/etc"] {
        run(&env, &[&mount(link)], "ls /s").code(125).stderr_has("v1");
    }
    run(&env, &[&mount("../v1")], "ls /s").code(125).stderr_has("leave the volume");
    run(&env, &[&mount("none")], "ls /s").code(125).stderr_has("none");
    // A volume where the engine puts its files: the link is the container's, and the host's file is not written.
    let sentinel = env.write("sentinel", "untouched\n");
    let target = sentinel.to_str().unwrap().to_owned();
    run(&env, &["-v", "v2:/e"], &format!("ln -s {target} /e/hosts; ln -s {target} /e/resolv.conf")).success();
    let code = run(&env, &["-v", "v2:/etc:nocopy"], "echo evil >/etc/hosts").exit_code();
    assert!(matches!(code, Some(0 | 1 | 125)), "{code:?}");
    assert_eq!(std::fs::read_to_string(sentinel).unwrap(), "untouched\n");
}

/// The top of an overlay belongs to whom the directory below belongs: with keep-id, the caller is an ordinary user.
#[test]
fn the_top_of_an_overlay_has_its_owner() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    run(&env, &["-v", "v:/d"], "mkdir /d/roots; chown 5:6 /d").success();
    run(&env, &["-v", "v:/d:O", "--user=5"], "stat -c %u:%g /d; echo x >/d/f").prints("5:6\n");
    run(&env, &["-v", "w:/d", "--userns=keep-id", "--user=0"], "mkdir /d/roots; chown 0:0 /d").success();
    run(&env, &["-v", "w:/d:O", "--userns=keep-id"], "stat -c %u:%g /d; mv /d/roots /d/mine 2>&1 || echo refused")
        .stdout_has("0:0\n")
        .stdout_has("refused\n");
}

#[test]
fn a_directory_on_a_file_and_a_file_on_a_directory() {
    requires!(userns);
    let env = Env::with_busybox();
    env.write("src/f", "x\n");
    let at = |source: &str, target: &str| format!("{}:{target}", env.path(source).display());
    let directory = "the source is a directory, and the target is none";
    let file = "the source is no directory, and the target is one";
    run(&env, &["-v", &at("src", "/etc/passwd")], "true").code(125).stderr_has(directory);
    run(&env, &["-v", "v:/etc/passwd"], "true").code(125).stderr_has(directory);
    run(&env, &["--tmpfs=/etc/passwd"], "true").code(125).stderr_has(directory);
    run(&env, &["-v", &at("src/f", "/etc")], "true").code(125).stderr_has(file);
    env.run(["create", "--name=c", "--network=none", "-v", &at("src/f", "/etc"), BUSYBOX, "true"]).success();
    env.run(["cp", "c:/etc/passwd", "-"]).code(125).stderr_has(file);
}

/// As without `:O`, the place of a new volume is filled from the image; the volume stays new.
#[test]
fn an_overlay_of_a_new_volume_shows_what_the_image_has() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    for map in ["--userns=host", "--userns=auto", "--userns=nomap"] {
        run(&env, &[map, "-v", "v:/etc:O"], "rm /etc/group; echo x >/etc/mine; ls /etc/passwd").prints("/etc/passwd\n");
        run(&env, &[map, "--user=5:6", "-v", "new:/new:O"], "echo x >/new/f; stat -c %u:%g /new").prints("5:6\n");
    }
    run(&env, &["-v", "w:/bin:O,ro"], "ls /bin/sh; echo x >/bin/x").code(1).prints("/bin/sh\n");
    run(&env, &["-v", "v:/etc:O,nocopy"], "ls /etc/passwd").code(1);
    run(&env, &["-v", "v:/etc"], "rm /etc/passwd; ls /etc/group").prints("/etc/group\n");
    run(&env, &["-v", "v:/etc:O"], "ls /etc/passwd").code(1);
}

#[test]
fn binds() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    env.write("d/f", "one\n");
    let at = |options: &str| format!("{}:/d{options}", env.path("d").display());
    run(&env, &["-v", &at("")], "cat /d/f; echo two >/d/g").prints("one\n");
    run(&env, &["-v", &at(":ro")], "echo two >/d/h").code(1);
    run(&env, &["-v", &at(":O")], "echo three >/d/f; cat /d/f").prints("three\n");
    assert_eq!(std::fs::read_to_string(env.path("d/f")).unwrap(), "one\n", "changes of :O are gone");
    run(&env, &["-v", &at(":noexec")], "cp /bin/busybox /d/b; /d/b true").code(126);
    run(&env, &["--mount", &format!("type=bind,src={},dst=/d,ro", env.path("d").display())], "touch /d/z").code(1);
    let sub = format!("{}:/d:U", env.path("d").display());
    // D08: `U` follows no link.
    let outside = env.write("outside", "x\n");
    std::os::unix::fs::symlink(&outside, env.path("d/link")).unwrap();
    run(&env, &["--user=1000:1000", "-v", &sub], "stat -c %u:%g /d/f; echo z >/d/z").prints("1000:1000\n");
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&outside).unwrap());
    assert_eq!(owner, nix::unistd::geteuid().as_raw());
}

/// As with Podman: what belongs to its user is left alone, and what is below it.
#[test]
fn what_is_the_users_already_is_not_given_again() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    env.write("d/f", "");
    let (dir, file) = (env.path("d"), env.path("d/f"));
    let (volume, script) = (format!("{}:/data:U", dir.display()), "stat -c %u:%g /data /data/f");
    let create =
        ["create", "--name=c", "--network=none", "--user=1000:2000", "-v", &volume, BUSYBOX, "sh", "-c", script];
    env.run(create).success();
    env.run(["start", "-a", "c"]).prints("1000:2000\n1000:2000\n");
    env.run(["unshare", "chown", "100:200", file.to_str().unwrap()]).success();
    env.run(["start", "-a", "c"]).prints("1000:2000\n100:200\n");
    env.run(["unshare", "chown", "1000:1", dir.to_str().unwrap()]).success();
    env.run(["start", "-a", "c"]).prints("1000:2000\n1000:2000\n");
}

/// Who made the volume has no id in the container.
#[test]
fn volumes_without_the_callers_id() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let script = "stat -c %u /v; touch /v/x && stat -c %u /etc /etc/passwd && touch /etc/x";
    for (n, map) in ["--userns=nomap", "--userns=auto:size=3000", "--uidmap=0:7:2000"].iter().enumerate() {
        let (new, filled) = (format!("new{n}:/v"), format!("filled{n}:/etc"));
        for _ in 0..2 {
            run(&env, &[map, "-v", &new, "-v", &filled], script).success().prints("0\n0\n0\n");
        }
        let other = format!("other{n}:/v");
        run(&env, &[map, "--user=1000", "-v", &other], "stat -c %u /v; touch /v/x").success().prints("1000\n");
    }
}

#[test]
fn tmpfs_and_images() {
    requires!(userns);
    let env = Env::with_busybox();
    run(&env, &["--tmpfs=/t:size=64k"], "grep ' /t ' /proc/mounts").success().stdout_has("size=64k");
    run(&env, &["--mount=type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700"], "stat -c %a /t").prints("700\n");
    // As the directory of the image; where there is none, for everybody, at the second start, too.
    run(&env, &["--tmpfs=/etc"], "stat -c %a /etc").prints("755\n");
    let script = "stat -c %a /new /new/t && touch /new/t/x";
    let words = ["create", "--name=t", "--network=none", "--tmpfs=/new/t", "--user=1000", BUSYBOX, "sh", "-c", script];
    env.run(words).success();
    for _ in 0..2 {
        env.run(["start", "-a", "t"]).success().prints("755\n1777\n");
    }
    env.run(["rm", "t"]).success();
    let image = format!("--mount=type=image,src={BUSYBOX},dst=/i");
    run(&env, &[&image], "cat /i/etc/passwd | wc -l; echo x >/i/f").code(1).prints("3\n");
    run(&env, &[&(image.clone() + ",rw=true")], "echo x >/i/f; cat /i/f").prints("x\n");
    // It is in use as long as the container is there, and stays what it was when that was made.
    let env = Env::with_busybox();
    ImageBuilder::scratch().layer(Layer::new().file("f", 0o644, b"first")).docker_archive(&env.path("i.tar"), "i:1");
    env.run(["load", "-i", "i.tar"]).success();
    let made = ["create", "--name=c", "--network=none", "--mount=type=image,src=i:1,dst=/i", BUSYBOX, "cat", "/i/f"];
    env.run(made).success();
    env.run(["rmi", "i:1"]).code(2).stderr_has("in use");
    env.run(["image", "prune", "-af"]).prints("");
    env.run(["untag", "i:1"]).success();
    env.run(["start", "-a", "c"]).prints("first");
    env.run(["rm", "c"]).success();
    env.run(["image", "prune", "-f"]).success();
    // Of a manifest list the image for this machine is meant.
    env.run(["manifest", "create", "list:1", BUSYBOX]).success();
    run(&env, &["--mount=type=image,src=list:1,dst=/i"], "cat /i/etc/passwd | wc -l").prints("3\n");
    env.run(["create", "--mount=type=image,src=i:1,dst=/i", BUSYBOX, "true"]).code(125).stderr_has("image not known");
}

/// What the engine makes for every container keeps none from starting, and leaves nothing in what the user has mounted there.
#[test]
fn mounts_over_the_directories_of_the_engines_files() {
    requires!(userns);
    let env = Env::with_busybox();
    let dir = |name: &str| {
        std::fs::create_dir_all(env.path(name)).unwrap();
        env.path(name).display().to_string()
    };
    env.write("etc/passwd", "root:x:0:0::/:/bin/sh\n");
    run(&env, &["-v", &format!("{}:/etc:ro", dir("etc"))], "id -un; ls /etc").prints("root\npasswd\n");
    // As the host's, where /etc/resolv.conf is a link to /run; but not where something of the user's is.
    dir("linked");
    std::os::unix::fs::symlink("../run/deep/hosts", env.path("linked/hosts")).unwrap();
    std::os::unix::fs::symlink("/private/name", env.path("linked/hostname")).unwrap();
    let (linked, private) = (dir("linked"), dir("private"));
    let flags = ["-v", &format!("{linked}:/etc:ro"), "-v", &format!("{private}:/private")];
    run(&env, &flags, "cat /etc/hosts; ls /private").success().stdout_has("127.0.0.1");
    assert_eq!(std::fs::read_dir(env.path("private")).unwrap().count(), 0);
    run(&env, &["--tmpfs=/etc:ro"], "touch /etc/x").code(1).stderr_has("Read-only");
    for options in ["ro", "rw"] {
        run(&env, &["-v", &format!("{}:/run:{options}", dir("run"))], "ls -A /run").success().prints("");
    }
    assert_eq!(std::fs::read_dir(env.path("run")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(env.path("etc")).unwrap().count(), 1);
    run(&env, &[], "ls -A /run").success().prints(".containerenv\n");
}

/// In Podman's words: what was said, and what holds in a volume or a tmpfs if nothing was.
#[test]
fn inspect_tells_the_options_of_mounts() {
    requires!(userns);
    let env = Env::with_busybox();
    let mounts = [
        "-v=plain:/a",
        "-v=free:/b:exec,suid",
        "-v=/tmp:/c:ro,noexec",
        "--tmpfs=/d:size=1m",
        "--mount=type=volume,src=q,dst=/e,ro",
    ];
    env.run(["create", "--name=c"].iter().chain(&mounts).chain(&[BUSYBOX, "true"])).success();
    let options = env.run(["inspect", "--format={{range .Mounts}}{{.Destination}} {{.Options}} {{.RW}}\n{{end}}", "c"]);
    let mut options: Vec<_> = options.success().stdout().lines().map(str::to_owned).collect();
    options.retain(|line| !line.is_empty());
    options.sort();
    let expected = [
        "/a [nosuid nodev rbind] true",
        "/b [exec suid nodev rbind] true",
        "/c [noexec rbind] false",
        "/e [nosuid nodev rbind] false",
    ];
    assert_eq!(options, expected);
    let report = env.run(["inspect", "c"]).success().json();
    let host = &report[0]["HostConfig"];
    let mut binds: Vec<_> = host["Binds"].as_array().unwrap().iter().map(|bind| bind.as_str().unwrap()).collect();
    binds.sort_unstable();
    let expected = [
        "/tmp:/c:noexec,ro,rprivate,rbind",
        "free:/b:exec,suid,rw,rprivate,nodev,rbind",
        "plain:/a:rw,rprivate,nosuid,nodev,rbind",
        "q:/e:ro,rprivate,nosuid,nodev,rbind",
    ];
    assert_eq!(binds, expected);
    assert_eq!(host["Tmpfs"]["/d"], "rw,rprivate,nosuid,nodev,size=1048576,tmpcopyup");
}
