//! `openat2(2)` in steps, for kernels and sandboxes without it: one component at a time, each opened in the directory
//! before it and never followed by the kernel. Links are read and taken apart here. `..` goes back to a directory that
//! was opened on the way down, so whatever is renamed meanwhile, every descriptor was reached from the root without `..`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

/// As many as the kernel follows (`MAXSYMLINKS`).
const LINKS: usize = 40;

/// Opens `path` in the tree below `root` as `openat2` does with `resolve`, of which `IN_ROOT` or `BENEATH`,
/// `NO_SYMLINKS` and `NO_XDEV` are known.
pub(super) fn open(
    root: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    if path.as_os_str().is_empty() {
        return Err(Errno::NOENT);
    }
    let mut walk = Walk { root, below: Vec::new(), links: 0, resolve, mount: None };
    if resolve.contains(ResolveFlags::NO_XDEV) {
        walk.mount = Some(mount_of(root)?);
    }
    let mut todo = VecDeque::new();
    walk.prepend(path.as_os_str(), &mut todo)?;
    while let Some(name) = todo.pop_front() {
        if name == "." {
            continue;
        }
        if name == ".." {
            if walk.below.pop().is_none() && resolve.contains(ResolveFlags::BENEATH) {
                return Err(Errno::XDEV);
            }
            continue;
        }
        let found = if todo.is_empty() { walk.last(&name, flags, mode)? } else { walk.step(&name)? };
        match found {
            Found::Directory(fd) => walk.below.push(fd),
            Found::Target(fd) => return Ok(fd),
            Found::Link(target) => walk.follow(&target, &mut todo)?,
        }
    }
    // The root, or what a `..` at the end has led back to.
    let flags = flags.difference(OFlags::CREATE | OFlags::NOFOLLOW);
    rustix::fs::openat(walk.here(), ".", flags, Mode::empty())
}

struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// Directories from below the root to here.
    below: Vec<OwnedFd>,
    links: usize,
    resolve: ResolveFlags,
    /// The root's mount, if it must not be left.
    mount: Option<u64>,
}

enum Found {
    Directory(OwnedFd),
    Target(OwnedFd),
    Link(OsString),
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.below.last().map_or(self.root, AsFd::as_fd)
    }

    /// One directory, or one link, down.
    fn step(&self, name: &OsStr) -> rustix::io::Result<Found> {
        let fd =
            rustix::fs::openat(self.here(), name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        self.stay(&fd)?;
        match kind(&fd)? {
            FileType::Symlink => self.link(&fd),
            FileType::Directory => Ok(Found::Directory(fd)),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The end of the path, which is a link to follow unless `flags` have `NOFOLLOW`.
    fn last(&self, name: &OsStr, flags: OFlags, mode: Mode) -> rustix::io::Result<Found> {
        let follow = !flags.contains(OFlags::NOFOLLOW);
        match rustix::fs::openat(self.here(), name, flags | OFlags::NOFOLLOW, mode) {
            Ok(fd) => {
                self.stay(&fd)?;
                let is_link = follow && flags.contains(OFlags::PATH) && kind(&fd)? == FileType::Symlink;
                if is_link { self.link(&fd) } else { Ok(Found::Target(fd)) }
            }
            // So the kernel answers for a link: the latter with O_DIRECTORY.
            Err(errno @ (Errno::LOOP | Errno::NOTDIR)) if follow => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let fd = rustix::fs::openat(self.here(), name, flags, Mode::empty())?;
                if kind(&fd)? == FileType::Symlink { self.link(&fd) } else { Err(errno) }
            }
            Err(errno) => Err(errno),
        }
    }

    fn link(&self, fd: &OwnedFd) -> rustix::io::Result<Found> {
        if self.resolve.contains(ResolveFlags::NO_SYMLINKS) {
            return Err(Errno::LOOP);
        }
        let target = rustix::fs::readlinkat(fd, "", Vec::new())?;
        Ok(Found::Link(OsString::from_vec(target.into_bytes())))
    }

    fn follow(&mut self, target: &OsStr, todo: &mut VecDeque<OsString>) -> rustix::io::Result<()> {
        self.links += 1;
        if self.links > LINKS {
            return Err(Errno::LOOP);
        }
        if target.is_empty() {
            return Err(Errno::NOENT);
        }
        self.prepend(target, todo)
    }

    /// Puts the components of `path` before what is left. An absolute path begins at the root.
    fn prepend(&mut self, path: &OsStr, todo: &mut VecDeque<OsString>) -> rustix::io::Result<()> {
        let bytes = path.as_bytes();
        if bytes.starts_with(b"/") {
            if self.resolve.contains(ResolveFlags::BENEATH) {
                return Err(Errno::XDEV);
            }
            self.below.clear();
        }
        // A directory is meant, and a link to one is followed.
        if todo.is_empty() && (bytes.ends_with(b"/") || bytes.ends_with(b"/.")) {
            todo.push_front(OsString::from("."));
        }
        for name in bytes.split(|byte| *byte == b'/').rev().filter(|name| !name.is_empty() && *name != b".") {
            todo.push_front(OsStr::from_bytes(name).to_owned());
        }
        Ok(())
    }

    fn stay(&self, fd: &OwnedFd) -> rustix::io::Result<()> {
        match self.mount {
            Some(mount) if mount_of(fd.as_fd())? != mount => Err(Errno::XDEV),
            _ => Ok(()),
        }
    }
}

fn kind(fd: &OwnedFd) -> rustix::io::Result<FileType> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode))
}

