//! The directory that is being filled. Parents are looked up once and kept open; a name that is taken is replaced,
//! never followed; directories get their owner, mode and times at the end, so that filling them changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use super::apply::Plan;
use super::error::{Error, shown};
use super::metadata::{self, Owner, Owners};
use super::reader::{Entry, EntryKind, Segment, TarReader, normalise};
use super::remarks::Remarks;
use super::whiteout::split;
use crate::storage::layer_index::{self, IndexWriter};
use crate::sys;
use crate::sys::dir::{self, Dir};
use crate::sys::root::RootDir;
use crate::sys::{Errno, fs::File};

/// Directories that are kept open.
const OPEN_DIRS: usize = 128;

/// Zeros in the holes of a sparse file that are still worth hashing.
const MAX_HOLES_HASHED: u64 = 1 << 30;

/// Files from this size on are checked against the free space before they are begun.
const LARGE: u64 = 64 << 20;

/// An open directory and its path in the tree, without links.
#[derive(Debug)]
struct Place {
    dir: Dir,
    path: Vec<u8>,
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
struct PendingDir {
    /// `None`: the tar has not described it.
    entry: Option<Entry>,
    /// Mode that it was made with; `None` if it may be another one.
    made: Option<u32>,
    opaque: bool,
}

/// What the index says about a name.
#[derive(Debug, Clone)]
struct Record {
    kind: layer_index::EntryKind,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    target: Vec<u8>,
    sha256: [u8; 32],
}

#[derive(Debug)]
pub(super) struct Tree<'a> {
    root: &'a RootDir,
    owners: Owners<'a>,
    umask: u32,
    /// See `Plan`.
    overwrite: bool,
    open: HashMap<Vec<u8>, Rc<Place>>,
    dirs: BTreeMap<Vec<u8>, PendingDir>,
    names: BTreeMap<Vec<u8>, Record>,
    whiteouts_in_index: bool,
    pub(super) remarks: Remarks,
}

/// Outcome of [`Tree::finish`].
#[derive(Debug)]
pub(super) struct Done {
    pub(super) size: u64,
    pub(super) entries: u64,
    pub(super) whiteouts_in_index: bool,
    pub(super) opaque_root: bool,
    pub(super) implicit: Vec<Vec<u8>>,
    pub(super) remarks: Remarks,
}

impl<'a> Tree<'a> {
    pub(super) fn new(root: &'a RootDir, plan: &Plan<'a>) -> Self {
        let mut dirs = BTreeMap::new();
        dirs.insert(Vec::new(), PendingDir { entry: None, made: None, opaque: false });
        Self {
            root,
            owners: Owners::new(plan.ids, plan.owner),
            umask: plan.umask,
            overwrite: plan.overwrite,
            open: HashMap::new(),
            dirs,
            names: BTreeMap::new(),
            whiteouts_in_index: false,
            remarks: Remarks::default(),
        }
    }

    /// Makes what an entry of the tar says.
    pub(super) fn add(&mut self, entry: &Entry, reader: &mut TarReader) -> Result<(), Error> {
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
        self.dirs.insert(Vec::new(), PendingDir { entry: Some(entry.clone()), made: None, opaque });
        Ok(())
    }

