//! Blobs that have not come in full: `partial/<hex>` holds what there is, from the first byte on. It outlives a killed
//! pull, a cut and a reboot, so that nothing is fetched twice; age takes it away.
//!
//! Whoever fetches a blob holds the lock of its partial until the blob is published, which is a rename from here to
//! `blobs/`. Others wait for the lock; they get it when the first one is done, or dead. A partial is never shortened:
//! what is of no use is unlinked, because somebody may be publishing that very file.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::blobs::BlobWriter;
use super::error::{At as _, Error};
use super::gc::{self, Marks};
use super::store::{DIR_MODE, Exclusive, Store};
use crate::sys;
use crate::sys::Call as _;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::digest::Digest;

/// Partials that nobody has touched for so long are swept.
pub(crate) const KEPT: Duration = Duration::from_hours(7 * 24);

/// A partial that is ours. The lock is shared with forked children.
#[derive(Debug)]
pub(crate) struct Partial {
    lock: FileLock,
    digest: Digest,
    size: u64,
}

/// What a look at a partial gave.
#[derive(Debug)]
pub(crate) enum TryPartial {
    Held(Partial),
    /// Somebody else fetches it, and has so many bytes.
    Busy(u64),
}

/// A partial as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartialFile {
    pub(crate) digest: Digest,
    /// Bytes so far.
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    /// Somebody fetches it right now.
    pub(crate) busy: bool,
}

impl Store {
    /// Takes the partial of a blob of `size` bytes, which is made if there is none. One that is longer belongs to some
    /// other claim about the size: it is begun anew.
    pub(crate) fn try_partial(&self, digest: &Digest, size: u64) -> Result<TryPartial, Error> {
        let (dir, path) = (self.layout().partials(), self.layout().partial(digest));
        sys::fs::mkdir_all(&dir, DIR_MODE).writing(&dir)?;
        loop {
            let lock = match FileLock::try_exclusive(&path).locking(&path)? {
                TryLock::Held(lock) => lock,
                TryLock::Busy => {
                    let found = sys::fs::lstat(&path).reading(&path)?;
                    return Ok(TryPartial::Busy(found.map_or(0, |metadata| metadata.len())));
                }
            };
            let partial = Partial { lock, digest: digest.clone(), size };
            if partial.arrived()? <= size {
                return Ok(TryPartial::Held(partial));
            }
            partial.discard()?;
        }
    }

    /// All partials; foreign entries are passed over.
    pub(crate) fn partials(&self) -> Result<Vec<PartialFile>, Error> {
        let dir = self.layout().partials();
        let mut found = Vec::new();
        for name in sys::fs::names(&dir).reading(&dir)? {
            let digest = name.to_str().and_then(|name| format!("sha256:{name}").parse::<Digest>().ok());
            let path = dir.join(&name);
            let Some(digest) = digest else { continue };
            let Some(metadata) = sys::fs::lstat(&path).reading(&path)?.filter(std::fs::Metadata::is_file) else {
                continue;
            };
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let busy = FileLock::is_held(&path).locking(&path)?;
            found.push(PartialFile { digest, size: metadata.len(), modified, busy });
        }
        Ok(found)
    }

    /// Removes the partials that nobody fetches or counts on, and that are older than `age`. Answers the bytes that they had.
    pub(crate) fn sweep_partials(&self, age: Duration, _lock: &Exclusive) -> Result<u64, Error> {
        let (mut bytes, mut marks) = (0, Marks::default());
        // A pull that waits for others has given up what it has fetched in full, and comes back for it.
        gc::mark_leases(self, &mut marks)?;
        if marks.incomplete.is_some() {
            return Ok(0);
        }
        for partial in self.partials()? {
            // A clock that was set back makes nothing old.
            let old = partial.modified.elapsed().is_ok_and(|elapsed| elapsed >= age);
            if !old || partial.busy || marks.blobs.contains(&partial.digest) {
                continue;
            }
            let path = self.layout().partial(&partial.digest);
            if let TryLock::Held(lock) = FileLock::try_exclusive(&path).locking(&path)? {
                sys::fs::remove_file(&path).removing(&path)?;
                drop(lock);
                bytes += partial.size;
            }
        }
        Ok(bytes)
    }
}

impl Partial {
    /// Bytes that are there.
    pub(crate) fn arrived(&self) -> Result<u64, Error> {
        let path = self.lock.path();
        let metadata = self.lock.file().metadata().call("fstat", || format!("{path:?}")).reading(path)?;
        Ok(metadata.len())
    }

    /// Opens what there is, for another process to read while this one writes.
    pub(crate) fn open(&self) -> Result<File, Error> {
        let path = self.lock.path();
        sys::fs::open(path).reading(path)
    }

