//! The directory that is being filled. Parents are looked up once and kept open; a name that is taken is replaced,
//! never followed; directories get their owner, mode and times at the end, so that filling them changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use super::apply::{Flavour, Plan};
use super::content::{write_plain, write_sparse};
use super::error::{Error, shown};
use super::metadata::{self, Owner, Owners};
use super::places::join;
use super::reader::{Entry, EntryKind, Segment, TarReader, normalise};
use super::record::{self, Record};
use super::remarks::Remarks;
use super::whiteout::split;
use crate::storage::layer_index::{self, IndexWriter};
use crate::sys::dir::{self, Dir};
use crate::sys::root::RootDir;
use crate::sys::tree::copy_node;
use crate::sys::{self, Errno, filesystem};

/// Files from this size on are checked against the free space before they are begun.
const LARGE: u64 = 64 << 20;

/// An open directory and its path in the tree, without links.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: Dir,
    pub(super) path: Vec<u8>,
}

/// Where an entry goes.
#[derive(Debug)]
struct Spot<'e> {
    place: Rc<Place>,
    name: &'e OsStr,
    /// In the tree, without links.
    path: Vec<u8>,
}

/// What a directory is to get at the end.
#[derive(Debug)]
pub(super) struct PendingDir {
    /// `None`: the tar has not described it.
    pub(super) entry: Option<Entry>,
    /// Mode that it was made with; `None` if it may be another one.
    pub(super) made: Option<u32>,
    pub(super) opaque: bool,
    /// It was there before we began (`cp`).
    pub(super) found: bool,
}

#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) root: &'a RootDir,
    owners: Owners<'a>,
    pub(super) umask: u32,
    /// See `Plan`.
    pub(super) overwrite: bool,
    /// No layer.
    plain: bool,
    pub(super) open: HashMap<Vec<u8>, Rc<Place>>,
    pub(super) dirs: BTreeMap<Vec<u8>, PendingDir>,
    pub(super) names: BTreeMap<Vec<u8>, Record>,
    /// Number of files made so far.
    files: u64,
    /// Bytes of holes that may still be hashed.
    holes: u64,
    whiteouts_in_index: bool,
    /// Of the file being written.
    pub(super) remarks: Remarks,
}

/// The file cannot have another name, or not there.
fn is_no_link(error: &sys::Error) -> bool {
    [Errno::EXDEV, Errno::EPERM, Errno::EMLINK, Errno::EOPNOTSUPP].contains(&error.errno)
}

/// Outcome of [`Tree::finish`].
#[derive(Debug)]
pub(super) struct Done {
    pub(super) size: u64,
    /// Bytes of the disk that files and directories take.
    pub(super) disk: u64,
    pub(super) entries: u64,
    pub(super) whiteouts_in_index: bool,
    pub(super) opaque_root: bool,
    pub(super) implicit: Vec<Vec<u8>>,
    pub(super) remarks: Remarks,
}

impl<'a> Tree<'a> {
    pub(super) fn new(root: &'a RootDir, plan: &Plan<'a>) -> Self {
        let mut dirs = BTreeMap::new();
        dirs.insert(Vec::new(), PendingDir { entry: None, made: None, opaque: false, found: true });
        Self {
            root,
            owners: Owners::new(plan.ids, plan.owner),
            umask: plan.umask,
            overwrite: plan.overwrite,
            plain: plan.flavour == Flavour::Plain,
            open: HashMap::new(),
            dirs,
            names: BTreeMap::new(),
            files: 0,
            holes: plan.limits.holes,
            whiteouts_in_index: false,
            remarks: Remarks::default(),
        }
    }