    fn file(
        &mut self,
        entry: &Entry,
        spot: Spot<'_>,
        reader: &mut TarReader,
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
            let free = dir::free_space(file.as_fd()).map_err(failed)?;
            if free < entry.size {
                return Err(Error::NoSpace { path: shown(&entry.path), size: entry.size, free });
            }
        }
        let (size, sha256) = match sparse {
            None => (entry.size, write_plain(&file, entry, reader)?),
            Some((map, length)) => (length, write_sparse(&file, entry, reader, map, length)?),
        };
        metadata::finish(file.as_fd(), entry, owner, Some(mode & !self.umask), &mut self.remarks)?;
        let record = Record { size, sha256, ..Record::of(layer_index::EntryKind::Regular, entry) };
        self.names.insert(path, record);
        Ok(())
    }

    fn directory(&mut self, entry: &Entry, spot: Spot<'_>) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let hidden = self.names.get(&path).is_some_and(|record| record.kind == layer_index::EntryKind::Whiteout);
        let made = entry.mode & 0o1777 | 0o700;
        let (made, opaque) = match place.dir.mkdir(name, made) {
            Ok(()) => (Some(made & !self.umask), hidden),
            Err(error) if error.is(Errno::EEXIST) => match self.dirs.get(&path) {
                // Said twice: the content stays, the last description counts.
                Some(dir) => (None, dir.opaque),
                None if self.names.contains_key(&path) => {
                    self.make(&place, name, &path, |dir| dir.mkdir(name, made))?;
                    (None, hidden)
                }
                // It was there before we began (`cp`).
                None => match place.dir.stat(name) {
                    Ok(Some(stat)) if stat.is_dir() => (None, false),
                    Ok(Some(_)) if !self.overwrite => {
                        return Err(Error::Entry { path: shown(&path), why: "a file is there already" });
                    }
                    _ => {
                        self.make(&place, name, &path, |dir| dir.mkdir(name, made))?;
                        (None, false)
                    }
                },
            },
            Err(source) => return Err(Error::Write { path: shown(&entry.path), source }),
        };
        self.names.remove(&path);
        let entry = Entry { path: path.clone(), ..entry.clone() };
        self.dirs.insert(path, PendingDir { entry: Some(entry), made, opaque });
        Ok(())
    }

    fn symlink(&mut self, entry: &Entry, spot: Spot<'_>, to: &[u8]) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let failed = |source| Error::Write { path: shown(&entry.path), source };
        let owner = self.owners.resolve(entry.uid, entry.gid, &mut self.remarks);
        self.make(&place, name, &path, |dir| dir.symlink(OsStr::from_bytes(to), name))?;
        metadata::finish_named(&place.dir, name, entry, owner, None, &mut self.remarks).map_err(failed)?;
        let record = Record { target: to.to_vec(), ..Record::of(layer_index::EntryKind::Symlink, entry) };
        self.names.insert(path, record);
        Ok(())
    }

    fn fifo(&mut self, entry: &Entry, spot: Spot<'_>) -> Result<(), Error> {
        let Spot { place, name, path } = spot;
        let failed = |source| Error::Write { path: shown(&entry.path), source };
        let owner = self.owners.resolve(entry.uid, entry.gid, &mut self.remarks);
        self.make(&place, name, &path, |dir| dir.mkfifo(name, entry.mode & 0o777))?;
        metadata::finish_named(&place.dir, name, entry, owner, Some(entry.mode), &mut self.remarks).map_err(failed)?;
        self.names.insert(path, Record::of(layer_index::EntryKind::Fifo, entry));
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
        self.make(&place, name, &path, |dir| dir.link(&from.dir, old, name)).map_err(|error| match error {
            Error::Write { source, .. } if source.is(Errno::ENOENT) => absent(),
            other => other,
        })?;
        let record =
            self.names.get(&target).cloned().unwrap_or_else(|| Record::of(layer_index::EntryKind::Regular, entry));
        self.names.insert(path, Record { kind: layer_index::EntryKind::Hardlink, target, sha256: [0; 32], ..record });
        Ok(())
    }

    /// Makes a new object; if the name is taken, by making room first (last wins, case A20). True if there was
    /// something.
    fn make<T>(
        &mut self,
        place: &Place,
        name: &OsStr,
        path: &[u8],
        make: impl Fn(&Dir) -> sys::Result<T>,
    ) -> Result<(T, bool), Error> {
        let failed = |source| Error::Write { path: shown(path), source };
        match make(&place.dir) {
            Ok(made) => Ok((made, false)),
            Err(error) if error.is(Errno::EEXIST) => {
                self.clear(place, name, path)?;
                Ok((make(&place.dir).map_err(failed)?, true))
            }
            Err(source) => Err(failed(source)),
        }
    }

    /// Removes whatever has this name, and everything we know about it.
    fn clear(&mut self, place: &Place, name: &OsStr, path: &[u8]) -> Result<(), Error> {
        let failed = |source| Error::Write { path: shown(path), source };
        if !self.overwrite
            && !self.dirs.contains_key(path)
            && place.dir.stat(name).map_err(failed)?.is_some_and(|stat| stat.is_dir())
        {
            return Err(Error::Entry { path: shown(path), why: "a directory is there already" });
        }
        place.dir.remove_tree(name).map_err(failed)?;
        self.open.clear();
        self.names.remove(path);
        if self.dirs.remove(path).is_some() {
            let below = join(path, b"");
            remove_below(&mut self.names, &below);
            remove_below(&mut self.dirs, &below);
        }
        Ok(())
    }

    /// The directory `path`, made if need be.
    fn place(&mut self, path: &[u8]) -> Result<Rc<Place>, Error> {
        if let Some(place) = self.existing(path)? {
            return Ok(place);
        }
        // Component by component: what is no directory and leads to none becomes one.
        let mut place = Rc::new(Place { dir: self.root.dir().try_clone().map_err(Error::Target)?, path: Vec::new() });
        for (end, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/').chain([(path.len(), &b'/')]) {
            place = match self.existing(&path[..end])? {
                Some(place) => place,
                None => self.make_parent(&place, split(&path[..end]).1, &path[..end])?,
            };
        }
        Ok(place)
    }

    fn make_parent(&mut self, parent: &Place, name: &[u8], wanted: &[u8]) -> Result<Rc<Place>, Error> {
        let path = join(&parent.path, name);
        let hidden = self.names.get(&path).is_some_and(|record| record.kind == layer_index::EntryKind::Whiteout);
        let name = OsStr::from_bytes(name);
        self.make(parent, name, &path, |dir| dir.mkdir(name, 0o755))?;
        self.names.remove(&path);
        self.dirs.insert(path.clone(), PendingDir { entry: None, made: Some(0o755 & !self.umask), opaque: hidden });
        let dir = parent.dir.open_dir(name).map_err(|source| Error::Write { path: shown(&path), source })?;
        Ok(self.keep(wanted, Place { dir, path }))
    }

    /// The directory that `path` leads to inside the tree, if there is one.
    fn existing(&mut self, path: &[u8]) -> Result<Option<Rc<Place>>, Error> {
        if let Some(place) = self.open.get(path) {
            return Ok(Some(Rc::clone(place)));
        }
        let failed = |source| Error::Write { path: shown(path), source };
        let name = Path::new(OsStr::from_bytes(path));
        let place = match self.root.open_dir_without_links(name) {
            Ok(dir) => Place { dir, path: path.to_vec() },
            Err(error) if error.is(Errno::ENOENT) || error.is(Errno::ENOTDIR) => return Ok(None),
            Err(error) if error.is(Errno::ELOOP) => match self.root.open_dir(name) {
                Ok(dir) => {
                    let path = self.root.path_of(dir.as_fd()).map_err(failed)?;
                    Place { dir, path: path.into_os_string().into_vec() }
                }
                Err(error) if [Errno::ENOENT, Errno::ENOTDIR, Errno::ELOOP].contains(&error.errno) => return Ok(None),
                Err(source) => return Err(failed(source)),
            },
            Err(source) => return Err(failed(source)),
        };
        Ok(Some(self.keep(path, place)))
    }

    fn keep(&mut self, path: &[u8], place: Place) -> Rc<Place> {
        if self.open.len() >= OPEN_DIRS {
            self.open.clear();
        }
        let place = Rc::new(place);
        self.open.insert(path.to_vec(), Rc::clone(&place));
        place
    }

    /// Gives the directories what they are to have, deepest first, and writes the index.
    pub(super) fn finish<W: Write>(mut self, index: Option<IndexWriter<W>>) -> Result<Done, Error> {
        self.open.clear();
        let mut implicit = Vec::new();
        let mut opaque_root = false;
        while let Some((path, pending)) = self.dirs.pop_last() {
            let owner_of = pending.entry.as_ref().map_or((0, 0), |entry| (entry.uid, entry.gid));
            let owner = self.owners.resolve(owner_of.0, owner_of.1, &mut self.remarks);
            self.finish_dir(&path, &pending, owner)?;
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
            self.names.insert(path, record);
        }
        let size = self.names.values().map(|record| record.size).fold(0, u64::saturating_add);
        let entries = self.names.len() as u64;
        if let Some(index) = index {
            write_index(index, &self.names).map_err(Error::Index)?;
        }
        implicit.reverse();
        let whiteouts_in_index = self.whiteouts_in_index;
        Ok(Done { size, entries, whiteouts_in_index, opaque_root, implicit, remarks: self.remarks })
    }

    fn finish_dir(&mut self, path: &[u8], pending: &PendingDir, owner: Owner) -> Result<(), Error> {
        let failed = |source| Error::Write { path: shown(path), source };
        if pending.entry.is_none() && !pending.opaque && !owner.is_other() {
            return Ok(());
        }
        let dir = self.root.open_dir_without_links(Path::new(OsStr::from_bytes(path))).map_err(failed)?;
        if pending.opaque {
            metadata::set_xattrs(dir.as_fd(), &[(b"user.overlay.opaque", b"y")], path, &mut self.remarks)?;
        }
        match &pending.entry {
            Some(entry) => metadata::finish(dir.as_fd(), entry, owner, pending.made, &mut self.remarks),
            None if owner.is_other() => dir::fchown(dir.as_fd(), owner.uid, owner.gid).map_err(failed),
            None => Ok(()),
        }
    }
}

