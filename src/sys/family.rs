//! Who is whose child, and who else is there (`/proc`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::{Errno, Result};
use super::fs;
use super::process::{Pid, PidFd};

/// The children of a process that have not been reaped. One that is born meanwhile may be missed.
pub(crate) fn children(parent: Pid) -> Result<Vec<PidFd>> {
    let mut found: Vec<PidFd> = child_numbers(parent)?.into_iter().filter_map(|pid| PidFd::open(pid).ok()).collect();
    // A number may have changed hands before it was opened: then it is no longer in the list, or a child as well.
    let still = child_numbers(parent)?;
    found.retain(|child| still.contains(&child.pid()));
    Ok(found)
}

/// Every process that we see.
pub(crate) fn everyone() -> Result<Vec<Pid>> {
    Ok(numbers(fs::names(Path::new("/proc"))?))
}

fn numbers(names: Vec<OsString>) -> Vec<Pid> {
    names.iter().filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?)).collect()
}

/// By the lists that each thread of the parent has (`proc_pid_children(5)`), which hide nobody; of a kernel without them, by
/// asking everyone.
fn child_numbers(parent: Pid) -> Result<Vec<Pid>> {
    let tasks = PathBuf::from(format!("/proc/{parent}/task"));
    let Some(threads) = gone_is_none(fs::names(&tasks))? else { return Ok(Vec::new()) };
    if !fs::exists(Path::new("/proc/thread-self/children")) {
        return by_asking_everyone(parent);
    }
    let mut found = Vec::new();
    for thread in threads {
        let list = gone_is_none(fs::read_to_string(&tasks.join(thread).join("children")))?.unwrap_or_default();
        found.extend(list.split_ascii_whitespace().filter_map(|number| Pid::from_raw(number.parse().ok()?)));
    }
    Ok(found)
}

fn by_asking_everyone(parent: Pid) -> Result<Vec<Pid>> {
    Ok(everyone()?.into_iter().filter(|pid| parent_of(*pid) == Some(parent)).collect())
}

/// The second field behind the name in `/proc/PID/stat`.
fn parent_of(pid: Pid) -> Option<Pid> {
    let text = fs::read(Path::new(&format!("/proc/{pid}/stat"))).ok()?;
    let text = String::from_utf8_lossy(&text);
    let after = text.rfind(')').map(|end| &text[end + 1..])?;
    Pid::from_raw(after.split_ascii_whitespace().nth(1)?.parse().ok()?)
}

fn gone_is_none<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if error.is(Errno::ENOENT) || error.is(Errno::ESRCH) => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::{by_asking_everyone, children, everyone, parent_of};
    use crate::sys::process::{Pid, is_child};

    #[test]
    fn children_are_found_until_they_are_reaped() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("sleep");
        let number = i32::try_from(child.id()).expect("a pid");
        let ours = || children(Pid::this()).expect("children").into_iter().any(|found| found.pid().as_raw() == number);
        assert!(ours());
        let pid = Pid::from_raw(number).expect("a pid");
        assert!(is_child(pid).expect("a child"));
        assert!(!is_child(Pid::this()).expect("nobody is his own child"));
        assert!(everyone().expect("everyone").contains(&pid));
        assert_eq!(parent_of(pid), Some(Pid::this()));
        // A kernel without lists of children.
        assert!(by_asking_everyone(Pid::this()).expect("everyone").contains(&pid));
        child.kill().expect("kill");
        assert!(is_child(pid).expect("until it is reaped"));
        child.wait().expect("wait");
        assert!(!ours() && !is_child(pid).expect("gone"));
        assert!(children(pid).expect("gone").is_empty());
    }
}
