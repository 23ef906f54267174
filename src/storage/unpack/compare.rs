//! Is a layer's tree still what its index says? Everything is looked at by descriptors inside the tree.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::error::shown;
use super::metadata::Owners;
use super::remarks::Remarks;
use crate::storage::layer_content::{Content, ContentHasher};
use crate::storage::layer_index::{Entry, EntryKind, IndexReader};
use crate::storage::{self, layer_xattrs};
use crate::sys::dir::{Dir, FileKind, Stat};
use crate::sys::fs::File;
use crate::sys::root::RootDir;
use crate::sys::{self, Call as _, Errno, xattr};
use crate::types::idmap::IdMaps;

/// Differences that are told one by one.
const TOLD: usize = 3;

/// How to compare.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison<'a> {
    /// Ids of the image → ids of P, where this runs; none: owners are not compared.
    pub(crate) ids: Option<&'a IdMaps>,
    /// Contents and attributes too.
    pub(crate) content: bool,
    /// The tree has no whiteouts (K-B5).
    pub(crate) whiteouts_in_index: bool,
    /// Pass over what this process may not read.
    pub(crate) tolerant: bool,
}

/// What is wrong with a tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    first: Vec<String>,
    count: usize,
    /// Entries of the index.
    pub(crate) entries: u64,
}

impl Differences {
    fn add(&mut self, path: &[u8], what: impl std::fmt::Display) {
        self.count += 1;
        if self.first.len() < TOLD {
            let path = if path.is_empty() { "/".to_owned() } else { shown(path) };
            self.first.push(format!("{path}: {what}"));
        }
    }

    /// The differences in one line; none if there are none.
    pub(crate) fn text(&self) -> Option<String> {
        let more = self.count - self.first.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (self.count > 0).then(|| self.first.join("; ") + &more)
    }
}

/// Compares a tree with its index.
pub(crate) fn compare(root: &RootDir, index: &Path, how: &Comparison<'_>) -> Result<Differences, storage::Error> {
    let mut reader = IndexReader::open(index)?;
    let mut walk = Walk {
        how,
        owners: how.ids.map(|ids| Owners::new(ids, None)),
        expected: BTreeMap::new(),
        targets: HashMap::new(),
        links: Vec::new(),
        found: Differences::default(),
        buffer: vec![0; if how.content { 256 << 10 } else { 0 }],
    };
    while let Some(entry) = reader.next_entry()? {
        walk.found.entries += 1;
        if entry.kind == EntryKind::Hardlink {
            walk.targets.insert(entry.target.clone(), None);
        }
        walk.expected.insert(entry.path.as_os_str().to_owned(), entry);
    }
    walk.tree(root).map_err(|source| storage::Error::Read { path: index.to_owned(), source })?;
    Ok(walk.end())
}

/// Device and inode.
type Inode = (u64, u64);

