//! Masked and read-only paths (OCI runtime spec, `maskedPaths` and `readonlyPaths`).

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci_spec::runtime::Linux;

use crate::runtime::error::Error;
use crate::sys::mount::{self, Attributes, FsContext};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno};

use super::target;

/// Covers what the container must not see, and freezes what it must not write. Paths that are not there are left out.
pub(super) fn apply(root: &RootDir, linux: &Linux) -> Result<(), Error> {
    for path in linux.readonly_paths().iter().flatten() {
        read_only(root, Path::new(path)).map_err(|source| Error::ReadOnly { path: PathBuf::from(path), source })?;
    }
    let masked = linux.masked_paths().as_deref().unwrap_or_default();
    if masked.is_empty() {
        return Ok(());
    }
    // The host's /dev/null, checked to be that device (case C03).
    let null = mount::clone_tree(sys::fs::current_dir(), Path::new("/dev/null"));
    let null = null.map_err(|source| Error::Mask { path: "/dev/null".into(), source })?;
    let stat = sys::dir::fstat(null.as_fd()).map_err(|source| Error::Mask { path: "/dev/null".into(), source })?;
    if !stat.is_char_device() || stat.node != (1, 3) {
        let source = sys::Error::new("fstat", "/dev/null is not the null device", Errno::ENODEV);
        return Err(Error::Mask { path: "/dev/null".into(), source });
    }
    let mut empty = None;
    for path in masked {
        mask(root, Path::new(path), &mut empty).map_err(|source| Error::Mask { path: PathBuf::from(path), source })?;
    }
    Ok(())
}

/// `empty` is the directory that covers all directories, once there is one.
fn mask(root: &RootDir, path: &Path, empty: &mut Option<OwnedFd>) -> sys::Result<()> {
    let Some(place) = sys::fs::absent_is_none(root.lookup(&target::relative(path)))? else { return Ok(()) };
    let stat = sys::dir::fstat(place.as_fd())?;
    let cover = match empty {
        _ if !stat.is_dir() => mount::clone_tree(sys::fs::current_dir(), Path::new("/dev/null"))?,
        Some(empty) => mount::clone_tree_at(empty.as_fd())?,
        None => {
            let context = FsContext::open("tmpfs")?;
            context.set("source", "tmpfs")?.set("size", "0")?.set("nr_inodes", "2")?;
            let first = context.mount(Attributes { read_only: true, nosuid: true, nodev: true, noexec: true })?;
            mount::attach(first.as_fd(), place.as_fd())?;
            *empty = Some(first);
            return Ok(());
        }
    };
    mount::attach(cover.as_fd(), place.as_fd())
}

fn read_only(root: &RootDir, path: &Path) -> sys::Result<()> {
    let Some(place) = sys::fs::absent_is_none(root.lookup(&target::relative(path)))? else { return Ok(()) };
    let tree = mount::clone_tree_at(place.as_fd())?;
    mount::set_attributes(tree.as_fd(), true, Attributes { read_only: true, ..Attributes::default() })?;
    mount::attach(tree.as_fd(), place.as_fd())
}
