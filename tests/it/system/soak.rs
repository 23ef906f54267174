//! Many claims of one thing, and the same thing many times: one winner, and nothing leaks (T7, T9).
//!
//! `make storm` does it a thousand times, `make test` a few.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::harness::image::BUSYBOX;
use crate::harness::leaks::directories;
use crate::harness::{Env, ImageBuilder, Registry, eventually, requires};

const LIMIT: Duration = Duration::from_mins(2);

/// The first with `SAMPAN_TEST_STORM`, otherwise the second.
fn scale(storm: usize, test: usize) -> usize {
    if std::env::var_os("SAMPAN_TEST_STORM").is_some() { storm } else { test }
}

#[test]
fn sixteen_claims_of_one_name() {
    requires!(userns);
    let env = Env::with_busybox();
    for _ in 0..scale(20, 2) {
        let words = ["create", "--name=x", "--network=none", BUSYBOX, "true"];
        let claims: Vec<_> = (0..16).map(|_| env.spawn(words)).collect();
        let mut winners = 0;
        for claim in claims {
            let output = claim.wait_for(LIMIT);
            winners += usize::from(output.is_success());
            assert!(output.is_success() || output.stderr().contains("in use"), "{output}");
        }
        assert_eq!(winners, 1);
        assert_eq!(env.run(["ps", "-aq"]).success().stdout().lines().count(), 1);
        env.run(["rm", "x"]).success();
    }
}

#[test]
fn sixteen_claims_of_one_port() {
    requires!(userns, pasta);
    let env = Env::with_busybox();
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap().port();
    let port = format!("127.0.0.1:{free}:80");
    for _ in 0..scale(20, 1) {
        let words = ["run", "-d", "--rm", "-p", &port, BUSYBOX, "sleep", "600"];
        let claims: Vec<_> = (0..16).map(|_| env.spawn(words)).collect();
        let mut winners = 0;
        for claim in claims {
            let output = claim.wait_for(LIMIT);
            winners += usize::from(output.is_success());
            assert!(output.is_success() || output.code(125).stderr().contains("in use"), "{output}");
        }
        assert_eq!(winners, 1);
        assert_eq!(env.run(["ps", "-q"]).success().stdout().lines().count(), 1);
        env.run(["rm", "-a", "-f", "-t0"]).success();
        eventually("all are gone", || env.run(["ps", "-aq"]).success().stdout().is_empty());
    }
}

#[test]
fn sixteen_loads_and_pulls_of_one_image() {
    requires!(userns, registry);
    let env = Env::new();
    ImageBuilder::busybox().docker_archive(&env.path("image.tar"), "localhost/many:1");
    let registry = Registry::start(&env);
    let name = registry.push(&format!("docker-archive:{}", env.path("image.tar").display()), "many:1");
    for _ in 0..scale(10, 1) {
        let pulls = (0..16).map(|_| env.spawn(["pull", "--tls-verify=false", &name]));
        let loads = (0..4).map(|_| env.spawn(["load", "-i", "image.tar"]));
        for load in pulls.chain(loads).collect::<Vec<_>>() {
            load.wait_for(LIMIT).success();
        }
        env.run(["run", "--rm", "--network=none", "localhost/many:1", "true"]).success();
        env.run(["run", "--rm", "--network=none", &name, "true"]).success();
        env.run(["system", "check"]).success();
        env.run(["rmi", "-f", "localhost/many:1", &name]).success();
    }
}

