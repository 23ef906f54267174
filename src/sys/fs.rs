//! Plain files of ours by path: small reads, durable and volatile replacement, directories, trees.
//!
//! For paths that an image, an archive or a container chose, use `root` instead.

use std::ffi::OsString;
pub(crate) use std::fs::File;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{Call, Errno, Error, Result};

/// Reads a whole file of at most `limit` bytes; a longer one is EFBIG.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_from(File::open(path).call("open", || format!("{path:?}"))?, path, limit)
}

/// The same of an ordinary file; see [`open_ordinary`].
pub(crate) fn read_ordinary(path: &Path, limit: u64) -> Result<Vec<u8>> {
    read_from(open_ordinary(path)?, path, limit)
}

/// Like [`read_limited`] for what the user names, which may be a pipe: a FIFO that nobody writes to is empty, instead of
/// a wait without an end (case F05).
pub(crate) fn read_named(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path).call("open", || format!("{path:?}"))?;
    rustix::fs::fcntl_setfl(&file, rustix::fs::OFlags::empty()).call("fcntl", || "F_SETFL".to_owned())?;
    read_from(file, path, limit)
}

/// The first `limit` bytes of a file, and whether that is all of it.
pub(crate) fn read_first(path: &Path, limit: u64) -> Result<(Vec<u8>, bool)> {
    let file = File::open(path).call("open", || format!("{path:?}"))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).call("read", || format!("{path:?}"))?;
    let whole = bytes.len() as u64 <= limit;
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((bytes, whole))
}

/// The whole file, which is open; `path` is for errors.
pub(super) fn read_from(file: File, path: &Path, limit: u64) -> Result<Vec<u8>> {
    // Most files are small: one read for the text and one for the end, without asking for the size first.
    let mut bytes = Vec::with_capacity(8 << 10);
    while bytes.len() as u64 <= limit {
        if bytes.capacity() == bytes.len() {
            bytes.reserve(bytes.len());
        }
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(bytes),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno).call("read", || format!("{path:?}")),
        }
    }
    Err(Error::new("read", format!("{path:?}: more than {limit} bytes"), Errno::EFBIG))
}

/// Reads a whole file of ours (at most 64 MiB).
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    read_limited(path, 64 << 20)
}

/// Reads a whole text file; bytes that are not UTF-8 are replaced.
pub(crate) fn read_to_string(path: &Path) -> Result<String> {
    read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Like [`read`], with `None` where there is no such file.
pub(crate) fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>> {
    absent_is_none(read(path))
}

/// Turns ENOENT and ENOTDIR into `None`.
pub(crate) fn absent_is_none<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is(Errno::ENOENT) || error.is(Errno::ENOTDIR) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes to an existing special file (cgroup, proc) by one `write(2)`.
pub(crate) fn write_in_place(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = open_to_write(path)?;
    file.write_all(bytes).call("write", || format!("{path:?}, {:?}", String::from_utf8_lossy(bytes)))
}

/// Replaces the content of an existing file where it is; nobody else writes it. Its blocks are not given up first: on a full
/// disk somebody else would have them.
pub(crate) fn rewrite(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = open_to_rewrite(path)?;
    file.write_all(bytes).call("write", || format!("{path:?}"))?;
    file.set_len(bytes.len() as u64).call("ftruncate", || format!("{path:?}"))
}

/// Like [`rewrite`], by one `write(2)` within the blocks that the file has: that needs no room. For a text: spaces fill what is
/// left of an older one that was longer. ENOSPC if it has not that many blocks.
pub(crate) fn rewrite_within_blocks(path: &Path, text: &[u8]) -> Result<()> {
    const BLOCK: usize = 4096;
    let file = open_to_rewrite(path)?;
    let length = usize::try_from(file.metadata().call("fstat", || format!("{path:?}"))?.len()).unwrap_or(usize::MAX);
    if length > 1 << 20 || text.len() > length.next_multiple_of(BLOCK) {
        return Err(Error::new("write", format!("{path:?}: {} bytes over {length}", text.len()), Errno::ENOSPC));
    }
    let mut padded = text.to_vec();
    padded.resize(length.max(text.len()), b' ');
    super::descriptor::write_all(file.as_fd(), &padded)
}

/// Like [`open_ordinary`], for writing. A FIFO that nobody reads is ENXIO.
fn open_to_rewrite(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    ordinary(options.open(path).call("open", || format!("{path:?}, O_WRONLY"))?, path)
}

fn open_to_write(path: &Path) -> Result<File> {
    OpenOptions::new().write(true).open(path).call("open", || format!("{path:?}, O_WRONLY"))
}

/// Makes a new file with these bytes; EEXIST if it is there. Mode 0600. Not synced. One that cannot be written whole does
/// not stay.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_new(path, 0o600)?;
    let written = file.write_all(bytes).call("write", || format!("{path:?}"));
    written.inspect_err(|_| remove_quietly(path))
}

