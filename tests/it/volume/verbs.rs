//! `volume create ls rm inspect prune exists`.

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
