//! File systems as a whole: their kind, their room, and what is flushed to them.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use super::error::{Call, Result};

/// What kind of file system holds a path, and what it forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSystem {
    /// As `mount(8)` calls it, or the magic number of `statfs(2)`.
    pub(crate) name: String,
    pub(crate) read_only: bool,
    pub(crate) no_exec: bool,
    pub(crate) no_suid: bool,
}

/// Looks with `statfs(2)` and `statvfs(3)`.
pub(crate) fn file_system(path: &Path) -> Result<FileSystem> {
    use rustix::fs::StatVfsMountFlags as Flags;
    let magic = rustix::fs::statfs(path).call("statfs", || format!("{path:?}"))?.f_type;
    let flags = rustix::fs::statvfs(path).call("statvfs", || format!("{path:?}"))?.f_flag;
    // The type of the number differs between architectures: 32 bits of it are the magic.
    let magic = u32::try_from(i128::from(magic) & 0xffff_ffff).unwrap_or_default();
    let name = match magic {
        0x6969 => "nfs",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "smb",
        0x0102_1997 => "9p",
        0x4d44 => "vfat",
        0x2011_bab0 => "exfat",
        0xf15f => "ecryptfs",
        0x6573_5546 => "fuse",
        0x794c_7630 => "overlay",
        0x0102_1994 => "tmpfs",
        0xef53 => "ext4",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x2fc1_2fc1 => "zfs",
        0xf2f5_2010 => "f2fs",
        0xca45_1a4e => "bcachefs",
        other => &format!("file system {other:#x}"),
    };
    Ok(FileSystem {
        name: name.to_owned(),
        read_only: flags.contains(Flags::RDONLY),
        no_exec: flags.contains(Flags::NOEXEC),
        no_suid: flags.contains(Flags::NOSUID),
    })
}

/// Bytes of the file system that holds `path`, and those that this user may still write (`statvfs(3)`).
pub(crate) fn space(path: &Path) -> Result<(u64, u64)> {
    let found = rustix::fs::statvfs(path).call("statvfs", || format!("{path:?}"))?;
    Ok((found.f_blocks.saturating_mul(found.f_frsize), found.f_bavail.saturating_mul(found.f_frsize)))
}

/// Flushes the whole file system that holds `file` (`syncfs(2)`), and reports the write errors since `file` was opened,
/// unless this descriptor has reported them before: one that is opened for the purpose may miss them (Linux 5.8).
pub(crate) fn sync_filesystem(file: BorrowedFd<'_>) -> Result<()> {
    rustix::fs::syncfs(file).call("syncfs", || file.as_raw_fd().to_string())
}

/// True if the file lies on a procfs.
pub(crate) fn is_procfs(fd: BorrowedFd<'_>) -> Result<bool> {
    let statfs = rustix::fs::fstatfs(fd).call("fstatfs", || format!("{fd:?}"))?;
    Ok(statfs.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

/// Bytes that an ordinary user can still write to the file system of `fd`.
pub(crate) fn free_space(fd: BorrowedFd<'_>) -> Result<u64> {
    let stat = rustix::fs::fstatvfs(fd).call("fstatvfs", || fd.as_raw_fd().to_string())?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
