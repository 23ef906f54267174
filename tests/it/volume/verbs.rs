//! `volume create ls rm inspect prune exists`.

use crate::harness::env::program;
use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

#[test]
fn verbs() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["volume", "create", "--label", "a=b", "v1"]).prints("v1\n");
    env.run(["volume", "create", "v1"]).code(125).stderr_has("already exists");
    env.run(["volume", "create", "--ignore", "v1"]).prints("v1\n");
    env.run(["volume", "create", "../x"]).code(125).stderr_has("not a valid name");
    let anonymous = env.run(["volume", "create"]).success().trimmed();
    assert_eq!(anonymous.len(), 64);
    env.run(["volume", "ls", "-q", "--filter", "label=a=b"]).prints("v1\n");
    env.run(["volume", "ls", "-q", "--filter", "name=^(v1|nope)$"]).prints("v1\n");
    env.run(["volume", "ls", "-q", "--filter", "name=(v1"]).code(125).stderr_has("no regular expression");
    env.run(["volume", "ls", "-q", "--filter=label=a=b", "--format={{.Driver}}"]).prints("local\n");
    assert_eq!(env.run(["volume", "inspect", "v1"]).success().json()[0]["Labels"]["a"], "b");
    env.run(["volume", "exists", "v1"]).code(0);
    env.run(["volume", "exists", "zz"]).code(1);
    env.run(["volume", "rm", "zz"]).code(1).stderr_has("no such volume");
    env.run(["create", "--name=c", "-v", "v1:/d", BUSYBOX, "true"]).success();
    env.run(["volume", "rm", "v1"]).code(2).stderr_has("being used");
    env.run(["volume", "prune", "-f"]).prints(&format!("{anonymous}\n"));
    env.run(["rm", "c"]).success();
    env.run(["volume", "rm", "v1"]).prints("v1\n");
    env.run(["volume", "ls", "-q"]).prints("");
    env.run(["volume", "ls"]).prints("");
    env.run(["volume", "ls", "--format", "table {{.Name}}"]).prints("");
}

#[test]
fn names_are_regular_expressions_and_prune_takes_none() {
    requires!(userns);
    let env = Env::new();
    for name in ["v1", "v10", "web.v1"] {
        env.run(["volume", "create", "--label", "stage=old", name]).success();
    }
    env.run(["volume", "ls", "-q", "-f", "name=^v1$"]).prints("v1\n");
    env.run(["volume", "ls", "-q", "-f", "name=v1$"]).prints("v1\nweb.v1\n");
    env.run(["volume", "ls", "-q", "-f", "name=v1"]).prints("v1\nv10\nweb.v1\n");
    env.run(["volume", "ls", "-q", "-f", "label=st*"]).prints("v1\nv10\nweb.v1\n");
    env.run(["volume", "ls", "-q", "-f", "label=stage=o*"]).prints("");
    env.run(["volume", "prune", "-f", "--filter", "name=v1"]).code(125).stderr_has("unknown key: label");
    env.run(["volume", "prune", "-f", "--filter", "label=stage=o*"]).prints("");
    env.run(["volume", "prune", "-f", "--filter", "label=stage=old"]).prints("v1\nv10\nweb.v1\n");
}

#[test]
fn owners_and_options() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["volume", "create", "--uid=5", "--gid=6", "flags"]).success();
    env.run(["volume", "create", "-o", "o=uid=5,gid=6,noquota", "options"]).success();
    for volume in ["flags", "options"] {
        let stat = ["run", "--rm", "--network=none", "-v"];
        // The image has the directory, and does not change the owner.
        let place = format!("{volume}:/root");
        env.run(stat.into_iter().chain([place.as_str(), BUSYBOX, "stat", "-c", "%u:%g", "/root"])).prints("5:6\n");
        env.run(["volume", "inspect", "-f", "{{.UID}}:{{.GID}}", volume]).prints("5:6\n");
    }
    env.run(["volume", "create", "-o", "nocopy", "empty"]).success();
    env.run(["run", "--rm", "--network=none", "-v", "empty:/etc", BUSYBOX, "ls", "/etc"]).success();
    let data = env.run(["volume", "inspect", "-f", "{{.Mountpoint}}", "empty"]).trimmed();
    assert!(!std::path::Path::new(&data).join("os-release").exists(), "nothing was copied");
    env.run([
        "volume",
        "inspect",
        "-f",
        "{{.Status}}{{.UID}}{{.GID}} {{.NeedsChown}} {{.LockNumber}}{{.StorageID}}{{.Timeout}}",
        "empty",
    ])
    .prints("map[]00 false 00\n");
    for option in ["type=tmpfs", "device=/x", "o=size=1m", "o=uid=x", "o=uid=4000000000"] {
        env.run(["volume", "create", "-o", option, "refused"]).code(125);
        env.run(["volume", "exists", "refused"]).code(1);
    }
}

