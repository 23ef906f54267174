//! One directory by descriptor, and calls on single names in it. Nothing here ever follows a symbolic link, and a
//! name is one component: no slash, no `..`. The building stone of everything that touches hostile trees.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};

use super::error::{Call, Errno, Error, Result};
use super::fs::absent_is_none;

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FileKind {
    Regular,
    Directory,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
    Unknown,
}

impl From<FileType> for FileKind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::Regular,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice => Self::CharDevice,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::Unknown => Self::Unknown,
        }
    }
}

/// A point in time as the kernel counts it; the nanoseconds are 0..10⁹ also before 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Time {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: u32,
}

impl Time {
    /// Seconds with their fraction, as PAX writes them.
    pub(crate) fn to_decimal(self) -> String {
        match (self.seconds, self.nanoseconds) {
            (seconds, 0) => seconds.to_string(),
            (seconds @ 0.., fraction) => format!("{seconds}.{fraction:09}"),
            (seconds, fraction) => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - fraction),
        }
    }
}

/// The parts of `stat(2)` that trees are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: FileKind,
    /// Permission bits with set-id and sticky: `st_mode & 07777`.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) links: u64,
    pub(crate) mtime: Time,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Major and minor number of a device node.
    pub(crate) node: (u32, u32),
    /// Blocks of 512 bytes that are allocated.
    pub(crate) blocks: u64,
}

impl Stat {
    fn from_raw(raw: &rustix::fs::Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(raw.st_mode).into(),
            mode: raw.st_mode & 0o7777,
            uid: raw.st_uid,
            gid: raw.st_gid,
            size: u64::try_from(raw.st_size).unwrap_or_default(),
            links: raw.st_nlink,
            mtime: Time { seconds: raw.st_mtime, nanoseconds: u32::try_from(raw.st_mtime_nsec).unwrap_or_default() },
            device: raw.st_dev,
            inode: raw.st_ino,
            node: (rustix::fs::major(raw.st_rdev), rustix::fs::minor(raw.st_rdev)),
            blocks: u64::try_from(raw.st_blocks).unwrap_or_default(),
        }
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    pub(crate) fn is_char_device(&self) -> bool {
        self.kind == FileKind::CharDevice
    }

    /// True for overlay's whiteout: a character device 0/0.
    pub(crate) fn is_whiteout(&self) -> bool {
        self.kind == FileKind::CharDevice && self.node == (0, 0)
    }

