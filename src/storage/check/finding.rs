//! What the checker says.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::storage::layers::LayerKey;
use crate::storage::process_identity::ProcessIdentity;
use crate::types::cgroup::CgroupRecord;
use crate::types::digest::Digest;
use crate::types::id::ContainerId;
use crate::types::name::VolumeName;

/// Something that an invariant forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Finding {
    pub(crate) invariant: Invariant,
    /// What it is about: a path, or the kind and name of an object.
    pub(crate) subject: String,
    pub(crate) problem: String,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
    /// What of the store it is that is wrong or missing, for who looks again.
    #[serde(skip)]
    pub(crate) part: Option<Part>,
    /// What `--repair` does; none: it takes a person.
    pub(crate) repair: Option<Repair>,
    /// The repair was done.
    pub(crate) repaired: bool,
    /// Why the repair could not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// The invariants of `docs/reliability.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Invariant {
    I1,
    I2,
    I3,
    I4,
    I5,
    I6,
    I7,
    I8,
    I9,
    I10,
    I11,
    I12,
    I13,
    I14,
    I15,
    I16,
}

impl std::fmt::Display for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// Content of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A blob, or what a layer holds.
    Content(Digest),
    Layer(LayerKey),
}

/// How a finding is repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Repair {
    /// Move it to the trash.
    Discard(PathBuf),
    /// Remove the file.
    Unlink(PathBuf),
    /// Remove the volatile directory.
    Tree(PathBuf),
    /// Make the directory.
    Directory(PathBuf, u32),
    /// Set the mode.
    Mode(PathBuf, u32),
    /// Set the mode of a directory that nobody can look into.
    Unlock(PathBuf),
    /// Remove a blob that is not what its name says; images that can do without it are told so.
    DropBlob(Digest),
    /// Take a damaged container out of the store.
    DiscardContainer(ContainerId),
    /// Put a container whose definition is lost where its files are safe.
    SetAside(ContainerId),
    /// Make the definition of a container anew from its name.
    Definition(ContainerId),
    /// Make the name of a container anew.
    Name(ContainerId),
    /// Make the `upper` and `work` of a container anew.
    Upper(ContainerId),
    /// Put the end of a lost container on record.
    RecordLoss(ContainerId),
    /// Make a volume, or its record, anew.
    Volume(VolumeName),
    /// Take a damaged image and its names out of the store.
    DiscardImage(Digest),
    /// Make the record of an image anew, from its manifest and configuration.
    RebuildImage(Digest),
    /// Unpack what is missing of an image from its blobs.
    UnpackImage(Digest),
    /// The same, as a container needs it.
    UnpackFor(ContainerId),
    /// Unpack a damaged layer again from its blob.
    RebuildLayer(LayerKey),
    /// End a process.
    Kill(ProcessIdentity),
    /// End what is in a cgroup, and remove it.
    Cgroup(CgroupRecord),
    /// Delete what lies in the trash, as the caller or in a worker in P.
    EmptyTrash,
    /// Sweep what nothing refers to.
    Sweep,
}

/// True if there are directories that nobody can look into. What else there is to find is known when they are open.
pub(crate) fn locks_out(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| matches!(finding.repair, Some(Repair::Unlock(_))))
}

/// Collects findings.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Finding {
    /// A finding that nothing has been done about yet.
    pub(crate) fn new(
        invariant: Invariant,
        subject: impl ToString,
        problem: impl Into<String>,
        repair: Option<Repair>,
    ) -> Self {
        Self {
            invariant,
            subject: subject.to_string(),
            problem: problem.into(),
            advice: None,
            part: None,
            repair,
            repaired: false,
            failure: None,
        }
    }

    /// With what a person can do about it.
    pub(crate) fn advised(self, advice: impl Into<Option<String>>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    /// With the content that is wrong or missing.
    pub(crate) fn of(self, part: Part) -> Self {
        Self { part: Some(part), ..self }
    }

    /// True if both are about one thing, whatever can be done about it.
    pub(crate) fn is_about(&self, other: &Self) -> bool {
        self.invariant == other.invariant && self.subject == other.subject && self.problem == other.problem
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { invariant, subject, problem, .. } = self;
        write!(f, "{invariant}: {subject}: {problem}")?;
        self.advice.iter().try_for_each(|advice| write!(f, ": {advice}"))
    }
}

impl Findings {
    pub(super) fn add(
        &mut self,
        invariant: Invariant,
        subject: impl ToString,
        problem: impl Into<String>,
        repair: Option<Repair>,
    ) {
        self.push(Finding::new(invariant, subject, problem, repair));
    }

    pub(super) fn push(&mut self, finding: Finding) {
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    pub(super) fn path(
        &mut self,
        invariant: Invariant,
        path: &Path,
        problem: impl Into<String>,
        repair: Option<Repair>,
    ) {
        self.add(invariant, path.display(), problem, repair);
    }
}
