//! Random kills (T2): many commands on one store, while somebody kills any process of them with SIGKILL; then the oracle.
//!
//! `make storm` does it for minutes, `make test` for seconds. `SAMPAN_TEST_SEED` repeats a choice, as far as the scheduler does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::image::{BUSYBOX, Layer};
use crate::harness::{Env, ImageBuilder, Random, Registry, leaks, requires};

/// Many at once, on a machine that is slow.
const LIMIT: Duration = Duration::from_mins(2);

/// Volumes that get what the image has, and a manifest list.
const FILLED: &str = "filled";
const LIST: &str = "localhost/list:1";

/// One command, on names that others use too.
fn command(random: &mut Random, pulled: Option<&str>) -> Vec<String> {
    let container = format!("box{}", random.below(4));
    let (volume, mount) = (format!("v{}", random.below(3)), format!("v{}:/v", random.below(3)));
    let tag = format!("localhost/tag{}:1", random.below(3));
    let (filled, joined) = (format!("{FILLED}{}:/bin", random.below(2)), format!("--pid=container:{container}"));
    let words: Vec<&str> = match random.below(28) {
        0 | 1 => vec!["run", "--rm", "--network=none", "-v", "/anon", BUSYBOX, "sh", "-c", "echo 1 >/anon/1"],
        2 | 3 => vec!["run", "-d", "--network=none", "--name", &container, "-v", &mount, BUSYBOX, "sleep", "600"],
        4 => vec!["run", "-d", "--rm", "--name", &container, BUSYBOX, "sleep", "600"],
        5 => vec!["create", "--network=none", "--name", &container, "-v", "/anon", BUSYBOX, "true"],
        6 => vec!["start", &container],
        7 | 8 => vec!["exec", &container, "true"],
        9 => vec!["exec", "-d", &container, "sleep", "0.1"],
        10 => vec!["stop", "-t0", &container],
        11 => vec!["restart", "-t0", &container],
        12 | 13 => vec!["rm", "-f", "-t0", "-v", &container],
        14 => vec!["load", "-i", "two.tar"],
        15 => vec!["pull", "--tls-verify=false", pulled.unwrap_or("localhost/nobody:1")],
        16 => vec!["import", "root.tar", &tag],
        17 => vec!["rmi", "-f", &tag, "localhost/two:1", pulled.unwrap_or("localhost/nobody:1")],
        18 => match random.below(4) {
            0 => vec!["system", "prune", "-f"],
            1 => vec!["container", "prune", "-f"],
            2 => vec!["image", "prune", "-f"],
            _ => vec!["ps", "-a"],
        },
        // One that starts again and again, and ones that their checks stop or start again.
        19 => vec!["run", "-d", "--network=none", "--name", &container, "--restart=always", BUSYBOX, "false"],
        20 | 21 => {
            let action = ["restart", "stop", "kill", "none"][random.index(4)];
            let mut words = vec!["run", "-d", "--network=none", "--name", &container, "--health-interval=50ms"];
            words.extend(["--stop-timeout=0", "--health-retries=2", "--health-cmd=test $(($$ % 3)) != 0"]);
            words.extend(["--health-on-failure", action, BUSYBOX, "sleep", "600"]);
            words
        }
        22 => vec!["healthcheck", "run", &container],
        // Filled from the image, if nobody has done so.
        23 => vec!["run", "--rm", "--network=none", "-v", &filled, BUSYBOX, "true"],
        24 => vec!["volume", "rm", filled.split(':').next().unwrap_or_default()],
        25 => vec!["run", "--rm", "--network=none", &joined, BUSYBOX, "sh", "-c", "sleep 0.1 & sleep 0.05"],
        26 => match random.below(3) {
            0 => vec!["manifest", "create", LIST, BUSYBOX],
            1 => vec!["manifest", "create", "--amend", LIST, &tag],
            _ => vec!["manifest", "rm", LIST],
        },
        _ => match random.below(3) {
            0 => vec!["volume", "create", &volume],
            1 => vec!["volume", "rm", &volume],
            _ => vec!["tag", BUSYBOX, &tag],
        },
    };
    words.into_iter().map(str::to_owned).collect()
}

/// Gives commands until the time is over. Each ends in time and never panics, whatever is killed under it. Says how many of
/// each verb succeeded.
fn work(env: &Env, mut random: Random, pulled: Option<&str>, over: &AtomicBool) -> BTreeMap<String, u64> {
    let mut done = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        let words = command(&mut random, pulled);
        // Without a cgroup nobody finds what is left where monitor and init die at once (docs/podman-differences.md).
        if env.cgroup().is_none() && words.iter().any(|word| word.starts_with("--pid=")) {
            continue;
        }
        let verb = words[0].clone();
        let output = env.spawn(words).wait_for(LIMIT);
        assert!(!output.stderr().contains("panicked"), "{output}");
        *done.entry(verb).or_default() += u64::from(output.is_success());
    }
    done
}

/// Kills any process of the test now and then: commands, monitors, stages, inits, workers, holders of P, network helpers.
fn hunt(env: &Env, mut random: Random, over: &AtomicBool) -> BTreeMap<String, u64> {
    let mut killed = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(random.below(40) + 1));
        let mut prey = env.processes();
        prey.retain(|process| process.state != 'Z' && !process.command.contains("docker-registry"));
        if prey.is_empty() {
            continue;
        }
        let at = random.index(prey.len());
        // Between list and kill it may have ended; set-uid helpers are not ours to kill.
        if kill(Pid::from_raw(prey[at].pid), Signal::SIGKILL).is_ok() {
            let name = prey[at].command.rsplit('[').next().unwrap_or_default().trim_end_matches(']').to_owned();
            *killed.entry(name).or_default() += 1;
        }
    }
    killed
}

