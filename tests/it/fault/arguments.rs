//! Arguments that are hostile or odd, where only the whole program can show it (F01, F02, F04, F05, F09).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

#[test]
fn f01_f02_f04_are_refused_before_anything_is_made() {
    requires!(userns);
    let env = Env::with_busybox();
    let long = "a".repeat(300);
    let cases: [(&str, &[&str]); 8] = [
        ("--name", &["../x", "-rf", "a\nb", "a/b", " ", &long]),
        ("--add-host", &["a:1.1.1.1\n2.2.2.2 b", "a", "a:"]),
        ("--hostname", &[&long, "a\nb", "a/b"]),
        ("--dns", &["x", "1.1.1.1\nsearch evil"]),
        ("--publish", &["0", "65536", "80-70", "1-65535:1", "::1:80:80", "a:b:c:d", ":", "80:80/x"]),
        ("--volume", &["a:b", ":", "/a:b", ":::", "/a:/b:zz"]),
        ("--mount", &["src=,dst=", "type=bind,src=/,src=/,dst=/x", "type=nope,dst=/x", "type=tmpfs", ""]),
        ("--env", &["=x", ""]),
    ];
    for (flag, values) in cases {
        for value in values {
            let word = format!("{flag}={value}");
            let out = env.run(["create", &word, BUSYBOX, "true"]);
            out.code(125).stderr_has("Error: ");
            assert!(!out.stderr().contains("panicked"), "{out}");
        }
    }
    env.run(["ps", "-aq"]).prints("");
    env.run(["volume", "ls", "-q"]).prints("");
}

#[test]
fn f01_ambiguous_prefix_is_said() {
    requires!(userns);
    let env = Env::with_busybox();
    // Seventeen ids begin with at most sixteen digits.
    let ids: Vec<String> = (0..17).map(|_| env.run(["create", BUSYBOX, "true"]).success().trimmed()).collect();
    let twice = ids.iter().find(|id| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1).unwrap();
    env.run(["inspect", &twice[..1]]).code(125).stderr_has(&twice[..12]);
    // A name goes before a prefix.
    env.run(["rename", &ids[0], &ids[1][..12]]).success();
    env.run(["inspect", &ids[1][..12], "--format", "{{.Id}}"]).prints(&format!("{}\n", ids[0]));
}

#[test]
fn f05_env_file_of_every_kind() {
    requires!(userns);
    let env = Env::with_busybox();
    nix::unistd::mkfifo(&env.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let run = |file: &str| env.run(["run", "--rm", "--network=none", "--env-file", file, BUSYBOX, "true"]);
    run("absent").code(125).stderr_has("absent");
    run(".").code(125).stderr_has("EISDIR");
    run("/dev/zero").code(125).stderr_has("more than");
    // Nobody writes: nothing to read, and no wait.
    run("fifo").success();
}

/// Nobody waits for a writer that never comes: the file is empty.
#[test]
fn f05_a_configuration_that_is_a_fifo() {
    let env = Env::new();
    let fifo = |name: &str| {
        let path = env.home().join(".config/containers").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        drop(std::fs::remove_file(&path));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        path
    };
    let quick = |arguments: &[&str]| env.spawn(arguments).wait_for(std::time::Duration::from_secs(20));
    let login = ["login", "--get-login", "registry.example"];
    for (name, told) in [
        ("auth.json", "not logged in"),
        ("policy.json", "policy.json"),
        ("registries.conf", ""),
        ("containers.conf", ""),
    ] {
        let path = fifo(name);
        let command: &[&str] = match name {
            "auth.json" => &login,
            "containers.conf" => &["ps"],
            _ => &["pull", "-q", "localhost:1/x"],
        };
        let out = quick(command);
        assert!(out.stderr().contains(told), "{name}: {}", out.stderr());
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn f09_extremes() {
    requires!(userns);
    let env = Env::with_busybox();
    let run = |words: Vec<OsString>| {
        let all = ["run", "--rm", "--network=none"].map(OsString::from);
        env.run(all.into_iter().chain(words))
    };
    let words = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
    run(words(&[BUSYBOX, "sh", "-c", "echo ${#1}", "x", &"a".repeat(131_000)])).prints("131000\n");
    let mut many = Vec::new();
    for number in 0..2000 {
        many.extend(words(&["-e", &format!("X{number}={number}")]));
    }
    many.extend(words(&[BUSYBOX, "sh", "-c", "env | grep -c ^X"]));
    run(many).prints("2000\n");
    let mut bytes = words(&[BUSYBOX, "echo"]);
    bytes.push(OsString::from_vec(vec![0xff, 0xfe]));
    run(bytes).code(125).stderr_has("not UTF-8");
    run(words(&["--", BUSYBOX, "echo", "--name"])).prints("--name\n");
    run(words(&[BUSYBOX, "echo", "-it", "--rm"])).prints("-it --rm\n");
}