#[test]
fn removal_by_force() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["volume", "rm", "-f", "nope"]).prints("");
    env.run(["volume", "rm", "nope"]).code(1);
    env.run(["volume", "rm", "-t", "5", "nope"]).code(125).stderr_has("--force");
    env.run(["volume", "create", "v"]).success();
    env.run(["volume", "create", "w"]).success();
    let script = "trap 'echo told > /v/end; cp /v/end /w; exit' TERM; echo > /w/ready; while :; do sleep 0.1; done";
    let run = ["run", "-d", "--network=none", "-v", "v:/v", "-v", "w:/w", BUSYBOX, "sh", "-c", script];
    env.run(run).success();
    let other = env.run(["volume", "inspect", "-f", "{{.Mountpoint}}", "w"]).trimmed();
    let other = std::path::Path::new(&other);
    crate::harness::eventually("the trap", || other.join("ready").exists());
    env.run(["volume", "rm", "-f", "-t", "30", "v"]).prints("v\n");
    assert!(other.join("end").exists(), "the program was told before it was killed");
    env.run(["ps", "-aq"]).prints("");
}

#[test]
fn prune_shows_what_goes() {
    requires!(userns);
    let env = Env::new();
    env.command(["volume", "prune"]).stdin("").run().prints("No dangling volumes found\n");
    env.run(["volume", "create", "one"]).success();
    env.run(["volume", "create", "two"]).success();
    let warning = "WARNING! This will remove all volumes not used by at least one container. The following volumes \
                   will be removed:\none\ntwo\nAre you sure you want to continue? [y/N] ";
    let asked = env.command(["volume", "prune"]).stdin("").run();
    asked.code(125).prints(&format!("{warning}\n")).stderr_has("EOF");
    env.command(["volume", "prune"]).stdin("n\n").run().prints(warning);
    let answer = env.command(["volume", "prune"]).stdin("y\n").run();
    answer.prints(&format!("{warning}one\ntwo\n"));
    let asked = env.command(["container", "prune"]).stdin("").run();
    asked.code(125).stdout_has("WARNING! This will remove all non running containers.\n");
}

#[test]
fn anonymous_volumes_go_with_rm() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "--rm", "--network=none", "--user=1000", "-v", "/a", BUSYBOX, "true"]).success();
    env.run(["volume", "ls", "-q"]).prints("");
    env.run(["run", "--name=c", "--network=none", "-v", "/a", BUSYBOX, "true"]).success();
    env.run(["rm", "-v", "c"]).success();
    env.run(["volume", "ls", "-q"]).prints("");
    // Files of others, in a volume and in the root, with another user's trash beside them.
    let script = "mkdir -m 700 /a/x /x; chown 5:5 /a/x /x; touch /a/x/y /x/y";
    std::fs::create_dir(env.graphroot().join("trash/of-another-process")).unwrap();
    env.run(["run", "--rm", "--network=none", "-v", "/a", BUSYBOX, "sh", "-c", script]).success();
    let left: Vec<_> =
        std::fs::read_dir(env.graphroot().join("trash")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["of-another-process"], "`--rm` deletes its own and nothing else");
    std::fs::remove_dir(env.graphroot().join("trash/of-another-process")).unwrap();
}

/// Whoever was faster has done what was wanted.
#[test]
fn volumes_are_pruned_by_several_at_once() {
    requires!(userns);
    let env = Env::with_busybox();
    for words in [&["volume", "prune", "-f"][..], &["volume", "rm", "-a"], &["system", "prune", "-f", "--volumes"]] {
        env.other("sh")
            .args(["-c", "for i in $(seq 30); do \"$0\" volume create v$i; done", program().to_str().unwrap()])
            .run()
            .success();
        let both = [env.spawn(words), env.spawn(words)];
        for one in both {
            one.wait().success();
        }
        env.run(["volume", "ls", "-q"]).prints("");
    }
}
