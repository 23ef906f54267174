//! Directories that a layer's tar does not describe, only fills (`usr/bin/x` without `usr`): on top of an overlay they
//! would hide the lower layer's owner and mode. Layers are unpacked side by side, so this is put right when all layers
//! below are there.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::{Error, shown};
use super::metadata;
use super::remarks::Remarks;
use crate::storage::{layer_xattrs, override_stat};
use crate::sys::dir::{self, Stat};
use crate::sys::root::RootDir;
use crate::sys::{self, Errno, xattr};
use crate::types::idmap::{IdMap, IdMaps};

/// A directory that is another than the index says (0755, root): `layer_index::amend` puts that right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inherited {
    pub(crate) path: Vec<u8>,
    pub(crate) mode: u32,
    /// Ids of the image, as everywhere in the index.
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) xattrs: [u8; 32],
}

/// Gives each directory of `implicit` what the topmost of the layers below (`lowers`, top first) says about it. `ids`:
/// those of the image → those on disk.
pub(crate) fn inherit_parents(
    diff: &RootDir,
    implicit: &[Vec<u8>],
    lowers: &[RootDir],
    ids: &IdMaps,
) -> Result<Vec<Inherited>, Error> {
    let mut inherited = Vec::new();
    let mut lowers: Vec<Lower<'_>> = lowers.iter().map(|root| Lower { root, said: HashMap::new() }).collect();
    // Deepest first, because a directory may lock its owner out.
    for path in implicit.iter().rev() {
        let name = Path::new(OsStr::from_bytes(path));
        let failed = |source| Error::Write { path: shown(path), source };
        let Some(lower) = find(name, &mut lowers).map_err(failed)? else { continue };
        let from = lower.lookup_nofollow(name).map_err(failed)?;
        let stat = dir::fstat(from.as_fd()).map_err(failed)?;
        let to = diff.open_dir_without_links(name).map_err(failed)?;
        let now = to.stat_self().map_err(failed)?;
        if (stat.uid, stat.gid) != (now.uid, now.gid) {
            dir::fchown(to.as_fd(), stat.uid, stat.gid).map_err(failed)?;
        }
        copy_xattrs(&from, &to, path).map_err(failed)?;
        // Before the mode, which may lock us out.
        let xattrs = layer_xattrs::digest(to.as_fd()).map_err(failed)?;
        let (uid, gid) = match override_stat::owner(to.as_fd()).map_err(failed)? {
            Some(owner) => owner,
            None => of_image(&stat, ids),
        };
        if stat.mode != now.mode {
            dir::fchmod(to.as_fd(), stat.mode).map_err(failed)?;
        }
        dir::set_times(to.as_fd(), stat.mtime).map_err(failed)?;
        if stat.mode != 0o755 || (uid, gid) != (0, 0) || xattrs != [0; 32] {
            inherited.push(Inherited { path: path.clone(), mode: stat.mode, uid, gid, xattrs });
        }
    }
    Ok(inherited)
}

/// The ids in the image of ids on disk. In single-id mode everything without a note is root's.
fn of_image(stat: &Stat, ids: &IdMaps) -> (u32, u32) {
    if ids.is_single() {
        return (0, 0);
    }
    let id = |map: &IdMap, id: u32| map.to_inside(id).unwrap_or(id);
    (id(&ids.uid, stat.uid), id(&ids.gid, stat.gid))
}

/// What one layer says about a path. Each is looked up once, however many directories lie below it.
#[derive(Debug, Clone, Copy)]
struct Said {
    kind: Kind,
    /// It, or a directory above it, is opaque.
    opaque: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    /// A file or a whiteout: what lower layers have there is hidden.
    Other,
    Absent,
}

/// A layer below, and what was seen of it.
struct Lower<'a> {
    root: &'a RootDir,
    said: HashMap<PathBuf, Said>,
}

impl Lower<'_> {
    fn says(&mut self, path: &Path) -> sys::Result<Said> {
        if let Some(said) = self.said.get(path) {
            return Ok(*said);
        }
        let above = match path.parent() {
            Some(parent) => self.says(parent)?,
            None => Said { kind: Kind::Directory, opaque: false },
        };
        let said = if above.kind == Kind::Directory { self.look(path, above.opaque)? } else { above };
        self.said.insert(path.to_owned(), said);
        Ok(said)
    }

    fn look(&self, path: &Path, opaque: bool) -> sys::Result<Said> {
        match self.root.lookup_nofollow(path) {
            Ok(fd) if dir::fstat(fd.as_fd())?.is_dir() => {
                let opaque = opaque || xattr::get(fd.as_fd(), OsStr::new("user.overlay.opaque"))?.is_some();
                Ok(Said { kind: Kind::Directory, opaque })
            }
            Ok(_) => Ok(Said { kind: Kind::Other, opaque }),
            Err(error) if error.is(Errno::ENOENT) => Ok(Said { kind: Kind::Absent, opaque }),
            Err(error) => Err(error),
        }
    }
}

/// The topmost layer that has the directory, unless a higher one hides it.
fn find<'a>(path: &Path, lowers: &mut [Lower<'a>]) -> sys::Result<Option<&'a RootDir>> {
    for lower in lowers {
        let said = lower.says(path)?;
        match said.kind {
            Kind::Directory => return Ok(Some(lower.root)),
            Kind::Other => return Ok(None),
            Kind::Absent if said.opaque => return Ok(None),
            Kind::Absent => {}
        }
    }
    Ok(None)
}

fn copy_xattrs(from: &impl AsFd, to: &dir::Dir, path: &[u8]) -> sys::Result<()> {
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
