//! What is asked, and the answer.

use serde::Serialize;

use crate::storage::check::Finding;

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CheckRequest {
    pub(crate) repair: bool,
    /// Read every file and every blob.
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
