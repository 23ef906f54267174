//! Mark and sweep (rule R4): references live in the referrer only, nothing is counted.
//!
//! Roots are the image records, the containers and the live leases. A sweep renames what nothing refers to into the
//! trash, which works on a full disk; deleting it is [`super::trash`]'s.

use std::collections::BTreeSet;

use super::container_record::{ContainerConfig, MonitorLock};
use super::error::{At as _, Error};
use super::image_documents::Manifest;
use super::images::ImageRecord;
use super::layers::{LayerKey, MapKey};
use super::lease::{self, LeaseRecord};
use super::process_identity::ProcessIdentity;
use super::record;
use super::store::{Exclusive, Store};
use crate::sys;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::digest::{ChainId, Digest};
use crate::types::failure::chain;
use crate::types::name::ContainerName;

/// What a sweep took out of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) layers: Vec<LayerKey>,
    pub(crate) blobs: Vec<Digest>,
    pub(crate) staging: usize,
    pub(crate) names: usize,
    /// Containers that a killed `run --rm` left before their start.
    pub(crate) containers: usize,
    /// A record could not be read, so that what it refers to is not known: layers and blobs were left alone. Says which.
    pub(crate) cautious: Option<String>,
}

/// What is referred to.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// By an image: kept for every map.
    pub(super) chains: BTreeSet<ChainId>,
    /// By a container or a lease.
    pub(super) layers: BTreeSet<String>,
    pub(super) blobs: BTreeSet<Digest>,
    /// Something could not be read.
    pub(super) incomplete: Option<String>,
}

impl Store {
    /// Takes everything that nothing refers to out of the store, and what killed commands left. Waits for those who are
    /// making something, which takes milliseconds. The trash has still to be emptied.
    pub(crate) fn sweep(&self) -> Result<Swept, Error> {
        let lock = self.lock_exclusive()?;
        let containers = sweep_orphans(self)?;
        let staging = sweep_staging(self, &lock)?;
        let names = sweep_names(self)?;
        sweep_references(self, &lock)?;
        self.sweep_manifests(&lock)?;
        self.sweep_volumes()?;
        self.sweep_locks()?;
        self.sweep_partials(super::partials::KEPT, &lock)?;
        lease::note_sweep(self)?;
        let marks = mark(self)?;
        let mut swept = Swept { staging, names, containers, cautious: marks.incomplete.clone(), ..Swept::default() };
        if marks.incomplete.is_none() {
            for key in self.layer_keys()? {
                if !marks.holds_layer(&key) {
                    self.move_to_trash(&self.layer_dir(&key))?;
                    swept.layers.push(key);
                }
            }
            for digest in self.blob_digests()? {
                if !marks.blobs.contains(&digest) {
                    let path = self.layout().blob(&digest);
                    sys::fs::remove_file(&path).removing(&path)?;
                    swept.blobs.push(digest);
                }
            }
        }
        drop(lock);
        Ok(swept)
    }
}

impl Marks {
    fn note(&mut self, error: Option<&Error>) {
        if let (Some(error), None) = (error, &self.incomplete) {
            self.incomplete = Some(chain(error));
        }
    }

    /// Marks what a manifest names, and returns it.
    fn vouched(&mut self, store: &Store, manifest: &Digest) -> Option<Manifest> {
        let manifest = store.manifest(manifest);
        self.note(manifest.as_ref().err());
        let manifest = manifest.ok().flatten();
        self.blobs.extend(manifest.iter().flat_map(Manifest::blobs).cloned());
        manifest
    }

    pub(super) fn holds_layer(&self, key: &LayerKey) -> bool {
        self.chains.contains(&key.chain) || self.layers.contains(&key.dir_name())
    }
}