/// Number of the mount that a descriptor is on (Linux 5.8). What cannot be promised is refused.
pub(super) fn mount_of(fd: BorrowedFd<'_>) -> rustix::io::Result<u64> {
    let stat = rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).map_err(|_unknown| Errno::XDEV)?;
    let known = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID);
    if known { Ok(stat.stx_mnt_id) } else { Err(Errno::XDEV) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

    /// Links of the tree: name and target.
    const LINKS: &str = "up ../../.. abs /etc file a/f deep a/b/../../abs/passwd loop loop out ../sentinel/file \
                         dangling no/where dot . slash a/ a/back ../up/etc";
    /// And the empty one.
    const NAMES: &str = "a a/f a/f/x / . .. ../../x up up/a/f abs abs/passwd file deep loop loop/x out dangling \
                         dangling/x dot/a/f slash/f a/back/passwd a/../a/./f no no/x chain0 chain5 chain6 a/b/.. \
                         a/b/../.. up/.. abs/ abs/. file/ a/f/ a/f/. slash slash/ loop/ dangling/ no/ a/ a/. //a//f chain6/";

    /// A tree of links to everywhere, and what must not be reached beside it.
    fn tree() -> (tempfile::TempDir, OwnedFd) {
        let temporary = tempfile::tempdir().expect("temporary directory");
        let at = |name: &str| temporary.path().join(name);
        for dir in ["root/a/b", "root/etc", "sentinel"] {
            std::fs::create_dir_all(at(dir)).expect("mkdir");
        }
        for file in ["root/a/f", "root/etc/passwd", "sentinel/file"] {
            std::fs::write(at(file), file).expect("write");
        }
        let mut words = LINKS.split_ascii_whitespace();
        while let (Some(name), Some(target)) = (words.next(), words.next()) {
            symlink(target, at("root").join(name)).expect("symlink");
        }
        for n in 0..45 {
            symlink(format!("chain{}", n + 1), at("root").join(format!("chain{n}"))).expect("symlink");
        }
        symlink("a/f", at("root/chain45")).expect("symlink");
        let root = openat(CWD, at("root"), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("open");
        (temporary, root)
    }

    /// Device and inode, or the refusal.
    fn id(fd: rustix::io::Result<OwnedFd>) -> rustix::io::Result<(u64, u64)> {
        fd.map(|fd| rustix::fs::fstat(fd).expect("stat")).map(|stat| (stat.st_dev, stat.st_ino))
    }

    /// Every path and mode of opening gives what openat2 gives, or is refused by both for the same reason.
    #[test]
    fn is_openat2_in_steps() {
        let (_temporary, root) = tree();
        let (path, read) = (OFlags::PATH | OFlags::CLOEXEC, OFlags::RDONLY | OFlags::CLOEXEC);
        let ways = [path, read].map(|way| [way, way | OFlags::NOFOLLOW, way | OFlags::DIRECTORY]);
        let (inside, strict) = (ResolveFlags::IN_ROOT, ResolveFlags::NO_SYMLINKS);
        let rules =
            [inside, ResolveFlags::BENEATH, ResolveFlags::BENEATH | strict, inside | strict | ResolveFlags::NO_XDEV];
        for name in NAMES.split_ascii_whitespace().chain([""]) {
            for flags in ways.into_iter().flatten() {
                for rule in rules {
                    let ours = id(super::open(root.as_fd(), Path::new(name), flags, Mode::empty(), rule));
                    let kernel = || id(openat2(&root, name, flags, Mode::empty(), rule | ResolveFlags::NO_MAGICLINKS));
                    // AGAIN: somebody renamed something somewhere, and the path has a `..`. LOOP: perhaps he did so on
                    // the way without locks, and the kernel, which began anew, has counted the links twice.
                    let asked = std::iter::repeat_with(kernel).take(1000);
                    let mut answers = asked.filter(|answer| *answer != Err(rustix::io::Errno::AGAIN));
                    let kernel = answers.find(|answer| *answer == ours || *answer != Err(rustix::io::Errno::LOOP));
                    let kernel = kernel.unwrap_or(Err(rustix::io::Errno::LOOP));
                    assert_eq!(ours, kernel, "{name:?}, {flags:?}, {rule:?}");
                }
            }
        }
    }
}
