//! Whether the bytes of images are on the disk when they are published (rule R2), as `--storage-opt sync=` says.

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
pub(super) struct Unsynced(Vec<std::path::PathBuf>);

impl Store {
    pub(crate) fn set_sync_policy(&mut self, policy: SyncPolicy) {
        self.sync_policy = policy;
    }

    pub(crate) fn sync_policy(&self) -> SyncPolicy {
        self.sync_policy
    }

    /// Notes that content is published that is not synced, under a name of its own: whoever removes notes after a sync
    /// removes none that was made meanwhile. Comes before the content can be found.
    pub(super) fn note_unsynced(&self) -> Result<(), Error> {
        let dir = self.layout().unsynced();
        sys::fs::mkdir_all(&dir, DIR_MODE).writing(&dir)?;
        let note = dir.join(hex::encode(sys::fs::random::<6>()));
        // One that is there serves as well, so that they do not become many.
        for old in self.unsynced()?.0 {
            match sys::fs::rename(&old, &note) {
                Err(error) if error.is(Errno::ENOENT) => {}
                other => return other.writing(&note),
            }
        }
        sys::fs::create_new(&note, 0o600).map(drop).writing(&note)
    }

    /// The notes so far. An image that relies on such content must not be acknowledged before a sync.
    pub(super) fn unsynced(&self) -> Result<Unsynced, Error> {
        let dir = self.layout().unsynced();
        let names = sys::fs::names(&dir).reading(&dir)?;
        Ok(Unsynced(names.iter().map(|name| dir.join(name)).collect()))
    }
}

impl Unsynced {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// After the file system was synced.
    pub(super) fn forget(self) -> Result<(), Error> {
        for note in &self.0 {
            match sys::fs::remove_file(note) {
                // Another command has synced, too.
                Err(error) if error.is(Errno::ENOENT) => {}
                other => {
                    other.removing(note)?;
                }
            }
        }
        Ok(())
    }
}
