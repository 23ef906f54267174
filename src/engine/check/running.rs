//! I10 and I11 for what runs: processes and cgroups of containers that do not. (Network helpers and fuse-overlayfs die
//! with the monitor, by the kernel's hand; mounts and namespaces with their last process.)

use crate::engine::{Engine, Error};
use crate::storage::check::{Finding, Invariant, Repair};
use crate::storage::container_record::{ContainerRecord, ContainerState, Supervision};
use crate::sys;

impl Engine {
    pub(super) fn check_running(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        for record in self.store.containers()?.0 {
            let Some(state) = &record.state else { continue };
            // A monitor that lives may be tearing down; one that died left its container to us.
            if matches!(record.supervision, Supervision::None | Supervision::Lost) && !record.status.is_alive() {
                stopped(&record, state, &mut findings)?;
            } else if record.status.is_alive()
                && let Some(cgroup) = &state.cgroup
                && !sys::fs::exists(&cgroup.path)
            {
                let problem = format!("its cgroup {} is gone", cgroup.path.display());
                let finding = Finding::new(Invariant::I10, subject(&record), problem, None);
                findings.push(finding.advised("stop it and start it again".to_owned()));
            }
        }
        Ok(findings)
    }
}

fn stopped(record: &ContainerRecord, state: &ContainerState, findings: &mut Vec<Finding>) -> Result<(), Error> {
    if let Some(cgroup) = &state.cgroup
        && sys::fs::exists(&cgroup.path)
    {
        let problem = format!("it does not run, but its cgroup {} is there", cgroup.path.display());
        findings.push(Finding::new(Invariant::I11, subject(record), problem, Some(Repair::Cgroup(cgroup.clone()))));
    }
    // Its monitor may live on: without the lock it is done with the container, and only feeds somebody who is attached.
    let Some(init) = state.init else { return Ok(()) };
    let alive = init.is_alive();
    if alive.map_err(|source| Error::Host { what: "look for processes of containers that ended", source })? {
        let problem = format!("it does not run, but its init process {} does", init.pid);
        findings.push(Finding::new(Invariant::I11, subject(record), problem, Some(Repair::Kill(init))));
    }
    Ok(())
}

fn subject(record: &ContainerRecord) -> String {
    format!("container {}", record.id().short())
}
