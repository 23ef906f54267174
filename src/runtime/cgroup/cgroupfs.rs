//! Directories and files of the hierarchy: where we are, reading, writing, moving, enabling controllers.

use std::path::{Path, PathBuf};

use crate::sys;
use crate::sys::Errno;

use super::error::Error;

/// Where every distribution mounts it.
pub(super) const ROOT: &str = "/sys/fs/cgroup";

/// Controllers that a container gets, if the host gives them.
pub(super) const CONTROLLERS: [&str; 5] = ["cpuset", "cpu", "io", "memory", "pids"];

/// How the host mounts cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hierarchy {
    Unified,
    /// v1, or v1 beside an empty v2.
    Legacy,
    Absent,
}

/// Looks at what is mounted at `/sys/fs/cgroup`.
pub(super) fn hierarchy() -> Hierarchy {
    let root = Path::new(ROOT);
    if sys::fs::exists(&root.join("cgroup.controllers")) {
        Hierarchy::Unified
    } else if ["memory", "unified", "systemd", "pids"].iter().any(|name| sys::fs::exists(&root.join(name))) {
        Hierarchy::Legacy
    } else {
        Hierarchy::Absent
    }
}

/// Directory of the cgroup of a process; `None` if it lies outside what is mounted here, or the process is gone.
pub(super) fn of_process(pid: i32) -> Option<PathBuf> {
    let text = sys::fs::read_to_string(Path::new(&format!("/proc/{pid}/cgroup"))).ok()?;
    directory(&text)
}

/// The line `0::/path` of `/proc/PID/cgroup` as a directory.
fn directory(text: &str) -> Option<PathBuf> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // One more slash would make it a path of its own.
    let path = path.strip_suffix(" (deleted)").unwrap_or(path).trim_start_matches('/');
    let outside = path.split('/').any(|part| part == "..");
    (!outside).then(|| Path::new(ROOT).join(path))
}

/// The words of a file; an absent or unreadable one has none.
pub(super) fn words(path: &Path) -> Vec<String> {
    let text = sys::fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// The controllers that `dir` may pass on to its children, of those that we use.
pub(super) fn controllers(dir: &Path) -> Vec<String> {
    let mut found = words(&dir.join("cgroup.controllers"));
    found.retain(|controller| CONTROLLERS.contains(&controller.as_str()));
    found
}

/// Makes a cgroup; fine if it is there.
pub(super) fn create(dir: &Path) -> Result<(), Error> {
    match sys::fs::mkdir(dir, 0o755) {
        Err(error) if !error.is(Errno::EEXIST) => Err(Error::Create { path: dir.to_owned(), source: error }),
        _ => Ok(()),
    }
}

/// Moves one process (with all its threads). False if it is gone.
pub(super) fn admit(dir: &Path, pid: i32) -> Result<bool, Error> {
    match sys::fs::write_in_place(&dir.join("cgroup.procs"), pid.to_string().as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if error.is(Errno::ESRCH) => Ok(false),
        Err(source) => Err(Error::Move { pid, path: dir.to_owned(), source }),
    }
}

/// Lets the children of `dir` use its controllers; returns those that they have then. One that the kernel refuses (busy
/// with real-time processes, say) is left out; all are while `dir` itself holds processes.
pub(super) fn enable(dir: &Path) -> Vec<String> {
    let file = dir.join("cgroup.subtree_control");
    let have = words(&file);
    let missing: Vec<_> = controllers(dir).into_iter().filter(|controller| !have.contains(controller)).collect();
    if !missing.is_empty() {
        let all = missing.iter().map(|controller| format!("+{controller}")).collect::<Vec<_>>().join(" ");
        // One by one only where no process is in the way: the kernel would enable the threaded ones (cpu, cpuset, pids) and
        // make `dir` a thread root, whose children take no process at all (EOPNOTSUPP; cgroups(7), "Thread mode").
        if sys::fs::write_in_place(&file, all.as_bytes()).is_err() && processes(dir).is_empty() {
            for controller in &missing {
                if let Err(error) = sys::fs::write_in_place(&file, format!("+{controller}").as_bytes()) {
                    tracing::debug!(controller, %error, "controller stays off");
                }
            }
        }
    }
    let mut have = words(&file);
    have.retain(|controller| CONTROLLERS.contains(&controller.as_str()));
    have
}

/// Processes in `dir` itself, as far as our pid namespace shows them (0 = not).
pub(super) fn processes(dir: &Path) -> Vec<i32> {
    words(&dir.join("cgroup.procs")).iter().filter_map(|pid| pid.parse().ok()).collect()
}

/// `key value` of a flat keyed file (`memory.events`, `cpu.stat`).
pub(super) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Removes `dir` and the cgroups below it; one with processes is EBUSY. Absent is fine.
pub(super) fn remove_tree(dir: &Path) -> sys::Result<()> {
    for name in sys::fs::names(dir)? {
        let child = dir.join(name);
        if sys::fs::lstat(&child)?.is_some_and(|metadata| metadata.is_dir()) {
            remove_tree(&child)?;
        }
    }
    sys::fs::remove_dir(dir).map(drop)
}

/// Entry point of `fuzz/`: no cgroup is outside of the mount.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing(text: &str) {
    std::hint::black_box(keyed(text, "populated"));
    if let Some(dir) = directory(text) {
        assert!(dir.starts_with(ROOT) && !dir.components().any(|part| part.as_os_str() == ".."), "{dir:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{directory, keyed};

    #[test]
    fn finds_the_unified_line() {
        for (text, expected) in [
            ("0::/\n", Some("/sys/fs/cgroup/")),
            ("9:memory:/x\n0::/user.slice/a.scope\n", Some("/sys/fs/cgroup/user.slice/a.scope")),
            ("0::/a/b (deleted)\n", Some("/sys/fs/cgroup/a/b")),
            ("0::/../leaf\n", None),
            ("1:name=systemd:/\n", None),
        ] {
            assert_eq!(directory(text).as_deref(), expected.map(Path::new), "{text:?}");
        }
    }

    #[test]
    fn reads_keyed_files() {
        let text = "low 0\noom 3\noom_kill 2\noom_group_kill 0\n";
        assert_eq!(keyed(text, "oom_kill"), Some(2));
        assert_eq!(keyed(text, "oom"), Some(3));
        assert_eq!(keyed(text, "max"), None);
    }
}
