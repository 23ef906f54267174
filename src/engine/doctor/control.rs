//! Limits, and life after the logout.

use std::path::Path;

use crate::engine::Engine;
use crate::engine::cures::{Caller, Need};
use crate::runtime::cgroup::{self, Available};
use crate::sys;

use super::finding::Finding;

/// Controllers, and the flags that need them.
const CONTROLLERS: [(&str, &str); 5] = [
    ("cpu", "--cpus, --cpu-shares, --cpu-quota"),
    ("cpuset", "--cpuset-cpus, --cpuset-mems"),
    ("io", "--cgroup-conf=io.…"),
    ("memory", "--memory, --memory-swap, --memory-reservation"),
    ("pids", "--pids-limit"),
];

pub(super) fn findings(engine: &Engine, caller: &Caller) -> Vec<Finding> {
    let mut findings = cgroup(caller);
    findings.push(linger(engine, caller));
    findings
}

fn cgroup(caller: &Caller) -> Vec<Finding> {
    const NAME: &str = "cgroup";
    let (manager, there) = match cgroup::available() {
        Available::Own(controllers) => ("a delegated subtree", controllers),
        Available::Systemd(controllers) => ("scopes of the user's systemd", controllers),
        Available::None(why) => {
            let lost = "limits, pause, and statistics of containers";
            return vec![Finding::degraded(NAME, why.to_string(), lost, why.cure("all"))];
        }
    };
    let mut findings = vec![Finding::fine(NAME, manager)];
    for (controller, flags) in CONTROLLERS {
        let name = format!("{NAME} {controller}");
        findings.push(if there.iter().any(|there| there == controller) {
            Finding::fine(&name, "delegated")
        } else {
            Finding::degraded(&name, "not delegated", flags, Need::Cgroup.cure(caller))
        });
    }
    findings
}

fn linger(engine: &Engine, caller: &Caller) -> Finding {
    const NAME: &str = "linger";
    // sd_booted(3).
    if !["/run/systemd/system", "/run/systemd/users"].iter().all(|path| sys::fs::exists(Path::new(path))) {
        return Finding::fine(NAME, "no logind: nothing ends with the logout");
    }
    if sys::fs::exists(&Path::new("/var/lib/systemd/linger").join(&caller.user)) {
        return Finding::fine(NAME, format!("{} lingers", caller.user));
    }
    let found = if engine.detached_ends_at_logout() {
        "off; this login ends with its session"
    } else {
        "off; this process is in no session"
    };
    Finding::degraded(NAME, found, "containers end with the last logout", Need::Linger.cure(caller))
}
