//! The copy driver: the root of a container as a copy of its layers, with blocks shared where the file system can.
//!
//! A plain function for a worker in P, which may give files to subordinate ids. Layers are hostile: every step goes by
//! descriptors of directories, and nothing that an earlier layer left is followed.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use super::container_record::ContainerConfig;
use super::error::{At as _, Error};
use super::layer_index::{EntryKind, IndexReader};
use super::layers::{LayerKey, MapKey};
use super::lease::Lease;
use super::store::Store;
use crate::sys;
use crate::sys::contents;
use crate::sys::dir::{self, Dir, FileKind, Stat};
use crate::sys::root::RootDir;
use crate::sys::{Errno, xattr};

/// Directories below each other that are followed; each costs two descriptors.
const DEPTH: usize = 300;

/// Overlay's mark of a directory that hides what is below.
const OPAQUE: [&str; 2] = ["user.overlay.opaque", "trusted.overlay.opaque"];

/// Makes `containers/<id>/rootfs` from the layers, in the directory of a lease: what is not whole goes with that.
pub(crate) fn copy_root(store: &Store, config: &ContainerConfig, lease: &Lease) -> Result<(), Error> {
    let target = store.layout().container_rootfs(&config.id);
    let staging = lease.new_path("rootfs");
    sys::fs::mkdir(&staging, 0o755).writing(&staging)?;
    sys::fs::set_mode(&staging, 0o755).writing(&staging)?;
    let map = MapKey::from_text(&config.map);
    for chain in &config.layers {
        let key = LayerKey::new(chain, &map);
        let meta = store.layer(&key)?;
        let meta = meta.ok_or_else(|| Error::NoLayer { id: config.id.clone(), chain: chain.0.to_string() })?;
        if meta.whiteouts_in_index {
            apply_index(&store.layer_index(&key), &staging)?;
        }
        let diff = store.layer_diff(&key);
        let copied = Dir::open(&diff).and_then(|from| {
            let mut copy = Copy { root: RootDir::open(&staging)?, links: HashMap::new() };
            let to = Dir::open(&staging)?;
            copy.dir(&from, &to, Path::new(""), DEPTH)?;
            attributes(from.as_fd(), to.as_fd(), &from.stat_self()?)
        });
        copied.writing(&target)?;
    }
    // The name says that the copy is whole, and is never looked behind again.
    let parent = store.layout().container(&config.id);
    let dir = Dir::open(&parent).reading(&parent)?;
    if config.is_durable() {
        sys::filesystem::sync_filesystem(dir.as_fd()).writing(&staging)?;
    }
    match sys::fs::rename_new(&staging, &target) {
        // Another start was faster.
        Err(error) if error.is(Errno::EEXIST) => return Ok(()),
        other => other.writing(&target)?,
    }
    if config.is_durable() { dir.sync().writing(&parent) } else { Ok(()) }
}

/// Whiteouts that the file system of the store could not take (K-B5).
fn apply_index(index: &Path, target: &Path) -> Result<(), Error> {
    let root = RootDir::open(target).writing(target)?;
    let mut reader = IndexReader::open(index)?;
    while let Some(entry) = reader.next_entry()? {
        // In the tree's own sense, without following: what the whiteout hides is a name, not what a link means.
        let parent = entry.path.parent().unwrap_or(Path::new(""));
        let applied = match entry.kind {
            EntryKind::Whiteout => match sys::fs::absent_is_none(root.open_dir_without_links(parent)) {
                Ok(Some(dir)) => entry.path.file_name().map_or(Ok(()), |name| dir.remove_tree(name)),
                Ok(None) => Ok(()),
                Err(error) if error.is(Errno::ELOOP) => Ok(()),
                Err(error) => Err(error),
            },
            EntryKind::OpaqueDirectory => match sys::fs::absent_is_none(root.open_dir_without_links(&entry.path)) {
                Ok(Some(dir)) => empty(&dir),
                Ok(None) => Ok(()),
                Err(error) if error.is(Errno::ELOOP) => Ok(()),
                Err(error) => Err(error),
            },
            _ => Ok(()),
        };
        applied.writing(target)?;
    }
    Ok(())
}