    /// Goes on writing: what is there is hashed piece by piece, and `tell` hears how far that is.
    pub(crate) fn resume(&self, mut tell: impl FnMut(u64) -> sys::Result<()>) -> Result<BlobWriter, Error> {
        let path = self.lock.path();
        let mut file = self.lock.file().try_clone().call("dup", || format!("{path:?}")).reading(path)?;
        file.rewind().call("lseek", || format!("{path:?}")).reading(path)?;
        let (mut hash, mut written) = (Sha256::new(), 0);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = file.read(&mut buffer).call("read", || format!("{path:?}")).reading(path)?;
            if count == 0 {
                return Ok(BlobWriter::going_on(file, path, hash, written, &self.digest, self.size));
            }
            hash.update(&buffer[..count]);
            written += count as u64;
            tell(written).reading(path)?;
        }
    }

    /// Gives up what is there.
    pub(crate) fn discard(self) -> Result<(), Error> {
        let path = self.lock.path();
        sys::fs::remove_file(path).removing(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Partial, TryPartial};
    use crate::storage::Store;
    use crate::storage::publish::Staged;
    use crate::storage::tests::Fixture;
    use crate::sys;
    use crate::types::digest::Digest;

    const BYTES: &[u8] = b"0123456789abcdef";

    fn take(store: &Store, size: u64) -> Option<Partial> {
        match store.try_partial(&Digest::of(BYTES), size).expect("partial") {
            TryPartial::Held(partial) => Some(partial),
            TryPartial::Busy(_) => None,
        }
    }

    fn sweep(store: &Store, age: Duration) -> u64 {
        store.sweep_partials(age, &store.lock_exclusive().expect("locked")).expect("swept")
    }

    #[test]
    fn r5_what_a_living_pull_has_fetched_and_given_up_stays() {
        let fixture = Fixture::new();
        let store = fixture.open();
        let lease = store.lease().expect("lease");
        assert!(!lease.rely_on_blob(&store, &Digest::of(BYTES)).expect("noted"));
        let partial = take(&store, 16).expect("ours");
        partial.resume(|_| Ok(())).expect("begun").write_chunk(BYTES).expect("written");
        drop(partial);
        assert_eq!(sweep(&store, Duration::ZERO), 0);
        assert_eq!(store.partials().expect("list").len(), 1);
        assert!(!lease.finish(&store).expect("finished"), "no sweep");
        assert_eq!(sweep(&store, Duration::ZERO), 16);
    }

    #[test]
    fn what_came_is_kept_and_hashed_again() {
        let fixture = Fixture::new();
        let store = fixture.open();
        let size = BYTES.len() as u64;
        let first = take(&store, size).expect("ours");
        let mut writer = first.resume(|_| Ok(())).expect("begun");
        writer.write_chunk(&BYTES[..7]).expect("written");
        let busy = store.try_partial(&Digest::of(BYTES), size).expect("look");
        assert!(matches!(busy, TryPartial::Busy(7)), "{busy:?}");
        assert!(store.partials().expect("list")[0].busy);
        assert_eq!(sweep(&store, Duration::ZERO), 0, "somebody works on it");
        drop((first, writer));

        let second = take(&store, size).expect("the first one died");
        let mut told = Vec::new();
        let mut writer = second
            .resume(|length| {
                told.push(length);
                Ok(())
            })
            .expect("resumed");
        assert_eq!((told.as_slice(), writer.written()), (&[7][..], 7));
        writer.write_chunk(&BYTES[7..]).expect("written");
        let blob = writer.finish().expect("whole");
        let lease = store.lease().expect("lease");
        store.publish(&lease, &Staged { blobs: &[blob], ..Staged::default() }).expect("published");
        assert!(store.verify_blob(&Digest::of(BYTES)).expect("there"));
        assert!(store.partials().expect("list").is_empty());
        drop(second);
    }

    #[test]
    fn what_is_damaged_too_long_or_old_goes() {
        let fixture = Fixture::new();
        let store = fixture.open();
        let path = store.layout().partial(&Digest::of(BYTES));
        drop(take(&store, 16));
        sys::fs::replace_volatile(&path, b"damage").expect("written");
        let partial = take(&store, 16).expect("ours");
        let mut writer = partial.resume(|_| Ok(())).expect("resumed");
        writer.write_chunk(&BYTES[6..]).expect("written");
        assert!(writer.finish().is_err(), "the digest tells");
        partial.discard().expect("unlinked");
        assert!(!path.exists());

        sys::fs::replace_volatile(&path, &[0; 17]).expect("written");
        assert_eq!(take(&store, 16).expect("begun anew").arrived().expect("size"), 0);
        assert_eq!(sweep(&store, Duration::from_hours(1)), 0);
        assert!(path.exists());
        sweep(&store, Duration::ZERO);
        assert!(!path.exists());
    }
}
