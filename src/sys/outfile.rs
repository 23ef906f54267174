//! A file for the user that appears under its name when it is whole, and never before.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::error::{Call as _, Errno, Result};
use super::fs;

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
    /// Begins a file that will stand at `path`, in the place of the one there. A pipe or a device is written to itself.
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
        let parent = parent(&path).to_owned();
        let mode = Mode::from_raw_mode(0o666);
        let nameless = rustix::fs::openat(CWD, &parent, OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, mode);
        let (file, kind) = match nameless.call("open", || format!("{parent:?}, O_TMPFILE")) {
            Ok(file) => (File::from(file), Kind::Nameless { path }),
            Err(error) if [Errno::EOPNOTSUPP, Errno::EISDIR, Errno::ENOENT, Errno::EINVAL].contains(&error.errno) => {
                let temporary = temporary(&path);
                (fs::create_new(&temporary, 0o666)?, Kind::Named { path, temporary })
            }
            Err(error) => return Err(error),
        };
        Ok(Self { file, kind })
    }

    /// What is written goes to a stream that is open already.
    pub(crate) fn stream(file: File) -> Self {
        Self { file, kind: Kind::Stream }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable and gives it its name.
    pub(crate) fn publish(mut self) -> Result<()> {
        let (path, temporary) = match std::mem::replace(&mut self.kind, Kind::Stream) {
            Kind::Stream => return Ok(()),
            Kind::Nameless { path } => {
                let temporary = temporary(&path);
                self.file.sync_data().call("fdatasync", || format!("{path:?}"))?;
                let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(CWD, &own, CWD, &temporary, AtFlags::SYMLINK_FOLLOW)
                    .call("linkat", || format!("{own:?}, {temporary:?}"))?;
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
        fs::sync_dir(parent(&path))
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

/// Gives a directory that was made beside `path` its name, at once; one that is there goes.
pub(crate) fn publish_dir(staged: &Path, path: &Path) -> Result<()> {
    if fs::exists(path) {
        rustix::fs::renameat_with(CWD, staged, CWD, path, rustix::fs::RenameFlags::EXCHANGE)
            .call("renameat2", || format!("{staged:?}, {path:?}, RENAME_EXCHANGE"))?;
        fs::remove_tree(staged)?;
    } else {
        fs::rename_new(staged, path)?;
    }
    fs::sync_dir(parent(path))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A hidden name beside `path`.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().map_or(&b""[..], OsStrExt::as_bytes);
    let name = String::from_utf8_lossy(&name[..name.len().min(100)]).into_owned();
    parent(path).join(format!(".{name}.{}.tmp", hex::encode(fs::random::<6>())))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::OutFile;

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
}