fn empty(dir: &Dir) -> sys::Result<()> {
    for (name, _) in dir.entries()? {
        dir.remove_tree(&name)?;
    }
    Ok(())
}

/// The copy of one layer.
struct Copy {
    root: RootDir,
    /// Files of this layer with several names: the first one in the copy.
    links: HashMap<(u64, u64), PathBuf>,
}

impl Copy {
    fn dir(&mut self, from: &Dir, to: &Dir, path: &Path, depth: usize) -> sys::Result<()> {
        if is_opaque(from.as_fd())? {
            empty(to)?;
        }
        for (name, _) in from.entries()? {
            let Some(stat) = from.stat(&name)? else { continue };
            let path = path.join(&name);
            match stat.kind {
                FileKind::Directory => self.subdir(from, to, &name, &path, depth)?,
                _ if stat.is_whiteout() => to.remove_tree(&name)?,
                _ => {
                    to.remove_tree(&name)?;
                    self.file(from, to, &name, &path, &stat)?;
                }
            }
        }
        Ok(())
    }

    fn subdir(&mut self, from: &Dir, to: &Dir, name: &OsStr, path: &Path, depth: usize) -> sys::Result<()> {
        if depth == 0 {
            return Err(sys::Error::new("openat", format!("{path:?}: too deep"), Errno::ENAMETOOLONG));
        }
        if to.stat(name)?.is_some_and(|there| !there.is_dir()) {
            to.unlink(name)?;
        }
        match to.mkdir(name, 0o700) {
            Err(error) if !error.is(Errno::EEXIST) => return Err(error),
            _ => {}
        }
        let (source, copy) = (from.open_dir(name)?, to.open_dir(name)?);
        self.dir(&source, &copy, path, depth - 1)?;
        attributes(source.as_fd(), copy.as_fd(), &source.stat_self()?)
    }

    fn file(&mut self, from: &Dir, to: &Dir, name: &OsStr, path: &Path, stat: &Stat) -> sys::Result<()> {
        let node = (stat.device, stat.inode);
        if stat.links > 1
            && let Some(first) = self.links.get(&node)
        {
            return self.root.link(first, path);
        }
        match stat.kind {
            FileKind::Regular => {
                let (source, copy) = (from.open_file(name)?, to.create_new(name, 0o600)?);
                contents::copy_file(&source, &copy)?;
                attributes(source.as_fd(), copy.as_fd(), stat)?;
            }
            FileKind::Symlink => {
                to.symlink(from.read_link(name)?.as_os_str(), name)?;
                to.chown(name, stat.uid, stat.gid)?;
                to.set_times(name, stat.mtime)?;
            }
            FileKind::Fifo => {
                to.mkfifo(name, 0o600)?;
                to.chown(name, stat.uid, stat.gid)?;
                to.chmod(name, stat.mode)?;
                to.set_times(name, stat.mtime)?;
            }
            // Nodes cannot be made without root, and the unpacker made none; sockets mean nothing without their owner.
            _ => return Ok(()),
        }
        if stat.links > 1 {
            self.links.insert(node, path.to_owned());
        }
        Ok(())
    }
}

fn is_opaque(dir: BorrowedFd<'_>) -> sys::Result<bool> {
    for name in OPAQUE {
        if xattr::get(dir, OsStr::new(name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Owner, attributes, mode, times: in this order, for chown clears set-id bits and file capabilities.
fn attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>, stat: &Stat) -> sys::Result<()> {
    dir::fchown(to, stat.uid, stat.gid)?;
    let names: Vec<OsString> = xattr::list(from)?;
    for name in names.iter().filter(|name| !xattr::is_overlay(name)) {
        if let Some(value) = xattr::get(from, name)? {
            xattr::set(to, name, &value)?;
        }
    }
    dir::fchmod(to, stat.mode)?;
    dir::set_times(to, stat.mtime)
}

#[cfg(test)]
mod tests;