impl Record {
    fn new(kind: layer_index::EntryKind, mode: u32, (uid, gid): (u32, u32)) -> Self {
        Self { kind, mode, uid, gid, size: 0, target: Vec::new(), sha256: [0; 32] }
    }

    fn of(kind: layer_index::EntryKind, entry: &Entry) -> Self {
        let id = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
        Self::new(kind, entry.mode, (id(entry.uid), id(entry.gid)))
    }
}

fn write_index<W: Write>(mut index: IndexWriter<W>, names: &BTreeMap<Vec<u8>, Record>) -> sys::Result<()> {
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    for (name, record) in names {
        index.push(&layer_index::Entry {
            path: path(name),
            kind: record.kind,
            mode: record.mode,
            uid: record.uid,
            gid: record.gid,
            size: if record.kind == layer_index::EntryKind::Regular { record.size } else { 0 },
            device: (0, 0),
            target: path(&record.target).into_os_string(),
            sha256: record.sha256,
        })?;
    }
    index.finish().map(drop)
}

/// Writes the content of an ordinary file; returns its digest.
fn write_plain(mut file: &File, entry: &Entry, reader: &mut TarReader) -> Result<[u8; 32], Error> {
    let mut hash = Sha256::new();
    while let Some(piece) = reader.content()? {
        hash.update(piece);
        file.write_all(piece).map_err(|error| write_error(&entry.path, piece.len(), &error))?;
    }
    Ok(hash.finalize().into())
}