/// Like [`write_new`], and its bytes survive a power cut (its name does so after [`sync_dir`]).
pub(crate) fn write_new_durable(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_new(path, 0o600)?;
    let written = file.write_all(bytes).call("write", || format!("{path:?}"));
    let synced = written.and_then(|()| file.sync_data().call("fdatasync", || format!("{path:?}")));
    synced.inspect_err(|_| remove_quietly(path))
}

/// Changes the mode, whatever the umask says. Follows links: for paths of ours only.
pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).call("chmod", || format!("{path:?}, {mode:#o}"))
}

/// Makes a new file for writing; EEXIST if it is there.
pub(crate) fn create_new(path: &Path, mode: u32) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .call("open", || format!("{path:?}, O_CREAT|O_EXCL"))
}

/// Replaces a file atomically, without any sync: for what a reboot voids anyway (rule R1, volatile).
pub(crate) fn replace_volatile(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = sibling(path);
    write_new(&temporary, bytes)?;
    rename_or_clean(&temporary, path)
}

/// Replaces a file atomically and durably: write, fdatasync, rename, fsync of the directory (rule R1).
pub(crate) fn replace_durable(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = sibling(path);
    write_new_durable(&temporary, bytes)?;
    rename_or_clean(&temporary, path)?;
    sync_dir(parent(path))
}

/// The directory that a path lies in; of a bare name the working directory.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Renames over whatever is at `to`.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).call("rename", || format!("{from:?}, {to:?}"))
}

/// Renames unless `to` exists (EEXIST). Falls back to link-free check where the file system lacks the flag.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<()> {
    let result =
        rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, rustix::fs::RenameFlags::NOREPLACE);
    match result {
        Err(rustix::io::Errno::INVAL) if fs::symlink_metadata(to).is_err() => rename(from, to),
        other => other.call("renameat2", || format!("{from:?}, {to:?}, RENAME_NOREPLACE")),
    }
}

/// Makes a hard link; EEXIST if `to` is there.
pub(crate) fn link(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to).call("link", || format!("{from:?}, {to:?}"))
}

/// Makes one directory with this mode (less the umask).
pub(crate) fn mkdir(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new().mode(mode).create(path).call("mkdir", || format!("{path:?}, {mode:#o}"))
}

/// Makes a directory and its missing parents with this mode; fine if it is there.
pub(crate) fn mkdir_all(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path).call("mkdir", || format!("{path:?}, {mode:#o}"))
}

/// Removes one file; absent is fine (`false`).
pub(crate) fn remove_file(path: &Path) -> Result<bool> {
    absent_is_none(fs::remove_file(path).call("unlink", || format!("{path:?}"))).map(|done| done.is_some())
}

/// Removes an empty directory; absent is fine (`false`).
pub(crate) fn remove_dir(path: &Path) -> Result<bool> {
    absent_is_none(fs::remove_dir(path).call("rmdir", || format!("{path:?}"))).map(|done| done.is_some())
}

/// Removes a tree without following links; absent is fine.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).call("remove_dir_all", || format!("{path:?}"))
            }
            _ => Ok(()),
        },
        Ok(_) => remove_file(path).map(drop),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).call("lstat", || format!("{path:?}")),
    }
}

/// Names in a directory, without `.` and `..`, sorted; an absent directory is empty.
pub(crate) fn names(path: &Path) -> Result<Vec<OsString>> {
    let Some(entries) = absent_is_none(fs::read_dir(path).call("opendir", || format!("{path:?}")))? else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.call("readdir", || format!("{path:?}"))?.file_name());
    }
    names.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    Ok(names)
}

/// `lstat(2)`, with `None` where there is nothing.
pub(crate) fn lstat(path: &Path) -> Result<Option<fs::Metadata>> {
    absent_is_none(fs::symlink_metadata(path).call("lstat", || format!("{path:?}")))
}

/// `stat(2)`, with `None` where there is nothing.
pub(crate) fn stat(path: &Path) -> Result<Option<fs::Metadata>> {
    absent_is_none(fs::metadata(path).call("stat", || format!("{path:?}")))
}

/// True if something (a dangling link too) is at `path`.
pub(crate) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// True if there is something, false if there is nothing; an error if that could not be seen. For who says afterwards
/// that it is gone.
pub(crate) fn is_there(path: &Path) -> Result<bool> {
    let seen = fs::symlink_metadata(path).call("lstat", || format!("{path:?}"));
    absent_is_none(seen).map(|found| found.is_some())
}

/// Target of a symbolic link.
pub(crate) fn read_link(path: &Path) -> Result<PathBuf> {
    fs::read_link(path).call("readlink", || format!("{path:?}"))
}

