//! I1 for manifest lists, and I5 for the images in them.

use super::finding::{Finding, Findings, Invariant, Repair};
use crate::storage::error::Error;
use crate::storage::store::Store;
use crate::sys;
use crate::types::failure::chain;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (lists, broken) = store.lists()?;
    for error in broken {
        // As long as it is there, nobody knows what it needs: nothing is freed.
        let path = match &error {
            Error::Parse { path, .. } | Error::WrongRecord { path, .. } => Some(path.clone()),
            _ => None,
        };
        let subject = path.as_ref().map_or_else(|| "manifest list".to_owned(), |path| path.display().to_string());
        let finding = Finding::new(Invariant::I1, subject, chain(&error), path.map(Repair::Unlink));
        findings.push(finding.advised("make the list again".to_owned()));
    }
    for list in lists {
        for entry in &list.entries {
            if !sys::fs::exists(&store.layout().blob(&entry.digest)) {
                let problem = format!("the manifest {} of an image in it is missing", entry.digest);
                let finding = Finding::new(Invariant::I5, format!("manifest list {}", list.name), problem, None);
                findings.push(finding.advised("add that image again".to_owned()));
            }
        }
    }
    Ok(())
}
