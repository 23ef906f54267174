//! I9: nothing is left in staging and trash. I15: everything is referred to.

use super::finding::{Findings, Invariant, Repair};
use crate::storage::error::{At as _, Error};
use crate::storage::gc;
use crate::storage::partials;
use crate::storage::store::Store;
use crate::storage::trash;
use crate::sys;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let dir = store.layout().staging();
    for name in sys::fs::names(&dir).reading(&dir)? {
        let path = dir.join(name);
        if !gc::is_leased(&path)? {
            findings.path(Invariant::I9, &path, "left by a command that was killed", Some(Repair::Sweep));
        }
    }
    // A download that was cut off waits for the next pull, though not for ever.
    for partial in store.partials()? {
        let old = partial.modified.elapsed().is_ok_and(|age| age >= partials::KEPT);
        if old && !partial.busy {
            let path = store.layout().partial(&partial.digest);
            findings.path(Invariant::I9, &path, "a download that nobody has gone on with", Some(Repair::Sweep));
        }
    }
    let trash = store.layout().trash();
    for name in sys::fs::names(&trash).reading(&trash)? {
        // A command that removes much may be at it for longer than we look.
        if trash::is_being_deleted(&name) {
            continue;
        }
        findings.path(Invariant::I9, &trash.join(name), "not deleted yet", Some(Repair::EmptyTrash));
    }
    for name in store.lost_volumes()? {
        let path = store.layout().volume(&name);
        findings.path(Invariant::I15, &path, "volume of a container that is gone", Some(Repair::Discard(path.clone())));
    }
    let marks = gc::mark(store)?;
    if marks.incomplete.is_some() {
        return Ok(());
    }
    for key in store.layer_keys()? {
        // Waits for the next use of the store that it came from; the next sweep takes it all the same.
        let elsewhere = store.layer(&key).ok().flatten().and_then(|meta| meta.origin);
        if !marks.holds_layer(&key) && !elsewhere.is_some_and(|origin| sys::fs::exists(&origin)) {
            findings.add(
                Invariant::I15,
                format!("layer {}", key.dir_name()),
                "nothing refers to it",
                Some(Repair::Sweep),
            );
        }
    }
    for digest in store.blob_digests()? {
        if !marks.blobs.contains(&digest) {
            findings.add(Invariant::I15, format!("blob {digest}"), "nothing refers to it", Some(Repair::Sweep));
        }
    }
    Ok(())
}
