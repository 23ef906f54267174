//! Does what the findings say, as far as the caller can without entering P.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::finding::{Finding, Findings, Repair};
use super::images::can_do_without;
use super::look::look;
use crate::storage::container_names::link_name;
use crate::storage::container_record::{ExitRecord, Supervision};
use crate::storage::error::{At as _, Error};
use crate::storage::images::Image;
use crate::storage::record;
use crate::storage::store::{DIR_MODE, Exclusive, Store};
use crate::storage::volumes::VolumeMeta;
use crate::sys;
use crate::sys::lock::{FileLock, TryLock};
use crate::types::digest::Digest;
use crate::types::id::ContainerId;
use crate::types::name::VolumeName;

/// Repairs one finding. False: it is not for the store alone (layers, images, processes: the engine's), or it could not
/// be done now.
pub(crate) fn repair(store: &Store, finding: &Finding) -> Result<bool, Error> {
    let Some(repair) = &finding.repair else { return Ok(false) };
    match repair {
        Repair::Directory(path, mode) => {
            sys::fs::mkdir_all(path, *mode).writing(path)?;
            sys::fs::set_mode(path, *mode).writing(path).map(|()| true)
        }
        Repair::Mode(path, mode) => sys::fs::set_mode(path, *mode).writing(path).map(|()| true),
        Repair::Unlock(path) => sys::fs::set_mode(path, DIR_MODE).writing(path).map(|()| true),
        Repair::DropBlob(digest) => drop_blob(store, digest),
        Repair::Definition(id) => store.restore_definition(id),
        Repair::Name(id) => make_name(store, id),
        Repair::Upper(id) => make_upper(store, id),
        Repair::RecordLoss(id) => record_loss(store, id),
        Repair::Volume(name) => make_volume(store, name),
        // The engine empties it, which may take a worker.
        Repair::EmptyTrash => Ok(true),
        Repair::Sweep => store.sweep().map(|swept| swept.cautious.is_none()),
        Repair::Discard(_)
        | Repair::Unlink(_)
        | Repair::Tree(_)
        | Repair::DiscardContainer(_)
        | Repair::SetAside(_)
        | Repair::DiscardImage(_)
        | Repair::RebuildImage(_)
        | Repair::UnpackImage(_)
        | Repair::UnpackFor(_)
        | Repair::RebuildLayer(_)
        | Repair::Kill(_)
        | Repair::Cgroup(_) => Ok(false),
    }
}

/// True if the repair takes something out of the store: [`take_away`] does it.
pub(crate) fn takes_away(finding: &Finding) -> bool {
    use Repair::{Discard, DiscardContainer, DiscardImage, SetAside, Tree, Unlink};
    let Some(repair) = &finding.repair else { return false };
    matches!(repair, Discard(_) | Unlink(_) | Tree(_) | DiscardContainer(_) | SetAside(_) | DiscardImage(_))
}

/// Takes out of the store what these findings are about, if they are still true: layers may have been unpacked since the
/// look, for minutes, while others have made something in the same place. For each finding what became of it.
pub(crate) fn take_away(store: &Store, findings: &[&Finding]) -> Result<Vec<Result<(), Error>>, Error> {
    if findings.is_empty() {
        return Ok(Vec::new());
    }
    let lock = store.lock_exclusive()?;
    let mut now = Findings::default();
    look(store, &lock, &mut now)?;
    let is_true =
        |finding: &Finding| now.0.iter().any(|other| other.is_about(finding) && other.repair == finding.repair);
    let one = |finding: &&Finding| match &finding.repair {
        Some(repair) if is_true(finding) => take_one(store, repair, &lock),
        _ => Ok(()),
    };
    Ok(findings.iter().map(one).collect())
}

fn take_one(store: &Store, repair: &Repair, lock: &Exclusive) -> Result<(), Error> {
    match repair {
        Repair::Discard(path) => store.move_to_trash(path).map(drop),
        Repair::Unlink(path) => unlink(store, path),
        Repair::Tree(path) => sys::fs::remove_tree(path).removing(path),
        Repair::DiscardContainer(id) => {
            // What is in its anonymous volumes may be all that is left of it; with `--rm` they go too.
            if !store.was_never_defined(id) {
                store.release_volumes(id)?;
            }
            store.discard_container(id, None).map(drop)
        }
        Repair::SetAside(id) => store.set_container_aside(id).map(drop),
        Repair::DiscardImage(digest) => store.discard_image(digest, lock),
        _ => Ok(()),
    }
}

