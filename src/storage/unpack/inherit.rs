//! Directories that a layer's tar does not describe, only fills (`usr/bin/x` without `usr`): on top of an overlay they
//! would hide the lower layer's owner and mode. Layers are unpacked side by side, so this is put right when all layers
//! below are there.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::error::{Error, shown};
use super::metadata;
use super::remarks::Remarks;
use crate::sys::dir::{self, FileKind, Stat};
use crate::sys::root::RootDir;
use crate::sys::{Errno, xattr};

/// A directory whose mode and owner became others than the index says (0755, root). Ids are those on disk.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Inherited {
    pub(crate) path: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Gives each directory of `implicit` what the topmost of the layers below (`lowers`, top first) says about it.
pub(crate) fn inherit_parents(
    diff: &RootDir,
    implicit: &[Vec<u8>],
    lowers: &[RootDir],
) -> Result<Vec<Inherited>, Error> {
    let mut inherited = Vec::new();
    // Deepest first, because a directory may lock its owner out.
    for path in implicit.iter().rev() {
        let name = Path::new(OsStr::from_bytes(path));
        let failed = |source| Error::Write { path: shown(path), source };
        let Some(lower) = find(name, lowers).map_err(failed)? else { continue };
        let from = lower.lookup_nofollow(name).map_err(failed)?;
        let stat = dir::fstat(from.as_fd()).map_err(failed)?;
        let to = diff.open_dir_without_links(name).map_err(failed)?;
        let now = to.stat_self().map_err(failed)?;
        if (stat.uid, stat.gid) != (now.uid, now.gid) {
            dir::fchown(to.as_fd(), stat.uid, stat.gid).map_err(failed)?;
        }
        copy_xattrs(&from, &to, path).map_err(failed)?;
        if stat.mode != now.mode {
            dir::fchmod(to.as_fd(), stat.mode).map_err(failed)?;
        }
        dir::set_times(to.as_fd(), stat.mtime).map_err(failed)?;
        if differs(&stat) {
            inherited.push(Inherited { path: path.clone(), mode: stat.mode, uid: stat.uid, gid: stat.gid });
        }
    }
    Ok(inherited)
}

fn differs(stat: &Stat) -> bool {
    stat.mode != 0o755 || (stat.uid, stat.gid) != (0, 0)
}

/// The topmost layer that has the directory, unless a higher one hides it.
fn find<'a>(path: &Path, lowers: &'a [RootDir]) -> crate::sys::Result<Option<&'a RootDir>> {
    for lower in lowers {
        match lower.lstat(path)?.map(|stat| stat.kind) {
            Some(FileKind::Directory) => return Ok(Some(lower)),
            Some(_) => return Ok(None),
            None => {}
        }
        // A file, a whiteout or an opaque directory further up hides what is below.
        for ancestor in path.ancestors().skip(1) {
            match lower.lookup_nofollow(ancestor) {
                Ok(fd) if dir::fstat(fd.as_fd())?.is_dir() => {
                    if xattr::get(fd.as_fd(), OsStr::new("user.overlay.opaque"))?.is_some() {
                        return Ok(None);
                    }
                }
                Ok(_) => return Ok(None),
                Err(error) if error.is(Errno::ENOENT) || error.is(Errno::ENOTDIR) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}

fn copy_xattrs(from: &impl AsFd, to: &dir::Dir, path: &[u8]) -> crate::sys::Result<()> {
    let mut wanted = Vec::new();
    for name in xattr::list(from.as_fd())? {
        if name.as_bytes().starts_with(b"user.")
            && !xattr::is_overlay(&name)
            && let Some(value) = xattr::get(from.as_fd(), &name)?
        {
            wanted.push((name.as_bytes().to_vec(), value));
        }
    }
    let mut remarks = Remarks::default();
    match metadata::set_xattrs(to.as_fd(), &wanted, path, &mut remarks) {
        Err(Error::Write { source, .. }) => Err(source),
        // Too many for this file system, which took them for the layer below: cannot be.
        _ => Ok(()),
    }
}
