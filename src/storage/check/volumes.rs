//! I1 for volumes. Their data is the user's and stays as it is.

use super::finding::{Finding, Findings, Invariant, Repair};
use crate::storage::error::Error;
use crate::storage::store::Store;
use crate::sys;
use crate::types::failure::chain;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (volumes, broken) = store.volumes()?;
    for (name, error) in broken {
        let newer = matches!(error, Error::NewerRecord { .. });
        let problem = format!("{}: its labels and options are lost", chain(&error));
        findings.add(Invariant::I1, format!("volume {name}"), problem, (!newer).then(|| Repair::Volume(name.clone())));
    }
    for meta in volumes {
        let data = store.layout().volume_data(&meta.name);
        let subject = format!("volume {}", meta.name);
        if sys::fs::stat(&data).is_ok_and(|found| found.is_some_and(|found| !found.is_dir())) {
            let finding = Finding::new(Invariant::I7, &subject, "_data is not a directory", None);
            findings.push(finding.advised("move it away".to_owned()));
        } else if !sys::fs::exists(&data) {
            let repair = Some(Repair::Directory(data, 0o755));
            findings.add(Invariant::I7, &subject, "_data is missing: what was in it is lost", repair);
        }
    }
    Ok(())
}
