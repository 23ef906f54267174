//! A directory tree that somebody else fills (a layer, a container's root, an archive directory), and operations on
//! paths in it. Every path is resolved by the kernel with the tree as its root (`openat2(2)`, `RESOLVE_IN_ROOT`):
//! absolute links and `..` end at the tree's own top, magic links are refused. Where a sandbox hides `openat2`,
//! the same is done step by step.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};

#[cfg(test)]
use super::dir::Time;
use super::dir::{Dir, FileKind, Stat, fstat};
use super::error::{Call, Errno, Error, Result};
use super::fs::absent_is_none;
use super::stepwise;

/// The root of a tree of hostile names.
#[derive(Debug)]
pub(crate) struct RootDir {
    dir: Dir,
}

impl AsFd for RootDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

impl From<OwnedFd> for RootDir {
    fn from(fd: OwnedFd) -> Self {
        Self { dir: Dir::from(fd) }
    }
}

impl RootDir {
    /// Opens a tree by a path that we trust.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { dir: Dir::open(path)? })
    }

    /// The top directory.
    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// An `O_PATH` descriptor of what `path` leads to, links followed inside the tree.
    pub(crate) fn lookup(&self, path: &Path) -> Result<OwnedFd> {
        self.resolve(path, OFlags::PATH, 0, ResolveFlags::IN_ROOT)
    }

    /// The same, if there is no link on the way and none at its end (ELOOP otherwise).
    pub(crate) fn lookup_strictly(&self, path: &Path) -> Result<OwnedFd> {
        self.resolve(path, OFlags::PATH, 0, ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS)
    }

    /// An `O_PATH` descriptor of what `path` leads to, if links lead nowhere but below the top, and to no other mount (EXDEV
    /// otherwise).
    pub(crate) fn lookup_beneath(&self, path: &Path) -> Result<OwnedFd> {
        self.resolve(path, OFlags::PATH, 0, ResolveFlags::BENEATH | ResolveFlags::NO_XDEV)
    }

    /// An `O_PATH` descriptor of `path` itself: a link at the end is not followed.
    pub(crate) fn lookup_nofollow(&self, path: &Path) -> Result<OwnedFd> {
        self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW, 0, ResolveFlags::IN_ROOT)
    }

    /// An `O_PATH` descriptor of `path`, which must not have a link in it and not leave the tree (case D07).
    pub(crate) fn lookup_without_links(&self, path: &Path) -> Result<OwnedFd> {
        self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW, 0, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
    }

    /// The directory that `path` leads to.
    pub(crate) fn open_dir(&self, path: &Path) -> Result<Dir> {
        self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY, 0, ResolveFlags::IN_ROOT).map(Dir::from)
    }

    /// The directory at `path`, on the way to which there is no link at all (ELOOP otherwise).
    pub(crate) fn open_dir_without_links(&self, path: &Path) -> Result<Dir> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        self.resolve(path, flags, 0, ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS).map(Dir::from)
    }

    /// The regular file that `path` leads to, for reading; anything else is EINVAL, and a FIFO does not block (C11).
    pub(crate) fn open_file(&self, path: &Path) -> Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.resolve(path, flags, 0, ResolveFlags::IN_ROOT)?;
        if fstat(fd.as_fd())?.kind != FileKind::Regular {
            return Err(Error::new("openat2", format!("{path:?}: not a regular file"), Errno::EINVAL));
        }
        Ok(fd.into())
    }

    /// Opens an existing file for writing, links followed inside the tree.
    pub(crate) fn open_for_writing(&self, path: &Path) -> Result<File> {
        self.resolve(path, OFlags::WRONLY | OFlags::NOCTTY, 0, ResolveFlags::IN_ROOT).map(File::from)
    }

    /// Appends to the regular file at `path`, if it is there, without a link on the way, and of the same mount as the
    /// tree's top: nothing that was bound into the tree from elsewhere is changed (case C09).
    pub(crate) fn append_own(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK | OFlags::NOCTTY;
        let strictly = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let fd = self.resolve(path, flags, 0, strictly)?;
        if fstat(fd.as_fd())?.kind != FileKind::Regular {
            return Err(Error::new("openat2", format!("{path:?}: not a regular file"), Errno::EINVAL));
        }
        super::descriptor::write_all(fd.as_fd(), bytes)
    }

    /// Reads the regular file that `path` leads to; more than `limit` bytes are EFBIG.
    pub(crate) fn read_limited(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        super::fs::read_from(self.open_file(path)?, path, limit)
    }

    /// Makes the regular file `path`, open for writing; EEXIST if anything is there, a link too.
    pub(crate) fn create_new(&self, path: &Path, mode: u32) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOCTTY;
        self.resolve(path, flags, mode, ResolveFlags::IN_ROOT)
    }

    /// The same, without a link on the way (ELOOP otherwise).
    pub(crate) fn create_new_strictly(&self, path: &Path, mode: u32) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOCTTY;
        self.resolve(path, flags, mode, ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS)
    }

    /// Splits `path` into its parent, resolved in the tree, and the last name. `None` for the root itself.
    pub(crate) fn parent(&self, path: &Path) -> Result<Option<(Dir, OsString)>> {
        let Some((parent, name)) = split(path)? else { return Ok(None) };
        Ok(Some((self.open_dir(&parent)?, name)))
    }

    /// Makes the directory `path` unless something is there (EEXIST).
    pub(crate) fn mkdir(&self, path: &Path, mode: u32) -> Result<()> {
        let (dir, name) = self.named(path)?;
        dir.mkdir(&name, mode)
    }

    /// Makes a directory and its missing parents; links on the way are followed in the tree.
    #[cfg(test)]
    pub(crate) fn mkdir_all(&self, path: &Path, mode: u32) -> Result<Dir> {
        match self.open_dir(path) {
            Err(error) if error.is(Errno::ENOENT) => {}
            other => return other,
        }
        let mut reached = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => reached.push(name),
                Component::ParentDir => reached.push(".."),
                _ => continue,
            }
            if absent_is_none(self.open_dir(&reached))?.is_some() {
                continue;
            }
            match self.mkdir(&reached, mode) {
                // EEXIST: somebody else made it, or a link that leads nowhere, which the next step finds.
                Err(error) if !error.is(Errno::EEXIST) => return Err(error),
                _ => {}
            }
        }
        self.open_dir(path)
    }

    /// Makes a symbolic link at `path`.
    pub(crate) fn symlink(&self, target: &OsStr, path: &Path) -> Result<()> {
        let (dir, name) = self.named(path)?;
        dir.symlink(target, &name)
    }

    /// Makes `new` a hard link of `old`; a link at the end of `old` is not followed.
    pub(crate) fn link(&self, old: &Path, new: &Path) -> Result<()> {
        let ((from, old), (to, new)) = (self.named(old)?, self.named(new)?);
        to.link(&from, &old, &new)
    }

    /// Removes `path` and everything below it, following nothing; absent is fine.
    #[cfg(test)]
    pub(crate) fn remove_tree(&self, path: &Path) -> Result<()> {
        match absent_is_none(self.named(path))? {
            Some((dir, name)) => dir.remove_tree(&name),
            None => Ok(()),
        }
    }

    /// What `path` leads to, links followed in the tree; `None` where there is nothing.
    pub(crate) fn stat(&self, path: &Path) -> Result<Option<Stat>> {
        absent_is_none(self.lookup(path))?.map(|fd| fstat(fd.as_fd())).transpose()
    }

    /// `path` itself; `None` where there is nothing.
    pub(crate) fn lstat(&self, path: &Path) -> Result<Option<Stat>> {
        absent_is_none(self.lookup_nofollow(path))?.map(|fd| fstat(fd.as_fd())).transpose()
    }

    /// Changes the mode of `path`, which must not be a symbolic link.
    #[cfg(test)]
    pub(crate) fn chmod(&self, path: &Path, mode: u32) -> Result<()> {
        match self.parent(path)? {
            Some((dir, name)) => dir.chmod(&name, mode),
            None => super::dir::fchmod(self.dir.as_fd(), mode),
        }
    }

    /// Sets access and modification time of `path` itself.
    #[cfg(test)]
    pub(crate) fn set_times(&self, path: &Path, time: Time) -> Result<()> {
        match self.parent(path)? {
            Some((dir, name)) => dir.set_times(&name, time),
            None => super::dir::set_times(self.dir.as_fd(), time),
        }
    }

    /// Path of an open descriptor as seen from this tree's top, by asking the kernel for both names. Only for
    /// showing and for keys: a rename makes it stale.
    pub(crate) fn path_of(&self, fd: BorrowedFd<'_>) -> Result<PathBuf> {
        let top = super::fs::read_link(&super::dir::descriptor_path(self.dir.as_fd()))?;
        let full = super::fs::read_link(&super::dir::descriptor_path(fd))?;
        match full.strip_prefix(&top) {
            Ok(relative) => Ok(relative.to_owned()),
            Err(_) => Err(Error::new("readlink", format!("{full:?} is not under {top:?}"), Errno::EXDEV)),
        }
    }

    fn named(&self, path: &Path) -> Result<(Dir, OsString)> {
        self.parent(path)?.ok_or_else(|| Error::new("openat2", format!("{path:?}: the root itself"), Errno::EBUSY))
    }

    fn resolve(&self, path: &Path, flags: OFlags, mode: u32, resolve: ResolveFlags) -> Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = flags | OFlags::CLOEXEC;
        let shown = || format!("{path:?}, {flags:?}, {resolve:?}");
        // The kernel answers EAGAIN when a rename elsewhere made a step with `..` unsafe: openat2(2) says try again.
        for _ in 0..1000 {
            let mode = Mode::from_raw_mode(mode);
            match rustix::fs::openat2(&self.dir, path, flags, mode, resolve | ResolveFlags::NO_MAGICLINKS) {
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
                    let stepwise = stepwise::open(self.as_fd(), path, flags, mode, resolve);
                    return stepwise.call("openat", || format!("{}, step by step", shown()));
                }
                other => return other.call("openat2", shown),
            }
        }
        Err(Error::new("openat2", shown(), Errno::EAGAIN))
    }
}

