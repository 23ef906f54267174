//! Advisory locks on files (`flock(2)`), released by the kernel when the holder dies.
//!
//! A lock belongs to the open file description, so a forked child shares it: fork with no lock held, or let the
//! child leave the description alone (it never unlocks explicitly; only the last close does), or hand the lock over to it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::{Call, Errno, Error, Result};

/// A held lock. Dropping it closes the descriptor, which releases the lock unless a child still shares it.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    path: PathBuf,
}

/// An open lock file that somebody else holds, maybe.
#[derive(Debug)]
pub(crate) struct LockWatch {
    file: File,
    path: PathBuf,
}

impl LockWatch {
    /// Waits until nobody holds the lock exclusively, and reads what its holder left in the file, even if that has no
    /// name any more.
    pub(crate) fn wait(self) -> Result<Vec<u8>> {
        loop {
            match self.file.lock_shared() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.call("flock", || format!("{:?}, LOCK_SH", self.path))?,
            }
        }
        let mut bytes = Vec::new();
        self.file.take(1 << 20).read_to_end(&mut bytes).call("read", || format!("{:?}", self.path))?;
        Ok(bytes)
    }
}

/// What a try to lock gave.
#[derive(Debug)]
pub(crate) enum TryLock {
    Held(FileLock),
    /// Somebody else has it.
    Busy,
}

impl FileLock {
    /// Waits for the exclusive lock on `path`, which is made if absent (mode 0600).
    pub(crate) fn exclusive(path: &Path) -> Result<Self> {
        Self::acquire(path, |file| file.lock())
    }

    /// Waits for a shared lock on `path`, which is made if absent.
    pub(crate) fn shared(path: &Path) -> Result<Self> {
        Self::acquire(path, |file| file.lock_shared())
    }

    /// Takes the exclusive lock if nobody has it.
    pub(crate) fn try_exclusive(path: &Path) -> Result<TryLock> {
        Self::attempt(path, "LOCK_EX|LOCK_NB", |file| file.try_lock())
    }

    /// Takes a shared lock if nobody has it for himself.
    pub(crate) fn try_shared(path: &Path) -> Result<TryLock> {
        Self::attempt(path, "LOCK_SH|LOCK_NB", |file| file.try_lock_shared())
    }

    fn attempt(
        path: &Path,
        how: &str,
        lock: impl Fn(&File) -> std::result::Result<(), TryLockError>,
    ) -> Result<TryLock> {
        loop {
            let file = open(path)?;
            match lock(&file) {
                Ok(()) if same_file(&file, path) => return Ok(TryLock::Held(Self { file, path: path.to_owned() })),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(TryLock::Busy),
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(error).call("flock", || format!("{path:?}, {how}")),
            }
        }
    }

    /// True if some process holds the lock on `path`; a file that does not exist is not locked.
    pub(crate) fn is_held(path: &Path) -> Result<bool> {
        Ok(Self::probe(path)?.unwrap_or(false))
    }

    /// Like [`Self::is_held`], with `None` where there is no such file. What is no file is an error: a FIFO would hold us for
    /// ever.
    pub(crate) fn probe(path: &Path) -> Result<Option<bool>> {
        let file = match super::fs::open_ordinary(path) {
            Ok(file) => file,
            Err(error) if error.is(Errno::ENOENT) => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(false)),
            Err(TryLockError::WouldBlock) => Ok(Some(true)),
            Err(TryLockError::Error(error)) => Err(error).call("flock", || format!("{path:?}, LOCK_SH|LOCK_NB")),
        }
    }

    /// Opens the lock file of somebody else, to wait for its release. None if there is no such file.
    pub(crate) fn watch(path: &Path) -> Result<Option<LockWatch>> {
        let file = super::fs::absent_is_none(super::fs::open_ordinary(path))?;
        Ok(file.map(|file| LockWatch { file, path: path.to_owned() }))
    }

    /// The process that holds the lock on `path` exclusively, if `/proc/locks` tells (its line has the pid, and device and
    /// inode of the file: `proc_locks(5)`; 0 or -1 stands for one that we cannot see).
    pub(crate) fn holder_pid(path: &Path) -> Option<u32> {
        Self::pid_in_proc(path, "WRITE")
    }

    /// The same of one that shares it with others.
    pub(crate) fn sharer_pid(path: &Path) -> Option<u32> {
        Self::pid_in_proc(path, "READ")
    }

    fn pid_in_proc(path: &Path, access: &str) -> Option<u32> {
        let file = std::fs::metadata(path).ok()?;
        // Others (btrfs, overlay) show other device numbers in stat(2) than the kernel has: there the inode has to do.
        let is_exact = super::filesystem::file_system(path)
            .is_ok_and(|found| ["tmpfs", "ext4", "xfs", "f2fs"].contains(&found.name.as_str()));
        let device = format!("{:02x}:{:02x}", rustix::fs::major(file.dev()), rustix::fs::minor(file.dev()));
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        who_locks(&locks, access, is_exact.then_some(&device), file.ino())
    }

    /// Writes who holds the lock, for messages only.
    pub(crate) fn note_holder(&mut self, text: &str) -> Result<()> {
        let path = self.path.clone();
        self.file.set_len(0).call("ftruncate", || format!("{path:?}"))?;
        self.file.rewind().call("lseek", || format!("{path:?}"))?;
        self.file.write_all(text.as_bytes()).call("write", || format!("{path:?}"))
    }

    /// The text that the holder left, if any.
    pub(crate) fn holder(path: &Path) -> Option<String> {
        let mut text = String::new();
        super::fs::open_ordinary(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
        (!text.is_empty()).then_some(text)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The locked file. A duplicate of its descriptor holds the lock, too.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    fn acquire(path: &Path, lock: impl Fn(&File) -> std::io::Result<()>) -> Result<Self> {
        loop {
            let file = open(path)?;
            match lock(&file) {
                Ok(()) if same_file(&file, path) => return Ok(Self { file, path: path.to_owned() }),
                // The file was replaced or removed while we waited: lock the one that is there now.
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).call("flock", || format!("{path:?}")),
            }
        }
    }
}

