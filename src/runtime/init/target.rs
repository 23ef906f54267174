//! Mount targets in the container's root: resolved by descriptor, made if missing, never through a link that the
//! image planted where a kernel file system goes (cases C06, C07, C08).

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::runtime::error::Error;
use crate::sys::root::RootDir;
use crate::sys::{self, Errno};

/// What must be at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Shape {
    Directory,
    File,
}

/// Targets that must be ordinary directories in the image, because what is mounted there decides what the runtime does
/// next.
const ORDINARY: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Opens the target, making it and its parents if they are missing.
pub(in crate::runtime) fn open(root: &RootDir, target: &Path, shape: Shape) -> Result<OwnedFd, Error> {
    let error = |source| Error::Target { target: target.to_owned(), source };
    let relative = relative(target);
    if ORDINARY.iter().any(|ordinary| target == Path::new(ordinary)) {
        return match root.lookup_nofollow(&relative) {
            Ok(fd) => require_directory(fd, target),
            Err(absent) if absent.is(Errno::ENOENT) => {
                root.mkdir(&relative, 0o755).map_err(error)?;
                root.lookup_nofollow(&relative).map_err(error)
            }
            Err(other) => Err(error(other)),
        };
    }
    match root.lookup(&relative) {
        // A link of the image to /proc: the words of the target have been looked at, where it leads has not (case C05).
        Ok(fd) if !target.starts_with("/proc") && sys::filesystem::is_procfs(fd.as_fd()).map_err(error)? => {
            return Err(Error::ProcTarget { target: target.to_owned() });
        }
        Ok(fd) => return Ok(fd),
        Err(absent) if absent.is(Errno::ENOENT) => {}
        Err(other) => return Err(error(other)),
    }
    // What is missing most often is the last component alone.
    let usual = match shape {
        Shape::Directory => root.mkdir(&relative, 0o755).and_then(|()| root.lookup(&relative)),
        Shape::File => root.create_new(&relative, 0o644),
    };
    match usual {
        // Parents are missing, or there is a link that leads nowhere: then what it names is made.
        Err(other) if other.is(Errno::ENOENT) || other.is(Errno::EEXIST) => {}
        done => return done.map_err(error),
    }
    match shape {
        Shape::Directory => drop(root.mkdir_all(&relative, 0o755).map_err(error)?),
        Shape::File => {
            if let Some(parent) = relative.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                root.mkdir_all(parent, 0o755).map_err(error)?;
            }
            drop(root.create(&relative, 0o644).map_err(error)?);
        }
    }
    root.lookup(&relative).map_err(error)
}

fn require_directory(fd: OwnedFd, target: &Path) -> Result<OwnedFd, Error> {
    let stat = sys::dir::fstat(fd.as_fd()).map_err(|source| Error::Target { target: target.to_owned(), source })?;
    if stat.is_dir() { Ok(fd) } else { Err(Error::LinkTarget { target: target.to_owned() }) }
}

/// A container path relative to its root.
pub(super) fn relative(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}
