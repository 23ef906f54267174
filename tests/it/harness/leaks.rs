//! What a test left behind: processes, mounts, cgroups, sockets, files of the store that should be gone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::env::Env;

/// A process that carries a mark.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) command: String,
    pub(crate) state: char,
}

impl Process {
    /// A monitor: a fork of the command that started it, told apart by its name alone.
    pub(crate) fn is_monitor(&self) -> bool {
        std::fs::read_to_string(format!("/proc/{}/comm", self.pid)).is_ok_and(|name| name == "sampan-monitor\n")
    }
}

/// Every process with this mark (the soft limit of `RLIMIT_MSGQUEUE`), zombies of living parents too.
pub(crate) fn marked(mark: u64) -> Vec<Process> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(limits) = std::fs::read_to_string(entry.path().join("limits")) else { continue };
        let soft = limits.lines().find_map(|line| line.strip_prefix("Max msgqueue size"));
        if soft.and_then(|rest| rest.split_whitespace().next()) != Some(mark.to_string().as_str()) {
            continue;
        }
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('?');
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let comm = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        found.push(Process { pid, command: format!("{} [{}]", line.trim(), comm.trim()), state });
    }
    found
}

/// Everything outside the store that should be gone by now.
pub(crate) fn find(env: &Env) -> Vec<String> {
    let mut problems = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut alive = marked(env.mark());
    while !alive.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
        alive = marked(env.mark());
    }
    problems
        .extend(alive.iter().map(|process| format!("process {} {} {}", process.pid, process.state, process.command)));
    problems.extend(mounts(env));
    problems.extend(cgroups(env));
    problems
}

/// Directories of the store and of runroot that have an entry for each object. What is left out is kept on purpose: blobs in
/// part (`partial`), so that the next pull goes on with them, and namespaces that were offered (`outer`).
const OF_STORE: [&str; 11] = [
    "blobs/sha256",
    "layers",
    "images",
    "refs",
    "lists",
    "containers",
    "names",
    "volumes",
    "staging",
    "trash",
    "aside",
];
const OF_RUNROOT: [&str; 3] = ["ctr", "exec", "ports"];

/// Those that hold nothing once all containers are removed and nothing is half done.
const OF_CONTAINERS: [&str; 8] = ["containers", "names", "staging", "trash", "ctr", "exec", "ports", "locks"];

/// All objects of the store and of runroot, as `directory/name`, and the locks of containers that are gone.
fn objects(env: &Env) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut list = |root: &Path, name: &str| {
        let names = children(&root.join(name)).into_iter();
        found.extend(names.map(|path| format!("{name}/{}", path.file_name().unwrap().display())));
    };
    for name in OF_STORE {
        list(&env.graphroot(), name);
    }
    for epoch in children(&env.runroot()) {
        for name in OF_RUNROOT {
            list(&epoch, name);
        }
    }
    // The port directory's own lock.
    found.remove("ports/lock");
    found.extend(locks_of_no_container(env).into_iter().map(|id| format!("locks/{id}")));
    found
}

/// Mounts below the test's directory.
fn mounts(env: &Env) -> Vec<String> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let root = env.root().to_string_lossy().into_owned();
    table.lines().filter(|line| line.contains(&root)).map(|line| format!("mount {line}")).collect()
}

/// Cgroups below the test's own. The leaf that takes the caller's own processes stays with the subtree, for the next
/// container.
fn cgroups(env: &Env) -> Vec<String> {
    let mut found = Vec::new();
    env.cgroup().inspect(|cgroup| directories(cgroup, &mut found));
    found.retain(|dir| dir.file_name().is_some_and(|name| name != "sampan-host"));
    found.iter().map(|dir| format!("cgroup {}", dir.display())).collect()
}

/// What there is beside processes: objects, cgroups, mounts. Two looks while nothing goes on differ by what was left or lost.
pub(crate) fn rest(env: &Env) -> BTreeSet<String> {
    let mut found = objects(env);
    found.extend(cgroups(env));
    found.extend(mounts(env));
    found
}

/// What `rm --all --force` should have left of the store: no containers, nothing half done; then the program's own check.
pub(super) fn check_store(env: &Env) -> Vec<String> {
    let of_container = |path: &String| OF_CONTAINERS.iter().any(|name| path.split('/').next() == Some(name));
    let mut problems: Vec<String> = objects(env).into_iter().filter(of_container).collect();
    let check = env.run(["system", "check"]);
    if !check.is_success() {
        problems.push(format!("system check: {check:?}"));
    }
    problems
}

/// Lock files whose container is gone.
fn locks_of_no_container(env: &Env) -> Vec<String> {
    let locks = children(&env.runroot()).into_iter().flat_map(|epoch| children(&epoch.join("locks")));
    let ids = locks.filter_map(|lock| Some(lock.file_name()?.to_str()?.strip_prefix("ctr-")?.to_owned()));
    ids.filter(|id| !env.graphroot().join("containers").join(id).exists()).collect()
}

/// Kills what carries the mark, removes the cgroup and the tree (which holds files of subordinate ids).
pub(super) fn remove_everything(env: &Env) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let alive = marked(env.mark());
        if alive.iter().all(|process| process.state == 'Z') || Instant::now() > deadline {
            break;
        }
        for process in alive {
            kill(Pid::from_raw(process.pid), Signal::SIGKILL).ok();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    if let Some(cgroup) = env.cgroup() {
        std::fs::write(cgroup.join("cgroup.kill"), "1").ok();
        let mut dirs = vec![cgroup.to_owned()];
        directories(cgroup, &mut dirs);
        for dir in dirs.iter().rev() {
            std::fs::remove_dir(dir).ok();
        }
    }
    if std::fs::remove_dir_all(env.root()).is_err() {
        let remove = ["--user", "--map-root-user", "--map-auto", "--", "rm", "-rf", "--"];
        std::process::Command::new("unshare").args(remove).arg(env.root()).status().ok();
    }
    if env.root().exists() {
        eprintln!("harness: {} stays", env.root().display());
    }
}

fn children(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// All directories below one, parents first.
pub(crate) fn directories(dir: &Path, found: &mut Vec<PathBuf>) {
    for child in children(dir).into_iter().filter(|child| child.is_dir()) {
        found.push(child.clone());
        directories(&child, found);
    }
}