    /// True if both are the same file.
    pub(crate) fn same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<OwnedFd> for Dir {
    /// Takes a descriptor of a directory, `O_PATH` or not.
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl From<Dir> for OwnedFd {
    fn from(dir: Dir) -> Self {
        dir.fd
    }
}

impl Dir {
    /// Opens a directory by a path that we trust.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).call("open", || format!("{path:?}, O_DIRECTORY"))?;
        Ok(Self { fd })
    }

    /// Makes the names in it, its attributes and its times durable (`fsync(2)`).
    pub(crate) fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.fd).call("fsync", || self.fd.as_raw_fd().to_string())
    }

    /// Another descriptor of the same open directory.
    pub(crate) fn try_clone(&self) -> Result<Self> {
        let fd = self.fd.try_clone().call("fcntl", || format!("{}, F_DUPFD_CLOEXEC", self.fd.as_raw_fd()))?;
        Ok(Self { fd })
    }

    /// Opens the directory `name`; ENOTDIR for a symbolic link.
    pub(crate) fn open_dir(&self, name: &OsStr) -> Result<Self> {
        let fd = self.open_at(name, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
        Ok(Self { fd })
    }

    /// Opens the regular file `name` for reading; anything else is EINVAL (never blocks on a FIFO).
    pub(crate) fn open_file(&self, name: &OsStr) -> Result<File> {
        let fd = self.open_at(name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY, 0)?;
        if fstat(fd.as_fd())?.kind != FileKind::Regular {
            return Err(Error::new("open", format!("{name:?}: not a regular file"), Errno::EINVAL));
        }
        Ok(fd.into())
    }

    /// An `O_PATH` descriptor of `name`, whatever it is (a link itself too).
    pub(crate) fn open_path(&self, name: &OsStr) -> Result<OwnedFd> {
        self.open_at(name, OFlags::PATH, 0)
    }

    /// Writes to an existing file by one call, as the files of `/proc` want it. A link is not followed.
    pub(crate) fn write_in_place(&self, name: &OsStr, bytes: &[u8]) -> Result<()> {
        let file = self.open_at(name, OFlags::WRONLY, 0)?;
        rustix::io::write(&file, bytes).map(drop).call("write", || format!("{name:?}"))
    }

    /// Makes a new regular file, open for writing and reading; EEXIST if the name is taken.
    pub(crate) fn create_new(&self, name: &OsStr, mode: u32) -> Result<File> {
        self.open_at(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode).map(File::from)
    }

    /// Makes a directory (mode less the umask); EEXIST if the name is taken.
    pub(crate) fn mkdir(&self, name: &OsStr, mode: u32) -> Result<()> {
        let name = single(name)?;
        rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode))
            .call("mkdirat", || format!("{name:?}, {mode:#o}"))
    }

    /// Makes a symbolic link `name` with this text.
    pub(crate) fn symlink(&self, target: &OsStr, name: &OsStr) -> Result<()> {
        let name = single(name)?;
        rustix::fs::symlinkat(target, &self.fd, name).call("symlinkat", || format!("{target:?}, {name:?}"))
    }

    /// Makes `name` a further hard link of `from/old`, which is not followed if it is a symbolic link.
    pub(crate) fn link(&self, from: &Dir, old: &OsStr, name: &OsStr) -> Result<()> {
        let (old, name) = (single(old)?, single(name)?);
        rustix::fs::linkat(&from.fd, old, &self.fd, name, AtFlags::empty())
            .call("linkat", || format!("{old:?}, {name:?}"))
    }

    /// Makes a FIFO.
    pub(crate) fn mkfifo(&self, name: &OsStr, mode: u32) -> Result<()> {
        self.mknod(name, FileType::Fifo, mode, 0)
    }

    /// Makes overlay's whiteout, a character device 0/0: allowed to everybody since Linux 5.8, though not through an
    /// overlay (K-B5).
    pub(crate) fn make_whiteout(&self, name: &OsStr) -> Result<()> {
        self.mknod(name, FileType::CharacterDevice, 0, rustix::fs::makedev(0, 0))
    }

    fn mknod(&self, name: &OsStr, kind: FileType, mode: u32, device: u64) -> Result<()> {
        let name = single(name)?;
        rustix::fs::mknodat(&self.fd, name, kind, Mode::from_raw_mode(mode), device)
            .call("mknodat", || format!("{name:?}, {kind:?}, {mode:#o}"))
    }

    /// Removes a name that is not a directory.
    pub(crate) fn unlink(&self, name: &OsStr) -> Result<()> {
        let name = single(name)?;
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()).call("unlinkat", || format!("{name:?}"))
    }

    /// Removes an empty directory.
    pub(crate) fn rmdir(&self, name: &OsStr) -> Result<()> {
        let name = single(name)?;
        rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR).call("unlinkat", || format!("{name:?}, AT_REMOVEDIR"))
    }

    /// `fstatat(2)` without following, with `None` where there is nothing.
    pub(crate) fn stat(&self, name: &OsStr) -> Result<Option<Stat>> {
        let name = single(name)?;
        let raw = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).call("fstatat", || format!("{name:?}"));
        Ok(absent_is_none(raw)?.map(|raw| Stat::from_raw(&raw)))
    }

    /// `fstat(2)` of the directory itself.
    pub(crate) fn stat_self(&self) -> Result<Stat> {
        fstat(self.fd.as_fd())
    }

    /// Text of the symbolic link `name`.
    pub(crate) fn read_link(&self, name: &OsStr) -> Result<PathBuf> {
        let name = single(name)?;
        let text = rustix::fs::readlinkat(&self.fd, name, Vec::new()).call("readlinkat", || format!("{name:?}"))?;
        Ok(PathBuf::from(OsString::from_vec(text.into_bytes())))
    }

    /// Changes the owner of `name` itself.
    pub(crate) fn chown(&self, name: &OsStr, uid: u32, gid: u32) -> Result<()> {
        let name = single(name)?;
        let (u, g) = owner(uid, gid)?;
        rustix::fs::chownat(&self.fd, name, Some(u), Some(g), AtFlags::SYMLINK_NOFOLLOW)
            .call("fchownat", || format!("{name:?}, {uid}, {gid}"))
    }

    /// Changes the mode of `name`, which must not be a symbolic link (they have none): through an `O_PATH`
    /// descriptor, because `fchmodat2` with `AT_SYMLINK_NOFOLLOW` needs Linux 6.6.
    pub(crate) fn chmod(&self, name: &OsStr, mode: u32) -> Result<()> {
        let fd = self.open_path(name)?;
        if fstat(fd.as_fd())?.kind == FileKind::Symlink {
            return Err(Error::new("fchmodat", format!("{name:?}: symbolic link"), Errno::EOPNOTSUPP));
        }
        rustix::fs::chmod(descriptor_path(fd.as_fd()), Mode::from_raw_mode(mode))
            .call("chmod", || format!("{name:?}, {mode:#o}"))
    }

    /// Sets access and modification time of `name` itself.
    pub(crate) fn set_times(&self, name: &OsStr, time: Time) -> Result<()> {
        let name = single(name)?;
        rustix::fs::utimensat(&self.fd, name, &timestamps(time), AtFlags::SYMLINK_NOFOLLOW)
            .call("utimensat", || format!("{name:?}, {}", time.seconds))
    }

    /// Names in the directory without `.` and `..`, in the kernel's order.
    pub(crate) fn entries(&self) -> Result<Vec<(OsString, FileKind)>> {
        let again = rustix::fs::openat(
            &self.fd,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )
        .call("openat", || "\".\", O_DIRECTORY".to_owned())?;
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::new(again).call("fdopendir", String::new)? {
            let entry = entry.call("getdents64", String::new)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let name = OsString::from_vec(name.to_vec());
            let kind = match entry.file_type().into() {
                // Some file systems do not tell.
                FileKind::Unknown => self.stat(&name)?.map_or(FileKind::Unknown, |stat| stat.kind),
                kind => kind,
            };
            entries.push((name, kind));
        }
        Ok(entries)
    }

    pub(super) fn open_at(&self, name: &OsStr, flags: OFlags, mode: u32) -> Result<OwnedFd> {
        let name = single(name)?;
        rustix::fs::openat(&self.fd, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::from_raw_mode(mode))
            .call("openat", || format!("{name:?}, {flags:?}"))
    }
}

