//! What the stage has for a root, and init after it until it has the container's: `/proc`, `/sys` (the kernel allows new ones only
//! where there are old ones) and the harmless devices, and nothing else of the host.
//!
//! For where others have power over them (`--userns=container:` and its like). Not being dumpable protects the root of a process
//! only as long as that has memory; who sees the host's processes (`--pid=host`) and may trace can kill it, and look (super::init::hide).

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::sys::mount::{self, Attributes, FsContext, PropagationKind};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, process, stream};

use super::init;

/// Leaves the root of the host, in a mount namespace of our own, for good.
pub(super) fn enter() -> sys::Result<()> {
    let host = sys::fs::open_path(Path::new("/"))?;
    // In `sampan unshare` the namespace that ours is a copy of has the same owner, and would take part.
    mount::set_propagation(host.as_fd(), PropagationKind::Private)?;
    let new = FsContext::open("tmpfs")?;
    new.set("mode", "0755")?;
    let bare = new.mount(Attributes::default())?;
    mount::attach(bare.as_fd(), host.as_fd())?;
    let root = RootDir::from(stream::duplicate(&bare)?);
    for directory in ["proc", "sys", "dev"] {
        root.mkdir(Path::new(directory), 0o755)?;
    }
    for tree in ["proc", "sys"] {
        bind(&format!("/{tree}"), root.lookup(Path::new(tree))?.as_fd())?;
    }
    protect_cgroups(&root)?;
    for node in init::NODES {
        bind(node, root.create_new(Path::new(node.trim_start_matches('/')), 0o644)?.as_fd())?;
    }
    let harmless = Attributes { read_only: true, nosuid: true, nodev: false, noexec: true };
    mount::set_attributes(bare.as_fd(), false, harmless)?;
    process::fchdir(bare.as_fd())?;
    mount::pivot_to_current_dir()
}

/// The caller may write to those that are delegated to him.
fn protect_cgroups(root: &RootDir) -> sys::Result<()> {
    let read_only = Attributes { read_only: true, ..Attributes::default() };
    let Some(place) = sys::fs::absent_is_none(root.lookup(Path::new("sys/fs/cgroup")))? else { return Ok(()) };
    match mount::set_attributes(place.as_fd(), true, read_only) {
        // Nothing is mounted there.
        Err(error) if error.is(Errno::EINVAL) => Ok(()),
        other => other,
    }
}

/// What the host has there. What it lacks, init asks for and tells.
fn bind(path: &str, place: BorrowedFd<'_>) -> sys::Result<()> {
    match sys::fs::absent_is_none(mount::clone_tree(sys::fs::current_dir(), Path::new(path)))? {
        Some(tree) => mount::attach(tree.as_fd(), place),
        None => Ok(()),
    }
}
