//! What a container or an image changed: `diff`. Answered from indexes and the container's own writable directory. The
//! files of an image are read only where two of the same size may be the same: digests tell those that are not. Plain
//! functions: what the directories hold is read by a worker in P.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::error::{At as _, Error};
use super::layer_content::Content;
use super::layer_index::{Entry, EntryKind, IndexReader};
use super::pack::gone_is_none;
use crate::sys;
use crate::sys::dir::{Dir, FileKind, Stat};
use crate::sys::fs::File;
use crate::sys::root::RootDir;
use crate::sys::xattr;

/// Depth beyond which a hostile tree is not followed.
const DEPTH: usize = 512;

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChangeKind {
    Changed,
    Added,
    Deleted,
}

/// One line of `diff`. The path is absolute; bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) path: String,
}

/// Where the changes of a container are.
#[derive(Debug, Clone)]
pub(crate) enum Writable {
    /// The upper directory of the kernel's overlay.
    Overlay(PathBuf),
    /// The upper directory of fuse-overlayfs, which writes whiteouts as files where it may not make devices.
    Fuse(PathBuf),
    /// A whole copy.
    Copy(PathBuf),
}

/// Where a layer is.
#[derive(Debug, Clone)]
pub(crate) struct LayerPaths {
    pub(crate) index: PathBuf,
    pub(crate) diff: PathBuf,
}

/// A file system as layers, bottom first, and what was written over them.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) layers: Vec<LayerPaths>,
    pub(crate) writable: Option<Writable>,
}

/// What is compared of a file.
#[derive(Debug, Clone)]
struct Node {
    kind: EntryKind,
    mode: u32,
    size: u64,
    target: OsString,
    device: (u32, u32),
    /// Of a regular file, where it is known.
    content: Option<Content>,
    /// The tree that it is read from.
    root: Rc<Root>,
    /// Of a hard link, where its file is in that tree; others are where they are named.
    at: Option<PathBuf>,
}

/// A directory that holds a tree, opened for the first file that is read.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    dir: OnceCell<RootDir>,
}

type Tree = BTreeMap<PathBuf, Node>;

impl Stack {
    /// What its topmost part changed: the writable directory, else the last layer.
    pub(crate) fn own_changes(&self) -> Result<Vec<Change>, Error> {
        match (&self.writable, self.layers.split_last()) {
            (Some(Writable::Copy(root)), _) => Ok(between(&layers(&self.layers)?, &copied(root)?)),
            (Some(writable), _) => Ok(over(&layers(&self.layers)?, &written(writable)?)),
            (None, Some((top, below))) => {
                let mut delta = Tree::new();
                each(top, |entry, node| drop(delta.insert(entry.path, node)))?;
                Ok(over(&layers(below)?, &delta))
            }
            (None, None) => Ok(Vec::new()),
        }
    }

    /// What is different in it from `old`.
    pub(crate) fn changes_since(&self, old: &Self) -> Result<Vec<Change>, Error> {
        Ok(between(&old.flatten()?, &self.flatten()?))
    }

    fn flatten(&self) -> Result<Tree, Error> {
        if let Some(Writable::Copy(root)) = &self.writable {
            return copied(root);
        }
        let mut tree = layers(&self.layers)?;
        if let Some(writable) = &self.writable {
            for (path, node) in written(writable)? {
                apply(&mut tree, path, node);
            }
        }
        Ok(tree)
    }
}

/// The tree of a stack of layers.
fn layers(layers: &[LayerPaths]) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    for layer in layers {
        each(layer, |entry, mut node| {
            if entry.kind == EntryKind::Hardlink
                && let Some(other) = tree.get(Path::new(&entry.target))
            {
                node = other.clone();
                node.at.get_or_insert(entry.target.into());
            }
            apply(&mut tree, entry.path, node);
        })?;
    }
    Ok(tree)
}

fn each(layer: &LayerPaths, mut take: impl FnMut(Entry, Node)) -> Result<(), Error> {
    let root = Root::new(&layer.diff);
    let mut reader = IndexReader::open(&layer.index)?;
    while let Some(entry) = reader.next_entry()? {
        // The root itself is nobody's change.
        if !entry.path.as_os_str().is_empty() {
            let node = node(&entry, &root);
            take(entry, node);
        }
    }
    Ok(())
}

fn node(entry: &Entry, root: &Rc<Root>) -> Node {
    Node {
        kind: entry.kind,
        mode: entry.mode & 0o7777,
        size: entry.size,
        target: entry.target.clone(),
        device: entry.device,
        content: entry.content,
        root: Rc::clone(root),
        at: None,
    }
}