/// Finds everything that is referred to.
pub(super) fn mark(store: &Store) -> Result<Marks, Error> {
    let mut marks = Marks::default();
    let (images, broken) = store.images()?;
    marks.note(broken.first().map(|broken| &broken.error));
    for image in images {
        mark_image(store, image.record, &mut marks)?;
    }
    marks.chains.extend(store.read_only_chains()?);
    let (lists, broken) = store.lists()?;
    marks.note(broken.first());
    for entry in lists.into_iter().flat_map(|list| list.entries) {
        marks.vouched(store, &entry.digest);
        marks.blobs.insert(entry.digest);
        marks.blobs.extend(entry.blobs);
    }
    for id in store.container_ids()? {
        match store.container_config(&id) {
            Ok(config) => {
                let map = MapKey::from_text(&config.map);
                marks.layers.extend(config.all_layers().map(|chain| LayerKey::new(chain, &map).dir_name()));
            }
            Err(Error::NoContainer(_)) => {}
            Err(error) => marks.note(Some(&error)),
        }
    }
    mark_leases(store, &mut marks)?;
    Ok(marks)
}

/// What an image refers to: by its record, and by its manifest, whose digest vouches for it.
fn mark_image(store: &Store, record: ImageRecord, marks: &mut Marks) -> Result<(), Error> {
    let manifest = marks.vouched(store, &record.digest);
    let broken = |source| Error::BrokenImage { digest: record.digest.clone(), source: Box::new(source) };
    match store.doubt(&record, manifest.as_ref()) {
        Ok(None) => {}
        Ok(Some(why)) => marks.note(Some(&broken(Error::DoubtfulRecord(why)))),
        Err(error) => marks.note(Some(&broken(error))),
    }
    if let Some(index) = &record.index {
        // The right one, if the record has another.
        if !sys::fs::exists(&store.layout().blob(index)) {
            marks.blobs.extend(store.index_of(&record.digest)?);
        }
        marks.blobs.insert(index.clone());
    }
    marks.blobs.extend(format!("sha256:{}", record.id).parse::<Digest>().ok());
    for layer in record.layers {
        marks.chains.insert(layer.chain);
        marks.blobs.extend(layer.blob);
    }
    marks.blobs.insert(record.digest);
    Ok(())
}

/// What leases rely on, those of killed commands as well until they are swept.
pub(super) fn mark_leases(store: &Store, marks: &mut Marks) -> Result<(), Error> {
    let staging = store.layout().staging();
    for name in sys::fs::names(&staging).reading(&staging)? {
        match record::read_if_exists::<LeaseRecord>(&staging.join(name).join("lease.json")) {
            Ok(Some(lease)) => {
                marks.layers.extend(lease.layers);
                marks.blobs.extend(lease.blobs);
                // The record itself may be removed by its user; what it names stays.
                for image in lease.images {
                    if let Ok(Some(record)) = store.image_record(&image) {
                        marks.chains.extend(record.layers.into_iter().map(|layer| layer.chain));
                    }
                }
            }
            Ok(None) => {}
            Err(error) => marks.note(Some(&error)),
        }
    }
    Ok(())
}