impl AsFd for FileLock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A lock on an open directory, until this is dropped.
#[derive(Debug)]
pub(crate) struct DirLock<Dir: AsFd>(Dir);

impl<Dir: AsFd> DirLock<Dir> {
    /// Waits for it.
    pub(crate) fn exclusive(dir: Dir) -> Result<Self> {
        loop {
            match rustix::fs::flock(&dir, rustix::fs::FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                result => return result.map(|()| Self(dir)).call("flock", || "directory".to_owned()),
            }
        }
    }

    /// Waits for it, but not longer than this: then ETIMEDOUT.
    pub(crate) fn within(dir: Dir, patience: Duration) -> Result<Self> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_micros(100);
        loop {
            match rustix::fs::flock(&dir, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let args = format!("directory, somebody has held the lock for {} s", patience.as_secs());
                    return Err(Error::new("flock", args, Errno::ETIMEDOUT));
                }
                result => return result.map(|()| Self(dir)).call("flock", || "directory".to_owned()),
            }
        }
    }
}

impl<Dir: AsFd> Drop for DirLock<Dir> {
    fn drop(&mut self) {
        // The descriptor's close releases it as well.
        if rustix::fs::flock(&self.0, rustix::fs::FlockOperation::Unlock).is_err() {
            tracing::debug!("lock held until the descriptor closes");
        }
    }
}

/// The first process in `/proc/locks` that has `access` to a file by `flock(2)`. Without a device, on any.
fn who_locks(locks: &str, access: &str, device: Option<&str>, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", _, its_access, pid, file, ..] = words.as_slice() else { return None };
        let (its_device, its_inode) = file.rsplit_once(':')?;
        let same = its_inode.parse() == Ok(inode) && device.is_none_or(|device| device == its_device);
        pid.parse().ok().filter(|pid| same && *its_access == access && *pid > 0)
    })
}

/// For a lock. One on a file system that is read-only, as a disk with errors becomes, is as good: nobody writes there, but looks
/// may ask for it.
fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    let opened = options.open(path).call("open", || format!("{path:?}, O_RDWR|O_CREAT"));
    opened.or_else(|error| match error.errno {
        Errno::EROFS => {
            let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
            OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|_absent| error)
        }
        Errno::ELOOP => Err(Error { args: format!("{path:?} is a symbolic link"), ..error }),
        _ => Err(error),
    })
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::who_locks;

    #[test]
    fn a_lock_of_another_file_system_is_another_lock() {
        let locks = "1: FLOCK  ADVISORY  WRITE 11 00:28:27 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 12 00:28:27 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 13 00:3e:27 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE -1 00:3e:27 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 14 00:3e:27 0 EOF\n\
                     5: FLOCK  ADVISORY  READ 15 fe:00:794779 0 EOF\n";
        for (access, device, inode, wanted) in [
            ("WRITE", Some("00:3e"), 27, Some(14)),
            ("WRITE", Some("00:28"), 27, Some(11)),
            ("WRITE", None, 27, Some(11)),
            ("WRITE", Some("fe:00"), 27, None),
            ("WRITE", Some("fe:00"), 794_779, None),
            ("READ", Some("fe:00"), 794_779, Some(15)),
        ] {
            assert_eq!(who_locks(locks, access, device, inode), wanted, "{access} {device:?} {inode}");
        }
    }
}