/// The absolute path without links and dots.
pub(crate) fn canonical(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).call("realpath", || format!("{path:?}"))
}

/// Opens for reading.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).call("open", || format!("{path:?}, O_RDONLY"))
}

/// Opens an ordinary file of a store for reading. Anything else is EINVAL: in a store of somebody else's, a FIFO would hold us for
/// ever, and a device need not end.
pub(crate) fn open_ordinary(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    ordinary(options.open(path).call("open", || format!("{path:?}"))?, path)
}

fn ordinary(file: File, path: &Path) -> Result<File> {
    let stat = file.metadata().call("fstat", || format!("{path:?}"))?;
    if !stat.is_file() {
        return Err(Error::new("open", format!("{path:?}, which is no ordinary file"), Errno::EINVAL));
    }
    Ok(file)
}

/// Opens for appending, makes the file (0600) if absent. A FIFO that nobody reads is ENXIO instead of a wait without an end.
pub(crate) fn open_append(path: &Path) -> Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .call("open", || format!("{path:?}, O_APPEND|O_CREAT"))
}

/// Opens, truncates, makes the file (0600, less the umask: the mode given) if absent.
pub(crate) fn create(path: &Path, mode: u32) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .call("open", || format!("{path:?}, O_CREAT|O_TRUNC"))
}

/// fsync of a directory, so that the names in it survive a power cut.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).call("fsync", || format!("{path:?}"))
}

/// Random bytes from the kernel.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            // getrandom(2) fails for no other reason since Linux 3.17 once the pool is initialised.
            Err(error) => panic!("getrandom: {error}"),
        }
    }
    bytes
}

/// The effective uid of this process.
pub(crate) fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn sibling(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(format!(".{}.tmp", hex::encode(random::<6>())));
    path.with_file_name(name)
}

fn rename_or_clean(temporary: &Path, path: &Path) -> Result<()> {
    rename(temporary, path).inspect_err(|_| remove_quietly(temporary))
}

/// Best effort on the way out of another error, which is the one to report.
fn remove_quietly(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(path = %path.display(), %error, "temporary file stays");
    }
}

/// True if the file carries `security.capability`.
pub(crate) fn has_file_capabilities(path: &Path) -> bool {
    let mut value = [0_u8; 64];
    rustix::fs::getxattr(path, "security.capability", &mut value[..]).is_ok_and(|len| len > 0)
}

/// True if this process may write to the file, or in the directory (`access(2)`).
pub(crate) fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// `AT_FDCWD`, for calls that take a directory and an absolute path.
pub(crate) fn current_dir() -> BorrowedFd<'static> {
    rustix::fs::CWD
}

/// Opens a path without reading or following anything (`O_PATH|O_NOFOLLOW`).
pub(crate) fn open_path(path: &Path) -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).call("open", || format!("{path:?}, O_PATH"))
}

/// True if this process may execute the file.
pub(crate) fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// True if this process may read and write the file.
pub(crate) fn is_read_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK).is_ok()
}

/// Makes a file that every user may read (mode 0644, whatever the umask), in the place of one that may be there: what is
/// bound into a container, which may have given that to another user. Not synced.
pub(crate) fn replace_public(path: &Path, bytes: &[u8]) -> Result<()> {
    match create_public(path, bytes) {
        // Who reads it meanwhile gets the one or the other, whole.
        Err(error) if error.is(Errno::EEXIST) => {
            let temporary = sibling(path);
            create_public(&temporary, bytes)?;
            rename_or_clean(&temporary, path)
        }
        created => created,
    }
}

fn create_public(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = create_new(path, 0o644)?;
    let mode = rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(0o644)).call("fchmod", || format!("{path:?}"));
    let written = mode.and_then(|()| super::descriptor::write_all(file.as_fd(), bytes));
    written.inspect_err(|_| remove_quietly(path))
}

/// True if the next read of a file begins at its first byte.
pub(crate) fn is_at_start(file: &File) -> bool {
    rustix::fs::tell(file).is_ok_and(|at| at == 0)
}

/// Sets the modification time of `path` to now.
pub(crate) fn touch(path: &Path) -> Result<()> {
    let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
        .call("utimensat", || format!("{path:?}, UTIME_NOW"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rewritten_keeps_its_blocks() {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use std::os::fd::AsRawFd as _;

        let file = memfd_create("record", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).expect("made");
        let path = std::path::PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        for text in [&b"first"[..], b"old"] {
            rewrite(&path, text).expect("written");
            assert_eq!(read_limited(&path, 100).expect("read"), text);
        }
        fcntl_add_seals(&file, SealFlags::SHRINK).expect("sealed");
        rewrite(&path, b"new").expect("not shortened first");
        assert_eq!(read_limited(&path, 100).expect("read"), b"new");
    }
}