/// `fstat(2)`.
pub(crate) fn fstat(fd: BorrowedFd<'_>) -> Result<Stat> {
    let raw = rustix::fs::fstat(fd).call("fstat", || fd.as_raw_fd().to_string())?;
    Ok(Stat::from_raw(&raw))
}

/// `fchown(2)`.
pub(crate) fn fchown(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<()> {
    let (u, g) = owner(uid, gid)?;
    rustix::fs::fchown(fd, Some(u), Some(g)).call("fchown", || format!("{}, {uid}, {gid}", fd.as_raw_fd()))
}

/// `fchmod(2)`; the descriptor must not be `O_PATH`.
pub(crate) fn fchmod(fd: BorrowedFd<'_>, mode: u32) -> Result<()> {
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode)).call("fchmod", || format!("{}, {mode:#o}", fd.as_raw_fd()))
}

/// `futimens(3)`: access and modification time.
pub(crate) fn set_times(fd: BorrowedFd<'_>, time: Time) -> Result<()> {
    rustix::fs::futimens(fd, &timestamps(time)).call("futimens", || format!("{}, {}", fd.as_raw_fd(), time.seconds))
}

/// The name under which the kernel resolves an open descriptor (an `O_PATH` one too) without following further.
pub(crate) fn descriptor_path(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Refuses what is not one component: the rule that keeps every call of this file inside its directory.
pub(super) fn single(name: &OsStr) -> Result<&OsStr> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') || bytes.contains(&0) {
        return Err(Error::new("openat", format!("{name:?}: not a single name"), Errno::EINVAL));
    }
    Ok(name)
}

/// Refuses the id that means "leave as it is" to chown(2) (case A16).
fn owner(uid: u32, gid: u32) -> Result<(rustix::fs::Uid, rustix::fs::Gid)> {
    if uid == u32::MAX || gid == u32::MAX {
        return Err(Error::new("fchownat", format!("{uid}, {gid}"), Errno::EINVAL));
    }
    Ok((rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid)))
}

fn timestamps(time: Time) -> Timestamps {
    let time = Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}

/// A directory that is held by `O_PATH`, open for reading.
pub(crate) fn reopen(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(fd, ".", flags, Mode::empty()).call("openat", || format!("{}, \".\"", fd.as_raw_fd()))
}

/// Owner of what an `O_PATH` descriptor names; a link itself is changed, not followed.
pub(crate) fn chown_path(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<()> {
    let owner = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    rustix::fs::chownat(fd, "", Some(owner.0), Some(owner.1), AtFlags::EMPTY_PATH)
        .call("fchownat", || format!("{}, {uid}, {gid}", fd.as_raw_fd()))
}
