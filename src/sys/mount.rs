//! Mounts by descriptor (`fsopen(2)`, `open_tree(2)`, `move_mount(2)`, `mount_setattr(2)`): a mount is made detached
//! and attached to a directory that is held open, so that no path is resolved twice.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

use super::error::{Call, Error, Result};
use super::raw;

/// Attributes of a mount, as `mount_setattr(2)` and `fsmount(2)` take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Attributes {
    pub(crate) read_only: bool,
    pub(crate) nosuid: bool,
    pub(crate) nodev: bool,
    pub(crate) noexec: bool,
}

impl Attributes {
    fn bits(self) -> u64 {
        let mut bits = 0;
        for (on, bit) in [
            (self.read_only, libc::MOUNT_ATTR_RDONLY),
            (self.nosuid, libc::MOUNT_ATTR_NOSUID),
            (self.nodev, libc::MOUNT_ATTR_NODEV),
            (self.noexec, libc::MOUNT_ATTR_NOEXEC),
        ] {
            if on {
                bits |= bit;
            }
        }
        bits
    }
}

/// Propagation of mount events (`mount_namespaces(7)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PropagationKind {
    Private,
    Slave,
    Shared,
    Unbindable,
}

/// A file system being configured (`fsopen(2)`).
#[derive(Debug)]
pub(crate) struct FsContext {
    fd: OwnedFd,
    name: &'static str,
}

impl FsContext {
    /// `fsopen(2)`. ENODEV if the kernel has no such file system, EPERM if it may not be mounted here.
    pub(crate) fn open(name: &'static str) -> Result<Self> {
        let fd = rustix::mount::fsopen(name, FsOpenFlags::FSOPEN_CLOEXEC).call("fsopen", || format!("{name:?}"))?;
        Ok(Self { fd, name })
    }

    /// Sets `key=value` (at most 255 bytes).
    pub(crate) fn set(&self, key: &str, value: impl AsRef<OsStr>) -> Result<&Self> {
        let value = value.as_ref();
        rustix::mount::fsconfig_set_string(self.fd.as_fd(), key, value)
            .call("fsconfig", || format!("{}, {key}={value:?}{}", self.name, self.messages()))?;
        Ok(self)
    }

    /// Sets a flag.
    pub(crate) fn flag(&self, key: &str) -> Result<&Self> {
        rustix::mount::fsconfig_set_flag(self.fd.as_fd(), key)
            .call("fsconfig", || format!("{}, {key}{}", self.name, self.messages()))?;
        Ok(self)
    }

    /// Makes the file system and a detached mount of it.
    pub(crate) fn mount(&self, attributes: Attributes) -> Result<OwnedFd> {
        rustix::mount::fsconfig_create(self.fd.as_fd())
            .call("fsconfig", || format!("{}, FSCONFIG_CMD_CREATE{}", self.name, self.messages()))?;
        let mut flags = MountAttrFlags::empty();
        flags.set(MountAttrFlags::MOUNT_ATTR_RDONLY, attributes.read_only);
        flags.set(MountAttrFlags::MOUNT_ATTR_NOSUID, attributes.nosuid);
        flags.set(MountAttrFlags::MOUNT_ATTR_NODEV, attributes.nodev);
        flags.set(MountAttrFlags::MOUNT_ATTR_NOEXEC, attributes.noexec);
        rustix::mount::fsmount(self.fd.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, flags)
            .call("fsmount", || self.name.to_owned())
    }

    /// What the kernel says of the last refusal: it leaves lines to be read from the context.
    fn messages(&self) -> String {
        let mut text = String::new();
        let mut buffer = [0_u8; 512];
        while let Ok(count) = rustix::io::read(&self.fd, &mut buffer[..]) {
            if count == 0 {
                break;
            }
            text.push_str(": ");
            text.push_str(String::from_utf8_lossy(&buffer[..count]).trim_end());
        }
        text
    }
}

