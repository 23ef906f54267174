//! `logs`: what was written, in whole, once.

use crate::harness::env::program;
use crate::harness::{BUSYBOX, Env, eventually, requires};

fn start(env: &Env, flags: &[&str], script: &str) -> String {
    let all = [&["run", "-d", "--network=none"], flags, &[BUSYBOX, "sh", "-c", script]].concat();
    env.command(all).run().success().trimmed()
}

fn finished(env: &Env, flags: &[&str], script: &str) -> String {
    let id = start(env, flags, script);
    env.run(["wait", &id]).success();
    id
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|number| format!("{number}\n")).collect()
}

#[test]
fn streams_tails_and_times() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = finished(&env, &["--name=one"], "echo first; echo oops >&2; sleep 1.1; echo last; printf open");
    let out = env.run(["logs", &id]);
    out.success().prints("first\nlast\nopen");
    assert_eq!(out.stderr(), "oops\n");
    env.run(["logs", "--tail", "2", &id]).success().prints("last\nopen");
    env.run(["logs", "--tail", "0", &id]).success().prints("");
    let stamped = env.run(["logs", "-t", &id]).stdout();
    let second = stamped.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    env.run(["logs", "--since", &second, &id]).success().prints("last\nopen");
    let first = stamped.split(' ').next().unwrap();
    env.run(["logs", "--until", first, &id]).success().prints("first\n");
    env.run(["logs", "--until", "1h", &id]).success().prints("first\nlast\nopen");
    env.run(["logs", "--since", "1h", &id]).success().prints("first\nlast\nopen");
    let other = finished(&env, &["--name=two"], "echo other");
    env.run(["logs", "-n", "one", "two"]).stdout_has("one first\n").stdout_has("two other\n");
    env.run(["logs", "--latest"]).success().prints("other\n");
    env.run(["logs", &id, &other]).stdout_has(&format!("{} other\n", &other[..12]));
    env.run(["logs", "--since", "yesterday", &id]).code(125).stderr_has("yesterday");
    env.run(["logs", "nobody"]).code(125).stderr_has("nobody");
}

/// As Podman: the offset of the monitor's zone, Z for none.
#[test]
fn times_have_the_offset_of_their_zone() {
    requires!(userns);
    for (zone, offset) in [("UTC", "Z"), ("EST5", "-05:00")] {
        let mut env = Env::with_busybox();
        env.set("TZ", zone);
        let id = finished(&env, &[], "echo one");
        let stamped = env.run(["logs", "-t", &id]).stdout();
        let (stamp, text) = stamped.split_once(' ').unwrap();
        assert_eq!((&stamp[19..20], &stamp[29..], text), (".", offset, "one\n"), "{stamped}");
    }
}

#[test]
fn follow_shows_everything_and_ends_with_the_container() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "sleep 0.3; i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done";
    for flags in [&["--name=kept"][..], &["--name=gone", "--rm"], &["--name=small", "--log-opt=max-size=60k"]] {
        let id = start(&env, flags, script);
        let out = env.run(["logs", "-f", &id]);
        out.success();
        assert_eq!(out.stdout(), numbers(1..=3000), "{flags:?}");
    }
    let dir = env.graphroot().join("containers");
    let sizes = |name: &str| {
        let id = env.run(["inspect", "-f", "{{.Id}}", name]).trimmed();
        let file = |suffix: &str| dir.join(&id).join(format!("ctr.log{suffix}"));
        [file(""), file(".1"), file(".2"), file(".3")].map(|path| path.metadata().map_or(0, |metadata| metadata.len()))
    };
    let small = sizes("small");
    assert!(small[..3].iter().all(|size| (1..=61_440).contains(size)) && small[3] == 0, "{small:?}");
}

#[test]
fn follow_goes_on_through_restarts() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = start(&env, &["--restart=on-failure:2"], "echo run; exit 1");
    env.run(["logs", "-f", &id]).success().prints("run\nrun\nrun\n");
    assert_eq!(env.run(["inspect", "-f", "{{.RestartCount}} {{.State.ExitCode}}", &id]).trimmed(), "2 1");
}

#[test]
fn g09_a_full_disk_does_not_stop_the_container() {
    requires!(userns);
    let env = Env::with_busybox();
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done; exit 7";
    let out = env.run(["run", "--rm", "--network=none", "--log-opt=path=/dev/full", BUSYBOX, "sh", "-c", script]);
    out.code(7);
    assert_eq!(out.stdout(), numbers(1..=20_000));
}