/// A file beside the records of a container may be one that its monitor is writing, under the container's lock: then it
/// stays.
fn unlink(store: &Store, path: &Path) -> Result<(), Error> {
    let parent = path.parent().filter(|parent| parent.parent() == Some(&store.layout().containers()));
    let id = parent.and_then(|dir| dir.file_name()?.to_str()?.parse::<ContainerId>().ok());
    let _container = match id {
        Some(id) => {
            let lock = store.layout().container_lock(&id);
            match FileLock::try_exclusive(&lock).locking(&lock)? {
                TryLock::Held(held) => Some(held),
                TryLock::Busy => return Ok(()),
            }
        }
        None => None,
    };
    sys::fs::remove_file(path).removing(path).map(drop)
}

fn record_loss(store: &Store, id: &ContainerId) -> Result<bool, Error> {
    let mut locked = store.lock_container(id)?;
    if locked.supervision == Supervision::Lost {
        locked.write_exit(store, ExitRecord::unknown("monitor lost"))?;
    }
    Ok(true)
}

/// Of the images that have the blob for a layer, those that can have it from elsewhere forget it. The others are to say what
/// they miss, until it comes again. A blob that is whole stays, whatever is said of it.
fn drop_blob(store: &Store, digest: &Digest) -> Result<bool, Error> {
    let path = store.layout().blob(digest);
    let inode = || Ok(sys::fs::lstat(&path).reading(&path)?.map(|metadata| metadata.ino()));
    let before = inode()?;
    // Without the lock: it may have gigabytes.
    if before.is_some() {
        match store.verify_blob(digest) {
            Ok(true) => return Ok(false),
            Ok(false) => {}
            Err(error) if error.is_bad_disk() => {}
            Err(error) => return Err(error),
        }
    }
    // Nobody removes an image between the reading of its record and the writing.
    let _lock = store.lock_exclusive()?;
    if inode()? != before {
        return Ok(false);
    }
    // First, so that it is no twin of its own.
    sys::fs::remove_file(&path).removing(&path)?;
    for Image { mut record, .. } in store.images()?.0 {
        let before = record.clone();
        for layer in &mut record.layers {
            if layer.blob.as_ref() == Some(digest) && can_do_without(store, &before, layer)? {
                layer.blob = None;
            }
        }
        if record != before {
            record::write_durable(&store.layout().image(&record.digest), &record)?;
        }
    }
    Ok(true)
}

fn make_name(store: &Store, id: &ContainerId) -> Result<bool, Error> {
    let lock = store.lock_exclusive()?;
    let config = store.container_config(id)?;
    let path = store.layout().name(&config.name);
    match store.name_holder(&config.name)? {
        Some(holder) if holder != *id && store.owns_name(&holder, &config.name)? => return Ok(false),
        _ => sys::fs::remove_file(&path).removing(&path)?,
    };
    link_name(&store.layout().container_config(id), &path, id).writing(&path)?;
    let names = store.layout().names();
    sys::fs::sync_dir(&names).writing(&names)?;
    drop(lock);
    Ok(true)
}

/// What is missing of `upper` and `work`. A `work` that is there is made anew: nothing of value is ever in it.
fn make_upper(store: &Store, id: &ContainerId) -> Result<bool, Error> {
    let locked = store.lock_container(id)?;
    if locked.status.is_alive() || locked.supervision != Supervision::None {
        return Ok(false);
    }
    let upper = store.layout().container_upper(id);
    // A link would be followed out of the store.
    if !sys::fs::lstat(&upper).reading(&upper)?.is_some_and(|metadata| metadata.is_dir()) {
        store.move_to_trash(&upper)?;
        sys::fs::mkdir(&upper, 0o755).writing(&upper)?;
        sys::fs::set_mode(&upper, store.root_mode(&locked.config).unwrap_or(0o755)).writing(&upper)?;
    }
    let work = store.layout().container_work(id);
    store.move_to_trash(&work)?;
    sys::fs::mkdir(&work, DIR_MODE).writing(&work)?;
    drop(locked);
    Ok(true)
}

fn make_volume(store: &Store, name: &VolumeName) -> Result<bool, Error> {
    if !sys::fs::exists(&store.layout().volume(name)) {
        return store.create_volume(&VolumeMeta::new(name.clone(), false)).map(|()| true);
    }
    let mut meta = VolumeMeta::new(name.clone(), false);
    // Something may be in it: it is not filled from an image again.
    meta.needs_copy_up = false;
    record::write_durable(&store.layout().volume_meta(name), &meta).map(|()| true)
}
