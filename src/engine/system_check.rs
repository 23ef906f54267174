//! `system check`: the invariants of the store and of what runs.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::{Engine, Error};
use crate::storage::check::{self, Finding};
use crate::sys;
use crate::types::id::ContainerId;

/// Between the looks.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(200)];

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CheckRequest {
    pub(crate) repair: bool,
    /// Hash the blobs, too.
    pub(crate) full: bool,
}

/// The answer. Exit codes: 0 clean, 1 all repaired, 2 something is left.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CheckReport {
    pub(crate) findings: Vec<Finding>,
}

impl CheckReport {
    /// Exit code of `system check`.
    pub(crate) fn exit_code(&self) -> u8 {
        match (self.findings.is_empty(), self.findings.iter().all(|finding| finding.repaired)) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        }
    }
}

impl Engine {
    /// Checks the store and what runs, and repairs if asked.
    pub(crate) fn system_check(&self, request: CheckRequest) -> Result<CheckReport, Error> {
        let mut findings = self.look(request.full)?;
        // A command that is tidying up right now gives no false alarm: only what is there in every look counts.
        for pause in PAUSES {
            if !findings.is_empty() {
                std::thread::sleep(pause);
                let again = self.look(request.full)?;
                findings.retain(|finding| again.contains(finding));
            }
        }
        if request.repair {
            check::repair(&self.store, &mut findings)?;
            // Repairs fill the trash as well.
            self.empty_trash()?;
        }
        Ok(CheckReport { findings })
    }

    fn look(&self, full: bool) -> Result<Vec<Finding>, Error> {
        let mut findings = check::check(&self.store, full)?;
        findings.extend(self.check_running()?);
        Ok(findings)
    }

    /// I11: what belongs to a container that does not run any more, or to none.
    fn check_running(&self) -> Result<Vec<Finding>, Error> {
        let layout = self.store.layout();
        let mut findings = Vec::new();
        let host = |source| Error::Host { what: "look at runroot", source };
        for name in sys::fs::names(&layout.run_containers()).map_err(host)? {
            let path = layout.run_containers().join(&name);
            let id = name.to_str().and_then(|name| name.parse::<ContainerId>().ok());
            if !id.is_some_and(|id| sys::fs::exists(&layout.container(&id))) {
                findings.push(leftover(&path, "volatile directory of no container"));
            }
        }
        for name in sys::fs::names(&layout.ports()).map_err(host)? {
            // `lock` is the directory's own.
            if name == "lock" {
                continue;
            }
            let path = layout.ports().join(&name);
            // Whoever uses a port holds the lock on its file.
            if !sys::lock::FileLock::is_held(&path).map_err(host)? {
                findings.push(leftover(&path, "port of no running container"));
            }
        }
        Ok(findings)
    }
}

fn leftover(path: &Path, problem: &str) -> Finding {
    let repair =
        if path.is_dir() { check::Repair::Tree(path.to_owned()) } else { check::Repair::Unlink(path.to_owned()) };
    Finding {
        invariant: "I11",
        subject: path.display().to_string(),
        problem: problem.to_owned(),
        repair: Some(repair),
        repaired: false,
    }
}
