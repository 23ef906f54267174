//! Entry points of `fuzz/`.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::stepwise;

/// Rules of resolution that are ours.
const RULES: [ResolveFlags; 5] = [
    ResolveFlags::IN_ROOT,
    ResolveFlags::BENEATH,
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS),
    ResolveFlags::IN_ROOT.union(ResolveFlags::NO_SYMLINKS),
    ResolveFlags::IN_ROOT.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_XDEV),
];

/// Paths in a tree by our own steps, and by the kernel. `dir` is empty and gets the tree. Each line is an entry of it: `d`, `f` or
/// `l`, a digit that says in which directory, the name, for a link a blank and its target; or a path, after `?`, to resolve.
pub(crate) fn resolver(data: &[u8], dir: &Path) {
    let mut dirs: Vec<PathBuf> = vec![dir.to_owned()];
    let lines = || data.split(|byte| *byte == b'\n').filter(|line| !line.contains(&0));
    for line in lines() {
        let [kind @ (b'd' | b'f' | b'l'), digit @ b'0'..=b'9', rest @ ..] = line else { continue };
        let parent = &dirs[usize::from(digit - b'0') % dirs.len()];
        let (name, target) = match rest.iter().position(|byte| *byte == b' ') {
            Some(at) if *kind == b'l' => (&rest[..at], &rest[at + 1..]),
            _ => (rest, &b"x"[..]),
        };
        // One new name in a directory that we have made: nothing else can come of it.
        if name.contains(&b'/') || matches!(name, b"" | b"." | b"..") {
            continue;
        }
        let path = parent.join(OsStr::from_bytes(name));
        match kind {
            b'd' if rustix::fs::mkdir(&path, Mode::RWXU).is_ok() => dirs.push(path),
            b'f' => drop(openat(CWD, &path, OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC, Mode::RUSR)),
            b'l' => drop(rustix::fs::symlinkat(target, CWD, &path)),
            _ => {}
        }
    }
    let root = openat(CWD, dir, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("a directory of ours");
    for line in lines() {
        if let [b'?', path @ ..] = line {
            resolve(&root, Path::new(OsStr::from_bytes(path)));
        }
    }
}

fn resolve(root: &OwnedFd, path: &Path) {
    let ways = [OFlags::PATH, OFlags::RDONLY].map(|way| way | OFlags::CLOEXEC);
    let ways = ways.into_iter().flat_map(|way| [way, way | OFlags::NOFOLLOW, way | OFlags::DIRECTORY]);
    for flags in ways {
        for rule in RULES {
            let ours = identity(stepwise::open(root.as_fd(), path, flags, Mode::empty(), rule));
            let asked = std::iter::repeat_with(|| {
                identity(openat2(root, path, flags, Mode::empty(), rule | ResolveFlags::NO_MAGICLINKS))
            });
            // AGAIN and LOOP: somebody renames something somewhere (see the test of `stepwise`).
            let mut answers = asked.take(1000).filter(|answer| *answer != Err(Errno::AGAIN));
            let kernel = answers.find(|answer| *answer == ours || *answer != Err(Errno::LOOP));
            let kernel = kernel.unwrap_or(Err(Errno::LOOP));
            // Before it says that a `..` leads out, the kernel begins anew, with locks, and counts the links twice (Linux
            // 6.18, `follow_dotdot_rcu`).
            let counted_twice = ours == Err(Errno::XDEV) && kernel == Err(Errno::LOOP);
            assert!(ours == kernel || counted_twice, "{path:?}, {flags:?}, {rule:?}: {ours:?}, the kernel {kernel:?}");
        }
    }
}

/// Device and inode, or the refusal.
fn identity(fd: rustix::io::Result<OwnedFd>) -> rustix::io::Result<(u64, u64)> {
    let stat = rustix::fs::statat(fd?, "", AtFlags::EMPTY_PATH).expect("an open file");
    Ok((stat.st_dev, stat.st_ino))
}
