//! What the doctor says of one need.

use serde::Serialize;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Fine,
    /// Containers run, but something is lost.
    Degraded,
    /// Containers with default options do not run.
    Missing,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Degraded => "degraded",
            Self::Missing => "missing",
        }
    }
}

/// One need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Finding {
    pub(crate) need: String,
    pub(crate) verdict: Verdict,
    /// What was seen.
    pub(crate) found: String,
    /// What does not work; empty if all does.
    pub(crate) lost: String,
    /// The command that brings it; empty if nothing is lost.
    pub(crate) cure: String,
}

impl Finding {
    pub(super) fn fine(need: &str, found: impl Into<String>) -> Self {
        let (lost, cure) = (String::new(), String::new());
        Self { need: need.to_owned(), verdict: Verdict::Fine, found: found.into(), lost, cure }
    }

    pub(super) fn degraded(need: &str, found: impl Into<String>, lost: impl Into<String>, cure: String) -> Self {
        Self { need: need.to_owned(), verdict: Verdict::Degraded, found: found.into(), lost: lost.into(), cure }
    }

    pub(super) fn missing(need: &str, found: impl Into<String>, lost: impl Into<String>, cure: String) -> Self {
        Self { verdict: Verdict::Missing, ..Self::degraded(need, found, lost, cure) }
    }
}

/// The whole answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DoctorReport {
    pub(crate) findings: Vec<Finding>,
}

impl DoctorReport {
    /// 1 if something is missing that stops containers.
    pub(crate) fn exit_code(&self) -> u8 {
        u8::from(self.findings.iter().any(|finding| finding.verdict == Verdict::Missing))
    }
}
