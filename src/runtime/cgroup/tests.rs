//! On real cgroups: below the one that `.ci/runner` gives us (case a), or in the guest through systemd (case b, with every
//! controller). Where neither is there, nothing is tested; with `CI_STRICT=1` that is a failure, and with
//! `SAMPAN_TEST_CONTROLLERS` the lack of a controller, too.
#![expect(clippy::disallowed_methods, reason = "a process that stands for a monitor or a container")]

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{CgroupRecord, ContainerCgroup, Error, Request, begin};
use crate::sys;
use crate::types::id::ContainerId;
use crate::types::resources::{CgroupsMode, Resources};

/// A child that waits for [`Process::go`] before it runs its script, so that it can be moved before it forks; killed and reaped
/// with the test.
struct Process(Child);

impl Process {
    /// The child's whole script: nothing that it starts before `go` could stay behind in another cgroup.
    fn start(script: &str) -> Self {
        let script = format!("read go; {script}");
        Self(Command::new("/bin/sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap())
    }

    /// Something for systemd to move: a single process that never forks.
    fn idle() -> Self {
        Self::start("exit 1")
    }

    fn go(&mut self) {
        self.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }

    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A cgroup for these limits, with `monitor` as the process that systemd would move.
fn make(resources: &Resources, monitor: &Process) -> Result<Option<ContainerCgroup>, Error> {
    let id = ContainerId::from_bytes(sys::fs::random());
    let request = Request { id: &id, mode: CgroupsMode::Enabled, parent: None, resources };
    let made = begin(request, &[monitor.pid()], &mut |_| ())?.finish(&mut Vec::new())?;
    let wanted = std::env::var("CI_STRICT").as_deref() == Ok("1") || is_machine_whole();
    assert!(made.is_some() || !wanted, "required here: a cgroup of our own");
    Ok(made)
}

/// True in the guest, where every controller is there.
fn is_machine_whole() -> bool {
    std::env::var_os("SAMPAN_TEST_CONTROLLERS").is_some()
}

/// True where the limits of the test can be set.
fn has(cgroup: &ContainerCgroup, controller: &str) -> bool {
    cgroup.record().controllers.iter().any(|have| have == controller)
}

#[test]
fn leaf_lives_and_dies() {
    let monitor = Process::idle();
    let Some(cgroup) = make(&Resources::default(), &monitor).unwrap() else { return };
    let mut container = Process::start("sleep 100 & wait");
    cgroup.admit(container.pid()).unwrap();
    container.go();
    assert!(cgroup.is_populated() && !cgroup.is_frozen() && !cgroup.oom_killed());
    cgroup.freeze().unwrap();
    assert!(cgroup.is_frozen());
    cgroup.thaw().unwrap();
    assert!(!cgroup.is_frozen());
    cgroup.freeze().unwrap();
    cgroup.kill().unwrap();
    container.0.wait().unwrap();
    eventually("a frozen cgroup dies as well", || !cgroup.is_populated());

    let record = cgroup.record().clone();
    let found = ContainerCgroup::open(&record).unwrap().unwrap();
    assert_eq!(found.path(), cgroup.path());
    found.remove().unwrap();
    assert!(!sys::fs::exists(&record.path));
    assert!(ContainerCgroup::open(&record).unwrap().is_none());
}

/// Linux 5.12 and 5.13.
#[test]
fn without_cgroup_kill_each_process_is_killed() {
    let monitor = Process::idle();
    let Some(cgroup) = make(&Resources::default(), &monitor).unwrap() else { return };
    let mut container = Process::start("sleep 100 & (sleep 100 & wait) & wait");
    cgroup.admit(container.pid()).unwrap();
    container.go();
    eventually("all of them run", || super::freezer::all_processes(cgroup.path()).len() > 3);
    super::freezer::kill_each(cgroup.path()).unwrap();
    container.0.wait().unwrap();
    eventually("nobody is left", || !cgroup.is_populated());
    cgroup.remove().unwrap();
}

#[test]
fn removal_kills_what_is_left() {
    let monitor = Process::idle();
    let Some(cgroup) = make(&Resources::default(), &monitor).unwrap() else { return };
    let mut container = Process::start("sleep 100 & sleep 100 & wait");
    cgroup.admit(container.pid()).unwrap();
    container.go();
    let path = cgroup.path().to_owned();
    cgroup.remove().unwrap();
    assert!(!sys::fs::exists(&path));
}

#[test]
fn limits_are_written_and_hold() {
    let monitor = Process::idle();
    let Some(probe) = make(&Resources::default(), &monitor).unwrap() else { return };
    let all = ["memory", "pids", "cpu"].iter().all(|controller| has(&probe, controller));
    probe.remove().unwrap();
    if !all {
        assert!(!is_machine_whole(), "required here: memory, pids and cpu");
        return;
    }
    let resources = Resources {
        memory: Some(32 << 20),
        memory_swap: Some(32 << 20),
        cpu_quota: Some(50_000),
        pids_limit: Some(20),
        ..Resources::default()
    };
    let monitor = Process::idle();
    let cgroup = make(&resources, &monitor).unwrap().unwrap();
    cgroup.apply(&resources).unwrap();
    for (file, value) in
        [("memory.max", "33554432"), ("memory.swap.max", "0"), ("cpu.max", "50000 100000"), ("pids.max", "20")]
    {
        assert_eq!(sys::fs::read_to_string(&cgroup.path().join(file)).unwrap().trim(), value, "{file}");
    }
    let mut container = Process::start("tail /dev/zero");
    cgroup.admit(container.pid()).unwrap();
    container.go();
    container.0.wait().unwrap();
    assert!(cgroup.oom_killed());
    cgroup.remove().unwrap();
}

#[test]
fn limit_without_its_controller_is_refused() {
    let record = |controllers| CgroupRecord { path: "/sys/fs/cgroup".into(), scope: None, controllers };
    let Ok(Some(cgroup)) = ContainerCgroup::open(&record(vec!["pids".to_owned()])) else { return };
    let error = cgroup.apply(&Resources { memory: Some(1), ..Resources::default() }).unwrap_err();
    assert!(error.to_string().contains("\"memory\""), "{error}");
}

#[test]
fn delegated_subtree_is_used_itself() {
    let Some(tree) = std::env::var_os("SAMPAN_TEST_CGROUP") else { return };
    let monitor = Process::idle();
    let cgroup = make(&Resources::default(), &monitor).unwrap().unwrap();
    assert_eq!(cgroup.record().scope, None);
    assert_eq!(cgroup.path().parent(), Some(std::path::Path::new(&tree)));
    cgroup.remove().unwrap();
}
