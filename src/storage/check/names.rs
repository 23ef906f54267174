//! I8: every name leads to a container that has it.

use super::finding::{Findings, Invariant, Repair};
use crate::storage::error::Error;
use crate::storage::gc;
use crate::storage::store::Store;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for path in gc::stale_names(store)? {
        findings.path(Invariant::I8, &path, "leads to no container", Some(Repair::Unlink(path.clone())));
    }
    Ok(())
}
