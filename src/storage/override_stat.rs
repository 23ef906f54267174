//! The owner that a file has in its image, where the disk cannot have it. containers/storage and fuse-overlayfs know the name
//! of this attribute.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;

use crate::sys::{self, xattr};
use crate::types::idmap::{IdMap, IdMaps};

pub(super) const NAME: &str = "user.containers.override_stat";

/// The note of an owner, with the mode that the others want in it.
pub(super) fn text(uid: u64, gid: u64, mode: u32) -> String {
    format!("{uid}:{gid}:0{mode:o}")
}

/// The owner that is noted on a file; an id that is none is 2^32 − 1.
pub(super) fn owner(fd: BorrowedFd<'_>) -> sys::Result<Option<(u32, u32)>> {
    let value = xattr::get(fd, OsStr::new(NAME))?;
    let text = value.and_then(|value| String::from_utf8(value).ok());
    Ok(text.and_then(|text| {
        let mut ids = text.split(':').map(|id| id.parse::<u64>().ok());
        let id = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
        Some((id(ids.next()??), id(ids.next()??)))
    }))
}

/// True if unpacking with these maps puts a file of the noted owner where this one is. Whoever owns a file in a container
/// can write the note: with ids that the map has it says nothing, or it is a lie.
pub(super) fn is_credible(maps: &IdMaps, noted: (u32, u32), on_disk: (u32, u32)) -> bool {
    let fits = |map: &IdMap, noted: u32, disk: u32| map.to_outside(noted).unwrap_or_else(|| map.nobody()) == disk;
    maps.is_single() || (fits(&maps.uid, noted.0, on_disk.0) && fits(&maps.gid, noted.1, on_disk.1))
}

#[cfg(test)]
mod tests {
    use super::is_credible;
    use crate::types::idmap::{Extent, IdMap, IdMaps};

    #[test]
    fn a_note_of_mapped_ids_is_what_the_disk_has() {
        let lines = vec![Extent { inside: 0, outside: 0, len: 1 }, Extent { inside: 1, outside: 1, len: 65_535 }];
        let map = IdMap::new(lines).expect("valid");
        let maps = IdMaps { uid: map.clone(), gid: map };
        for (noted, on_disk, credible) in [
            ((0, 0), (1000, 1000), false),
            ((0, 1000), (1000, 1000), false),
            ((1000, 0), (1000, 1000), false),
            ((1000, 1000), (1000, 1000), true),
            ((70_000, 70_000), (65_534, 65_534), true),
            ((70_000, 5), (65_534, 5), true),
            ((70_000, 0), (65_534, 5), false),
            ((70_000, 70_000), (1000, 1000), false),
        ] {
            assert_eq!(is_credible(&maps, noted, on_disk), credible, "{noted:?} {on_disk:?}");
        }
        let one = IdMaps { uid: IdMap::single(0, 0), gid: IdMap::single(0, 0) };
        assert!(is_credible(&one, (33, 33), (0, 0)), "all files are one's");
    }
}