/// What must be the same before and after: processes, cgroups, entries of runroot and store, and of the container that runs
/// all the time descriptors and mounts, in its monitor and in itself; and the namespaces of all.
fn count(env: &Env, [monitor, init]: [i32; 2]) -> [usize; 9] {
    let mut cgroups = Vec::new();
    env.cgroup().inspect(|dir| directories(dir, &mut cgroups));
    let entries = |root: &std::path::Path| {
        let mut all = Vec::new();
        directories(root, &mut all);
        all.iter().map(|dir| std::fs::read_dir(dir).into_iter().flatten().count()).sum()
    };
    let descriptors = |pid: i32| std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let mounts = |pid: String| std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap().lines().count();
    let processes: Vec<_> = env.processes().into_iter().filter(|process| process.state != 'Z').collect();
    let links = processes.iter().filter_map(|process| std::fs::read_dir(format!("/proc/{}/ns", process.pid)).ok());
    let namespaces: BTreeSet<_> =
        links.flatten().flatten().filter_map(|link| std::fs::read_link(link.path()).ok()).collect();
    [
        processes.len(),
        cgroups.len(),
        entries(&env.runroot()),
        entries(&env.graphroot()),
        descriptors(monitor),
        mounts("self".to_owned()),
        mounts(monitor.to_string()),
        mounts(init.to_string()),
        namespaces.len(),
    ]
}

/// The monitor and the first process of the container that runs all the time.
fn keeper(env: &Env) -> [i32; 2] {
    let pids = env.run(["inspect", "keeper", "--format", "{{.State.ConmonPid}} {{.State.Pid}}"]).success().trimmed();
    let pids: Vec<i32> = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
    pids.try_into().unwrap()
}

#[test]
fn the_same_again_and_again_leaks_nothing() {
    requires!(userns);
    let env = Env::with_busybox();
    let words =
        ["run", "-d", "--name=keeper", "--network=none", BUSYBOX, "sh", "-c", "while sleep 0.05; do echo x; done"];
    env.run(words).success();
    env.run(["create", "--name=c", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let keeper = keeper(&env);
    let start_stop = || {
        env.run(["start", "c"]).success();
        env.run(["stop", "-t0", "c"]).success();
    };
    let exec = || {
        let running: Vec<_> = (0..4).map(|_| env.spawn(["exec", "keeper", "true"])).collect();
        for one in running {
            one.wait_for(LIMIT).success();
        }
    };
    let attach = || {
        let attached = env.spawn(["attach", "--no-stdin", "keeper"]);
        eventually("it is attached", || attached.stdout().contains('x'));
        attached.signal(Signal::SIGKILL);
        drop(attached.wait());
    };
    // Once, so that what is made for the first time is there.
    start_stop();
    exec();
    attach();
    let mut before = [0; 9];
    eventually("it is quiet", || {
        let now = count(&env, keeper);
        std::mem::replace(&mut before, now) == now
    });
    let (starts, execs, attaches) = (scale(1000, 8), scale(2500, 15), scale(500, 8));
    (0..starts).for_each(|_| start_stop());
    (0..execs).for_each(|_| exec());
    (0..attaches).for_each(|_| attach());
    eprintln!("{starts} starts and stops, {} execs, {attaches} attaches; at rest {before:?}", execs * 4);
    let what = "processes, cgroups, entries of runroot and store, descriptors, mounts of all, of the monitor, of init, namespaces";
    eventually(&format!("{what} are {before:?}"), || count(&env, keeper) == before);
    env.run(["system", "check"]).success();
}

#[test]
fn a_thousand_stored() {
    requires!(userns);
    let env = Env::with_busybox();
    let many = scale(1000, 40);
    let before = std::fs::read_dir(env.graphroot().join("volumes")).unwrap().count();
    let mut made = 0;
    while made < many {
        let words = ["create", "--network=none", "-v", "/anon", BUSYBOX, "true"];
        let creating: Vec<_> = (0..4.min(many - made)).map(|_| env.spawn(words)).collect();
        made += creating.len();
        for one in creating {
            one.wait_for(LIMIT).success();
        }
    }
    let begun = std::time::Instant::now();
    let listed = env.run(["ps", "-aq"]).success().stdout().lines().count();
    eprintln!("ps -a of {many} containers: {:?}", begun.elapsed());
    assert_eq!(listed, many);
    env.command(["system", "check"]).deadline(LIMIT).run().success();
    let begun = std::time::Instant::now();
    env.command(["rm", "-a", "-v"]).deadline(LIMIT).run().success();
    eprintln!("rm -a -v of {many} containers: {:?}", begun.elapsed());
    env.run(["ps", "-aq"]).prints("");
    assert_eq!(std::fs::read_dir(env.graphroot().join("volumes")).unwrap().count(), before);
}
