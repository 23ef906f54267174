//! I2: each blob has the content of its name.

use super::finding::{Finding, Findings, Invariant, Part, Repair};
use super::images::{self, pull_again};
use crate::storage::error::Error;
use crate::storage::store::Store;
use crate::sys;
use crate::types::digest::Digest;
use crate::types::failure::chain;

/// Hashes blobs.
pub(super) fn check(store: &Store, digests: &[Digest], findings: &mut Findings) -> Result<(), Error> {
    for digest in digests {
        match store.verify_blob(digest) {
            Ok(true) => {}
            Ok(false) => damaged(store, digest, "its content is not what its name says", findings)?,
            // Swept since the directory was read.
            Err(_) if !sys::fs::exists(&store.layout().blob(digest)) => {}
            // As good as another content.
            Err(error) if error.is_bad_disk() => damaged(store, digest, &chain(&error), findings)?,
            // It may be whole.
            Err(error) => findings.push(finding(store, digest, &chain(&error), None)),
        }
    }
    Ok(())
}

/// Names a damaged blob, the images that it belongs to, and the cure.
pub(super) fn damaged(store: &Store, digest: &Digest, problem: &str, findings: &mut Findings) -> Result<(), Error> {
    let users = images::users_of_blob(store, digest)?;
    let advice = (!users.is_empty()).then(|| pull_again(&users));
    findings.push(finding(store, digest, problem, Some(Repair::DropBlob(digest.clone()))).advised(advice));
    Ok(())
}

fn finding(store: &Store, digest: &Digest, problem: &str, repair: Option<Repair>) -> Finding {
    let path = store.layout().blob(digest);
    Finding::new(Invariant::I2, path.display(), problem, repair).of(Part::Content(digest.clone()))
}