/// A detached copy of the mounts at `path` (relative to `dir`), with everything below it (K-B2: non-recursive copies of
/// a tree with submounts are refused). A last component that is a link is followed.
pub(crate) fn clone_tree(dir: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    rustix::mount::open_tree(dir, path, flags).call("open_tree", || format!("{path:?}, OPEN_TREE_CLONE|AT_RECURSIVE"))
}

/// Like [`clone_tree`], of what a descriptor (opened in this mount namespace) names.
pub(crate) fn clone_tree_at(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(fd, "", flags)
        .call("open_tree", || format!("{}, OPEN_TREE_CLONE|AT_RECURSIVE", fd.as_raw_fd()))
}

/// A detached copy of the one mount that a descriptor (opened in this mount namespace) is on, without what is mounted on it.
pub(crate) fn clone_one(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(fd, "", flags).call("open_tree", || format!("{}, OPEN_TREE_CLONE", fd.as_raw_fd()))
}

/// True if what was looked up is the top of a mount: there another one would cover it (Linux 5.8).
pub(crate) fn is_mounted_on(found: BorrowedFd<'_>) -> bool {
    use rustix::fs::{AtFlags, StatxAttributes, StatxFlags};
    rustix::fs::statx(found, "", AtFlags::EMPTY_PATH, StatxFlags::empty())
        .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// True if both lie on one mount, as far as the kernel tells (Linux 5.8).
pub(crate) fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    super::stepwise::mount_of(one).is_ok_and(|number| super::stepwise::mount_of(other) == Ok(number))
}

/// Attaches a detached mount on what `target` names (a directory, or a file for a file).
pub(crate) fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, "", target, "", flags)
        .call("move_mount", || format!("{}, {}", mount.as_raw_fd(), target.as_raw_fd()))
}

/// Sets attributes of the mount at `fd`, with all below it if `recursive`.
pub(crate) fn set_attributes(fd: BorrowedFd<'_>, recursive: bool, set: Attributes) -> Result<()> {
    raw::mount_setattr(fd, recursive, set.bits(), 0, 0)
}

/// Changes the propagation of the mount at `fd` and of all below it.
pub(crate) fn set_propagation(fd: BorrowedFd<'_>, kind: PropagationKind) -> Result<()> {
    let bits = match kind {
        PropagationKind::Private => libc::MS_PRIVATE,
        PropagationKind::Slave => libc::MS_SLAVE,
        PropagationKind::Shared => libc::MS_SHARED,
        PropagationKind::Unbindable => libc::MS_UNBINDABLE,
    };
    raw::mount_setattr(fd, true, 0, 0, bits)
}

/// The old `mount(2)` with a data string of at most one page, for kernels that lack what [`FsContext`] needs.
pub(crate) fn mount_classic(kind: &str, target: &Path, data: &OsStr) -> Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let data_c = std::ffi::CString::new(data.as_bytes())
        .map_err(|_nul| Error::new("mount", "option with a NUL byte", super::Errno::EINVAL))?;
    rustix::mount::mount(kind, target, kind, rustix::mount::MountFlags::empty(), Some(data_c.as_c_str()))
        .call("mount", || format!("{kind:?}, {target:?}, {data:?}"))
}

/// Makes the current directory the root of this mount namespace and drops the old root (`pivot_root(2)`, "."/".").
pub(crate) fn pivot_to_current_dir() -> Result<()> {
    rustix::process::pivot_root(".", ".").call("pivot_root", || "\".\", \".\"".to_owned())?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).call("umount2", || "\".\", MNT_DETACH".to_owned())?;
    super::process::chdir(Path::new("/"))
}

/// Unmounts lazily what is at `path`.
pub(crate) fn detach(path: &Path) -> Result<()> {
    rustix::mount::unmount(path, UnmountFlags::DETACH).call("umount2", || format!("{path:?}, MNT_DETACH"))
}
