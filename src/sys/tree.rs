//! Whole trees by descriptor: removed and copied without ever following a link or building a path.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::contents::copy_file;
use super::dir::{Dir, FileKind, Stat, fchmod, fchown, reopen};
use super::error::{Call, Errno, Result};
use super::root::RootDir;
use super::xattr;

impl Dir {
    /// Removes `name` and everything under it; absent is fine. Makes directories that lock their owner out
    /// accessible first. Depth costs no stack: a directory that lies deep is moved up before it is emptied.
    pub(crate) fn remove_tree(&self, name: &OsStr) -> Result<()> {
        match self.unlink(name) {
            Ok(()) => return Ok(()),
            Err(error) if error.is(Errno::ENOENT) => return Ok(()),
            // Linux answers EISDIR for a directory, POSIX EPERM.
            Err(error) if error.is(Errno::EISDIR) || error.is(Errno::EPERM) => {}
            Err(error) => return Err(error),
        }
        self.empty_dir(name, 0)?;
        self.rmdir(name)
    }

    fn empty_dir(&self, name: &OsStr, depth: u32) -> Result<()> {
        let dir = match self.open_dir(name) {
            Err(error) if error.is(Errno::EACCES) => {
                self.chmod(name, 0o700)?;
                self.open_dir(name)?
            }
            other => other?,
        };
        let mut writable = false;
        for (child, kind) in dir.entries()? {
            if kind == FileKind::Directory && depth < 64 {
                dir.empty_dir(&child, depth + 1)?;
            } else if kind == FileKind::Directory {
                dir.empty_deep(&child)?;
            }
            let remove = |dir: &Dir| match kind {
                FileKind::Directory => dir.rmdir(&child),
                _ => dir.unlink(&child),
            };
            match remove(&dir) {
                Err(error) if error.is(Errno::EACCES) && !writable => {
                    writable = true;
                    self.chmod(name, 0o700)?;
                    remove(&dir)?;
                }
                Err(error) if error.is(Errno::ENOENT) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Empties the directory `name` whatever its depth: each directory found in it is moved to `self`'s level first.
    fn empty_deep(&self, name: &OsStr) -> Result<()> {
        let mut moved = 0_u64;
        loop {
            let dir = self.open_dir(name)?;
            let entries = dir.entries()?;
            if entries.is_empty() {
                return Ok(());
            }
            for (child, kind) in entries {
                if kind != FileKind::Directory {
                    dir.unlink(&child)?;
                    continue;
                }
                let aside = OsString::from(format!(".sampan-rm-{}-{moved}", hex::encode(super::fs::random::<6>())));
                moved += 1;
                rustix::fs::renameat(dir.as_fd(), &child, self.as_fd(), &aside)
                    .call("renameat", || format!("{child:?}, {aside:?}"))?;
                self.empty_deep_one(&aside)?;
            }
        }
    }

    /// Empties and removes `aside`, moving its own directories up one level at a time.
    fn empty_deep_one(&self, aside: &OsStr) -> Result<()> {
        let mut queue = vec![aside.to_owned()];
        while let Some(name) = queue.pop() {
            let dir = self.open_dir(&name)?;
            for (child, kind) in dir.entries()? {
                if kind != FileKind::Directory {
                    dir.unlink(&child)?;
                    continue;
                }
                let up = OsString::from(format!(".sampan-rm-{}", hex::encode(super::fs::random::<8>())));
                rustix::fs::renameat(dir.as_fd(), &child, self.as_fd(), &up)
                    .call("renameat", || format!("{child:?}, {up:?}"))?;
                queue.push(up);
            }
            self.rmdir(&name)?;
        }
        Ok(())
    }
}

/// Copies what is in one directory into another, empty one: kinds, modes, owners, times, attributes, and which names are one file;
/// devices and sockets are left out. Nothing is followed. For small trees (the image's content below a tmpfs).
pub(crate) fn copy_contents(from: impl AsFd, to: impl AsFd) -> Result<()> {
    let from = Dir::from(reopen(from.as_fd())?);
    let to = Dir::from(reopen(to.as_fd())?);
    let mut copy = Copy { root: RootDir::from(reopen(to.as_fd())?), links: HashMap::new() };
    copy.level(&from, &to, Path::new(""))?;
    let top = from.stat_self()?;
    fchown(to.as_fd(), top.uid, top.gid)?;
    xattr::copy(from.as_fd(), to.as_fd())?;
    fchmod(to.as_fd(), top.mode)?;
    super::dir::set_times(to.as_fd(), top.mtime)
}

struct Copy {
    root: RootDir,
    /// Files with several names: the first one in the copy.
    links: HashMap<(u64, u64), PathBuf>,
}

impl Copy {
    fn level(&mut self, from: &Dir, to: &Dir, at: &Path) -> Result<()> {
        for (name, kind) in from.entries()? {
            let Some(stat) = from.stat(&name)? else { continue };
            let path = at.join(&name);
            if kind != FileKind::Directory && stat.links > 1 && self.link(&stat, &path)? {
                continue;
            }
            if kind != FileKind::Directory {
                if copy_node(from, &name, &stat, to, &name)? && stat.links > 1 {
                    self.links.insert((stat.device, stat.inode), path);
                }
                continue;
            }
            to.mkdir(&name, 0o700)?;
            let (source, copy) = (from.open_dir(&name)?, to.open_dir(&name)?);
            self.level(&source, &copy, &path)?;
            to.chown(&name, stat.uid, stat.gid)?;
            xattr::copy(source.as_fd(), copy.as_fd())?;
            to.chmod(&name, stat.mode)?;
            to.set_times(&name, stat.mtime)?;
        }
        Ok(())
    }

    /// True if the file is in the copy already, and has this name there now, too.
    fn link(&self, stat: &Stat, path: &Path) -> Result<bool> {
        let Some(first) = self.links.get(&(stat.device, stat.inode)) else { return Ok(false) };
        match self.root.link(first, path) {
            // As many names as a file can have here; or the path is too long for one call.
            Err(error) if error.is(Errno::EMLINK) || error.is(Errno::ENAMETOOLONG) => Ok(false),
            other => other.map(|()| true),
        }
    }
}

/// Copies what is no directory to a new name. False for devices and sockets, which are not.
pub(crate) fn copy_node(from: &Dir, old: &OsStr, stat: &Stat, to: &Dir, new: &OsStr) -> Result<bool> {
    match stat.kind {
        FileKind::Regular => {
            let (source, copy) = (from.open_file(old)?, to.create_new(new, 0o600)?);
            copy_file(&source, &copy)?;
            // Attributes after the owner: a change of that takes capabilities away.
            fchown(copy.as_fd(), stat.uid, stat.gid)?;
            xattr::copy(source.as_fd(), copy.as_fd())?;
            fchmod(copy.as_fd(), stat.mode)?;
        }
        FileKind::Symlink => {
            to.symlink(from.read_link(old)?.as_os_str(), new)?;
            to.chown(new, stat.uid, stat.gid)?;
        }
        FileKind::Fifo => {
            to.mkfifo(new, 0o600)?;
            to.chown(new, stat.uid, stat.gid)?;
            to.chmod(new, stat.mode)?;
        }
        _ => return Ok(false),
    }
    to.set_times(new, stat.mtime)?;
    Ok(true)
}
