//! A file for the user that appears under its name when it is whole, and never before.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags};

use super::error::{Call as _, Errno, Result};
use super::fs::{self, parent};

/// A new file, or a stream that there is nothing to be careful about: a pipe, a device.
#[derive(Debug)]
pub(crate) struct OutFile {
    file: File,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Nothing to publish.
    Stream,
    /// It has no name yet (`O_TMPFILE`): what is left of it after a kill is nothing.
    Nameless { path: PathBuf },
    /// This file system knows no nameless files.
    Named { path: PathBuf, temporary: PathBuf },
}

impl OutFile {
    /// Begins a file that will stand at `path`, in the place of the one there and with its mode. A pipe or a device is written to itself.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let existing = fs::stat(path)?;
        if let Some(stat) = &existing
            && !stat.is_file()
        {
            let file = File::options().write(true).open(path).call("open", || format!("{path:?}, O_WRONLY"))?;
            return Ok(Self { file, kind: Kind::Stream });
        }
        // A link to a file stays a link.
        let path = if existing.is_some() { fs::canonical(path)? } else { path.to_owned() };
        sweep(&path);
        Self::begin(path, existing)
    }

    /// Begins a file that will stand at `path` in a directory that is ours.
    pub(crate) fn create_in_ours(path: &Path) -> Result<Self> {
        Self::begin(path.to_owned(), fs::lstat(path)?)
    }

    fn begin(path: PathBuf, existing: Option<std::fs::Metadata>) -> Result<Self> {
        let parent = parent(&path).to_owned();
        let wanted = existing.map(|stat| stat.mode() & 0o777);
        let mode = Mode::from_raw_mode(wanted.unwrap_or(0o666));
        let nameless = rustix::fs::openat(CWD, &parent, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode);
        let (file, kind) = match nameless.call("open", || format!("{parent:?}, O_TMPFILE")) {
            Ok(file) => (File::from(file), Kind::Nameless { path }),
            Err(error) if [Errno::EOPNOTSUPP, Errno::EISDIR, Errno::ENOENT, Errno::EINVAL].contains(&error.errno) => {
                let temporary = temporary(&path);
                (fs::create_new(&temporary, mode.as_raw_mode())?, Kind::Named { path, temporary })
            }
            Err(error) => return Err(error),
        };
        if wanted.is_some() {
            // Without what the umask took.
            rustix::fs::fchmod(&file, mode).call("fchmod", || format!("{parent:?}, {:o}", mode.as_raw_mode()))?;
        }
        // Marks it as alive, should it ever be seen under its temporary name.
        hold(&file)?;
        Ok(Self { file, kind })
    }

    /// What is written goes to a stream that is open already.
    pub(crate) fn stream(file: File) -> Self {
        Self { file, kind: Kind::Stream }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// A second handle of the file, for a writer that takes it.
    pub(crate) fn duplicate(&self) -> Result<File> {
        super::stream::duplicate(&self.file).map(File::from)
    }

    /// Makes the file durable and gives it its name.
    pub(crate) fn publish(self) -> Result<()> {
        match self.publish_volatile()? {
            Some(path) => fs::sync_dir(parent(&path)),
            None => Ok(()),
        }
    }

    /// Makes the content durable and gives it its name, which the caller makes durable: the path, if it is no stream.
    pub(crate) fn publish_volatile(mut self) -> Result<Option<PathBuf>> {
        let (path, temporary) = match std::mem::replace(&mut self.kind, Kind::Stream) {
            Kind::Stream => return Ok(None),
            Kind::Nameless { path } => {
                self.file.sync_data().call("fdatasync", || format!("{path:?}"))?;
                let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                let link = |to: &Path| {
                    rustix::fs::linkat(CWD, &own, CWD, to, AtFlags::SYMLINK_FOLLOW)
                        .call("linkat", || format!("{own:?}, {to:?}"))
                };
                match link(&path) {
                    Ok(()) => return Ok(Some(path)),
                    Err(error) if error.is(Errno::EEXIST) => {}
                    Err(error) => return Err(error),
                }
                let temporary = temporary(&path);
                link(&temporary)?;
                (path, temporary)
            }
            Kind::Named { path, temporary } => {
                let synced = self.file.sync_data().call("fdatasync", || format!("{path:?}"));
                self.kind = Kind::Named { path: path.clone(), temporary: temporary.clone() };
                synced?;
                self.kind = Kind::Stream;
                (path, temporary)
            }
        };
        fs::rename(&temporary, &path).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        Ok(Some(path))
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Kind::Named { temporary, .. } = &self.kind {
            // Nobody is left to tell.
            drop(fs::remove_file(temporary));
        }
    }
}

/// A directory that is made beside its place, and locked as long as its maker lives.
#[derive(Debug)]
pub(crate) struct OutDir {
    path: PathBuf,
    temporary: PathBuf,
    _lock: File,
}

impl OutDir {
    /// Makes it, empty, at `temporary` ([`temporary`]), and takes away what a killed one has left.
    pub(crate) fn create(path: &Path, temporary: PathBuf) -> Result<Self> {
        sweep(path);
        loop {
            fs::mkdir(&temporary, 0o755)?;
            let Some(lock) = fs::absent_is_none(fs::open(&temporary))? else { continue };
            hold(&lock)?;
            // A sweeper may have had it before us.
            if is_at(&lock, &temporary)? {
                return Ok(Self { path: path.to_owned(), temporary, _lock: lock });
            }
        }
    }

    /// Where to write.
    pub(crate) fn dir(&self) -> &Path {
        &self.temporary
    }