    /// Makes what an entry of the tar says.
    pub(super) fn add(&mut self, entry: &Entry, reader: &mut TarReader<'_>) -> Result<(), Error> {
        if entry.path.is_empty() {
            return self.root_entry(entry);
        }
        match &entry.kind {
            EntryKind::Device => {
                self.remarks.devices.add(&entry.path);
                return Ok(());
            }
            EntryKind::Unknown(_) | EntryKind::Global => {
                self.remarks.unknown.add(&entry.path);
                return Ok(());
            }
            _ => {}
        }
        let (parent, name) = split(&entry.path);
        let place = self.place(parent)?;
        let path = join(&place.path, name);
        let spot = Spot { place, name: OsStr::from_bytes(name), path };
        match &entry.kind {
            EntryKind::File => self.file(entry, spot, reader, None),
            EntryKind::Sparse { map, length } => self.file(entry, spot, reader, Some((map.as_slice(), *length))),
            EntryKind::Directory => self.directory(entry, spot),
            EntryKind::Symlink(target) => self.symlink(entry, spot, target),
            EntryKind::HardLink(target) => self.hard_link(entry, spot, target),
            _ => self.fifo(entry, spot),
        }
    }

    /// Hides `name` of the layers below in the directory `parent`. What this layer itself has there stays: whiteouts
    /// are for lower layers only, wherever they stand in the tar.
    pub(super) fn whiteout(&mut self, parent: &[u8], name: &[u8]) -> Result<(), Error> {
        let place = self.place(parent)?;
        let path = join(&place.path, name);
        let name = OsStr::from_bytes(name);
        if let Some(dir) = self.dirs.get_mut(&path) {
            // The layer removed a directory and made a new one.
            dir.opaque = true;
            return Ok(());
        }
        if self.names.contains_key(&path) {
            return Ok(());
        }
        if !self.whiteouts_in_index {
            match place.dir.make_whiteout(name) {
                Ok(()) => {}
                Err(error) if error.is(Errno::EEXIST) => {}
                Err(error) if error.is(Errno::EPERM) || error.is(Errno::EOPNOTSUPP) || error.is(Errno::EINVAL) => {
                    self.whiteouts_in_index = true;
                }
                Err(source) => return Err(Error::Write { path: shown(&path), source }),
            }
        }
        self.names.insert(path, Record::new(layer_index::EntryKind::Whiteout, 0, (0, 0)));
        Ok(())
    }

    /// Hides everything that the layers below have in the directory `path`.
    pub(super) fn opaque(&mut self, path: &[u8]) -> Result<(), Error> {
        let place = self.place(path)?;
        if let Some(dir) = self.dirs.get_mut(&place.path) {
            dir.opaque = true;
        }
        Ok(())
    }

    fn root_entry(&mut self, entry: &Entry) -> Result<(), Error> {
        if entry.kind != EntryKind::Directory {
            return Err(Error::Entry { path: "/".to_owned(), why: "the root must be a directory" });
        }
        let opaque = self.dirs.get(&Vec::new()).is_some_and(|dir| dir.opaque);
        self.dirs.insert(Vec::new(), PendingDir { entry: Some(entry.clone()), made: None, opaque, found: true });
        Ok(())
    }

