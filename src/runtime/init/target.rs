//! Mount targets in the container's root: resolved by descriptor, made if missing, never through a link that the
//! image planted where a kernel file system goes (cases C06, C07), nor through one that a neighbour planted in a volume to lead
//! somewhere else (case C08).

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use crate::runtime::error::Error;
use crate::sys::dir::{self, Dir, FileKind};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, mount, process};

/// What must be at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Shape {
    Directory,
    File,
}

/// Looks and links before a target is given up: the kernel's own limit of links (path_resolution(7)).
const STEPS: usize = 40;
/// Mode of a directory that is made.
const USUAL: u32 = 0o755;

/// What the target is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Purpose {
    /// A mount of the user's or the runtime's.
    Mount,
    /// A tmpfs: where nothing says who may write there, everybody may.
    Tmpfs,
    /// A small file of the engine's (`/etc/resolv.conf`). With the host's `/etc` come the host's links: they are followed, but
    /// only to where nothing else is mounted.
    EngineFile,
}

impl Purpose {
    /// Mode of a directory that is made as the target.
    fn mode(self) -> u32 {
        match self {
            Self::Mount | Self::EngineFile => USUAL,
            Self::Tmpfs => 0o1777,
        }
    }
}

/// Targets that must be ordinary directories in the image, because what is mounted there decides what the runtime does
/// next.
const ORDINARY: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Opens the target, making it and its parents if they are missing. A directory that is made has its mode from the first moment on:
/// what a path leads to later may be something else.
pub(in crate::runtime) fn open(
    root: &RootDir,
    target: &Path,
    shape: Shape,
    purpose: Purpose,
) -> Result<OwnedFd, Error> {
    // The modes are meant as they are, for a tmpfs too.
    let umask = (purpose == Purpose::Tmpfs).then(|| process::umask(0));
    let opened = open_as(root, target, shape, purpose);
    umask.map(process::umask);
    opened
}

fn open_as(root: &RootDir, target: &Path, shape: Shape, purpose: Purpose) -> Result<OwnedFd, Error> {
    let error = |source| Error::Target { target: target.to_owned(), source };
    let relative = relative(target);
    if ORDINARY.iter().any(|ordinary| target == Path::new(ordinary)) {
        return match root.lookup_nofollow(&relative) {
            Ok(fd) => require_directory(fd, target),
            Err(absent) if absent.is(Errno::ENOENT) => {
                root.mkdir(&relative, USUAL).map_err(error)?;
                root.lookup_nofollow(&relative).map_err(error)
            }
            Err(other) => Err(error(other)),
        };
    }
    // Without a link on the way there is nothing to be led by, whatever is mounted there: the usual case, in one step.
    let place = match root.lookup_strictly(&relative) {
        Err(absent) if absent.is(Errno::ENOENT) && shape == Shape::File => root.create_new_strictly(&relative, 0o644),
        found => found,
    };
    let place = match place {
        Ok(place) => place,
        Err(other) if [Errno::ENOENT, Errno::EEXIST, Errno::ELOOP].contains(&other.errno) => {
            Way::begin(root, target, purpose).walk(shape)?
        }
        Err(other) => return Err(error(other)),
    };
    no_procfs(target, &place)?;
    Ok(place)
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

/// What is at the target, links followed; `None` where there is nothing. For a root on which nothing is mounted yet.
pub(in crate::runtime) fn look_up(root: &RootDir, target: &Path) -> Result<Option<OwnedFd>, Error> {
    let error = |source| Error::Target { target: target.to_owned(), source };
    let found = sys::fs::absent_is_none(root.lookup(&relative(target))).map_err(error)?;
    if let Some(place) = &found {
        no_procfs(target, place)?;
    }
    Ok(found)
}

/// A link of the image to /proc: the words of the target have been looked at, where it leads has not (case C05).
fn no_procfs(target: &Path, place: &OwnedFd) -> Result<(), Error> {
    let error = |source| Error::Target { target: target.to_owned(), source };
    if !target.starts_with("/proc") && sys::filesystem::is_procfs(place.as_fd()).map_err(error)? {
        return Err(Error::ProcTarget { target: target.to_owned() });
    }
    Ok(())
}

/// The way to a target that is missing, or that links are on the way to. Links of the root's own mount are the image's, and are
/// followed in the root. On another mount somebody else may change what is there while we look (case C08): a link there leads below
/// its own directory, or nowhere. Each step finds what is there, or makes what was not; nothing that is there is opened for writing.
struct Way<'a> {
    root: &'a RootDir,
    target: &'a Path,
    /// Names still to go.
    left: VecDeque<OsString>,
    /// Directories from below the root to here.
    below: Vec<OwnedFd>,
    /// Links that were followed, and names that somebody else took while we made them.
    steps: usize,
    purpose: Purpose,
    /// The last link on another mount that led away: what it leads to must lie on the root's own.
    led_by: Option<PathBuf>,
}