/// Parent and last name of a path; `None` for the root (`/`, `.`, nothing). A last component `..` is EINVAL.
fn split(path: &Path) -> Result<Option<(PathBuf, OsString)>> {
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(Error::new("openat2", format!("{path:?}: NUL in the name"), Errno::EINVAL));
    }
    let mut components = path.components();
    match components.next_back() {
        None | Some(Component::RootDir | Component::CurDir | Component::Prefix(_)) => Ok(None),
        Some(Component::ParentDir) => Err(Error::new("openat2", format!("{path:?}: ends in .."), Errno::EINVAL)),
        Some(Component::Normal(name)) => Ok(Some((components.as_path().to_owned(), name.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::RootDir;
    use crate::sys::Errno;
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// A tree in which `out`, `deep/up` and `dir` try to lead outside, and a sentinel beside it.
    fn tree() -> (tempfile::TempDir, RootDir) {
        let temporary = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir_all(temporary.path().join("root/deep")).expect("mkdir");
        std::fs::write(temporary.path().join("sentinel"), "untouched").expect("write");
        let root = RootDir::open(&temporary.path().join("root")).expect("open");
        let absolute = temporary.path().join("sentinel");
        root.symlink(absolute.as_os_str(), Path::new("out")).expect("symlink");
        root.symlink(OsStr::new("../../../../../../sentinel"), Path::new("deep/up")).expect("symlink");
        root.symlink(OsStr::new("/deep"), Path::new("dir")).expect("symlink");
        (temporary, root)
    }

    #[test]
    fn links_end_at_the_trees_own_top() {
        let (temporary, root) = tree();
        assert!(root.open_file(Path::new("out")).expect_err("outside").is(Errno::ENOENT));
        assert!(root.open_file(Path::new("deep/up")).expect_err("outside").is(Errno::ENOENT));
        root.create_new(Path::new("dir/../sentinel"), 0o644).expect("inside");
        assert!(temporary.path().join("root/sentinel").exists());
        assert!(root.open_file(Path::new("deep/up")).is_ok(), "now it leads to the tree's own file");
        assert_eq!(std::fs::read(temporary.path().join("sentinel")).expect("read"), b"untouched");
        assert!(root.open_dir_without_links(Path::new("dir")).expect_err("a link").is(Errno::ELOOP));
    }

    #[test]
    fn a05_changes_touch_the_link_only() {
        let (temporary, root) = tree();
        let sentinel = temporary.path().join("sentinel");
        let before = std::fs::metadata(&sentinel).expect("stat");
        let time = crate::sys::dir::Time { seconds: 1, nanoseconds: 2 };
        root.set_times(Path::new("out"), time).expect("utimensat");
        assert!(root.chmod(Path::new("out"), 0o777).expect_err("a link").is(Errno::EOPNOTSUPP));
        let after = std::fs::metadata(&sentinel).expect("stat");
        assert_eq!(before.modified().expect("time"), after.modified().expect("time"));
        assert_eq!(before.permissions().mode(), after.permissions().mode());
        assert_eq!(root.lstat(Path::new("out")).expect("stat").expect("there").mtime, time);
    }

    #[test]
    fn trees_are_made_and_removed() {
        let (temporary, root) = tree();
        root.mkdir_all(Path::new("dir/a/b/c"), 0o755).expect("mkdir");
        assert!(temporary.path().join("root/deep/a/b/c").is_dir());
        let mut deep = std::path::PathBuf::from("tower");
        for _ in 0..200 {
            deep.push("d");
        }
        root.mkdir_all(&deep, 0o755).expect("mkdir");
        root.chmod(Path::new("deep/a"), 0).expect("chmod");
        for name in ["tower", "deep", "out", "absent"] {
            root.remove_tree(Path::new(name)).expect(name);
        }
        assert_eq!(root.dir().entries().expect("list").len(), 1);
        assert!(temporary.path().join("sentinel").exists());
        assert!(root.remove_tree(Path::new("..")).is_err());
        assert!(root.remove_tree(Path::new("/")).is_err());
    }

    #[test]
    fn copies_keep_holes() {
        let (temporary, root) = tree();
        let from = root.dir().create_new(OsStr::new("from"), 0o600).expect("create");
        crate::sys::contents::set_len(&from, 8 << 20).expect("truncate");
        crate::sys::contents::write_all_at(&from, b"data", 4 << 20).expect("write");
        let to = root.dir().create_new(OsStr::new("to"), 0o600).expect("create");
        assert_eq!(crate::sys::contents::copy_file(&from, &to).expect("copy"), 8 << 20);
        let copy = std::fs::read(temporary.path().join("root/to")).expect("read");
        assert_eq!((copy.len(), &copy[4 << 20..(4 << 20) + 4]), (8 << 20, &b"data"[..]));
        assert!(root.stat(Path::new("to")).expect("stat").expect("there").blocks < 1024, "holes stay holes");
    }
}