    fn file(
        &mut self,
        entry: &Entry,
        spot: Spot<'_>,
        reader: &mut TarReader<'_>,
        sparse: Option<(&[Segment], u64)>,
    ) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let failed = |source| Error::Write { path: shown(&entry.path), source };
        let owner = self.owners.resolve(entry.uid, entry.gid, &mut self.remarks);
        // Attributes of a file that its owner may not write need its write bit until the end.
        let extra = if entry.xattrs.is_empty() && owner.real.is_none() { 0 } else { 0o600 };
        let mode = entry.mode & 0o777 | extra;
        let (file, _) = self.make(&place, name, &path, |dir| dir.create_new(name, mode))?;
        if entry.size >= LARGE {
            let free = filesystem::free_space(file.as_fd()).map_err(failed)?;
            if free < entry.size {
                return Err(Error::NoSpace { path: shown(&entry.path), size: entry.size, free });
            }
        }
        let (size, content) = match sparse {
            None => (entry.size, Some(write_plain(&file, entry, reader)?)),
            Some((map, length)) => (length, write_sparse(&file, entry, reader, map, length, &mut self.holes)?),
        };
        let xattrs = metadata::finish(file.as_fd(), entry, owner, Some(mode & !self.umask), &mut self.remarks)?;
        let disk = dir::fstat(file.as_fd()).map_err(failed)?.blocks * 512;
        let record = self.record(layer_index::EntryKind::Regular, entry);
        let record = Record { size, content, xattrs, disk, ..record };
        self.names.insert(path, record);
        Ok(())
    }

    fn directory(&mut self, entry: &Entry, spot: Spot<'_>) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let hidden = self.names.get(&path).is_some_and(|record| record.kind == layer_index::EntryKind::Whiteout);
        let made = entry.mode & 0o1777 | 0o700;
        let (made, opaque, found) = match place.dir.mkdir(name, made) {
            Ok(()) => (Some(made & !self.umask), hidden, false),
            Err(error) if error.is(Errno::EEXIST) => match self.dirs.get(&path) {
                // Said twice: the content stays, the last description counts.
                Some(dir) => (None, dir.opaque, dir.found),
                None if self.names.contains_key(&path) => {
                    self.make(&place, name, &path, |dir| dir.mkdir(name, made))?;
                    (None, hidden, false)
                }
                None => match place.dir.stat(name) {
                    Ok(Some(stat)) if stat.is_dir() => (None, false, true),
                    Ok(Some(_)) if !self.overwrite => {
                        return Err(Error::Entry { path: shown(&path), why: "a file is there already" });
                    }
                    _ => {
                        self.make(&place, name, &path, |dir| dir.mkdir(name, made))?;
                        (None, false, false)
                    }
                },
            },
            Err(source) => return Err(Error::Write { path: shown(&entry.path), source }),
        };
        self.names.remove(&path);
        let entry = Entry { path: path.clone(), ..entry.clone() };
        self.dirs.insert(path, PendingDir { entry: Some(entry), made, opaque, found });
        Ok(())
    }

    fn symlink(&mut self, entry: &Entry, spot: Spot<'_>, to: &[u8]) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let failed = |source| Error::Write { path: shown(&entry.path), source };
        let owner = self.owners.resolve(entry.uid, entry.gid, &mut self.remarks);
        self.make(&place, name, &path, |dir| dir.symlink(OsStr::from_bytes(to), name))?;
        metadata::finish_named(&place.dir, name, entry, owner, None, &mut self.remarks).map_err(failed)?;
        let record = Record { target: to.to_vec(), ..self.record(layer_index::EntryKind::Symlink, entry) };
        self.names.insert(path, record);
        Ok(())
    }

    fn fifo(&mut self, entry: &Entry, spot: Spot<'_>) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let failed = |source| Error::Write { path: shown(&entry.path), source };
        let owner = self.owners.resolve(entry.uid, entry.gid, &mut self.remarks);
        self.make(&place, name, &path, |dir| dir.mkfifo(name, entry.mode & 0o777))?;
        metadata::finish_named(&place.dir, name, entry, owner, Some(entry.mode), &mut self.remarks).map_err(failed)?;
        let record = self.record(layer_index::EntryKind::Fifo, entry);
        self.names.insert(path, record);
        Ok(())
    }

    /// A second name of a file of this layer. Owner, mode and times are the file's, so the entry's are not applied.
    fn hard_link(&mut self, entry: &Entry, spot: Spot<'_>, to: &[u8]) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let target = normalise(to)?;
        let absent = || Error::HardLink { path: shown(&entry.path), target: shown(&target) };
        let (parent, old) = split(&target);
        let old = OsStr::from_bytes(old);
        if target.is_empty() {
            return Err(absent());
        }
        let from = self.existing(parent)?.ok_or_else(absent)?;
        let stat = from.dir.stat(old).map_err(|source| Error::Write { path: shown(&target), source })?;
        let stat = stat.filter(|stat| !stat.is_whiteout()).ok_or_else(absent)?;
        if stat.is_dir() {
            return Err(Error::Entry { path: shown(&entry.path), why: "a hard link to a directory" });
        }
        let target = join(&from.path, old.as_bytes());
        if target == path {
            return Ok(());
        }
        // The name may be the file's already; replacing it must not remove the file's last name.
        if let Ok(Some(there)) = place.dir.stat(name)
            && there.same_file(&stat)
        {
            return Ok(());
        }
        match self.make(&place, name, &path, |dir| dir.link(&from.dir, old, name)) {
            Err(Error::Write { source, .. }) if source.is(Errno::ENOENT) => return Err(absent()),
            // `cp` to several file systems, or to one that has no links.
            Err(Error::Write { source, .. }) if self.plain && is_no_link(&source) => {
                self.make(&place, name, &path, |dir| copy_node(&from.dir, old, &stat, dir, name))?;
            }
            other => drop(other?),
        }
        let record = match self.names.get(&target) {
            Some(record) => record.clone(),
            None => self.record(layer_index::EntryKind::Regular, entry),
        };
        self.names.insert(path, record);
        Ok(())
    }

    /// Record of a new file.
    fn record(&mut self, kind: layer_index::EntryKind, entry: &Entry) -> Record {
        self.files += 1;
        Record { file: self.files, ..Record::of(kind, entry) }
    }

    /// Gives the directories what they are to have, deepest first, and writes the index.
    pub(super) fn finish<W: Write>(mut self, index: Option<IndexWriter<W>>) -> Result<Done, Error> {
        self.open.clear();
        let mut implicit = Vec::new();
        let mut opaque_root = false;
        let mut disk = 0;
        while let Some((path, pending)) = self.dirs.pop_last() {
            let owner_of = pending.entry.as_ref().map_or((0, 0), |entry| (entry.uid, entry.gid));
            let owner = self.owners.resolve(owner_of.0, owner_of.1, &mut self.remarks);
            if index.is_some() {
                let stat = self.root.lstat(Path::new(OsStr::from_bytes(&path)));
                let stat = stat.map_err(|source| Error::Write { path: shown(&path), source })?;
                disk += stat.map_or(0, |stat| stat.blocks * 512);
            }
            let xattrs = self.finish_dir(&path, &pending, owner)?;
            let kind = if pending.opaque {
                layer_index::EntryKind::OpaqueDirectory
            } else {
                layer_index::EntryKind::Directory
            };
            let record = match &pending.entry {
                Some(entry) => Record::of(kind, entry),
                None => Record::new(kind, 0o755, (0, 0)),
            };
            opaque_root |= path.is_empty() && pending.opaque;
            if pending.entry.is_none() {
                implicit.push(path.clone());
            }
            self.names.insert(path, Record { xattrs, ..record });
        }
        let totals = record::totals(&self.names);
        let entries = self.names.len() as u64;
        if let Some(index) = index {
            record::write_index(index, &self.names).map_err(Error::Index)?;
        }
        implicit.reverse();
        let whiteouts_in_index = self.whiteouts_in_index;
        Ok(Done {
            size: totals.size,
            disk: disk + totals.disk,
            entries,
            whiteouts_in_index,
            opaque_root,
            implicit,
            remarks: self.remarks,
        })
    }

    /// Answers the digest of the directory's attributes.
    fn finish_dir(&mut self, path: &[u8], pending: &PendingDir, owner: Owner) -> Result<[u8; 32], Error> {
        let failed = |source| Error::Write { path: shown(path), source };
        if pending.entry.is_none() && !pending.opaque && !owner.is_other() {
            return Ok([0; 32]);
        }
        let dir = self.root.open_dir_without_links(Path::new(OsStr::from_bytes(path))).map_err(failed)?;
        if pending.opaque {
            metadata::set_xattrs(dir.as_fd(), &[(b"user.overlay.opaque", b"y")], path, &mut self.remarks)?;
        }
        match &pending.entry {
            Some(entry) => metadata::finish(dir.as_fd(), entry, owner, pending.made, &mut self.remarks),
            None => {
                if owner.is_other() {
                    dir::fchown(dir.as_fd(), owner.uid, owner.gid).map_err(failed)?;
                }
                Ok([0; 32])
            }
        }
    }
}
