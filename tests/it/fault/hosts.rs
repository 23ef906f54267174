//! Hosts that lack something (G15): one line, the cure, code 125; or it works all the same.

use crate::harness::image::{BUSYBOX, busybox_tar};
use crate::harness::{Env, Output, requires};

fn run(env: &Env, flags: &[&str], script: &str) -> Output {
    let words = ["run", "--rm"];
    env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", script]))
}

fn import(env: &Env) {
    let tar = busybox_tar().to_str().unwrap().to_owned();
    env.run(["import", &tar, BUSYBOX]).success();
}

#[test]
fn g15_without_newuidmap_one_id_does() {
    requires!(userns);
    let mut env = Env::new();
    env.hide_programs(&["newuidmap", "newgidmap"]);
    import(&env);
    run(&env, &["--network=none"], "id -u; stat -c %u:%g /bin/busybox").prints("0\n0:0\n");
    run(&env, &["--network=none", "--user=1000"], "id -u; touch /tmp/x; stat -c %u /tmp/x").prints("1000\n1000\n");
    run(&env, &["--network=none"], "touch /x && chown 5:6 /x && chgrp 7 /x && echo pretended").prints("pretended\n");
    run(&env, &["--network=none", "-v", "v:/etc"], "grep -c . /etc/passwd").prints("3\n");
    env.run(["run", "-d", "--name=s", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["exec", "s", "id", "-u"]).prints("0\n");
    // Another user is the same one under another number.
    let script =
        "id -u; id -g; touch /tmp/y; stat -c %u:%g /tmp/y; cat /proc/self/uid_map | tr -s ' '; kill -0 1 || echo no";
    for (user, id) in [("2000", "2000:0"), ("2000:7", "2000:7"), ("user", "1000:1000"), ("bin", "1:1")] {
        let out = env.run(["exec", "--user", user, "s", "sh", "-c", script]);
        let (uid, gid) = id.split_once(':').unwrap();
        out.success().stdout_has(&format!("{uid}\n{gid}\n{id}\n {uid} 0 1\n"));
    }
    env.run(["exec", "-t", "--user=5", "s", "id", "-u"]).prints("5\r\n");
    env.run(["exec", "--user=absent", "s", "true"]).code(125).stderr_has("absent");
    env.run(["exec", "s", "stat", "-c", "%u", "/tmp/y"]).prints("0\n");
    env.run(["run", "-d", "--name=u", "--network=none", "--user=33:33", BUSYBOX, "sleep", "600"]).success();
    env.run(["exec", "u", "id", "-u"]).prints("33\n");
    env.run(["exec", "--user=0:0", "u", "sh", "-c", "id -u; touch /z && stat -c %u /z"]).prints("0\n0\n");
    env.run(["rm", "-f", "-t0", "u"]).success();
    env.run(["cp", "s:/etc/passwd", "-"]).success();
    env.run(["rm", "-f", "-t0", "s"]).success();
}

/// The kernel has overlay; it is the store's file system that cannot carry another one.
#[test]
fn an_overlay_that_the_stores_place_forbids_is_not_blamed_on_the_kernel() {
    requires!(userns, overlay, user);
    let env = Env::new();
    let [program, tar] = [crate::harness::env::program().display().to_string(), busybox_tar().display().to_string()];
    let script = format!(
        "mkdir l u w m && mount -t overlay overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w m &&
         {program} --root $PWD/m/store import {tar} {BUSYBOX} &&
         {program} --root $PWD/m/store --storage-driver=overlay run --rm --network=none {BUSYBOX} true"
    );
    let out = env.other("unshare").args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).run();
    out.code(125).stderr_has("Hint: use fuse-overlayfs").stderr_has("not on another overlay");
}

#[test]
fn other_storage_drivers_keep_data() {
    requires!(userns);
    let env = Env::with_busybox();
    for driver in ["copy", "fuse-overlayfs"] {
        if driver == "fuse-overlayfs" && !crate::harness::requires::met("fuse") {
            continue;
        }
        let sampan = |words: &[&str]| env.run(["--storage-driver", driver].iter().chain(words));
        let script = "echo run >>/count; wc -l </count; rm /etc/group 2>/dev/null; stat -c %u:%g /bin/busybox";
        let create = ["create", "--name=c", "--network=none", BUSYBOX, "sh", "-c", script];
        sampan(&create).success();
        sampan(&["start", "-a", "c"]).success().prints("1\n0:0\n");
        sampan(&["start", "-a", "c"]).success().prints("2\n0:0\n");
        sampan(&["rm", "c"]).success();
    }
    env.run(["--storage-driver=nope", "ps"]).code(125).stderr_has("overlay, fuse-overlayfs or copy");
}

