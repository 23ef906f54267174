//! I1 for volumes. Their data is the user's and stays as it is.

use super::finding::{Findings, Repair};
use crate::storage::error::Error;
use crate::storage::store::Store;
use crate::sys;
use crate::types::failure::chain;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (volumes, broken) = store.volumes()?;
    for (name, error) in broken {
        let newer = matches!(error, Error::NewerRecord { .. });
        let problem = format!("{}: its labels and options are lost", chain(&error));
        findings.add("I1", format!("volume {name}"), problem, (!newer).then(|| Repair::Volume(name.clone())));
    }
    for meta in volumes {
        let data = store.layout().volume_data(&meta.name);
        if !sys::fs::exists(&data) {
            let repair = Some(Repair::Directory(data, 0o755));
            findings.add("I7", format!("volume {}", meta.name), "_data is missing: what was in it is lost", repair);
        }
    }
    Ok(())
}
