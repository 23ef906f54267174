//! How much a tree holds. A plain function: files that only subordinate ids may see are counted by a worker in P.

use std::collections::HashSet;
use std::path::Path;

use super::error::{At as _, Error};
use crate::sys;
use crate::sys::dir::{Dir, FileKind};

/// Depth beyond which a hostile tree is not followed.
const DEPTH: usize = 512;

/// Bytes of the regular files below `path`, each file once however many names it has. Absent is zero.
pub(crate) fn of_tree(path: &Path) -> Result<u64, Error> {
    let Some(dir) = sys::fs::absent_is_none(Dir::open(path)).reading(path)? else { return Ok(0) };
    let mut seen = HashSet::new();
    of_dir(&dir, &mut seen, DEPTH).reading(path)
}

/// Bytes that `path` and everything below it takes on disk, as du(1) counts: holes are free, a file with several names
/// is there once. Absent is zero.
pub(crate) fn on_disk(path: &Path) -> Result<u64, Error> {
    let Some(dir) = sys::fs::absent_is_none(Dir::open(path)).reading(path)? else { return Ok(0) };
    let mut seen = HashSet::new();
    let own = dir.stat_self().reading(path)?.blocks * 512;
    Ok(own + blocks(&dir, &mut seen, DEPTH).reading(path)?)
}

fn blocks(dir: &Dir, seen: &mut HashSet<(u64, u64)>, depth: usize) -> sys::Result<u64> {
    let mut total = 0;
    for (name, _) in dir.entries()? {
        let Some(stat) = dir.stat(&name)? else { continue };
        if stat.is_dir() {
            total += stat.blocks * 512;
            // Removed meanwhile, or closed to us.
            if depth > 0
                && let Ok(child) = dir.open_dir(&name)
            {
                total += blocks(&child, seen, depth - 1)?;
            }
        } else if stat.links < 2 || seen.insert((stat.device, stat.inode)) {
            total += stat.blocks * 512;
        }
    }
    Ok(total)
}

fn of_dir(dir: &Dir, seen: &mut HashSet<(u64, u64)>, depth: usize) -> sys::Result<u64> {
    let mut total = 0;
    for (name, kind) in dir.entries()? {
        match kind {
            FileKind::Directory if depth > 0 => {
                // Removed meanwhile, or closed to us.
                if let Ok(child) = dir.open_dir(&name) {
                    total += of_dir(&child, seen, depth - 1)?;
                }
            }
            FileKind::Regular => {
                if let Some(stat) = dir.stat(&name)?
                    && (stat.links < 2 || seen.insert((stat.device, stat.inode)))
                {
                    total += stat.size;
                }
            }
            _ => {}
        }
    }
    Ok(total)
}