#[test]
fn g15_without_a_network_helper() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.hide_programs(&["pasta", "slirp4netns", "pasta.avx2"]);
    run(&env, &[], "true").code(125).stderr_has("pasta or slirp4netns").stderr_has("apt install passt");
    run(&env, &["--network=pasta"], "true").code(125).stderr_has("pasta is not in PATH").stderr_has("Hint: ");
    run(&env, &["--network=slirp4netns"], "true").code(125).stderr_has("slirp4netns is not in PATH");
    run(&env, &["--network=none"], "true").success();
    run(&env, &["--network=host"], "true").success();
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn g15_without_a_route_the_hint_is_not_to_install_what_is_there() {
    requires!(userns, pasta);
    let env = Env::new();
    let tar = busybox_tar().to_str().unwrap().to_owned();
    // A network namespace with nothing but lo.
    let script = format!(
        "S={}; $S import {tar} {BUSYBOX} && $S run --rm --network=pasta {BUSYBOX} true",
        crate::harness::env::program().display()
    );
    let out = env.other("unshare").args(["--map-root-user", "--net", "sh", "-c", &script]).run();
    if out.is_success() {
        // A pasta of 2025 gives a network without a way out.
        return;
    }
    out.code(125).stderr_has("Hint: this host has no default route");
    assert!(!out.stderr().contains("apt install passt"), "{out}");
}

#[test]
fn what_is_left_out_is_said() {
    requires!(userns);
    let env = Env::with_busybox();
    for attached in [&["run", "--rm"][..], &["run", "-d", "--name=d"]] {
        let words = ["--network=host", "-p", "8080:80", BUSYBOX, "true"];
        let out = env.run(attached.iter().chain(&words));
        out.success().stderr_has("Warning: Port mappings have been discarded because \"host\" network");
    }
    env.run(["wait", "d"]).prints("0\n");
    let out = env.run(["run", "--rm", "--network=host", BUSYBOX, "true"]);
    assert!(!out.success().stderr().contains("discarded"), "{out}");
}

#[test]
fn g13_home_that_is_read_only() {
    requires!(user);
    let env = Env::new();
    let home = env.home();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o500)).unwrap();
    for verb in ["ps", "images", "version", "info"] {
        env.run([verb]).success();
    }
    let tar = busybox_tar().to_str().unwrap().to_owned();
    env.run(["import", &tar, BUSYBOX]).code(125).stderr_has("open store").stderr_has("Hint: keep the store where");
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}

/// A store that the caller cannot write: what only reads works there, the rest works from a store of one's own.
#[test]
fn g13_store_that_is_read_only() {
    requires!(user, userns);
    let env = Env::with_busybox();
    let graph = env.graphroot();
    let mode = |mode| {
        let permissions = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode;
        std::fs::set_permissions(graph.join("store.lock"), permissions(mode)).unwrap();
        std::fs::set_permissions(graph.join("staging"), permissions(mode | 0o100)).unwrap();
    };
    mode(0o400);
    for words in [&["images"][..], &["history", BUSYBOX], &["inspect", BUSYBOX], &["image", "tree", BUSYBOX]] {
        env.run(words).success();
    }
    let saved = env.path("saved.tar").to_str().unwrap().to_owned();
    let save = ["save", "-q", "-o", &saved, BUSYBOX];
    env.run(save).code(125).stderr_has("store.lock").stderr_has("additionalimagestore=STORE");
    let (own, option) = (env.path("own").display().to_string(), format!("additionalimagestore={}", graph.display()));
    env.run(["--root", &own, "--storage-opt", &option].into_iter().chain(save)).success();
    mode(0o600);
    env.run(["load", "-q", "-i", &saved]).success().stdout_has("busybox");
}

#[test]
fn g15_without_a_runtime_directory() {
    requires!(userns);
    let mut env = Env::with_busybox();
    env.unset("XDG_RUNTIME_DIR");
    run(&env, &["--network=none"], "true").success();
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["ps", "--format", "{{.Names}}"]).prints("c\n");
    env.run(["exec", "c", "true"]).success();
    env.run(["rm", "-f", "-t0", "c"]).success();
}

#[test]
fn registry_that_is_down() {
    requires!(user);
    let env = Env::new();
    let out = env.run(["run", "--rm", "--tls-verify=false", "127.0.0.1:1/x:1"]);
    out.code(125).stderr_has("127.0.0.1:1").stderr_has("refused");
    env.run(["pull", "--tls-verify=false", "127.0.0.1:1/x:1"]).code(125).stderr_has("refused");
    env.run(["images", "-q"]).prints("");
}

/// A unit or a container around us that forbids new privileges: more subordinate ids would not help.
#[test]
fn without_new_privileges() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let program = crate::harness::env::program();
    let words = ["--no-new-privs", program.to_str().unwrap(), "run", "--rm", "--network=none", BUSYBOX, "true"];
    let out = env.other("/usr/bin/setpriv").args(words).run();
    out.code(125).stderr_has("newuidmap").stderr_has("no-new-privileges");
}