/// What is in the store and beside it when nothing goes on.
fn rest(env: &Env) -> BTreeSet<String> {
    let mut found = leaks::rest(env);
    let processes = env.processes().into_iter().filter(|process| process.state != 'Z');
    found.extend(processes.map(|process| process.command));
    found
}

fn storm(env: &Env, seed: u64, seconds: u64, pulled: Option<&str>) {
    crate::harness::eventually("nothing runs", || env.processes().iter().all(|process| process.state == 'Z'));
    let before = rest(env);
    let over = AtomicBool::new(false);
    let (mut done, mut killed) = (BTreeMap::<String, u64>::new(), BTreeMap::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|at| {
                let random = Random(seed ^ ((at + 1) << 32));
                let over = &over;
                scope.spawn(move || work(env, random, pulled, over))
            })
            .collect();
        let hunter = scope.spawn(|| hunt(env, Random(seed), &over));
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end && workers.iter().all(|worker| !worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
        for (verb, count) in workers.into_iter().flat_map(|worker| worker.join().unwrap()) {
            *done.entry(verb).or_default() += count;
        }
        killed = hunter.join().unwrap();
    });
    eprintln!("seed {seed}: succeeded {done:?}, killed {killed:?}");
    // A storm in which nobody is killed, or nothing succeeds, has tried nothing.
    assert!(!killed.is_empty() && done.get("run").is_some_and(|count| *count > 0), "seed {seed}: {done:?}, {killed:?}");
    // What only looks works at once, on whatever is there.
    for words in [&["ps", "-a"][..], &["images"], &["volume", "ls"], &["system", "df"]] {
        env.run(words).success();
    }
    env.command(["rm", "-a", "-f", "-t0", "-v"]).deadline(LIMIT).run().success();
    let repaired = env.command(["system", "check", "--repair"]).deadline(LIMIT).run();
    assert!([Some(0), Some(1)].contains(&repaired.exit_code()), "seed {seed}: {repaired}");
    env.command(["system", "check", "--full"]).deadline(LIMIT).run().success();
    // Half of what an image has is nothing.
    for name in [format!("{FILLED}0:/bin"), format!("{FILLED}1:/bin")] {
        let count = |flags: &[&str]| {
            let words = ["run", "--rm", "--network=none"].iter().chain(flags);
            env.run(words.chain(&[BUSYBOX, "sh", "-c", "ls /bin | wc -l; sha256sum </bin/busybox"])).success().stdout()
        };
        assert_eq!(count(&["-v", &name]), count(&[]), "seed {seed}: {name}");
    }
    if env.run(["manifest", "exists", LIST]).is_success() {
        env.run(["manifest", "rm", LIST]).success();
    }
    // Names are free, and what was there is whole.
    env.run(["run", "-d", "--name=box0", "--network=none", BUSYBOX, "sleep", "600"]).success();
    env.run(["exec", "box0", "true"]).success();
    env.run(["rm", "-f", "-t0", "box0"]).success();
    for name in env.run(["volume", "ls", "-q"]).success().stdout().lines() {
        env.run(["volume", "rm", name]).success();
    }
    for tag in ["localhost/tag0:1", "localhost/tag1:1", "localhost/tag2:1", "localhost/two:1"].into_iter().chain(pulled)
    {
        if env.run(["image", "exists", tag]).is_success() {
            // Another name of the image that was there goes alone.
            env.run(["untag", tag, tag]).success();
        }
    }
    env.run(["image", "prune", "-f"]).success();
    let end = Instant::now() + Duration::from_secs(20);
    while rest(env) != before {
        let now = rest(env);
        let (more, less): (Vec<_>, Vec<_>) = (now.difference(&before).collect(), before.difference(&now).collect());
        assert!(Instant::now() < end, "seed {seed}: left {more:#?}, lost {less:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn kills_at_random_moments() {
    requires!(userns, overlay);
    let long = std::env::var_os("SAMPAN_TEST_STORM").is_some();
    let seed: u64 = std::env::var("SAMPAN_TEST_SEED").ok().map_or_else(
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos().into(),
        |seed| seed.parse().unwrap(),
    );
    let env = Env::with_busybox();
    let second = Layer::new().file("etc/more", 0o644, &vec![b'x'; 70_000]).dir("empty", 0o755);
    env.write("root.tar", Layer::new().file("etc/one", 0o644, &vec![b'y'; 300_000]).finish());
    ImageBuilder::busybox().layer(second).docker_archive(&env.path("two.tar"), "localhost/two:1");
    let registry = crate::harness::requires::met("registry").then(|| Registry::start(&env));
    let pulled = registry
        .as_ref()
        .map(|registry| registry.push(&format!("docker-archive:{}", env.path("two.tar").display()), "two:1"));
    // One round for what is made for the first time.
    env.run(["run", "--rm", "--network=none", BUSYBOX, "true"]).success();
    let rounds = if long { 10 } else { 1 };
    for round in 0..rounds {
        storm(&env, seed + round, if long { 30 } else { 6 }, pulled.as_deref());
    }
}
