//! The store as a whole: opening it, its format, its lock.
//!
//! Lock order (rule R7): store (shared or exclusive) → image → container (ids sorted) → volume (sorted) → port.
//! Nobody holds one while waiting for a container, a download or a person. A removal, `rename`, `cp` within a stopped
//! container, and the copy driver ask for the store's with a container's in hand: whoever has the store's only tries that
//! of a container.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;

use super::error::{At as _, Error};
use super::layout::Layout;
use super::patience::{self, Share};
use super::recover;
use super::sync_policy::SyncPolicy;
use crate::sys;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::failure::FailureKind;

/// Format that this program writes.
const FORMAT: u32 = 1;

/// Mode of every directory of ours.
pub(super) const DIR_MODE: u32 = 0o700;

/// An open store. Holds no lock and no descriptor; it may be shared between threads.
#[derive(Debug)]
pub(crate) struct Store {
    layout: Layout,
    /// Stores whose images may be used too; never written. In the order in which they are asked.
    pub(super) additional: Vec<Self>,
    pub(super) sync_policy: SyncPolicy,
    /// Set when graphroot is known to have its directories.
    graph_made: OnceLock<()>,
    /// Set when the epoch's part of runroot is known to have its directories.
    run_made: OnceLock<()>,
    /// Set when graphroot is known to say that this is its runroot, or another one that is in use.
    pub(super) runroot_noted: OnceLock<()>,
}

/// The store lock, held exclusively: nobody else makes, names or removes anything. What removes by a look asks for it, and
/// looks while it is held. (A second one in the same process would wait for the first.)
#[derive(Debug)]
pub(crate) struct Exclusive(FileLock);

impl Exclusive {
    pub(super) fn into_lock(self) -> FileLock {
        self.0
    }
}

impl Store {
    /// Opens the store at these roots. It is on the path of every command, so it looks at the two roots, reads four small
    /// files and looks for a fifth; nothing is made before the first write, so that a read-only home can still be listed.
    ///
    /// The first command of an epoch also brings the store in order after a reboot (rule R12).
    ///
    /// `given`: the user named the runroot. Otherwise a store that something runs in is opened where that was started.
    pub(crate) fn open(graphroot: &Path, runroot: &Path, given: bool) -> Result<Self, Error> {
        let layout = Layout::new(graphroot, runroot)?;
        require_ours(graphroot)?;
        let noted = if given { None } else { layout.noted_runroot()? };
        let other = noted.as_ref().filter(|noted| *noted != runroot).map(|noted| layout.at_runroot(noted));
        let store = Self::begin(other.filter(Self::is_in_use).unwrap_or(layout))?;
        if noted.as_deref() == Some(store.layout.runroot()) {
            store.runroot_noted.get_or_init(|| ());
        } else if !given && store.run_made.get().is_some() {
            store.note_runroot();
        }
        Ok(store)
    }