    /// Gives it its name, at once: the one that is there goes with `replace`, and is an error (EEXIST) without.
    pub(crate) fn publish(self, replace: bool) -> Result<()> {
        let (staged, path) = (&self.temporary, &self.path);
        if replace {
            rustix::fs::renameat_with(CWD, staged, CWD, path, rustix::fs::RenameFlags::EXCHANGE)
                .call("renameat2", || format!("{staged:?}, {path:?}, RENAME_EXCHANGE"))?;
            fs::remove_tree(staged)?;
        } else {
            fs::rename_new(staged, path)?;
        }
        fs::sync_dir(parent(path))
    }

    /// Takes it away.
    pub(crate) fn discard(self) -> Result<()> {
        fs::remove_tree(&self.temporary)
    }
}

/// Waits for the lock of a directory that has this name when the lock is ours; none if there is no such directory.
pub(crate) fn lock_dir(path: &Path) -> Result<Option<File>> {
    loop {
        let Some(dir) = fs::absent_is_none(fs::open(path))? else { return Ok(None) };
        match rustix::fs::flock(&dir, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result.call("flock", || format!("{path:?}"))?,
        }
        let own = dir.metadata().call("fstat", || format!("{path:?}"))?;
        if fs::stat(path)?.is_some_and(|found| (found.dev(), found.ino()) == (own.dev(), own.ino())) {
            return Ok(Some(dir));
        }
    }
}

/// Takes away what killed writers of `path` have left beside it: whatever has a temporary name of it that nobody holds.
fn sweep(path: &Path) {
    let stem = stem(path);
    sweep_names(parent(path), |name| is_temporary(name, &stem));
}

/// Takes away what killed writers have left in a directory, whatever it was to be.
pub(crate) fn sweep_dir(dir: &Path) {
    sweep_names(dir, |name| name.len() > 18 && name[0] == b'.' && is_temporary(&name[name.len() - 17..], "."));
}

fn sweep_names(dir: &Path, is_left: impl Fn(&[u8]) -> bool) {
    // What cannot be looked at or removed stays.
    for name in fs::names(dir).unwrap_or_default() {
        if !is_left(name.as_bytes()) {
            continue;
        }
        let left = dir.join(&name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(CWD, &left, flags, Mode::empty()) else { continue };
        let mine = rustix::fs::fstat(&file).is_ok_and(|stat| stat.st_uid == rustix::process::geteuid().as_raw());
        if mine && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let removed = fs::remove_file(&left).map(drop).or_else(|_| fs::remove_tree(&left));
            if let Err(error) = removed {
                tracing::debug!(%error, "what a killed command left stays");
            }
        }
    }
}

fn hold(file: &File) -> Result<()> {
    match rustix::fs::flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
        // A sweeper looks at it just now, or this file system knows no locks.
        Ok(()) | Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::NOTSUP | rustix::io::Errno::NOLCK) => Ok(()),
        Err(error) => Err(error).call("flock", String::new),
    }
}

fn is_at(file: &File, path: &Path) -> Result<bool> {
    let own = file.metadata().call("fstat", || format!("{path:?}"))?;
    Ok(fs::lstat(path)?.is_some_and(|found| (found.dev(), found.ino()) == (own.dev(), own.ino())))
}

/// A hidden name beside `path`.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    parent(path).join(format!("{}{}.tmp", stem(path), hex::encode(fs::random::<6>())))
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map_or(&b""[..], OsStrExt::as_bytes);
    format!(".{}.", String::from_utf8_lossy(&name[..name.len().min(100)]))
}

/// True for a name that [`temporary`] gives for this stem.
fn is_temporary(name: &[u8], stem: &str) -> bool {
    let random = name.strip_prefix(stem.as_bytes()).and_then(|rest| rest.strip_suffix(b".tmp"));
    random.is_some_and(|random| random.len() == 12 && random.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{OutDir, OutFile, lock_dir, temporary};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "looks at what is in the directory")]
    fn a_file_appears_when_it_is_whole() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("a");
        let names = || std::fs::read_dir(dir.path()).expect("listable").count();
        let begun = OutFile::create(&path).expect("created");
        begun.file().write_all(b"half").expect("written");
        drop(begun);
        assert_eq!(names(), 0);
        for content in ["one", "two"] {
            let begun = OutFile::create(&path).expect("created");
            begun.file().write_all(content.as_bytes()).expect("written");
            begun.publish().expect("published");
            assert_eq!((names(), std::fs::read(&path).expect("there").as_slice()), (1, content.as_bytes()));
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "looks at what is in the directory")]
    fn what_killed_writers_left_goes_and_what_others_write_stays() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("a");
        let alive = OutDir::create(&path, temporary(&path)).expect("created");
        std::fs::write(alive.dir().join("x"), "x").expect("written");
        std::fs::create_dir_all(temporary(&path).join("deep")).expect("left");
        std::fs::write(temporary(&path), "left").expect("left");
        std::fs::write(dir.path().join(".a.notours.tmp"), "").expect("written");
        drop(OutFile::create(&path).expect("created"));
        let mut names: Vec<_> = std::fs::read_dir(dir.path()).expect("listable").flatten().collect();
        names.retain(|entry| entry.path() != alive.dir());
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(lock_dir(&path).expect("looked").is_none());
        alive.publish(false).expect("published");
        assert!(path.join("x").exists() && lock_dir(&path).expect("locked").is_some());
        let error = OutDir::create(&path, temporary(&path)).expect("created").publish(false).expect_err("taken");
        assert!(error.is(super::Errno::EEXIST), "{error}");
        OutDir::create(&path, temporary(&path)).expect("created").publish(true).expect("replaced");
        assert!(!path.join("x").exists());
        OutDir::create(&path, temporary(&path)).expect("created").discard().expect("gone");
        // The one that was refused lies there until somebody writes `a` again.
        assert_eq!(std::fs::read_dir(dir.path()).expect("listable").count(), 2);
    }
}
