//! Leases (rule R5): a directory in `staging/` for one long operation (a pull, a load, a build), held by a lock.
//!
//! Everything that the operation makes starts there. What it relies on and did not make is listed in `lease.json`, so
//! that nobody sweeps a layer between "it is here already" and the image that refers to it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::{At as _, Error};
use super::layers::LayerKey;
use super::record::{self, Record};
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::digest::Digest;

/// A staging directory that is ours. Dropping it gives the lock up; [`Lease::finish`] removes the directory too, and
/// whoever sweeps does so otherwise.
#[derive(Debug)]
pub(crate) struct Lease {
    dir: PathBuf,
    lock: FileLock,
    relied: Mutex<LeaseRecord>,
}

/// `lease.json`: objects that must not be swept while the lease lives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseRecord {
    pub(super) version: u32,
    pub(super) blobs: BTreeSet<Digest>,
    /// Names of layer directories.
    pub(super) layers: BTreeSet<String>,
    /// Manifest digests.
    #[serde(default)]
    pub(super) images: BTreeSet<Digest>,
}

impl Record for LeaseRecord {
    fn version(&self) -> u32 {
        self.version
    }
}

/// File in a staging directory: a sweep has gone by.
const SWEPT: &str = "swept";

/// File in a staging directory: an image that shall get a name.
fn promise(digest: &Digest) -> String {
    format!("image-{}", digest.hex())
}

/// The image of a file that [`Lease::promise`] has made.
pub(super) fn promised(name: &OsStr) -> Option<Digest> {
    format!("sha256:{}", name.to_str()?.strip_prefix("image-")?).parse().ok()
}

impl Store {
    /// An image stays without a name, whatever others that bring the same image have promised.
    pub(crate) fn keep_unnamed(&self, digest: &Digest) -> Result<(), Error> {
        let staging = self.layout().staging();
        for name in sys::fs::names(&staging).reading(&staging)? {
            let dir = staging.join(name);
            let path = dir.join(promise(digest));
            // A note that came back after a power cut would take the image away.
            if sys::fs::remove_file(&path).removing(&path)? {
                sys::fs::absent_is_none(sys::fs::sync_dir(&dir)).writing(&dir)?;
            }
        }
        Ok(())
    }

    /// Begins a lease. Made and locked under the shared store lock: the sweeper, who has it exclusively, never meets a
    /// new directory that is not locked yet.
    pub(crate) fn lease(&self) -> Result<Lease, Error> {
        let shared = self.lock_shared()?;
        let dir = self.layout().staging().join(hex::encode(sys::fs::random::<12>()));
        sys::fs::mkdir(&dir, DIR_MODE).writing(&dir)?;
        let path = dir.join("lock");
        let lock = match FileLock::try_exclusive(&path).locking(&path) {
            Ok(TryLock::Held(lock)) => Ok(lock),
            // Nobody else knows the name yet.
            Ok(TryLock::Busy) => Err(Error::Lock {
                source: sys::Error::new("flock", format!("{path:?}"), sys::Errno::EWOULDBLOCK),
                path: path.clone(),
            }),
            Err(error) => Err(error),
        };
        let lock = lock.inspect_err(|_| {
            // Neither takes a descriptor, which may be what we lack.
            if let Err(leftover) = sys::fs::remove_file(&path).and_then(|_| sys::fs::remove_dir(&dir)) {
                tracing::debug!(%leftover, "staging stays");
            }
        })?;
        drop(shared);
        Ok(Lease { dir, lock, relied: Mutex::new(LeaseRecord { version: 1, ..LeaseRecord::default() }) })
    }
}

impl Lease {
    /// The staging directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Flushes the file system of the store. By a descriptor that is as old as the lease: it tells of every write error
    /// since then, also of those that another command's flush has met.
    pub(crate) fn sync_filesystem(&self) -> Result<(), Error> {
        sys::filesystem::sync_filesystem(self.lock.as_fd()).writing(&self.dir)
    }

    /// Path of a new entry of the staging directory.
    pub(crate) fn new_path(&self, kind: &str) -> PathBuf {
        self.dir.join(format!("{kind}-{}", hex::encode(sys::fs::random::<6>())))
    }

