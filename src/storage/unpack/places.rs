//! Directories of the tree: looked up once and kept open, made where a tar only fills them; and names that are taken.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use super::error::{Error, shown};
use super::tree::{PendingDir, Place, Tree};
use super::whiteout::split;
use crate::storage::layer_index;
use crate::sys::{self, Errno, dir::Dir};

/// Directories that are kept open.
const OPEN_DIRS: usize = 128;

impl Tree<'_> {
    /// Makes a new object; if the name is taken, by making room first (last wins, case A20). True if there was
    /// something.
    pub(super) fn make<T>(
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
            && self.dirs.get(path).is_none_or(|dir| dir.found)
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
    pub(super) fn place(&mut self, path: &[u8]) -> Result<Rc<Place>, Error> {
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
        let made = Some(0o755 & !self.umask);
        self.dirs.insert(path.clone(), PendingDir { entry: None, made, opaque: hidden, found: false });
        let dir = parent.dir.open_dir(name).map_err(|source| Error::Write { path: shown(&path), source })?;
        Ok(self.keep(wanted, Place { dir, path }))
    }

    /// The directory that `path` leads to inside the tree, if there is one.
    pub(super) fn existing(&mut self, path: &[u8]) -> Result<Option<Rc<Place>>, Error> {
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
}

/// `path/name`; with an empty name, the prefix of everything below `path`.
pub(super) fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
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