struct Walk<'a> {
    how: &'a Comparison<'a>,
    owners: Option<Owners<'a>>,
    /// What has not been found yet.
    expected: BTreeMap<OsString, Entry>,
    /// Names that others are links to, and what they turned out to be.
    targets: HashMap<OsString, Option<Inode>>,
    links: Vec<(OsString, OsString, Inode)>,
    found: Differences,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn tree(&mut self, root: &RootDir) -> sys::Result<()> {
        match root.dir().stat_self() {
            Ok(stat) => self.name(root.dir(), OsStr::new(""), OsString::new(), &stat)?,
            Err(error) => self.unread(b"", error)?,
        }
        let mut dirs = vec![OsString::new()];
        while let Some(path) = dirs.pop() {
            let opened = root.open_dir_without_links(Path::new(&path)).and_then(|dir| Ok((dir.entries()?, dir)));
            let (names, dir) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    self.unread(path.as_bytes(), error)?;
                    self.forget_below(&path);
                    continue;
                }
            };
            for (name, _) in names {
                let mut below = path.clone();
                if !below.is_empty() {
                    below.push("/");
                }
                below.push(&name);
                match dir.stat(&name) {
                    Ok(Some(stat)) => {
                        if stat.is_dir() {
                            dirs.push(below.clone());
                        }
                        self.name(&dir, &name, below, &stat)?;
                    }
                    // Gone since the directory was read.
                    Ok(None) => {}
                    Err(error) => self.unread(below.as_bytes(), error)?,
                }
            }
        }
        Ok(())
    }

    /// Ends the walk if it is we who cannot read.
    fn unread(&mut self, path: &[u8], error: sys::Error) -> sys::Result<()> {
        if error.is_shortage() {
            return Err(error);
        }
        if !(self.how.tolerant && error.is(Errno::EACCES)) {
            self.found.add(path, format_args!("cannot be read ({})", error.errno.desc()));
        }
        Ok(())
    }

    /// A directory that cannot be entered says nothing about what is in it.
    fn forget_below(&mut self, path: &OsStr) {
        let prefix = OsString::from_vec([path.as_bytes(), b"/"].concat());
        self.expected.retain(|name, _| !name.as_bytes().starts_with(prefix.as_bytes()));
    }

    fn name(&mut self, dir: &Dir, name: &OsStr, path: OsString, stat: &Stat) -> sys::Result<()> {
        let file = (stat.device, stat.inode);
        if let Some(target) = self.targets.get_mut(&path) {
            *target = Some(file);
        }
        let Some(entry) = self.expected.remove(&path) else {
            self.found.add(path.as_bytes(), "is not of this layer");
            return Ok(());
        };
        if entry.kind == EntryKind::Hardlink {
            self.links.push((path, entry.target, file));
            return Ok(());
        }
        if !is_of_kind(entry.kind, stat) {
            self.found.add(path.as_bytes(), format_args!("is {}, not {}", word(stat), entry.kind.word()));
            return Ok(());
        }
        self.metadata(path.as_bytes(), &entry, stat);
        match self.inside(dir, name, path.as_bytes(), &entry, stat) {
            Ok(()) => Ok(()),
            Err(error) => self.unread(path.as_bytes(), error),
        }
    }

    fn metadata(&mut self, path: &[u8], entry: &Entry, stat: &Stat) {
        if entry.kind == EntryKind::Whiteout {
            return;
        }
        if entry.kind != EntryKind::Symlink && stat.mode != entry.mode {
            self.found.add(path, format_args!("mode {:o} instead of {:o}", stat.mode, entry.mode));
        }
        if entry.kind == EntryKind::Regular && stat.size != entry.size {
            self.found.add(path, format_args!("{} bytes instead of {}", stat.size, entry.size));
        }
        if let Some(owners) = &mut self.owners {
            let owner = owners.resolve(entry.uid.into(), entry.gid.into(), &mut Remarks::default());
            if (stat.uid, stat.gid) != (owner.uid, owner.gid) {
                let what = format!("belongs to {}:{} instead of {}:{}", stat.uid, stat.gid, owner.uid, owner.gid);
                self.found.add(path, what);
            }
        }
    }

    /// What is seen only by opening it.
    fn inside(&mut self, dir: &Dir, name: &OsStr, path: &[u8], entry: &Entry, stat: &Stat) -> sys::Result<()> {
        match entry.kind {
            EntryKind::Symlink => {
                let target = dir.read_link(name)?;
                if target.as_os_str() != entry.target {
                    self.found.add(path, format_args!("leads to {target:?} instead of {:?}", entry.target));
                }
            }
            EntryKind::Directory | EntryKind::OpaqueDirectory
                if self.how.content || entry.kind == EntryKind::OpaqueDirectory =>
            {
                let opened;
                let dir = if name.is_empty() {
                    dir
                } else {
                    opened = dir.open_dir(name)?;
                    &opened
                };
                let opaque = xattr::get(dir.as_fd(), OsStr::new("user.overlay.opaque"))?.is_some();
                if opaque != (entry.kind == EntryKind::OpaqueDirectory) && !self.how.whiteouts_in_index {
                    self.found.add(path, if opaque { "hides what is below" } else { "does not hide what is below" });
                }
                if self.how.content && layer_xattrs::digest(dir.as_fd())? != entry.xattrs {
                    self.found.add(path, "other extended attributes");
                }
            }
            EntryKind::Regular if self.how.content => {
                let file = dir.open_file(name)?;
                if stat.size == entry.size
                    && let Some(content) = entry.content
                    && self.hash(&file, path)? != content
                {
                    self.found.add(path, "its content is another");
                }
                if layer_xattrs::digest(file.as_fd())? != entry.xattrs {
                    self.found.add(path, "other extended attributes");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn hash(&mut self, mut file: &File, path: &[u8]) -> sys::Result<Content> {
        let mut hash = ContentHasher::new();
        loop {
            match file.read(&mut self.buffer).call("read", || shown(path))? {
                0 => return Ok(hash.finish()),
                count => hash.update(&self.buffer[..count]),
            }
        }
    }

    fn end(mut self) -> Differences {
        for (path, target, file) in std::mem::take(&mut self.links) {
            if self.targets.get(&target).copied().flatten() != Some(file) {
                self.found.add(path.as_bytes(), format_args!("is not a link to {target:?}"));
            }
        }
        let kept = |entry: &Entry| entry.kind == EntryKind::Whiteout && self.how.whiteouts_in_index;
        let missing: BTreeSet<_> =
            self.expected.values().filter(|entry| !kept(entry)).map(|entry| &entry.path).collect();
        for path in missing {
            self.found.add(path.as_os_str().as_bytes(), "is missing");
        }
        self.found
    }
}

fn is_of_kind(kind: EntryKind, stat: &Stat) -> bool {
    match kind {
        EntryKind::Regular | EntryKind::Hardlink => stat.kind == FileKind::Regular,
        EntryKind::Directory | EntryKind::OpaqueDirectory => stat.kind == FileKind::Directory,
        EntryKind::Symlink => stat.kind == FileKind::Symlink,
        EntryKind::Fifo => stat.kind == FileKind::Fifo,
        EntryKind::CharDevice => stat.kind == FileKind::CharDevice,
        EntryKind::BlockDevice => stat.kind == FileKind::BlockDevice,
        EntryKind::Whiteout => stat.is_whiteout(),
    }
}

fn word(stat: &Stat) -> &'static str {
    match stat.kind {
        FileKind::Regular => "a file",
        FileKind::Directory => "a directory",
        FileKind::Symlink => "a symbolic link",
        FileKind::Fifo => "a FIFO",
        FileKind::Socket => "a socket",
        FileKind::CharDevice if stat.is_whiteout() => "a whiteout",
        FileKind::CharDevice | FileKind::BlockDevice => "a device",
        FileKind::Unknown => "of an unknown kind",
    }
}