/// Writes the runs of data of a sparse file; returns the digest of the whole, or zeros if it is mostly holes.
fn write_sparse(
    file: &File,
    entry: &Entry,
    reader: &mut TarReader,
    map: &[Segment],
    length: u64,
) -> Result<[u8; 32], Error> {
    let failed = |source| Error::Write { path: shown(&entry.path), source };
    let hashed = length - entry.size <= MAX_HOLES_HASHED;
    let mut hash = Sha256::new();
    let mut end = 0;
    let mut piece: Vec<u8> = Vec::new();
    let mut used = 0;
    for segment in map {
        if hashed {
            hash_zeros(&mut hash, segment.offset - end);
        }
        end = segment.offset + segment.length;
        let (mut at, mut left) = (segment.offset, segment.length);
        while left > 0 {
            if used == piece.len() {
                // The map adds up to the content, as the reader has checked.
                let Some(next) = reader.content()? else { return Err(Error::Truncated(at)) };
                piece.clear();
                piece.extend_from_slice(next);
                used = 0;
            }
            let count = (piece.len() - used).min(usize::try_from(left).unwrap_or(usize::MAX));
            let data = &piece[used..used + count];
            if hashed {
                hash.update(data);
            }
            dir::write_all_at(file, data, at).map_err(failed)?;
            used += count;
            at += count as u64;
            left -= count as u64;
        }
    }
    dir::set_len(file, length).map_err(failed)?;
    if !hashed {
        return Ok([0; 32]);
    }
    hash_zeros(&mut hash, length - end);
    Ok(hash.finalize().into())
}

fn hash_zeros(hash: &mut Sha256, mut count: u64) {
    const ZEROS: [u8; 4096] = [0; 4096];
    while count > 0 {
        let some = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
        hash.update(&ZEROS[..some]);
        count -= some as u64;
    }
}

fn write_error(path: &[u8], length: usize, error: &std::io::Error) -> Error {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    Error::Write { path: shown(path), source: sys::Error::new("write", format!("{length} bytes"), errno) }
}

/// `path/name`; with an empty name, the prefix of everything below `path`.
fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(path.len() + 1 + name.len());
    if !path.is_empty() {
        joined.extend_from_slice(path);
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

fn remove_below<T>(map: &mut BTreeMap<Vec<u8>, T>, prefix: &[u8]) {
    let below: Vec<Vec<u8>> = map
        .range(prefix.to_vec()..)
        .map(|(path, _)| path)
        .take_while(|path| path.starts_with(prefix))
        .cloned()
        .collect();
    for path in below {
        map.remove(&path);
    }
}
