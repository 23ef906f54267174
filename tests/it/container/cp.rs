//! `cp`: in and out, running and stopped; a container's links lead nowhere else (D01–D04).

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

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
    }
    env.run(["start", "c"]).success();
    env.run(["rm", "-f", "-t0", "c"]).success();
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
