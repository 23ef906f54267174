//! Whether the bytes of images are on the disk when they are published (rule R2), as `--storage-opt sync=` says.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Once;

use super::error::{At as _, Error};
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::sys::Errno;

/// When content (blobs and layers) goes to the disk. Records, names and documents are always durable before a command says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SyncPolicy {
    /// Before it is published.
    #[default]
    Filesystem,
    /// When the kernel likes: a power cut may take it from an image that stays.
    None,
}

/// What commands without a sync have noted; see [`Store::note_unsynced`].
#[derive(Debug)]
pub(crate) struct Unsynced {
    /// Of this epoch: a sync does for them.
    notes: Vec<PathBuf>,
    /// Of earlier ones: what such content has lost with the machine's end no sync brings back.
    witnesses: Vec<PathBuf>,
}

impl Store {
    pub(crate) fn set_sync_policy(&mut self, policy: SyncPolicy) {
        self.sync_policy = policy;
    }

    pub(crate) fn sync_policy(&self) -> SyncPolicy {
        self.sync_policy
    }

    /// Notes that content is published that is not synced, under a name of its own: whoever removes notes after a sync
    /// removes none that was made meanwhile. Comes before the content can be found, on the disk, too: it is the witness of
    /// what a power cut may have taken.
    pub(super) fn note_unsynced(&self) -> Result<(), Error> {
        let (dir, graphroot) = (self.layout().unsynced(), self.layout().graphroot());
        let note = dir.join(format!("{}-{}", self.layout().epoch(), hex::encode(sys::fs::random::<6>())));
        // One that is there serves as well, so that they do not become many.
        for old in self.unsynced()?.notes {
            match sys::fs::rename(&old, &note) {
                Err(error) if error.is(Errno::ENOENT) => {}
                other => return other.writing(&note),
            }
        }
        sys::fs::mkdir_all(&dir, DIR_MODE).writing(&dir)?;
        sys::fs::create_new(&note, 0o600).map(drop).writing(&note)?;
        sys::fs::sync_dir(&dir).writing(&dir)?;
        sys::fs::sync_dir(graphroot).writing(graphroot)
    }

    /// The notes so far. An image that relies on such content must not be acknowledged before a sync.
    pub(crate) fn unsynced(&self) -> Result<Unsynced, Error> {
        let dir = self.layout().unsynced();
        let names = sys::fs::names(&dir).reading(&dir)?;
        let of_now = |name: &OsString| name.as_bytes().starts_with(self.layout().epoch().as_bytes());
        let (notes, witnesses): (Vec<_>, Vec<_>) = names.into_iter().partition(of_now);
        let paths = |names: Vec<OsString>| names.into_iter().map(|name| dir.join(name)).collect();
        Ok(Unsynced { notes: paths(notes), witnesses: paths(witnesses) })
    }
}

impl Unsynced {
    /// Nothing is left to a sync. The content of an earlier epoch may be: not every epoch ends with the kernel.
    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.witnesses.is_empty()
    }

    /// After the file system was synced. What an earlier epoch has noted stays, and the user is told.
    pub(super) fn forget(&self) -> Result<(), Error> {
        static SAID: Once = Once::new();
        if !self.witnesses.is_empty() {
            SAID.call_once(|| {
                tracing::warn!(
                    "images stored with sync=none before the last boot may be damaged: `sampan system check --full --repair` tells"
                );
            });
        }
        remove(&self.notes)
    }

    /// After the content of the whole store was found whole.
    pub(crate) fn forget_witnesses(&self) -> Result<(), Error> {
        remove(&self.witnesses)
    }
}

fn remove(notes: &[PathBuf]) -> Result<(), Error> {
    for note in notes {
        sys::fs::remove_file(note).removing(note)?;
    }
    Ok(())
}
