//! Owners, extended attributes, modes and times of what was unpacked.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use super::error::{Error, shown};
use super::reader::Entry;
use super::remarks::Remarks;
use crate::storage::{layer_xattrs, override_stat};
use crate::sys::dir::{self, Dir};
use crate::sys::{self, Errno, xattr};
use crate::types::idmap::{IdMap, IdMaps};

/// Who a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    /// Ids on disk, as P has them.
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Ids of the image, if the disk has others.
    pub(super) real: Option<(u64, u64)>,
}

impl Owner {
    /// True if a new file of ours belongs to somebody else.
    pub(super) fn is_other(self) -> bool {
        (self.uid, self.gid) != (0, 0)
    }
}

/// Ids of the image → ids of P.
#[derive(Debug)]
pub(super) struct Owners<'a> {
    ids: &'a IdMaps,
    /// Everything is theirs.
    fixed: Option<(u32, u32)>,
    last: Option<((u64, u64), Owner)>,
}

impl<'a> Owners<'a> {
    pub(super) fn new(ids: &'a IdMaps, fixed: Option<(u32, u32)>) -> Self {
        Self { ids, fixed, last: None }
    }

    /// Owner on disk of a file of `uid` and `gid`. An id without a mapping becomes nobody, or the highest one that is
    /// mapped, and is remarked. Where there is but one id (single-id mode) everything is that one's, and that is no news.
    pub(super) fn resolve(&mut self, uid: u64, gid: u64, remarks: &mut Remarks) -> Owner {
        if let Some((uid, gid)) = self.fixed {
            return Owner { uid, gid, real: None };
        }
        if let Some((key, owner)) = self.last
            && key == (uid, gid)
        {
            return owner;
        }
        let owner = if self.ids.is_single() {
            let (u, g) = (self.ids.uid.nobody(), mapped(&self.ids.gid, gid).unwrap_or_else(|| self.ids.gid.nobody()));
            Owner { uid: u, gid: g, real: ((uid, gid) != (0, 0)).then_some((uid, gid)) }
        } else {
            let (u, g) = (mapped(&self.ids.uid, uid), mapped(&self.ids.gid, gid));
            for (id, found, map) in [(uid, u, &self.ids.uid), (gid, g, &self.ids.gid)] {
                if found.is_none() {
                    remarks.unmapped(id, map.max_inside().unwrap_or(0));
                }
            }
            let real = (u.is_none() || g.is_none()).then_some((uid, gid));
            Owner {
                uid: u.unwrap_or_else(|| self.ids.uid.nobody()),
                gid: g.unwrap_or_else(|| self.ids.gid.nobody()),
                real,
            }
        };
        self.last = Some(((uid, gid), owner));
        owner
    }
}

fn mapped(map: &IdMap, id: u64) -> Option<u32> {
    // 2^32 − 1 means "leave as it is" to chown(2): never an id (case A16).
    u32::try_from(id).ok().filter(|id| *id != u32::MAX).and_then(|id| map.to_outside(id))
}

/// The attributes of an entry that are to be set, in order; what a layer must not say is left out (cases A12, A15).
pub(super) fn wanted_xattrs<'e>(
    entry: &'e Entry,
    owner: Owner,
    remarks: &mut Remarks,
) -> Vec<(&'e [u8], std::borrow::Cow<'e, [u8]>)> {
    let mut wanted = Vec::new();
    for (name, value) in &entry.xattrs {
        let set = match name.as_slice() {
            b"security.capability" => capability(value),
            name if xattr::is_overlay(OsStr::from_bytes(name)) || name == override_stat::NAME.as_bytes() => None,
            name if name.starts_with(b"user.") => Some(value.as_slice().into()),
            b"system.posix_acl_access" | b"system.posix_acl_default" => Some(value.as_slice().into()),
            _ => None,
        };
        match set {
            Some(value) => wanted.push((name.as_slice(), value)),
            None => remarks.xattr(name, &entry.path),
        }
    }
    if let Some((uid, gid)) = owner.real {
        let text = override_stat::text(uid, gid, entry.mode);
        wanted.push((override_stat::NAME.as_bytes(), text.into_bytes().into()));
    }
    wanted
}