/// Puts one entry of a layer over what is below.
fn apply(tree: &mut Tree, path: PathBuf, node: Node) {
    if node.kind != EntryKind::Directory {
        let hidden: Vec<PathBuf> = below(tree, &path).cloned().collect();
        for path in hidden {
            tree.remove(&path);
        }
    }
    match node.kind {
        EntryKind::Whiteout => drop(tree.remove(&path)),
        EntryKind::OpaqueDirectory => drop(tree.insert(path, Node { kind: EntryKind::Directory, ..node })),
        _ => drop(tree.insert(path, node)),
    }
}

/// Paths under `dir`: paths are ordered by component, so they follow it at once.
fn below<'a>(tree: &'a Tree, dir: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
    tree.range(dir.to_owned()..)
        .map(|(path, _)| path)
        .skip_while(move |path| *path == dir)
        .take_while(move |path| path.starts_with(dir))
}

/// What a delta does to the tree below it.
fn over(tree: &Tree, delta: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    for (path, node) in delta {
        let was_there = tree.contains_key(path);
        match node.kind {
            EntryKind::Whiteout if was_there => changes.push(change(ChangeKind::Deleted, path)),
            EntryKind::Whiteout => {}
            _ if was_there => changes.push(change(ChangeKind::Changed, path)),
            _ => changes.push(change(ChangeKind::Added, path)),
        }
        if node.kind == EntryKind::OpaqueDirectory {
            // All of the old content is gone but what is there again; a directory stands for what was in it.
            let gone = below(tree, path).filter(|old| !delta.contains_key(*old));
            let gone = gone.filter(|old| old.parent().is_some_and(|parent| delta.contains_key(parent)));
            changes.extend(gone.map(|old| change(ChangeKind::Deleted, old)));
        }
    }
    sorted(changes)
}

/// The differences of two trees.
fn between(old: &Tree, new: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    for (path, node) in new {
        match old.get(path) {
            None => changes.push(change(ChangeKind::Added, path)),
            Some(before) if is_same(path, before, node) => {}
            Some(_) => changes.push(change(ChangeKind::Changed, path)),
        }
    }
    for path in old.keys().filter(|path| !new.contains_key(*path)) {
        let told = path.parent().is_some_and(|parent| old.contains_key(parent) && !new.contains_key(parent));
        if !told {
            changes.push(change(ChangeKind::Deleted, path));
        }
    }
    sorted(changes)
}

/// Two nodes of one name.
fn is_same(path: &Path, old: &Node, new: &Node) -> bool {
    if (old.kind, old.mode, old.size, &old.target, old.device)
        != (new.kind, new.mode, new.size, &new.target, new.device)
    {
        return false;
    }
    if old.kind != EntryKind::Regular {
        return true;
    }
    let paths = [old, new].map(|node| node.at.as_deref().unwrap_or(path));
    if old.root.path == new.root.path && paths[0] == paths[1] {
        return true;
    }
    if matches!((old.content, new.content), (Some(old), Some(new)) if old != new) {
        return false;
    }
    // Equal digests prove nothing: an image could be made to look unchanged. What cannot be read is not the same.
    let files = old.root.open(paths[0]).and_then(|file| Ok([file, new.root.open(paths[1])?]));
    files.and_then(|files| same_bytes(&files, old.size)).unwrap_or(false)
}

/// Compares two files of one length.
fn same_bytes([old, new]: &[File; 2], size: u64) -> sys::Result<bool> {
    let chunk = usize::try_from(size).unwrap_or(usize::MAX).min(128 << 10);
    let (mut a, mut b) = (vec![0; chunk], vec![0; chunk]);
    let mut at = 0;
    while at < size {
        let counts = (sys::contents::read_at(old, &mut a, at)?, sys::contents::read_at(new, &mut b, at)?);
        let count = counts.0.min(counts.1);
        if count == 0 || a[..count] != b[..count] {
            return Ok(false);
        }
        at += count as u64;
    }
    Ok(true)
}

impl Root {
    fn new(path: &Path) -> Rc<Self> {
        Rc::new(Self { path: path.to_owned(), dir: OnceCell::new() })
    }

