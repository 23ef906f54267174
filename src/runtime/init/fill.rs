//! What a mounted directory gets before the program sees it: the image's content, the program's ownership.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use crate::runtime::error::Error;
use crate::sys::dir::{self, Dir, FileKind};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, tree, xattr};
use crate::types::idmap::{IdMaps, OVERFLOW_ID};

/// Stands on a volume as long as it is being filled: one that a full disk, a kill or a power cut left half filled is not
/// taken for the user's. File systems without attributes do without.
const FILLING: &str = "user.sampan.filling";

/// How long another container may take to fill the volume. Any container that has it can hold its lock for ever.
const TURN: Duration = Duration::from_mins(1);

/// Copies what the image has at `target` into `tree`, a volume, if that is an empty directory; `durable`: it survives a power
/// cut. False if the image has nothing there: so the volume has got no owner yet.
pub(in crate::runtime) fn from_image(
    root: &RootDir,
    target: &Path,
    tree: BorrowedFd<'_>,
    durable: bool,
) -> Result<bool, Error> {
    let error = |source| Error::Mount { target: target.to_owned(), source };
    if !dir::fstat(tree).map_err(error)?.is_dir() {
        return Ok(true);
    }
    let Some(place) = super::target::look_up(root, target)? else { return Ok(false) };
    if dir::fstat(place.as_fd()).map_err(error)?.is_dir() {
        if_empty(place.as_fd(), tree, durable).map_err(error)?;
    }
    Ok(true)
}

/// Two containers that start at once with one volume take turns (case D05).
fn if_empty(place: BorrowedFd<'_>, tree: BorrowedFd<'_>, durable: bool) -> sys::Result<()> {
    let volume = Dir::from(dir::reopen(tree)?);
    let _turn = sys::lock::DirLock::within(volume.as_fd(), TURN)?;
    if !is_to_be_filled(&volume)? {
        return Ok(());
    }
    let image = Dir::from(dir::reopen(place)?);
    let marked = !image.entries()?.is_empty() && mark(&volume)?;
    if marked && durable {
        volume.sync()?;
    }
    tree::copy_contents(&image, &volume)?;
    if durable {
        sys::filesystem::sync_filesystem(volume.as_fd())?;
    }
    xattr::remove(volume.as_fd(), FILLING.as_ref())?;
    // The mark must not come back when the program has written something.
    if marked && durable { volume.sync() } else { Ok(()) }
}

/// As [`from_image`], where the image has nothing to copy.
pub(in crate::runtime) fn give_if_empty(tree: BorrowedFd<'_>, owner: (u32, u32), durable: bool) -> sys::Result<()> {
    let volume = Dir::from(dir::reopen(tree)?);
    let _turn = sys::lock::DirLock::within(volume.as_fd(), TURN)?;
    if !is_to_be_filled(&volume)? {
        return Ok(());
    }
    dir::fchown(volume.as_fd(), owner.0, owner.1)?;
    dir::fchmod(volume.as_fd(), 0o755)?;
    xattr::remove(volume.as_fd(), FILLING.as_ref())?;
    if durable { volume.sync() } else { Ok(()) }
}

/// It has nothing of the user's. What a filling left that did not come to its end is removed.
fn is_to_be_filled(volume: &Dir) -> sys::Result<bool> {
    if is_half_filled(volume)? {
        for (name, _) in volume.entries()? {
            volume.remove_tree(&name)?;
        }
        return Ok(true);
    }
    Ok(volume.entries()?.is_empty())
}

/// For the stage, which has power over it: a volume that is to be filled goes to the root of a container that does not have
/// the id of who made it (`--userns=nomap`, `auto`), and whose root so could do nothing with it.
pub(in crate::runtime) fn hand_over(tree: BorrowedFd<'_>, maps: &IdMaps) -> sys::Result<()> {
    let stat = dir::fstat(tree)?;
    let (Some(uid), Some(gid)) = (maps.uid.to_outside(0), maps.gid.to_outside(0)) else { return Ok(()) };
    let has_owner = maps.uid.to_inside(stat.uid).is_some() && maps.gid.to_inside(stat.gid).is_some();
    if has_owner || !stat.is_dir() {
        return Ok(());
    }
    let volume = Dir::from(dir::reopen(tree)?);
    if is_half_filled(&volume)? || volume.entries()?.is_empty() {
        dir::fchown(volume.as_fd(), uid, gid)?;
    }
    Ok(())
}

fn is_half_filled(volume: &Dir) -> sys::Result<bool> {
    Ok(xattr::get(volume.as_fd(), FILLING.as_ref())?.is_some())
}

/// False where the file system has no attributes.
fn mark(volume: &Dir) -> sys::Result<bool> {
    match xattr::set(volume.as_fd(), FILLING.as_ref(), b"") {
        Err(error) if error.is(Errno::EOPNOTSUPP) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Gives a tree to a user, without following links and without leaving its file system. A file with several names stays
/// as it is: one of them may lie outside (case D08). As with Podman, a tree whose top is the user's already is left alone:
/// the top is given last, so that one half given is none of those.
pub(super) fn give(tree: BorrowedFd<'_>, uid: u32, gid: u32) -> sys::Result<()> {
    let stat = dir::fstat(tree)?;
    if !stat.is_dir() {
        return dir::chown_path(tree, uid, gid);
    }
    // `nobody` has the number of those whom the map lacks.
    if (stat.uid, stat.gid) == (uid, gid) && uid != OVERFLOW_ID && gid != OVERFLOW_ID {
        return Ok(());
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