    /// Notes that an image is about to be recorded that has no name yet. If whoever has the lease dies before the name is
    /// there, the sweep takes the image away again ([`super::gc`]); one that was there before stays. Written before the
    /// blobs are synced, so that no power cut keeps the image without the note.
    pub(crate) fn promise(&self, store: &Store, digest: &Digest) -> Result<(), Error> {
        let path = self.dir.join(promise(digest));
        // First the note, then the look: whoever keeps it without a name meanwhile removes the note.
        sys::fs::replace_volatile(&path, b"").writing(&path)?;
        let image = store.layout().image(digest);
        if sys::fs::lstat(&image).reading(&image)?.is_some() {
            sys::fs::remove_file(&path).removing(&path)?;
        }
        Ok(())
    }

    /// The same once more, under the store lock: what was there at the first look may have been removed since, and now
    /// nobody removes it.
    pub(super) fn promise_again(&self, store: &Store, digest: &Digest) -> Result<(), Error> {
        let (note, image) = (self.dir.join(promise(digest)), store.layout().image(digest));
        if sys::fs::lstat(&note).reading(&note)?.is_some() || sys::fs::lstat(&image).reading(&image)?.is_some() {
            return Ok(());
        }
        self.promise(store, digest)?;
        sys::fs::sync_dir(&self.dir).writing(&self.dir)
    }

    /// True if the blob is in the store; it stays there as long as the lease.
    pub(crate) fn rely_on_blob(&self, store: &Store, digest: &Digest) -> Result<bool, Error> {
        self.rely(store, &store.layout().blob(digest), |record| record.blobs.insert(digest.clone()))
    }

    /// True if the layer is in the store; it stays there as long as the lease.
    pub(crate) fn rely_on_layer(&self, store: &Store, key: &LayerKey) -> Result<bool, Error> {
        self.rely(store, &store.layout().layer(&key.dir_name()), |record| record.layers.insert(key.dir_name()))
    }

    fn rely(&self, store: &Store, object: &Path, note: impl FnOnce(&mut LeaseRecord) -> bool) -> Result<bool, Error> {
        let mut record = self.relied.lock().unwrap_or_else(PoisonError::into_inner);
        // Written down before the look, both while nobody sweeps.
        let shared = store.lock_shared()?;
        if note(&mut record) {
            record::write_volatile(&self.dir.join("lease.json"), &*record)?;
        }
        let there = sys::fs::exists(object);
        drop(shared);
        Ok(there)
    }

    /// Ends the lease and removes the directory. What is left in it goes to the trash: it may belong to subordinate ids. True
    /// if a sweep has gone by meanwhile: what it spared for this lease alone is for its holder to sweep.
    #[must_use = "what a sweep has spared is swept by nobody else"]
    pub(crate) fn finish(self, store: &Store) -> Result<bool, Error> {
        let Self { dir, lock, .. } = self;
        // Before the look for the sweep's note, which is written before this is read.
        let relied = dir.join("lease.json");
        sys::fs::remove_file(&relied).removing(&relied)?;
        let mut passed = false;
        for name in sys::fs::names(&dir).reading(&dir)? {
            passed |= name == SWEPT;
            if name == SWEPT || promised(&name).is_some() {
                let path = dir.join(name);
                sys::fs::remove_file(&path).removing(&path)?;
            }
        }
        let path = dir.join("lock");
        sys::fs::remove_file(&path).removing(&path)?;
        match sys::fs::remove_dir(&dir) {
            Err(error) if error.is(sys::Errno::ENOTEMPTY) => {
                store.move_to_trash(&dir)?;
            }
            other => drop(other.removing(&dir)?),
        }
        drop(lock);
        Ok(passed)
    }
}

/// Tells everyone who has a lease that a sweep goes by, which shall free what only they rely on when they end. Without the
/// note, as on a full disk, the next sweep does.
pub(super) fn note_sweep(store: &Store) -> Result<(), Error> {
    let staging = store.layout().staging();
    for name in sys::fs::names(&staging).reading(&staging)? {
        let dir = staging.join(name);
        if !sys::fs::exists(&dir.join("lease.json")) {
            continue;
        }
        match sys::fs::replace_volatile(&dir.join(SWEPT), b"") {
            Err(error) if error.is(sys::Errno::ENOENT) => {}
            Err(error) => tracing::debug!(%error, "what leases hold stays for the next sweep"),
            Ok(()) => {}
        }
    }
    Ok(())
}