    /// Opens a file. No component of its path is a link, unless somebody has changed the tree since it was read.
    fn open(&self, path: &Path) -> sys::Result<File> {
        let root = match self.dir.get() {
            Some(root) => root,
            None => {
                let opened = RootDir::open(&self.path)?;
                self.dir.get_or_init(|| opened)
            }
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        root.open_dir_without_links(parent)?.open_file(path.file_name().unwrap_or_default())
    }
}

fn change(kind: ChangeKind, path: &Path) -> Change {
    Change { kind, path: format!("/{}", path.to_string_lossy()) }
}

/// With the directories that something has changed in, by path.
fn sorted(mut changes: Vec<Change>) -> Vec<Change> {
    let told: BTreeSet<PathBuf> = changes.iter().map(|change| PathBuf::from(&change.path)).collect();
    let above: BTreeSet<&Path> = told.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    for dir in above.into_iter().filter(|dir| dir.parent().is_some() && !told.contains(*dir)) {
        changes.push(Change { kind: ChangeKind::Changed, path: dir.to_string_lossy().into_owned() });
    }
    changes.sort_by(|a, b| Path::new(&a.path).cmp(Path::new(&b.path)));
    changes
}

/// What a container wrote.
fn written(writable: &Writable) -> Result<Tree, Error> {
    let (path, fuse) = match writable {
        Writable::Overlay(path) | Writable::Copy(path) => (path, false),
        Writable::Fuse(path) => (path, true),
    };
    walk(path, Some(fuse))
}

/// The whole of a copied root.
fn copied(root: &Path) -> Result<Tree, Error> {
    walk(root, None)
}

/// Reads a tree. `layer`: names and attributes mean what they mean to overlay, or (true) to fuse-overlayfs.
fn walk(path: &Path, layer: Option<bool>) -> Result<Tree, Error> {
    let mut tree = Tree::new();
    // A container that never started has written nothing.
    let Some(dir) = sys::fs::absent_is_none(Dir::open(path)).reading(path)? else { return Ok(tree) };
    walk_dir(&dir, Path::new(""), &Root::new(path), layer, &mut tree, DEPTH).reading(path)?;
    Ok(tree)
}

fn walk_dir(
    dir: &Dir,
    at: &Path,
    root: &Rc<Root>,
    layer: Option<bool>,
    tree: &mut Tree,
    depth: usize,
) -> sys::Result<()> {
    for (name, kind) in dir.entries()? {
        // Removed meanwhile.
        let Some(stat) = dir.stat(&name)? else { continue };
        if layer == Some(true)
            && let Some(hidden) = name.as_bytes().strip_prefix(b".wh.")
        {
            if !hidden.starts_with(b".wh.") {
                let node = of_stat(&stat, EntryKind::Whiteout, OsString::new(), root);
                tree.insert(at.join(OsStr::from_bytes(hidden)), node);
            }
            continue;
        }
        let target = match kind {
            FileKind::Symlink => match gone_is_none(dir.read_link(&name))? {
                Some(target) => target.into_os_string(),
                None => continue,
            },
            _ => OsString::new(),
        };
        let child = if kind == FileKind::Directory && depth > 0 { dir.open_dir(&name).ok() } else { None };
        let own = match kind {
            FileKind::Directory if layer.is_some() && child.as_ref().is_some_and(is_opaque) => {
                EntryKind::OpaqueDirectory
            }
            FileKind::Directory => EntryKind::Directory,
            FileKind::Symlink => EntryKind::Symlink,
            FileKind::CharDevice if layer.is_some() && stat.is_whiteout() => EntryKind::Whiteout,
            FileKind::CharDevice => EntryKind::CharDevice,
            FileKind::BlockDevice => EntryKind::BlockDevice,
            FileKind::Fifo | FileKind::Socket => EntryKind::Fifo,
            FileKind::Regular | FileKind::Unknown => EntryKind::Regular,
        };
        let path = at.join(&name);
        tree.insert(path.clone(), of_stat(&stat, own, target, root));
        if let Some(child) = child {
            walk_dir(&child, &path, root, layer, tree, depth - 1)?;
        }
    }
    Ok(())
}

fn of_stat(stat: &Stat, kind: EntryKind, target: OsString, root: &Rc<Root>) -> Node {
    let is_file = kind == EntryKind::Regular;
    Node {
        kind,
        mode: stat.mode,
        size: if is_file { stat.size } else { 0 },
        target,
        device: if matches!(kind, EntryKind::CharDevice | EntryKind::BlockDevice) { stat.node } else { (0, 0) },
        content: None,
        root: Rc::clone(root),
        at: None,
    }
}

/// True for a directory that hides what lies below, in the words of overlay (`userxattr`) and of fuse-overlayfs.
fn is_opaque(dir: &Dir) -> bool {
    let says = |name: &str| xattr::get(dir.as_fd(), name.as_ref()).ok().flatten().is_some_and(|value| value == b"y");
    says("user.overlay.opaque")
        || says("user.fuseoverlayfs.opaque")
        || matches!(dir.stat(".wh..wh..opq".as_ref()), Ok(Some(_)))
}

#[cfg(test)]
mod tests;
