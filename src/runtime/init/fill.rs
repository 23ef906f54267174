//! What a mounted directory gets before the program sees it: the image's content, the program's ownership.

use std::os::fd::{AsFd, BorrowedFd};

use crate::sys;
use crate::sys::dir::{self, Dir, FileKind};
use crate::sys::tree;

/// Copies what the image has at `place` into `tree`, a volume, if that is empty. Two containers that start at once
/// with one volume take turns (case D05).
pub(in crate::runtime) fn if_empty(place: BorrowedFd<'_>, tree: BorrowedFd<'_>) -> sys::Result<()> {
    let volume = Dir::from(dir::reopen(tree)?);
    let _turn = sys::lock::DirLock::exclusive(volume.as_fd())?;
    if volume.entries()?.is_empty() { tree::copy_contents(place, &volume) } else { Ok(()) }
}

/// Gives a tree to a user, without following links and without leaving its file system. A file with several names stays
/// as it is: one of them may lie outside (case D08).
pub(super) fn give(tree: BorrowedFd<'_>, uid: u32, gid: u32) -> sys::Result<()> {
    let stat = dir::fstat(tree)?;
    if !stat.is_dir() {
        return dir::chown_path(tree, uid, gid);
    }
    let top = Dir::from(dir::reopen(tree)?);
    give_level(&top, stat.device, uid, gid)?;
    dir::fchown(top.as_fd(), uid, gid)
}

fn give_level(level: &Dir, device: u64, uid: u32, gid: u32) -> sys::Result<()> {
    for (name, kind) in level.entries()? {
        let Some(stat) = level.stat(&name)? else { continue };
        if stat.device != device || (kind != FileKind::Directory && stat.links > 1) {
            continue;
        }
        if kind == FileKind::Directory {
            give_level(&level.open_dir(&name)?, device, uid, gid)?;
        }
        if (stat.uid, stat.gid) != (uid, gid) {
            level.chown(&name, uid, gid)?;
        }
    }
    Ok(())
}