/// A FIFO without a reader is refused, one with a reader gets what fits.
#[test]
fn a_log_in_a_fifo_holds_nobody() {
    requires!(userns);
    let env = Env::with_busybox();
    let path = env.path("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let flag = format!("--log-opt=path={}", path.display());
    let run = ["run", "-d", "--replace", "--name=c", "--network=none", &flag, BUSYBOX, "echo", "heard"];
    env.run(run).code(125).stderr_has("ENXIO");
    let reader = env.other("cat").args([&path]).spawn();
    eventually("somebody reads", || env.run(run).is_success());
    eventually("the line is there", || reader.stdout().ends_with(" stdout F heard\n"));
    env.run(["rm", "-f", "c"]).success();
}

#[test]
fn g10_a_line_without_end_costs_no_memory() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = start(&env, &[], "head -c 200000000 /dev/zero; echo done >&2; sleep 1000");
    eventually("all of it is logged", || env.run(["logs", "--tail", "1", &id]).stderr().contains("done"));
    let monitors: Vec<_> = env.processes().into_iter().filter(|process| process.is_monitor()).collect();
    assert_eq!(monitors.len(), 1);
    for monitor in monitors {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", monitor.pid)).unwrap();
        let dirty = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        let dirty: u64 = dirty.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(dirty < 4096, "{dirty} kB of private memory");
    }
    env.run(["rm", "-f", "-t", "0", &id]).success();
}

#[test]
fn no_driver_no_log() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = finished(&env, &["--log-driver=none"], "echo unseen");
    env.run(["logs", &id]).code(125).stderr_has("log driver is none");
    let out = env.run(["run", "--rm", "--network=none", "--log-driver=none", BUSYBOX, "echo", "seen"]);
    out.success().prints("seen\n");
}

#[test]
fn a_timeout_kills() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["run", "--name=c", "--network=none", "--timeout=1", BUSYBOX, "sleep", "1000"]).code(255);
    let told = env.run(["inspect", "-f", "{{.State.ExitCode}} {{.State.Error}}", "c"]).trimmed();
    assert_eq!(told, "255 timeout");
}

/// Somebody who shares a pipe may have made it non-blocking, as ssh does: everything goes through all the same.
#[test]
fn a_pipe_that_does_not_wait_gets_everything() {
    requires!(userns);
    let env = Env::with_busybox();
    let id = finished(&env, &["--name=big"], "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done");
    let shell = |line: &str| {
        let program = program();
        env.other("bash").args(["-o", "pipefail", "-c", line, program.to_str().unwrap(), &id, BUSYBOX]).run()
    };
    // GNU dd leaves the flag on the stream.
    let (out, into) =
        ("dd if=/dev/null oflag=nonblock 2>/dev/null", "dd of=/dev/null iflag=nonblock count=0 2>/dev/null");
    shell(&format!("({out}; $0 logs $1) | (sleep 0.3; cat)")).success().prints(&numbers(1..=20000));
    let whole = shell("$0 save $2 | sha256sum").success().stdout();
    shell(&format!("({out}; $0 save $2) | (sleep 0.3; sha256sum)")).success().prints(&whole);
    shell(&format!("({out}; $0 export $1) | (sleep 0.3; tar -t) | grep -c busybox")).success();
    shell(&format!("({out}; $0 cp $1:/bin -) | (sleep 0.3; tar -t) | grep -c busybox")).success();
    shell(&format!("(sleep 0.3; $0 save $2) | ({into}; $0 load)")).success().stdout_has("Loaded image");
    shell(&format!("(sleep 0.3; $0 export $1) | ({into}; $0 import - again:1)")).success();
    shell(&format!("(sleep 0.3; $0 cp $1:/bin -) | ({into}; $0 cp - $1:/tmp)")).success();
}

/// `ulimit -f`: what cannot be written is lost, and nothing else is.
#[test]
fn a_limit_of_file_sizes_ends_no_monitor() {
    requires!(userns);
    let env = Env::with_busybox();
    let limited = |line: &str| {
        let line = format!("ulimit -f 16; {line}");
        env.other("bash").args(["-o", "pipefail", "-c", &line, program().to_str().unwrap(), BUSYBOX]).run()
    };
    limited("$0 run --rm --name=x --network=none $1 sh -c 'yes | head -c 100000; exit 4' | wc -c")
        .code(4)
        .prints("100000\n");
    limited("$0 run -d --name=y --network=none $1 sh -c 'yes | head -c 100000; exit 3'").success();
    env.run(["wait", "y"]).prints("3\n");
    limited("$0 save -o /dev/shm/never $1").code(125).stderr_has("EFBIG");
    env.run(["rm", "y"]).success();
}

/// A time without a zone is the caller's, whatever way his zone is named.
#[test]
fn times_are_in_the_zone_of_the_caller() {
    requires!(userns);
    let mut env = Env::with_busybox();
    let id = finished(&env, &["--name=one"], "echo now");
    for zone in ["Asia/Tokyo", "America/New_York", "JST-9", "UTC"] {
        env.set("TZ", zone);
        let ago = |hours: i32| {
            let date = env.other("date").args(["-d", &format!("{hours} hours"), "+%FT%T"]).run();
            date.success().stdout().trim().to_owned()
        };
        env.run(["logs", "--since", &ago(-1), &id]).success().prints("now\n");
        env.run(["logs", "--since", &ago(1), &id]).success().prints("");
        env.run(["ps", "-aq", "--filter", &format!("until={}", ago(-1))]).success().prints("");
    }
}
