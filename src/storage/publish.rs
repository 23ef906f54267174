//! What a lease has staged becomes part of the store, and survives a power cut (rules R2, R3): blobs, layers, the image
//! that refers to them, its names.
//!
//! All of it is written into the lease and synced together; what follows are renames, and `fsync` of the directories. A
//! sync waits for the disk, on ext4 for a commit of its journal. There are three with layers: of the bytes, of all that a
//! name needs, of the names. One for each record and each directory would be six.

use std::path::PathBuf;

use super::blobs::StagedBlob;
use super::error::{At as _, Error};
use super::images::ImageRecord;
use super::layers::{LayerMeta, StagedLayer};
use super::lease::Lease;
use super::record;
use super::refs::{self, RefRecord};
use super::store::Store;
use super::sync_policy::SyncPolicy;
use crate::sys;
use crate::sys::lock::FileLock;
use crate::sys::{Call as _, Errno};
use crate::types::reference::Reference;

/// Up to this many bytes of blobs alone are synced one by one; beyond, or with layers, by one `syncfs`.
const SYNC_EACH: u64 = 4 << 20;

/// What is to be published.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Staged<'a> {
    pub(crate) blobs: &'a [StagedBlob],
    pub(crate) layers: &'a [(StagedLayer, LayerMeta)],
    pub(crate) image: Option<NewImage<'a>>,
}

/// The image that they make. One that is there is replaced: the same manifest has the same content, only `stored` differs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewImage<'a> {
    pub(crate) record: &'a ImageRecord,
    /// Without any it stays as it is.
    pub(crate) names: &'a [Reference],
}

/// A record in a lease, and its place in the store.
#[derive(Debug)]
struct StagedRecord {
    from: PathBuf,
    to: PathBuf,
}

impl Store {
    /// Publishes what `lease` has staged.
    pub(crate) fn publish(&self, lease: &Lease, staged: &Staged<'_>) -> Result<(), Error> {
        for (layer, meta) in staged.layers {
            record::write_new(&layer.meta(), meta, false)?;
        }
        let mut records = staged.image.map(|image| self.stage_records(lease, image)).transpose()?.unwrap_or_default();
        self.sync(lease, staged, &records)?;
        self.place(lease, staged, &mut records)
    }

    /// Renames what is synced to where it belongs, in the order of rule R3.
    fn place(&self, lease: &Lease, staged: &Staged<'_>, records: &mut [StagedRecord]) -> Result<(), Error> {
        let lock = match (staged.image, records.first_mut()) {
            (Some(new), Some(staged)) if new.record.source.is_none() => self.lock_keeping_source(lease, new, staged)?,
            _ => self.lock_shared()?,
        };
        if let Some(new) = staged.image.filter(|new| !new.names.is_empty()) {
            lease.promise_again(self, &new.record.digest)?;
        }
        let mut all_ours = true;
        for blob in staged.blobs {
            all_ours &= self.publish_blob(blob)?;
        }
        for (layer, _) in staged.layers {
            all_ours &= self.publish_layer(layer)?;
        }
        // What somebody else has published since our sync stays in the place of ours, and may be nobody's on the disk.
        if !all_ours && self.sync_policy == SyncPolicy::Filesystem {
            self.sync_noted(lease, false)?;
        }
        let (image, names) = records.split_at(records.len().min(1));
        put(image)?;
        if let Some(new) = staged.image.filter(|new| new.names.is_empty()) {
            self.keep_unnamed(&new.record.digest)?;
        }
        let layout = self.layout();
        sync_dirs(&[
            (layout.blobs(), !staged.blobs.is_empty()),
            (layout.layers(), !staged.layers.is_empty()),
            (layout.images(), !image.is_empty()),
        ])?;
        put(names)?;
        sync_dirs(&[(layout.refs(), !names.is_empty())])?;
        drop(lock);
        Ok(())
    }

    /// Makes the bytes of everything durable; of records and documents alone, if content is not to be synced. A write error
    /// of any staged file shows here.
    fn sync(&self, lease: &Lease, staged: &Staged<'_>, records: &[StagedRecord]) -> Result<(), Error> {
        let (blobs, layers) = (staged.blobs, staged.layers);
        let records = records.iter().map(|record| record.from.clone());
        if self.sync_policy == SyncPolicy::None {
            if !blobs.is_empty() || !layers.is_empty() {
                self.note_unsynced()?;
            }
            let documents = blobs.iter().filter(|blob| blob.document).map(|blob| blob.path.clone());
            let layers = layers.iter().flat_map(|(layer, _)| [layer.meta(), layer.dir().to_owned()]);
            return sync_each(records.chain(documents).chain(layers));
        }
        let many = !layers.is_empty() || blobs.iter().map(|blob| blob.size).sum::<u64>() > SYNC_EACH;
        if self.sync_noted(lease, many)? {
            return Ok(());
        }
        sync_each(records.chain(blobs.iter().map(|blob| blob.path.clone())))
    }

    /// Syncs the file system if there is `much` to sync, or if others have noted that they have not. Answers whether.
    fn sync_noted(&self, lease: &Lease, much: bool) -> Result<bool, Error> {
        let unsynced = self.unsynced()?;
        if !much && unsynced.is_empty() {
            return Ok(false);
        }
        lease.sync_filesystem()?;
        unsynced.forget()?;
        Ok(true)
    }

