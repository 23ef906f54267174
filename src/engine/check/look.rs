//! The looks: several, because other commands may be at work.

use std::time::Duration;

use super::{CheckReport, CheckRequest};
use crate::engine::{Engine, Error};
use crate::storage::check::{self, Finding, Invariant, Part, Repair, Scope};
use crate::storage::layers::LayerKey;
use crate::types::digest::Digest;

/// Between the looks.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(200)];

/// How deep a look goes.
pub(super) struct Depth {
    /// Blobs to hash; none: all of them, or none in quick mode.
    blobs: Option<Vec<Digest>>,
    /// Layers to compare; none: all of them.
    pub(super) layers: Option<Vec<LayerKey>>,
    /// Every file's content.
    pub(super) content: bool,
}

impl Depth {
    fn first(full: bool) -> Self {
        Self { blobs: (!full).then(Vec::new), layers: None, content: full }
    }

    /// At what was found wrong: the rest was whole a moment ago.
    pub(super) fn again(findings: &[Finding], full: bool) -> Self {
        // Also those that nothing can repair now.
        let (mut blobs, mut layers) = (Vec::new(), Vec::new());
        for finding in findings {
            match &finding.part {
                Some(Part::Content(digest)) if finding.invariant == Invariant::I2 => blobs.push(digest.clone()),
                Some(Part::Layer(key)) => layers.push(key.clone()),
                _ => {}
            }
        }
        Self { blobs: Some(blobs), layers: Some(layers), content: full }
    }
}

impl Engine {
    /// Unpacks those of these layers again that are damaged: their blobs have come.
    pub(in crate::engine) fn mend_layers(&self, keys: &[LayerKey]) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let depth = Depth { blobs: Some(Vec::new()), layers: Some(keys.to_vec()), content: true };
        let findings = self.look(&depth)?;
        let damaged = |key: &&LayerKey| findings.iter().any(|f| f.repair == Some(Repair::RebuildLayer((*key).clone())));
        // Bottom first, as they are.
        keys.iter().filter(damaged).try_for_each(|key| self.rebuild_layer(key))?;
        self.empty_trash()
    }

    /// Checks the store and what runs, and repairs if asked.
    pub(crate) fn system_check(&self, request: CheckRequest) -> Result<CheckReport, Error> {
        // One that cannot be read stays for the next check.
        let unsynced = self.store.unsynced();
        let mut findings = self.look(&Depth::first(request.full))?;
        // A command that is tidying up right now gives no false alarm: only what is there in every look counts.
        for pause in PAUSES {
            if !findings.is_empty() {
                std::thread::sleep(pause);
                let again = self.look(&Depth::again(&findings, request.full))?;
                findings.retain(|finding| again.contains(finding));
            }
        }
        if request.repair {
            // Of a container that cannot be seen now the lock is no leftover.
            if !check::locks_out(&findings) {
                self.store.sweep_locks()?;
            }
            if !findings.is_empty() {
                self.repair(&mut findings, request.full)?;
            }
        }
        let report = CheckReport { findings };
        if let Ok(unsynced) = unsynced
            && request.full
            && report.exit_code() < 2
        {
            // What a power cut may have taken is known now.
            unsynced.forget_witnesses()?;
        }
        Ok(report)
    }

    /// One look at everything.
    pub(super) fn look(&self, depth: &Depth) -> Result<Vec<Finding>, Error> {
        let scope = match &depth.blobs {
            None => Scope::Full,
            Some(digests) if digests.is_empty() => Scope::Quick,
            Some(digests) => Scope::Again(digests),
        };
        let mut findings = check::check(&self.store, scope)?;
        if check::locks_out(&findings) {
            return Ok(findings);
        }
        findings.extend(self.check_trees(depth)?);
        findings.extend(self.check_running()?);
        findings.extend(self.check_mounts()?);
        Ok(findings)
    }
}