/// Moves staging directories whose maker is gone to the trash. Whoever is in the middle of making a directory holds the
/// store lock shared.
pub(super) fn sweep_staging(store: &Store, lock: &Exclusive) -> Result<usize, Error> {
    let staging = store.layout().staging();
    let (mut dead, mut kept) = (Vec::new(), BTreeSet::new());
    for name in sys::fs::names(&staging).reading(&staging)? {
        let path = staging.join(&name);
        if is_leased(&path)? {
            kept.extend(promises(&path)?);
        } else {
            dead.push(path);
        }
    }
    let mut swept = 0;
    for path in &dead {
        let mut decided = true;
        for digest in promises(path)?.difference(&kept) {
            decided &= break_promise(store, digest, lock)?;
        }
        // The note that says so goes last.
        if decided {
            store.move_to_trash(path)?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Images that somebody who lives is about to name, or works with.
pub(super) fn promised_images(store: &Store) -> Result<BTreeSet<Digest>, Error> {
    let staging = store.layout().staging();
    let mut wanted = BTreeSet::new();
    for name in sys::fs::names(&staging).reading(&staging)? {
        let path = staging.join(&name);
        wanted.extend(promises(&path)?);
        if let Some(lease) = record::read_if_exists::<LeaseRecord>(&path.join("lease.json"))? {
            wanted.extend(lease.images);
        }
    }
    Ok(wanted)
}

/// Images that whoever has, or had, this staging directory wanted to name.
fn promises(path: &std::path::Path) -> Result<BTreeSet<Digest>, Error> {
    Ok(sys::fs::names(path).reading(path)?.iter().filter_map(|name| lease::promised(name)).collect())
}

/// Takes away an image whose maker died between its record and its name. Nobody was told of it. False if that cannot be
/// decided now.
fn break_promise(store: &Store, digest: &Digest, lock: &Exclusive) -> Result<bool, Error> {
    let (references, broken) = store.references()?;
    if references.iter().any(|reference| reference.digest == *digest) {
        return Ok(true);
    }
    // A name that cannot be read may be its name.
    let (true, Ok(record)) = (broken.is_empty(), store.image_record(digest)) else { return Ok(false) };
    let Some(record) = record else { return Ok(true) };
    match store.image_users(digest, &record.id) {
        Ok(users) if users.is_empty() => store.discard_image(digest, lock)?,
        Ok(_) => {}
        // One that cannot be read may be made of it.
        Err(Error::BrokenContainer { .. }) => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// True if a staging directory has a living maker. One without a lock is a container or a volume being made: its maker
/// holds the store lock.
pub(super) fn is_leased(path: &std::path::Path) -> Result<bool, Error> {
    let lock = path.join("lock");
    // A look that fails is no proof that nobody is there.
    Ok(sys::fs::lstat(&lock).reading(&lock)?.is_some()
        && matches!(FileLock::try_exclusive(&lock).locking(&lock)?, TryLock::Busy))
}

/// Frees the names whose container is gone or has another name (rule R6). The exclusive store lock is held.
pub(super) fn sweep_names(store: &Store) -> Result<usize, Error> {
    let mut swept = 0;
    for path in stale_names(store)? {
        sys::fs::remove_file(&path).removing(&path)?;
        swept += 1;
    }
    Ok(swept)
}

/// Removes the names whose image is gone: an `rmi` was killed between the two.
fn sweep_references(store: &Store, lock: &Exclusive) -> Result<(), Error> {
    for reference in store.references()?.0 {
        let image = store.layout().image(&reference.digest);
        // Known to be absent, not merely unreadable now.
        if sys::fs::lstat(&image).reading(&image)?.is_none() {
            store.untag(&reference.name, lock)?;
        }
    }
    Ok(())
}

/// Name files that name nobody.
pub(super) fn stale_names(store: &Store) -> Result<Vec<std::path::PathBuf>, Error> {
    let dir = store.layout().names();
    let mut stale = Vec::new();
    for entry in sys::fs::names(&dir).reading(&dir)? {
        let Some(name) = entry.to_str().and_then(|name| name.parse::<ContainerName>().ok()) else { continue };
        let held = match store.name_holder(&name) {
            Ok(Some(id)) => store.owns_name(&id, &name)?,
            Ok(None) => false,
            // Of a later version, no file of ours, or not to be read now: not ours to judge, and no reason to stop at
            // (cases F08, F12).
            Err(_) => true,
        };
        if !held {
            stale.push(dir.join(&entry));
        }
    }
    Ok(stale)
}

/// Removes the containers that a killed `run --rm` left before their start.
pub(super) fn sweep_orphans(store: &Store) -> Result<usize, Error> {
    let mut swept = 0;
    for id in store.container_ids()? {
        let Ok(config) = store.container_config(&id) else { continue };
        if is_orphan(store, &config)? {
            store.discard_container(&id, Some(&config.name))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// True if a container was made by a `run` that died before it could start it: nobody will.
pub(crate) fn is_orphan(store: &Store, config: &ContainerConfig) -> Result<bool, Error> {
    let transient = config.creator.is_some() && config.spec.remove;
    Ok(transient && !is_about_to_start(store, config) && store.monitor_lock(&config.id)? == MonitorLock::Absent)
}

/// True if the `run` that made the container may still live. A pid of another epoch is somebody else's.
pub(crate) fn is_about_to_start(store: &Store, config: &ContainerConfig) -> bool {
    let elsewhen = config.creator_epoch.as_ref().is_some_and(|epoch| epoch != store.layout().epoch());
    let is_other =
        |process: ProcessIdentity| config.creator_start_time.is_some_and(|start| start != process.start_time);
    config.creator.is_some_and(|creator| match ProcessIdentity::of(creator) {
        _ if elsewhen => false,
        Ok(process) => process.is_some_and(|process| !is_other(process)),
        // Nobody knows now.
        Err(_) => true,
    })
}
