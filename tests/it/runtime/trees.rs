//! Trees that a container or a volume fills to lead us elsewhere (cases D04 and D08).

use std::os::unix::fs::MetadataExt;

use crate::harness::{BUSYBOX, Env, requires};

#[test]
fn d04_hostile_trees_are_copied_out_into_one_directory() {
    requires!(userns);
    let env = Env::with_busybox();
    let sentinel = env.write("sentinel", "untouched\n");
    let outside = sentinel.parent().unwrap().display().to_string();
    // Links up and out at every level, a FIFO, a socket's place, a file that is larger than the disk, an odd name.
    let script = format!(
        "mkdir -p /t/a/b; ln -s {outside} /t/out; ln -s ../../../../../.. /t/a/up; ln -s /t/out/sentinel /t/a/b/file; \
         mkfifo /t/fifo; truncate -s 1T /t/sparse; touch '/t/a/..x' /t/a/-rf; chmod 4755 /t/a/-rf; echo ready; sleep 600"
    );
    env.run(["run", "-d", "--name=c", "--network=none", BUSYBOX, "sh", "-c", &script]).success();
    crate::harness::eventually("the tree is there", || env.run(["logs", "c"]).stdout().contains("ready"));
    std::fs::create_dir(env.path("to")).unwrap();
    for path in ["/t/a", "/t/out", "/t/fifo", "/t/sparse"] {
        let target = env.path("to").display().to_string();
        let code = env.run(["cp", &format!("c:{path}"), &target]).exit_code();
        assert!(matches!(code, Some(0 | 125)), "{path}: {code:?}");
    }
    assert_eq!(std::fs::read_to_string(&sentinel).unwrap(), "untouched\n");
    assert!(std::fs::symlink_metadata(env.path("to/a/up")).is_ok_and(|meta| meta.is_symlink()), "a link stays a link");
    assert!(std::fs::symlink_metadata(env.path("to/fifo")).map_or(true, |meta| !meta.is_file()));
    let large = std::fs::symlink_metadata(env.path("to/sparse"));
    assert!(large.map_or(true, |meta| meta.blocks() < 2048), "holes stay holes");
    env.run(["rm", "-f", "-t0", "c"]).success();
}

#[test]
fn d08_ownership_is_not_given_outside() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let key = env.write("key", "secret\n");
    env.write("v/file", "x\n");
    std::os::unix::fs::symlink(&key, env.path("v/link")).unwrap();
    std::os::unix::fs::symlink(key.parent().unwrap(), env.path("v/up")).unwrap();
    std::fs::hard_link(&key, env.path("v/hard")).unwrap();
    let before = std::fs::metadata(&key).unwrap();
    let volume = format!("{}:/v:U", env.path("v").display());
    let script = "stat -c %u:%g /v /v/file";
    let out = env.run(["run", "--rm", "--network=none", "--user=7:8", "-v", &volume, BUSYBOX, "sh", "-c", script]);
    out.success().prints("7:8\n7:8\n");
    let after = std::fs::metadata(&key).unwrap();
    assert_eq!((before.uid(), before.gid(), before.mode()), (after.uid(), after.gid(), after.mode()));
}
