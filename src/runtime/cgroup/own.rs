//! Case (a): the subtree that we are in is ours.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::sys;
use crate::types::id::ContainerId;

use super::container::ContainerCgroup;
use super::error::Error;
use super::{cgroupfs, systemd};
use crate::types::cgroup::CgroupRecord;

/// Leaf that takes the processes of the subtree's root, so that its controllers can be enabled.
const HOST: &str = "sampan-host";
/// Rounds of moving processes that fork meanwhile.
const ROUNDS: usize = 20;

/// Root of the delegated subtree that this process is in, if there is one that we may use.
pub(super) fn root(uid: u32) -> Option<PathBuf> {
    let here = cgroupfs::of_process(sys::process::Pid::this().as_raw())?;
    let root = if here.file_name() == Some(OsStr::new(HOST)) { here.parent()?.to_owned() } else { here };
    let files = ["", "cgroup.procs", "cgroup.subtree_control"];
    let writable = files.iter().all(|name| sys::fs::is_writable(&root.join(name)));
    (writable && !belongs_to_systemd(&root, uid)).then_some(root)
}

/// True if this process lives and dies with the logins of its user: below `user-UID.slice`.
pub(crate) fn below_user_slice(uid: u32) -> bool {
    let slice = format!("user-{uid}.slice");
    let here = cgroupfs::of_process(sys::process::Pid::this().as_raw());
    here.is_some_and(|here| here.components().any(|part| part.as_os_str() == OsStr::new(&slice)))
}

/// Everything below `user@UID.service` may be written by the user, but only a unit with `Delegate=yes` is not managed by the
/// user's systemd (systemd's "Control Group APIs and Delegation"). Newer versions mark it by an attribute; others are asked.
/// A scope that was made for another container is that container's.
fn belongs_to_systemd(root: &Path, uid: u32) -> bool {
    let manager = format!("user@{uid}.service");
    let mut parts = root.components().map(|part| part.as_os_str().to_string_lossy());
    if !parts.any(|part| part == manager) {
        return false;
    }
    let unit = parts.find(|part| part.ends_with(".service") || part.ends_with(".scope"));
    let Some(unit) = unit.filter(|unit| !unit.starts_with("sampan-")) else { return true };
    let mark = sys::dir::Dir::open(root).and_then(|dir| sys::xattr::get(dir.as_fd(), OsStr::new("user.delegate")));
    !mark.is_ok_and(|mark| mark.is_some_and(|mark| mark == b"1")) && !systemd::is_delegated(&unit, uid)
}

/// The container's leaf in the subtree; the controllers that could be enabled are in its record, which is announced
/// before the directory is made.
pub(super) fn leaf(
    root: &Path,
    parent: Option<&Path>,
    id: &ContainerId,
    uid: u32,
    announce: &mut dyn FnMut(&CgroupRecord),
) -> Result<ContainerCgroup, Error> {
    let mut controllers = enable(root, uid);
    let mut dir = root.to_owned();
    for part in parent.into_iter().flat_map(Path::components) {
        dir.push(part);
        cgroupfs::create(&dir)?;
        controllers = cgroupfs::enable(&dir);
    }
    let path = dir.join(format!("sampan-{id}"));
    let record = CgroupRecord { path, scope: None, controllers };
    announce(&record);
    ContainerCgroup::create(record)
}

/// Controllers that `root` could enable for its children, without doing it.
pub(super) fn possible(root: &Path, uid: u32) -> Vec<String> {
    let enabled = cgroupfs::words(&root.join("cgroup.subtree_control"));
    let mut possible = cgroupfs::controllers(root);
    if !all_ours(root, uid) {
        possible.retain(|controller| enabled.contains(controller));
    }
    possible
}

/// Enables the controllers of `root`. A cgroup with processes may not have them enabled ("no internal processes", cgroups(7)):
/// those processes move to a leaf, if every one of them is ours.
fn enable(root: &Path, uid: u32) -> Vec<String> {
    let enabled = cgroupfs::enable(root);
    if enabled.len() == cgroupfs::controllers(root).len() || !all_ours(root, uid) {
        return enabled;
    }
    if let Err(error) = empty(root) {
        tracing::debug!(%error, "processes stay in the root of the subtree");
    }
    cgroupfs::enable(root)
}

fn empty(root: &Path) -> Result<(), Error> {
    let host = root.join(HOST);
    cgroupfs::create(&host)?;
    for _ in 0..ROUNDS {
        let processes = cgroupfs::processes(root);
        if processes.is_empty() {
            break;
        }
        for pid in processes {
            cgroupfs::admit(&host, pid)?;
        }
    }
    Ok(())
}

/// True if every process in `root` itself runs as this user (0 in the list: one that our pid namespace does not show).
fn all_ours(root: &Path, uid: u32) -> bool {
    cgroupfs::processes(root).into_iter().all(|pid| {
        let owner = sys::fs::stat(Path::new(&format!("/proc/{pid}")));
        // One that has gone meanwhile is in nobody's way.
        pid > 0 && owner.is_ok_and(|owner| owner.is_none_or(|owner| owner.uid() == uid))
    })
}