impl<'a> Way<'a> {
    fn begin(root: &'a RootDir, target: &'a Path, purpose: Purpose) -> Self {
        let (left, below) = (VecDeque::new(), Vec::new());
        let mut way = Self { root, target, left, below, steps: 0, purpose, led_by: None };
        way.prepend(target);
        way
    }

    fn walk(mut self, shape: Shape) -> Result<OwnedFd, Error> {
        while let Some(name) = self.left.pop_front() {
            if name == ".." {
                self.below.pop();
                continue;
            }
            let here = self.here()?;
            let found = match here.open_path(&name) {
                Err(absent) if absent.is(Errno::ENOENT) => {
                    if !self.make(&here, &name, shape)? {
                        self.step()?;
                    }
                    // Opened as what is there then.
                    self.left.push_front(name);
                    continue;
                }
                found => found.map_err(|source| self.failed(source))?,
            };
            let kind = dir::fstat(found.as_fd()).map_err(|source| self.failed(source))?.kind;
            let is_own = mount::is_same(self.root.dir().as_fd(), here.as_fd());
            let found = if kind != FileKind::Symlink {
                found
            } else if is_own || self.purpose == Purpose::EngineFile {
                if !is_own {
                    self.led_by = Some(name.clone().into());
                }
                let text = here.read_link(&name).map_err(|source| self.failed(source))?;
                self.step()?;
                if text.is_absolute() {
                    self.below.clear();
                }
                self.prepend(&text);
                continue;
            } else {
                let led = RootDir::from(OwnedFd::from(here)).lookup_beneath(Path::new(&name));
                led.map_err(|_out| Error::ForeignLink { target: self.target.to_owned(), link: name.into() })?
            };
            if self.left.is_empty() {
                self.stay(found.as_fd())?;
                return Ok(found);
            }
            self.below.push(found);
        }
        let here = OwnedFd::from(self.here()?);
        self.stay(here.as_fd())?;
        Ok(here)
    }

    /// Refuses what a link of another mount has led to, if that is not on the root's own.
    fn stay(&self, found: BorrowedFd<'_>) -> Result<(), Error> {
        match &self.led_by {
            Some(link) if !mount::is_same(self.root.dir().as_fd(), found) => {
                Err(Error::ForeignLink { target: self.target.to_owned(), link: link.clone() })
            }
            _ => Ok(()),
        }
    }

    /// What is missing. False if somebody else has made something there meanwhile.
    fn make(&self, here: &Dir, name: &OsStr, shape: Shape) -> Result<bool, Error> {
        self.stay(here.as_fd())?;
        let last = self.left.is_empty();
        let made = match shape {
            Shape::File if last => here.create_new(name, 0o644).map(drop),
            _ => here.mkdir(name, if last { self.purpose.mode() } else { USUAL }),
        };
        match made {
            Err(taken) if taken.is(Errno::EEXIST) => Ok(false),
            made => made.map(|()| true).map_err(|source| self.failed(source)),
        }
    }

    fn step(&mut self) -> Result<(), Error> {
        self.steps += 1;
        if self.steps <= STEPS {
            return Ok(());
        }
        let what = format!("{:?}: it keeps changing, or is a circle of links", self.target);
        Err(self.failed(sys::Error::new("open", what, Errno::ELOOP)))
    }

    fn prepend(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.left.push_front(name.to_owned()),
                Component::ParentDir => self.left.push_front("..".into()),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
    }

    fn here(&self) -> Result<Dir, Error> {
        let fd: BorrowedFd<'_> = self.below.last().map_or_else(|| self.root.dir().as_fd(), AsFd::as_fd);
        sys::stream::duplicate(fd).map(Dir::from).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: sys::Error) -> Error {
        Error::Target { target: self.target.to_owned(), source }
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

    use super::{Purpose, Shape, open};
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
                drop(open(&root, Path::new("/vol/f"), Shape::File, Purpose::Mount));
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
            open(&root, &Path::new("/etc").join(target), Shape::File, Purpose::Mount).expect(target);
            let found = fs::lstat(&temporary.path().join(expected)).expect("look").expect(expected);
            assert!(found.is_file(), "{expected}");
        }
        open(&root, Path::new("/etc/o"), Shape::File, Purpose::Mount).expect_err("a circle");
    }
}
