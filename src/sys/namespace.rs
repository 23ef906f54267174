//! Namespaces: kinds, descriptors, joining, leaving (`namespaces(7)`, `setns(2)`, `ioctl_ns(2)`).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};

use super::error::{Call, Errno, Result};
use super::process::Pid;
use super::raw;

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NsKind {
    User,
    Mount,
    Pid,
    Network,
    Ipc,
    Uts,
    Cgroup,
    Time,
}

impl NsKind {
    pub(crate) const ALL: [Self; 8] =
        [Self::User, Self::Mount, Self::Pid, Self::Network, Self::Ipc, Self::Uts, Self::Cgroup, Self::Time];

    /// The `CLONE_NEW*` flag.
    pub(crate) fn flag(self) -> i32 {
        match self {
            Self::User => libc::CLONE_NEWUSER,
            Self::Mount => libc::CLONE_NEWNS,
            Self::Pid => libc::CLONE_NEWPID,
            Self::Network => libc::CLONE_NEWNET,
            Self::Ipc => libc::CLONE_NEWIPC,
            Self::Uts => libc::CLONE_NEWUTS,
            Self::Cgroup => libc::CLONE_NEWCGROUP,
            Self::Time => CLONE_NEWTIME,
        }
    }

    /// Name in `/proc/PID/ns`.
    pub(crate) fn proc_name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mount => "mnt",
            Self::Pid => "pid",
            Self::Network => "net",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Cgroup => "cgroup",
            Self::Time => "time",
        }
    }
}

/// Since Linux 5.6; only `unshare(2)`, `clone3(2)` and `setns(2)` know it.
const CLONE_NEWTIME: i32 = 0x80;
const NS_GET_PARENT: libc::c_ulong = 0xb702;

/// Opens a namespace of a process. EACCES if we may not look into it (K-A7).
pub(crate) fn open(pid: Pid, kind: NsKind) -> Result<OwnedFd> {
    open_path(&PathBuf::from(format!("/proc/{pid}/ns/{}", kind.proc_name())))
}

/// Opens one of our own namespaces.
pub(crate) fn open_own(kind: NsKind) -> Result<OwnedFd> {
    open_path(&PathBuf::from(format!("/proc/self/ns/{}", kind.proc_name())))
}

/// Opens a namespace by the path of its file. What is none, a FIFO, keeps nobody waiting.
pub(crate) fn open_path(path: &std::path::Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
        .call("open", || format!("{path:?}"))
}

/// Joins the namespaces of these kinds that `fd` (a pidfd, or one namespace) names.
pub(crate) fn join(fd: BorrowedFd<'_>, kinds: &[NsKind]) -> Result<()> {
    raw::setns(fd, kinds.iter().fold(0, |flags, kind| flags | kind.flag()))
}

/// Moves this process into new namespaces.
pub(crate) fn unshare(kinds: &[NsKind]) -> Result<()> {
    raw::unshare(kinds.iter().fold(0, |flags, kind| flags | kind.flag()))
}

/// The user namespace above a user namespace. EPERM if it is outside ours.
pub(crate) fn parent(userns: BorrowedFd<'_>) -> Result<OwnedFd> {
    raw::namespace_relative(userns, NS_GET_PARENT)
}

/// Of the user namespaces above `userns` the one directly below ours, however many there are: whoever is root in one of them can
/// make more and go there, but changes nothing above. An error if there is none.
pub(crate) fn topmost(userns: BorrowedFd<'_>) -> Result<OwnedFd> {
    let own = identity(open_own(NsKind::User)?.as_fd())?;
    let mut below = parent(userns)?;
    loop {
        let above = parent(below.as_fd())?;
        if identity(above.as_fd())? == own {
            return Ok(below);
        }
        below = above;
    }
}

/// Uid (in our user namespace) of who made a user namespace.
pub(crate) fn owner_uid(userns: BorrowedFd<'_>) -> Result<u32> {
    raw::namespace_owner(userns)
}

/// True if `fd` is a namespace of this kind.
pub(crate) fn is_kind(fd: BorrowedFd<'_>, kind: NsKind) -> Result<bool> {
    match raw::namespace_type(fd) {
        Err(error) if error.is(Errno::ENOTTY) => Ok(false),
        other => Ok(other? == kind.flag()),
    }
}

/// Device and inode: equal if and only if it is the same namespace.
pub(crate) fn identity(fd: BorrowedFd<'_>) -> Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd).call("fstat", || "namespace".to_owned())?;
    Ok((stat.st_dev, stat.st_ino))
}

/// The links in a `/proc/PID/ns`, as `mnt:[4026531841]`: equal if and only if it is the same namespace (`namespaces(7)`).
fn names_of(dir: String) -> Result<impl Fn(NsKind) -> Result<std::ffi::CString>> {
    // Only a path: whoever is not dumpable may not list the directory, but follow it.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let links = rustix::fs::open(&dir, flags, Mode::empty()).call("open", || format!("{dir:?}"))?;
    Ok(move |kind: NsKind| {
        let name = kind.proc_name();
        rustix::fs::readlinkat(&links, name, Vec::with_capacity(32)).call("readlinkat", || format!("\"{dir}/{name}\""))
    })
}

/// The link in `/proc/PID/ns`: see [`names_of`].
pub(crate) fn name(pid: Pid, kind: NsKind) -> Result<std::ffi::CString> {
    names_of(format!("/proc/{pid}/ns"))?(kind)
}

/// The same, of an open namespace.
pub(crate) fn name_of(namespace: BorrowedFd<'_>) -> Result<std::ffi::CString> {
    let path = super::dir::descriptor_path(namespace);
    rustix::fs::readlink(&path, Vec::with_capacity(32)).call("readlink", || format!("{path:?}"))
}

/// The kinds in which a process differs from us: what `setns` must name, no more (K-A12).
pub(crate) fn differing(pid: Pid) -> Result<Vec<NsKind>> {
    let (theirs, ours) = (names_of(format!("/proc/{pid}/ns"))?, names_of("/proc/self/ns".to_owned())?);
    let mut kinds = Vec::new();
    for kind in NsKind::ALL {
        match (theirs(kind), ours(kind)) {
            (Ok(theirs), Ok(ours)) if theirs == ours => {}
            (Ok(_), Ok(_)) => kinds.push(kind),
            // A kernel without this kind of namespace.
            (Err(error), _) | (_, Err(error)) if error.is(Errno::ENOENT) && kind == NsKind::Time => {}
            (Err(error), _) | (_, Err(error)) => return Err(error),
        }
    }
    Ok(kinds)
}
