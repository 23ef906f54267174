//! The root of a container that does not run, with its binds and volumes in place: for a worker in P that looks, copies
//! in or copies out, and sees what the container would see.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::sys::mount::{self, Attributes, PropagationKind};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno};

use super::error::Error;
use super::init::fill;
use super::init::target::{self, Purpose, Shape};
use super::stage::bind_tree;

/// A bind or a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootMount {
    /// In the container.
    pub(crate) target: PathBuf,
    /// On the host.
    pub(crate) source: PathBuf,
    /// Part of the source, reached without a link (D07).
    pub(crate) subpath: Option<PathBuf>,
    /// An empty volume gets what the image has at the target, as at a start.
    pub(crate) copy_up: bool,
    pub(crate) read_only: bool,
    /// It covers no other mount.
    pub(crate) yields: bool,
}

/// Puts `root` and the mounts on it into this process's own mount namespace, which is nobody else's, so that paths in
/// the tree lead across them. Targets are resolved in the tree and made if missing, as init does it. A source that is
/// gone is passed over: the rest of the container is there all the same.
pub(crate) fn furnish(root: &OwnedFd, mounts: &[RootMount]) -> Result<(), Error> {
    if mounts.is_empty() {
        return Ok(());
    }
    let top = sys::fs::open_path(Path::new("/")).map_err(Error::MountRootfs)?;
    mount::attach(root.as_fd(), top.as_fd()).map_err(Error::MountRootfs)?;
    mount::set_propagation(root.as_fd(), PropagationKind::Private).map_err(Error::MountRootfs)?;
    let tree = sys::dir::reopen(root.as_fd()).map(RootDir::from).map_err(Error::MountRootfs)?;
    let mut found = Vec::new();
    for mount in mounts {
        match bind_tree(&mount.source, mount.subpath.as_deref()) {
            Err(Error::Source { source, .. }) if source.is(Errno::ENOENT) => {}
            other => found.push((mount, other?)),
        }
    }
    // From the image, not from what a bind puts over it. What the image lacks has nothing to copy, and whose it is the start says.
    for (mount, source) in found.iter().filter(|(mount, _)| mount.copy_up) {
        fill::from_image(&tree, &mount.target, source.as_fd(), true)?;
    }
    found.iter().try_for_each(|(mount, source)| one(&tree, mount, source))
}

fn one(root: &RootDir, wanted: &RootMount, source: &OwnedFd) -> Result<(), Error> {
    let failed = |source| Error::Mount { target: wanted.target.clone(), source };
    let is_dir = sys::dir::fstat(source.as_fd()).map_err(failed)?.is_dir();
    let shape = if is_dir { Shape::Directory } else { Shape::File };
    let place = target::open(root, &wanted.target, shape, Purpose::Mount)?;
    if wanted.yields && mount::is_mounted_on(place.as_fd()) {
        return Ok(());
    }
    target::require_shape(&place, &wanted.target, shape)?;
    if wanted.read_only {
        let read_only = Attributes { read_only: true, ..Attributes::default() };
        mount::set_attributes(source.as_fd(), true, read_only).map_err(failed)?;
    }
    mount::set_propagation(source.as_fd(), PropagationKind::Private).map_err(failed)?;
    mount::attach(source.as_fd(), place.as_fd()).map_err(failed)
}
