//! The map of a container's user namespace C, written in P's ids (K-E).

use super::create::numeric_user;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::specgen;
use crate::storage::container_record::ContainerConfig;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::image_config::ImageConfig;
use crate::types::namespace::UsernsMode;

impl Engine {
    /// The map of a container that is there.
    pub(in crate::engine) fn maps_of(&self, config: &ContainerConfig) -> Result<IdMaps, Error> {
        let facts = self.facts()?;
        let empty = ImageConfig::default();
        let image = config.image.as_ref().map_or(&empty, |image| &image.config);
        let user = numeric_user(&specgen::user(&config.spec, image, facts));
        container_maps(&self.userns_in_force(&config.spec.userns)?, &facts.outer, (facts.uid, facts.gid), user)
    }
}

/// C ← P. `root` is the numeric user of a container in single-id mode: that id is the caller then.
pub(super) fn container_maps(
    mode: &UsernsMode,
    outer: &IdMaps,
    caller: (u32, u32),
    user: (u32, u32),
) -> Result<IdMaps, Error> {
    if outer.is_single() {
        let (uid, gid) = match mode {
            UsernsMode::KeepId { uid, gid, .. } => (uid.unwrap_or(caller.0), gid.unwrap_or(caller.1)),
            UsernsMode::Explicit(maps) => return cut(maps, outer),
            _ => user,
        };
        return Ok(IdMaps { uid: IdMap::single(uid, 0), gid: IdMap::single(gid, 0) });
    }
    match mode {
        UsernsMode::Default | UsernsMode::Container(_) | UsernsMode::Path(_) => {
            let same = |map: &IdMap| {
                let same = |e: &Extent| Extent { inside: e.inside, outside: e.inside, len: e.len };
                IdMap::new(map.extents().iter().map(same).collect()).map_err(Error::IdMap)
            };
            Ok(IdMaps { uid: same(&outer.uid)?, gid: same(&outer.gid)? })
        }
        UsernsMode::KeepId { uid, gid, size } => {
            let maps = IdMaps {
                uid: keep_id(&outer.uid, uid.unwrap_or(caller.0), *size)?,
                gid: keep_id(&outer.gid, gid.unwrap_or(caller.1), *size)?,
            };
            cut(&maps, outer)
        }
        UsernsMode::Nomap => {
            let without_caller = |map: &IdMap| {
                let len = subordinate(map);
                IdMap::new(vec![Extent { inside: 0, outside: 1, len }]).map_err(Error::IdMap)
            };
            cut(&IdMaps { uid: without_caller(&outer.uid)?, gid: without_caller(&outer.gid)? }, outer)
        }
        UsernsMode::Auto { size: Some(size), start: Some(start) } => {
            let map = || IdMap::new(vec![Extent { inside: 0, outside: *start, len: *size }]).map_err(Error::IdMap);
            cut(&IdMaps { uid: map()?, gid: map()? }, outer)
        }
        UsernsMode::Auto { .. } => Err(Error::NoAutoRange { size: 0, have: subordinate(&outer.uid) }),
        // Nobody but its root could put its mounts in place. All files are a lone user's.
        UsernsMode::Explicit(maps) if !maps.is_single() && maps.uid.to_outside(0).is_none() => Err(Error::NoRootInMap),
        UsernsMode::Explicit(maps) => cut(maps, outer),
    }
}

/// Ids of P besides the caller's: they are 1, 2, 3… without a gap.
fn subordinate(map: &IdMap) -> u32 {
    map.max_inside().unwrap_or(0)
}

/// The caller is `id` inside; below and above it are the subordinate ids, in order.
fn keep_id(outer: &IdMap, id: u32, size: Option<u32>) -> Result<IdMap, Error> {
    let have = subordinate(outer).min(size.map_or(u32::MAX, |size| size.saturating_sub(1)));
    let below = id.min(have);
    let mut extents = Vec::new();
    if below > 0 {
        extents.push(Extent { inside: 0, outside: 1, len: below });
    }
    extents.push(Extent { inside: id, outside: 0, len: 1 });
    if have > below {
        extents.push(Extent { inside: id + 1, outside: below + 1, len: have - below });
    }
    IdMap::new(extents).map_err(Error::IdMap)
}

fn cut(maps: &IdMaps, outer: &IdMaps) -> Result<IdMaps, Error> {
    Ok(IdMaps {
        uid: maps.uid.cut_at(&outer.uid).map_err(Error::IdMap)?,
        gid: maps.gid.cut_at(&outer.gid).map_err(Error::IdMap)?,
    })
}

#[cfg(test)]
mod tests {
    use super::container_maps;
    use crate::types::idmap::{Extent, IdMap, IdMaps};
    use crate::types::namespace::UsernsMode;

    fn outer(caller: u32, count: u32) -> IdMaps {
        let map = || {
            let caller = Extent { inside: 0, outside: caller, len: 1 };
            IdMap::new(vec![caller, Extent { inside: 1, outside: 100_000, len: count }]).expect("valid")
        };
        IdMaps { uid: map(), gid: map() }
    }

    fn text(mode: &UsernsMode) -> String {
        let maps = container_maps(mode, &outer(1000, 65536), (1000, 1000), (0, 0)).expect("possible");
        maps.uid.to_proc().trim().replace('\n', ",")
    }

    #[test]
    fn maps_of_every_mode() {
        let keep = |uid, size| UsernsMode::KeepId { uid, gid: uid, size };
        assert_eq!(text(&UsernsMode::Default), "0 0 1,1 1 65536");
        assert_eq!(text(&keep(None, None)), "0 1 1000,1000 0 1,1001 1001 64536");
        assert_eq!(text(&keep(Some(0), None)), "0 0 1,1 1 65536");
        assert_eq!(text(&keep(Some(5), Some(11))), "0 1 5,5 0 1,6 6 5");
        assert_eq!(text(&UsernsMode::Nomap), "0 1 65536");
    }

    #[test]
    fn single_id_mode() {
        let single = IdMaps { uid: IdMap::single(0, 1000), gid: IdMap::single(0, 1000) };
        let of = |mode, user| container_maps(&mode, &single, (1000, 1000), user).expect("possible").uid.to_proc();
        assert_eq!(of(UsernsMode::Default, (0, 0)), "0 0 1\n");
        assert_eq!(of(UsernsMode::Default, (999, 999)), "999 0 1\n");
        let keep = UsernsMode::KeepId { uid: None, gid: None, size: None };
        assert_eq!(of(keep, (0, 0)), "1000 0 1\n");
    }
}