    /// Takes the store lock for an image of which nobody knows where it came from. If somebody has pulled the same one
    /// meanwhile, what that noted stays: such a pull publishes with the lock shared.
    fn lock_keeping_source(
        &self,
        lease: &Lease,
        new: NewImage<'_>,
        staged: &mut StagedRecord,
    ) -> Result<FileLock, Error> {
        let lock = self.lock_exclusive()?;
        let known = self.image_record(&new.record.digest).ok().flatten().and_then(|record| record.source);
        if known.is_some() {
            staged.from = lease.new_path("record");
            record::write_new(&staged.from, &ImageRecord { source: known, ..new.record.clone() }, true)?;
        }
        Ok(lock.into_lock())
    }

    /// Writes the record of an image, and then those of its names.
    fn stage_records(&self, lease: &Lease, image: NewImage<'_>) -> Result<Vec<StagedRecord>, Error> {
        let digest = &image.record.digest;
        let record = StagedRecord { from: lease.new_path("record"), to: self.layout().image(digest) };
        record::write_new(&record.from, image.record, false)?;
        let mut records = vec![record];
        for name in image.names {
            let to = self.layout().reference(&refs::file_name(name));
            let record = StagedRecord { from: lease.new_path("name"), to };
            record::write_new(&record.from, &RefRecord::new(name, digest), false)?;
            records.push(record);
        }
        Ok(records)
    }

    /// `false`: somebody else has published it meanwhile, and that one stays; one of another size is what a power cut has
    /// left of it.
    fn publish_blob(&self, blob: &StagedBlob) -> Result<bool, Error> {
        let target = self.layout().blob(&blob.digest);
        match sys::fs::rename_new(&blob.path, &target) {
            Err(error) if error.is(Errno::EEXIST) => {
                if self.blob_size(&blob.digest)? != Some(blob.size) {
                    return sys::fs::rename(&blob.path, &target).writing(&target).map(|()| true);
                }
                sys::fs::remove_file(&blob.path).removing(&blob.path)?;
                Ok(false)
            }
            // Named twice by one image, and published a moment ago.
            Err(error) if error.is(Errno::ENOENT) && sys::fs::exists(&target) => Ok(true),
            other => other.writing(&target).map(|()| true),
        }
    }
}

/// One file or directory after the other.
fn sync_each(paths: impl Iterator<Item = PathBuf>) -> Result<(), Error> {
    for path in paths {
        let file = sys::fs::open(&path).reading(&path)?;
        file.sync_data().call("fdatasync", || format!("{path:?}")).writing(&path)?;
    }
    Ok(())
}

/// Renames records to where they belong, over those that are there.
fn put(records: &[StagedRecord]) -> Result<(), Error> {
    for StagedRecord { from, to } in records {
        sys::fs::rename(from, to).writing(to)?;
    }
    Ok(())
}

/// Makes the names in those directories durable that something was renamed into.
fn sync_dirs(dirs: &[(PathBuf, bool)]) -> Result<(), Error> {
    for (dir, _) in dirs.iter().filter(|(_, changed)| *changed) {
        sys::fs::sync_dir(dir).writing(dir)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Staged, SyncPolicy};
    use crate::storage::Store;
    use crate::storage::tests::Fixture;
    use crate::sys;
    use crate::types::digest::Digest;

    /// Publishes one blob, and does something between its sync and the renames.
    fn publish(store: &Store, bytes: &[u8], meanwhile: impl FnOnce()) {
        let lease = store.lease().expect("lease");
        let blobs = [lease.stage_bytes(bytes).expect("staged")];
        let staged = Staged { blobs: &blobs, ..Staged::default() };
        store.sync(&lease, &staged, &[]).expect("synced");
        meanwhile();
        store.place(&lease, &staged, &mut []).expect("published");
    }

    #[test]
    fn r2_what_another_has_published_since_the_sync_is_synced_too() {
        let fixture = Fixture::new();
        let (store, mut other) = (fixture.open(), fixture.open());
        other.set_sync_policy(SyncPolicy::None);
        let notes = || store.unsynced().expect("read");
        publish(&store, b"mine", || publish(&other, b"its own", || {}));
        assert!(!notes().is_empty(), "nothing here relies on it");
        publish(&store, b"ours", || publish(&other, b"ours", || {}));
        assert!(notes().is_empty());
    }

    #[test]
    fn r2_documents_are_durable_whatever_their_size() {
        let fixture = Fixture::new();
        let store = fixture.open();
        let lease = store.lease().expect("lease");
        assert!(lease.stage_bytes(&vec![0; 3 << 20]).expect("staged").document);
        assert!(!lease.stage_blob(None, None).expect("begun").finish().expect("staged").document);
    }

    #[test]
    fn r2_what_a_power_cut_took_is_replaced_and_its_witness_stays_until_all_is_checked() {
        let fixture = Fixture::new();
        let mut before = fixture.open();
        before.set_sync_policy(SyncPolicy::None);
        publish(&before, b"content", || {});
        let path = before.layout().blob(&Digest::of(b"content"));
        sys::fs::replace_volatile(&path, b"").expect("cut");
        let store = fixture.open_in("00000000000000bb");
        publish(&store, b"content", || {});
        assert_eq!(sys::fs::read(&path).expect("read"), b"content");
        let mut loose = fixture.open_in("00000000000000bb");
        loose.set_sync_policy(SyncPolicy::None);
        publish(&loose, b"more", || {});
        publish(&store, b"other", || {});
        let notes = || sys::fs::names(&store.layout().unsynced()).expect("listed").len();
        assert_eq!(notes(), 1, "the one of the epoch before");
        store.unsynced().expect("read").forget_witnesses().expect("removed");
        assert_eq!(notes(), 0);
    }
}
