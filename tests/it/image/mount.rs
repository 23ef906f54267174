//! `unshare`, `image mount`, `mount` and their opposites.

use crate::harness::image::{BUSYBOX, ImageBuilder, Layer};
use crate::harness::{Env, Output, requires};

/// Runs a script in `unshare`, where `$S` is sampan.
fn inside(env: &Env, script: &str) -> Output {
    let program = crate::harness::env::program();
    let script = format!("S={}; set -e\n{script}", program.display());
    env.run(["unshare", "/bin/sh", "-c", &script])
}

#[test]
fn containers_run_and_are_entered_in_it() {
    requires!(userns, pasta);
    let env = Env::with_busybox();
    let script = format!(
        "$S run -d --name=c --network=pasta {BUSYBOX} sleep 600 >/dev/null
         $S exec c grep -vc -e Inter -e face -e lo: /proc/net/dev
         $S run --rm --userns=container:c --network=pasta {BUSYBOX} grep -vc -e Inter -e face -e lo: /proc/net/dev"
    );
    inside(&env, &script).prints("1\n1\n");
    env.run(["exec", "c", "id", "-u"]).prints("0\n");
    env.run(["rm", "-f", "-t0", "c"]).success();
}

#[test]
fn a_program_in_the_namespace_of_containers() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.run(["unshare", "sh", "-c", "exit 7"]).code(7);
    env.run(["unshare", "sh", "-c", "kill -9 $$"]).code(137);
    env.run(["unshare", "no-such-program"])
        .code(127)
        .stderr_has("command not found: no-such-program")
        .stderr_has("of this host");
    env.run(["unshare", "/nope/x"]).code(127);
    env.run(["unshare", "/etc/passwd"]).code(126);
    env.run(["unshare", "--rootless-netns", "true"]).code(125).stderr_has("not supported yet");
    env.run(["unshare"]).code(125).stderr_has("no command specified and no $SHELL specified");
    env.set("SHELL", "/bin/true");
    env.run(["unshare"]).success();
    assert_eq!(inside(&env, "id -u").success().trimmed(), "0");
    let map = inside(&env, "cat /proc/self/uid_map").success().stdout();
    assert_eq!(map.lines().next().unwrap().split_whitespace().next(), Some("0"), "{map}");
    let told = inside(&env, "echo $_CONTAINERS_USERNS_CONFIGURED $CONTAINERS_GRAPHROOT").success().trimmed();
    assert_eq!(told, format!("done {}", env.graphroot().display()));
    // A file of a subordinate id can be made and removed in here.
    let file = env.path("file");
    inside(&env, &format!("touch {0}; chown 1000:1000 {0}; test $(stat -c %u {0}) = 1000; rm {0}", file.display()))
        .success();
    // The same store, the same images, without new unpacking.
    let before = std::fs::read_dir(env.graphroot().join("layers")).unwrap().count();
    inside(&env, "$S images -q | grep -q . && $S image exists localhost/busybox:1").success();
    assert_eq!(std::fs::read_dir(env.graphroot().join("layers")).unwrap().count(), before);
}

#[test]
fn images_are_mounted_for_as_long_as_the_shell_lives() {
    requires!(userns, overlay);
    let env = Env::new();
    let image = |extra: bool| {
        let one = ImageBuilder::scratch().layer(Layer::new().file("a", 0o640, b"one\n").dir("d", 0o755));
        if extra { one.layer(Layer::new().file("d/b", 0o644, b"two\n").whiteout("a")) } else { one }
    };
    for (name, extra) in [("localhost/one:1", false), ("localhost/two:1", true)] {
        let path = env.path("image.tar");
        image(extra).docker_archive(&path, name);
        env.run(["load", "-q", "-i", &path.to_string_lossy()]).success();
    }
    let refused = env.run(["image", "mount", "one:1"]);
    refused
        .code(125)
        .stderr_has("cannot run command \"sampan image mount\" in rootless mode, must execute `sampan unshare` first");
    refused.stderr_has("Hint: sampan unshare");
    env.run(["image", "mount"]).prints("");
    let out = inside(
        &env,
        "m=$($S image mount one:1); cat $m/a; stat -c %a $m/a; ! touch $m/x 2>/dev/null
         test $m = $($S image mount one:1)
         n=$($S image mount two:1); cat $n/d/b; test ! -e $n/a
         $S image mount | sort | sed 's| .*||'
         $S image mount --format json | grep -c mountpoint
         $S image unmount one:1 > /dev/null; test ! -e $m; $S image mount | wc -l
         $S image umount --all > /dev/null; $S image mount --all | wc -l; $S image unmount -af; $S image mount
         $S image mount nope && exit 1; $S image unmount nope && exit 1; $S image unmount one:1 >/dev/null
         $S image mount one:1 > /dev/null",
    );
    let out = out.success().stdout();
    assert!(out.starts_with("one\n640\ntwo\nlocalhost/one:1\nlocalhost/two:1\n2\n1\n2\n"), "{out}");
    // Nothing is left: neither a mount nor a file.
    let runroot = env.root().join("run/sampan");
    let left = std::fs::read_dir(&runroot).unwrap().flatten().map(|epoch| epoch.path().join("mnt"));
    for dir in left.filter(|dir| dir.exists()) {
        assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    }
    inside(&env, "$S image mount").prints("");
}

#[test]
fn containers_are_mounted_to_be_written() {
    requires!(userns, overlay);
    let env = Env::with_busybox();
    env.run(["create", "--name", "c", "--network=none", BUSYBOX, "cat", "/note"]).success();
    env.run(["mount", "c"]).code(125).stderr_has("cannot run command \"sampan mount\" in rootless mode");
    inside(&env, "m=$($S mount c); echo written > $m/note; $S mount | grep -q $m; $S mount --format json | grep -q '\"c\"'; test $($S unmount c) = c; $S mount; $S umount c; $S unmount -a; test $($S mount -a) = $($S mount -l)")
        .success();
    env.run(["start", "-a", "c"]).prints("written\n");
    env.run(["diff", "c"]).stdout_has("A /note\n");
    // One that runs is seen as it sees itself.
    env.run(["run", "-d", "--name", "r", "--network=none", BUSYBOX, "sh", "-c", "echo here > /mark; exec sleep 600"])
        .success();
    crate::harness::eventually("the mark", || env.run(["exec", "r", "cat", "/mark"]).stdout() == "here\n");
    inside(&env, "m=$($S mount r); cat $m/mark; echo two > $m/mark; $S mount -a | wc -l").prints("here\n2\n");
    env.run(["exec", "r", "cat", "/mark"]).prints("two\n");
    inside(&env, "$S mount nope").code(125);
    env.run(["rm", "-ft0", "r"]).success();
}