    /// Opens the store of a given layout.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn with_layout(layout: Layout) -> Result<Self, Error> {
        require_ours(layout.graphroot())?;
        Self::begin(layout)
    }

    fn begin(layout: Layout) -> Result<Self, Error> {
        let store = Self::at(layout);
        require_ours(store.layout.runroot())?;
        if store.check_format()? {
            store.graph_made.get_or_init(|| ());
        }
        if sys::fs::exists(&store.layout.ready()) {
            store.run_made.get_or_init(|| ());
        } else if store.graph_made.get().is_some() {
            // A home or a runtime directory that cannot be written must not keep anybody from looking.
            if let Err(error) = recover::begin_epoch(&store) {
                tracing::debug!(%error, "epoch not begun");
            }
        }
        Ok(store)
    }

    pub(super) fn at(layout: Layout) -> Self {
        Self {
            layout,
            additional: Vec::new(),
            sync_policy: SyncPolicy::default(),
            graph_made: OnceLock::new(),
            run_made: OnceLock::new(),
            runroot_noted: OnceLock::new(),
        }
    }

    /// Lets the images of another store be used. It must be there, readable, and of a format that we know; nothing is
    /// made in it and none of its locks is taken.
    pub(crate) fn add_read_only(&mut self, graphroot: &Path) -> Result<(), Error> {
        let layout = Layout::with_epoch(graphroot, self.layout.runroot(), self.layout.epoch().to_owned());
        let other = Self::at(layout);
        if !other.check_format()? {
            return Err(Error::NoStore { path: graphroot.to_owned() });
        }
        self.additional.push(other);
        Ok(())
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Makes what is missing of graphroot. Every operation that writes there begins with this; it costs nothing once
    /// the store is known to be made.
    pub(crate) fn make_graph(&self) -> Result<(), Error> {
        if self.graph_made.get().is_some() {
            return Ok(());
        }
        let open = |source| Error::OpenStore { path: self.layout.graphroot().to_owned(), source };
        make_root(self.layout.graphroot())?;
        for dir in self.layout.graph_dirs() {
            sys::fs::mkdir_all(&dir, DIR_MODE).map_err(open)?;
        }
        if !sys::fs::exists(&self.layout.version()) {
            sys::fs::replace_durable(&self.layout.version(), format!("{FORMAT}\n").as_bytes()).map_err(open)?;
        }
        self.graph_made.get_or_init(|| ());
        if self.run_made.get().is_some() {
            self.note_runroot();
        }
        Ok(())
    }

    /// Makes what is missing of the epoch's part of runroot.
    pub(crate) fn make_run(&self) -> Result<(), Error> {
        if self.run_made.get().is_none() {
            self.remake_run()?;
            self.run_made.get_or_init(|| ());
        }
        self.note_runroot();
        Ok(())
    }

    /// The same, for who may have known it longer than a logout leaves it: a monitor (K-A10).
    pub(super) fn remake_run(&self) -> Result<(), Error> {
        let open = |source| Error::OpenStore { path: self.layout.runroot().to_owned(), source };
        make_root(self.layout.runroot())?;
        for dir in self.layout.run_dirs() {
            sys::fs::mkdir_all(&dir, DIR_MODE).map_err(open)?;
        }
        Ok(())
    }

    /// Says of what could not be written to runroot that there is no room.
    pub(super) fn in_runroot<T>(&self, written: Result<T, Error>) -> Result<T, Error> {
        written.map_err(|error| match error.full() {
            Some(FailureKind::NoSpace) => {
                Error::RunrootFull { runroot: self.layout.runroot().to_owned(), source: Box::new(error) }
            }
            _ => error,
        })
    }

    /// Held shared by whoever makes an object that nothing refers to yet.
    pub(crate) fn lock_shared(&self) -> Result<FileLock, Error> {
        self.make_graph()?;
        let path = self.layout.store_lock();
        patience::lock(&path, Share::Shared, || "the store".to_owned())
    }

    /// Held exclusively by whoever sweeps or removes; waits for the makers, who hold theirs for milliseconds.
    pub(crate) fn lock_exclusive(&self) -> Result<Exclusive, Error> {
        self.make_graph()?;
        let path = self.layout.store_lock();
        patience::lock(&path, Share::Exclusive, || "the store".to_owned()).map(Exclusive)
    }

    /// Like [`Self::lock_exclusive`]; none if somebody is at work.
    pub(crate) fn try_lock_exclusive(&self) -> Result<Option<Exclusive>, Error> {
        self.make_graph()?;
        let path = self.layout.store_lock();
        match FileLock::try_exclusive(&path).locking(&path)? {
            TryLock::Held(lock) => Ok(Some(Exclusive(lock))),
            TryLock::Busy => Ok(None),
        }
    }

    /// True if there is a store of a format that we know.
    fn check_format(&self) -> Result<bool, Error> {
        let path = self.layout.version();
        let read = sys::fs::absent_is_none(sys::fs::read_ordinary(&path, 4096))
            .map_err(|source| Error::OpenStore { path: self.layout.graphroot().to_owned(), source })?;
        let Some(bytes) = read else { return Ok(false) };
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        match text.parse::<u32>() {
            Ok(found) if found <= FORMAT => Ok(true),
            // An empty file is what a power cut leaves of a store that was never used.
            Err(_) if text.is_empty() => Ok(false),
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(Error::NewerStore { path: self.layout.graphroot().to_owned(), found: text, known: FORMAT })
            }
            _ => Err(Error::DamagedVersion { path, found: text, known: FORMAT }),
        }
    }
}

/// Makes a root; it was not there when the store was opened, and somebody else may have made it meanwhile.
fn make_root(root: &Path) -> Result<(), Error> {
    let made = sys::fs::mkdir_all(root, DIR_MODE);
    made.map_err(|source| Error::OpenStore { path: root.to_owned(), source })?;
    require_ours(root)
}

/// A root that is there must be ours, and nobody else may put anything in it: records decide what is mounted and started
/// (T-51). Its name can often be foreseen, so whoever made it first may be an attacker.
pub(super) fn require_ours(root: &Path) -> Result<(), Error> {
    let found = sys::fs::stat(root).map_err(|source| Error::OpenStore { path: root.to_owned(), source })?;
    let Some(found) = found else { return Ok(()) };
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    match () {
        () if owner != sys::fs::effective_uid() => Err(Error::ForeignRoot { path: root.to_owned(), owner }),
        () if mode & 0o002 != 0 => Err(Error::SharedRoot { path: root.to_owned(), mode }),
        () if mode & 0o020 != 0 && !is_closed_to_group(root) => Err(Error::SharedRoot { path: root.to_owned(), mode }),
        () => Ok(()),
    }
}

/// Makes an empty directory private: with a umask of 002, which many logins have, `mkdir` leaves it open to its group. Looks
/// again afterwards, for the group could write until then.
fn is_closed_to_group(root: &Path) -> bool {
    let is_empty = || sys::fs::names(root).is_ok_and(|names| names.is_empty());
    is_empty() && sys::fs::set_mode(root, DIR_MODE).is_ok() && is_empty()
}
