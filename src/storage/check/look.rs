//! The look at the whole store.

use super::finding::{Finding, Findings, locks_out};
use super::{blobs, containers, entries, images, layers, lists, names, orphans, volatile, volumes};
use crate::storage::error::Error;
use crate::storage::store::{Exclusive, Store};
use crate::sys;
use crate::types::digest::Digest;

/// How far to look.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// At no content of blobs.
    Quick,
    /// At every blob.
    Full,
    /// At these blobs: the others were found whole a moment ago.
    Again(&'a [Digest]),
}

/// Looks at everything that the caller can see without entering P.
pub(crate) fn check(store: &Store, scope: Scope<'_>) -> Result<Vec<Finding>, Error> {
    let mut findings = Findings::default();
    if !sys::fs::exists(&store.layout().version()) {
        return Ok(findings.0);
    }
    // While somebody makes an object, its parts may be there before it is. A slice with nobody at work.
    let slice = store.lock_exclusive()?;
    look(store, &slice, &mut findings)?;
    drop(slice);
    match scope {
        _ if locks_out(&findings.0) => {}
        Scope::Quick => {}
        Scope::Full => blobs::check(store, &store.blob_digests()?, &mut findings)?,
        Scope::Again(digests) => blobs::check(store, digests, &mut findings)?,
    }
    Ok(findings.0)
}

/// What there is to say of the store as long as the lock is held; at no content of blobs.
pub(super) fn look(store: &Store, _lock: &Exclusive, findings: &mut Findings) -> Result<(), Error> {
    entries::check(store, findings)?;
    if locks_out(&findings.0) {
        return Ok(());
    }
    containers::check(store, findings)?;
    names::check(store, findings)?;
    layers::check(store, findings)?;
    images::check(store, findings)?;
    lists::check(store, findings)?;
    volumes::check(store, findings)?;
    orphans::check(store, findings)?;
    volatile::check(store, findings)
}
