//! I12: Sampan mounts nothing in the caller's mount namespace, so nothing may be mounted in a container, a layer or
//! runroot. (A whole store, or a volume, on a disk of its own is the administrator's good right.)

use std::path::PathBuf;

use crate::engine::{Engine, Error, mount_points};
use crate::storage::check::{Finding, Invariant};
use crate::sys;

impl Engine {
    pub(super) fn check_mounts(&self) -> Result<Vec<Finding>, Error> {
        let host = |source| Error::Host { what: "read the list of mounts", source };
        let points = mount_points::current().map_err(host)?;
        let layout = self.store.layout();
        let resolved = |path: PathBuf| sys::fs::canonical(&path).unwrap_or(path);
        let places = [layout.containers(), layout.layers(), layout.staging(), layout.trash(), layout.run_epoch()];
        let places = places.map(resolved);
        let mut findings = Vec::new();
        for point in points {
            if places.iter().any(|place| point.starts_with(place) && point != *place) {
                let finding = Finding::new(Invariant::I12, point.display(), "something is mounted here", None);
                findings.push(finding.advised(format!("umount {}", point.display())));
            }
        }
        Ok(findings)
    }
}