/// File capabilities in the form that is bound to the namespace they are set in: the kernel itself makes revision 3
/// with P's root of a revision 2 that P sets (`capabilities(7)`). A layer's own revision 3 names a foreign root.
fn capability(value: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    let magic = u32::from_le_bytes(*value.first_chunk::<4>()?);
    match (magic & 0xff00_0000, value.len()) {
        (0x0200_0000, 20) => Some(value.into()),
        (0x0300_0000, 24) => {
            let mut second = ((magic & 0x00ff_ffff) | 0x0200_0000).to_le_bytes().to_vec();
            second.extend_from_slice(&value[4..20]);
            Some(second.into())
        }
        _ => None,
    }
}

/// Sets attributes; what this file system or this kind of file refuses is remarked.
pub(super) fn set_xattrs(
    fd: BorrowedFd<'_>,
    xattrs: &[(impl AsRef<[u8]>, impl AsRef<[u8]>)],
    path: &[u8],
    remarks: &mut Remarks,
) -> Result<(), Error> {
    for (name, value) in xattrs {
        let name = name.as_ref();
        match xattr::set(fd, OsStr::from_bytes(name), value.as_ref()) {
            Ok(()) => {}
            Err(error) if [Errno::EPERM, Errno::EOPNOTSUPP, Errno::EINVAL].contains(&error.errno) => {
                // The owner's own note is for `commit`: a FIFO or a link cannot carry it, the index has it too.
                if name != override_stat::NAME.as_bytes() {
                    remarks.xattr(name, path);
                }
            }
            Err(error) if [Errno::E2BIG, Errno::ENOSPC, Errno::ERANGE].contains(&error.errno) => {
                let why = "its extended attributes are more than this file system takes (or the disk is full)";
                return Err(Error::Entry { path: shown(path), why });
            }
            Err(source) => return Err(Error::Write { path: shown(path), source }),
        }
    }
    Ok(())
}

/// Finishes an open file or directory: owner, attributes, mode, times, in the order that the kernel wants: a change of
/// the owner takes set-id bits and capabilities away, as writing does. `made` is the mode that it has now. Answers the
/// digest of the attributes that it has in the end: not every file system takes all, and a mode changes an ACL.
pub(super) fn finish(
    fd: BorrowedFd<'_>,
    entry: &Entry,
    owner: Owner,
    made: Option<u32>,
    remarks: &mut Remarks,
) -> Result<[u8; 32], Error> {
    let failed = |source| Error::Write { path: shown(&entry.path), source };
    if owner.is_other() {
        dir::fchown(fd, owner.uid, owner.gid).map_err(failed)?;
    }
    let xattrs = wanted_xattrs(entry, owner, remarks);
    set_xattrs(fd, &xattrs, &entry.path, remarks)?;
    // Only an ACL is changed by a mode, and without power over the file a mode may lock us out.
    let digest = |set: bool| if set { layer_xattrs::digest(fd).map_err(failed) } else { Ok([0; 32]) };
    let acl = xattrs.iter().any(|(name, _)| name.starts_with(b"system.posix_acl_"));
    let before = digest(!xattrs.is_empty() && !acl)?;
    if made != Some(entry.mode) || entry.mode & 0o6000 != 0 {
        dir::fchmod(fd, entry.mode).map_err(failed)?;
    }
    dir::set_times(fd, entry.mtime).map_err(failed)?;
    if acl { digest(true) } else { Ok(before) }
}

/// The same for what cannot be opened: a symbolic link (which has no mode) or a FIFO.
pub(super) fn finish_named(
    parent: &Dir,
    name: &OsStr,
    entry: &Entry,
    owner: Owner,
    mode: Option<u32>,
    remarks: &mut Remarks,
) -> sys::Result<()> {
    if owner.is_other() {
        parent.chown(name, owner.uid, owner.gid)?;
    }
    for (name, _) in &entry.xattrs {
        // user.* is for files and directories only (xattr(7)).
        remarks.xattr(name, &entry.path);
    }
    if let Some(mode) = mode {
        parent.chmod(name, mode)?;
    }
    parent.set_times(name, entry.mtime)
}
