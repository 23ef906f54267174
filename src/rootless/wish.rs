//! The map that P shall have today: read anew for every command, so that editing `/etc/subuid` needs no ritual.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::sys;
use crate::sys::namespace;
use crate::types::idmap::{Extent, IdMap, IdMaps};

use super::error::Error;
use super::subid::{self, Range};

/// P's map, and the programs that write it.
#[derive(Debug, Clone)]
pub(crate) struct OuterWish {
    pub(crate) maps: IdMaps,
    pub(super) mappers: Option<Mappers>,
    /// This process is in P.
    pub(super) present: bool,
    /// Why there is only one id, if so.
    pub(crate) single: Option<SingleReason>,
}

#[derive(Debug, Clone)]
pub(super) struct Mappers {
    pub(super) uid: PathBuf,
    pub(super) gid: PathBuf,
}

/// Why we are in single-id mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SingleReason {
    /// No `newuidmap` or `newgidmap` in PATH.
    NoMapper,
    /// The program is there but has neither the set-uid bit nor file capabilities.
    PowerlessMapper(PathBuf),
    /// No lines for this user in `/etc/subuid` and `/etc/subgid`.
    NoSubIds,
}

impl OuterWish {
    /// One id: what every caller can have.
    pub(crate) fn single_id() -> Self {
        let (uid, gid) = sys::process::ids();
        let maps = IdMaps { uid: IdMap::single(0, uid), gid: IdMap::single(0, gid) };
        Self { maps, mappers: None, present: false, single: Some(SingleReason::NoSubIds) }
    }

    /// What this caller can have. `path` is the PATH to search for helper programs.
    pub(crate) fn of_caller(path: &str) -> Result<Self, Error> {
        let (uid, gid) = sys::process::ids();
        let single = |reason| Ok(Self { single: Some(reason), ..Self::single_id() });
        let (Some(newuidmap), Some(newgidmap)) = (mapper("newuidmap", path)?, mapper("newgidmap", path)?) else {
            return single(SingleReason::NoMapper);
        };
        for program in [&newuidmap, &newgidmap] {
            if !is_privileged(program)? {
                return single(SingleReason::PowerlessMapper(program.clone()));
            }
        }
        let passwd = Path::new("/etc/passwd");
        let name = sys::user::name_of(sys::user::Database::Passwd, uid, path)
            .map_err(|source| Error::ReadSubIds { path: passwd.to_owned(), source })?;
        let subids = subid::of_user(name.as_deref(), uid, path)?;
        if !subids.is_usable() {
            return single(SingleReason::NoSubIds);
        }
        let map = |caller, ranges: &[Range]| {
            outer_map(caller, ranges)
                .map_err(|source| Error::SubIds { user: name.clone().unwrap_or_else(|| uid.to_string()), source })
        };
        let maps = IdMaps { uid: map(uid, &subids.uid)?, gid: map(gid, &subids.gid)? };
        Ok(Self { maps, mappers: Some(Mappers { uid: newuidmap, gid: newgidmap }), present: false, single: None })
    }

    /// The map of the user namespace that this process is in, which is a P: `sampan unshare` has made it.
    pub(crate) fn present() -> Result<Self, Error> {
        let maps = IdMaps {
            uid: super::outer::read_map("/proc/self/uid_map")?,
            gid: super::outer::read_map("/proc/self/gid_map")?,
        };
        let single = maps.is_single().then_some(SingleReason::NoSubIds);
        Ok(Self { maps, mappers: None, present: true, single })
    }

    /// The P that a container is in, by its user namespace or by one that its processes have made; none if this process is in it.
    pub(crate) fn above(&self, userns: BorrowedFd<'_>) -> Result<Option<OwnedFd>, Error> {
        if self.present { Ok(None) } else { namespace::topmost(userns).map(Some).map_err(Error::Join) }
    }
}

/// True if this process is root in a user namespace that is not the first one.
pub(crate) fn is_root_of_user_namespace() -> bool {
    let map = super::outer::read_map("/proc/self/uid_map");
    sys::process::ids().0 == 0 && map.is_ok_and(|map| map.extents().iter().all(|extent| extent.len < u32::MAX))
}

/// `0 caller 1`, then the ranges from 1 on, one after another.
fn outer_map(caller: u32, ranges: &[Range]) -> Result<IdMap, crate::types::idmap::InvalidIdMap> {
    let mut extents = vec![Extent { inside: 0, outside: caller, len: 1 }];
    let mut next = 1_u32;
    for (first, count) in ranges {
        let len = (*count).min(u32::MAX - next);
        if len > 0 {
            extents.push(Extent { inside: next, outside: *first, len });
            next += len;
        }
    }
    IdMap::new(extents)
}

/// A helper program; none if it is not installed. A disk that does not answer is no reason to lay out files for one id.
fn mapper(name: &str, path: &str) -> Result<Option<PathBuf>, Error> {
    sys::spawn::try_find_program(name, path).map_err(|source| Error::ReadSubIds { path: name.into(), source })
}

/// Set-uid root, or with file capabilities: whether the kernel honours them shows when it runs.
fn is_privileged(program: &Path) -> Result<bool, Error> {
    use std::os::unix::fs::MetadataExt;
    let meta = sys::fs::stat(program).map_err(|source| Error::ReadSubIds { path: program.to_owned(), source })?;
    let set_uid = meta.is_some_and(|meta| meta.mode() & 0o4000 != 0 && meta.uid() == 0);
    Ok(set_uid || sys::fs::has_file_capabilities(program))
}
