//! The examination: all probes, in the order in which a container needs what they look at.

use std::path::PathBuf;

use crate::engine::Engine;
use crate::engine::cures::{Caller, setting};

use super::finding::DoctorReport;
use super::{control, ids, kernel, store, uplink};

/// What the doctor cannot see from below.
#[derive(Debug, Clone, Default)]
pub(crate) struct DoctorRequest {
    /// `XDG_RUNTIME_DIR`, if it is set.
    pub(crate) runtime_dir: Option<PathBuf>,
}

impl Engine {
    /// Probes everything. A probe that fails is a finding: the examination itself cannot fail.
    pub(crate) fn doctor(&self, request: &DoctorRequest) -> DoctorReport {
        let caller = Caller::this(&self.config.path);
        let namespaces = kernel::user_namespaces(&caller);
        let possible = namespaces.is_ok();
        let mut findings = vec![kernel::version(), namespaces.unwrap_or_else(|finding| finding)];
        // Without a user namespace nothing else can be tried.
        if possible {
            findings.push(kernel::other_namespaces(&caller));
            findings.push(kernel::proc(&caller));
        }
        findings.extend(ids::findings(self, &caller, possible));
        findings.extend(store::findings(self, request, &caller, possible));
        findings.extend(control::findings(self, &caller));
        findings.extend(uplink::findings(self, &caller, possible));
        findings.push(kernel::inotify(&caller));
        findings.extend(kernel::keyring(&caller));
        DoctorReport { findings }
    }
}

/// A setting of the kernel that is a number.
pub(super) fn number(path: &str) -> Option<u64> {
    setting(path)?.parse().ok()
}
