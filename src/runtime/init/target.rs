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

/// Looks and links before a target is given up: the kernel's own limit of links (path_resolution(7)).
const STEPS: usize = 40;

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
    if let Some(place) = find(root, target, &relative)? {
        return Ok(place);
    }
    match shape {
        Shape::Directory => make_directory(root, &relative).map_err(error),
        Shape::File => make_file(root, target, relative),
    }
}

/// Says what is wrong where the kernel has EINVAL or ENOTDIR: a directory goes on a directory alone, and nothing else does.
pub(in crate::runtime) fn require_shape(place: &OwnedFd, target: &Path, shape: Shape) -> Result<(), Error> {
    let target = || target.to_owned();
    let stat = sys::dir::fstat(place.as_fd()).map_err(|source| Error::Target { target: target(), source })?;
    match shape {
        Shape::Directory if !stat.is_dir() => Err(Error::DirectoryOnFile { target: target() }),
        Shape::File if stat.is_dir() => Err(Error::FileOnDirectory { target: target() }),
        Shape::Directory | Shape::File => Ok(()),
    }
}

/// What is at the target, links followed; `None` where there is nothing.
pub(in crate::runtime) fn look_up(root: &RootDir, target: &Path) -> Result<Option<OwnedFd>, Error> {
    find(root, target, &relative(target))
}

fn find(root: &RootDir, target: &Path, relative: &Path) -> Result<Option<OwnedFd>, Error> {
    let error = |source| Error::Target { target: target.to_owned(), source };
    let Some(place) = sys::fs::absent_is_none(root.lookup(relative)).map_err(error)? else { return Ok(None) };
    // A link of the image to /proc: the words of the target have been looked at, where it leads has not (case C05).
    if !target.starts_with("/proc") && sys::filesystem::is_procfs(place.as_fd()).map_err(error)? {
        return Err(Error::ProcTarget { target: target.to_owned() });
    }
    Ok(Some(place))
}

fn make_directory(root: &RootDir, relative: &Path) -> sys::Result<OwnedFd> {
    // What is missing most often is the last component alone.
    match root.mkdir(relative, 0o755).and_then(|()| root.lookup(relative)) {
        Err(other) if other.is(Errno::ENOENT) || other.is(Errno::EEXIST) => {}
        done => return done,
    }
    drop(root.mkdir_all(relative, 0o755)?);
    root.lookup(relative)
}

/// Makes the file, and where a link leads nowhere, what it names. A neighbour may change what is there between any two
/// steps (case C08): so each either finds what is there, or makes what was not (`O_EXCL`), and nothing that is there is
/// opened for writing.
fn make_file(root: &RootDir, target: &Path, mut relative: PathBuf) -> Result<OwnedFd, Error> {
    let error = |source| Error::Target { target: target.to_owned(), source };
    for _ in 0..STEPS {
        match root.create_new(&relative, 0o644) {
            Err(missing) if missing.is(Errno::ENOENT) => make_parent(root, &relative).map_err(error)?,
            Err(taken) if taken.is(Errno::EEXIST) => {
                if let Some(place) = find(root, target, &relative)? {
                    return Ok(place);
                }
                if let Some(named) = behind_link(root, &relative).map_err(error)? {
                    relative = named;
                }
            }
            done => return done.map_err(error),
        }
    }
    Err(error(sys::Error::new(
        "openat2",
        format!("{relative:?}: it keeps changing, or is a circle of links"),
        Errno::ELOOP,
    )))
}

fn make_parent(root: &RootDir, relative: &Path) -> sys::Result<()> {
    match relative.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => root.mkdir_all(parent, 0o755).map(drop),
        None => Ok(()),
    }
}

/// Where the link at this path leads, by its text; `None` if no link is there any more.
fn behind_link(root: &RootDir, relative: &Path) -> sys::Result<Option<PathBuf>> {
    let Some((parent, name)) = sys::fs::absent_is_none(root.parent(relative))?.flatten() else { return Ok(None) };
    match parent.read_link(&name) {
        // The kernel takes `..` and links in front of it for what they are: the words are only put together.
        Ok(text) if text.is_absolute() => Ok(Some(self::relative(&text))),
        Ok(text) => Ok(Some(relative.parent().unwrap_or(Path::new("")).join(text))),
        Err(gone) if gone.is(Errno::ENOENT) || gone.is(Errno::EINVAL) => Ok(None),
        Err(other) => Err(other),
    }
}

fn require_directory(fd: OwnedFd, target: &Path) -> Result<OwnedFd, Error> {
    let stat = sys::dir::fstat(fd.as_fd()).map_err(|source| Error::Target { target: target.to_owned(), source })?;
    if stat.is_dir() { Ok(fd) } else { Err(Error::LinkTarget { target: target.to_owned() }) }
}

/// A container path relative to its root.
pub(super) fn relative(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{Shape, open};
    use crate::sys::fs;
    use crate::sys::root::RootDir;

    /// Case C08: a file is wanted on `vol/f` and a neighbour keeps changing it between nothing and a link to what is of
    /// another mount.
    #[test]
    fn c08_a_target_that_becomes_a_link_empties_nothing() {
        let temporary = tempfile::tempdir().expect("temporary directory");
        let root = RootDir::open(temporary.path()).expect("open");
        root.mkdir(Path::new("vol"), 0o700).expect("mkdir");
        root.mkdir(Path::new("data"), 0o700).expect("mkdir");
        let important = temporary.path().join("data/important");
        fs::write_new(&important, b"important").expect("write");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    drop(root.symlink("/data/important".as_ref(), Path::new("vol/f")));
                    drop(fs::remove_file(&temporary.path().join("vol/f")));
                }
            });
            let intact = (0..20_000).all(|_| {
                drop(open(&root, Path::new("/vol/f"), Shape::File));
                fs::read(&important).is_ok_and(|bytes| bytes == b"important")
            });
            over.store(true, Ordering::Relaxed);
            assert!(intact, "emptied");
        });
    }

    #[test]
    fn what_a_link_names_is_made() {
        let temporary = tempfile::tempdir().expect("temporary directory");
        let root = RootDir::open(temporary.path()).expect("open");
        root.mkdir_all(Path::new("etc/deep"), 0o700).expect("mkdir");
        let links = [("a", "../../run/a"), ("b", "/run/b"), ("c", "deep/c"), ("d", "a2"), ("a2", "/run/d"), ("o", "o")];
        for (link, target) in links {
            root.symlink(target.as_ref(), &Path::new("etc").join(link)).expect("symlink");
        }
        let made = [("a", "run/a"), ("b", "run/b"), ("c", "etc/deep/c"), ("d", "run/d"), ("new/e", "etc/new/e")];
        for (target, expected) in made {
            open(&root, &Path::new("/etc").join(target), Shape::File).expect(target);
            let found = fs::lstat(&temporary.path().join(expected)).expect("look").expect(expected);
            assert!(found.is_file(), "{expected}");
        }
        open(&root, Path::new("/etc/o"), Shape::File).expect_err("a circle");
    }
}
