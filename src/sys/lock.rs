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
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) if same_file(&file, path) => return Ok(TryLock::Held(Self { file, path: path.to_owned() })),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(TryLock::Busy),
                Err(TryLockError::Error(error)) => {
                    return Err(error).call("flock", || format!("{path:?}, LOCK_EX|LOCK_NB"));
                }
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
        let inode = std::fs::metadata(path).ok()?.ino();
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        // File systems that show other device numbers than these in stat(2) are common: the inode has to do.
        let of_line = |line: &str| {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            let [_, "FLOCK", _, "WRITE", pid, file, ..] = words.as_slice() else { return None };
            let same = file.rsplit(':').next().and_then(|text| text.parse().ok()) == Some(inode);
            pid.parse().ok().filter(|pid| same && *pid > 0)
        };
        locks.lines().find_map(of_line)
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
