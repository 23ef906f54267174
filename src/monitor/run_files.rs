//! What a start needs of runroot, kept for a restart after a logout took it away (K-A10, G19): the engine wrote these files
//! before the first start, and a restart is the monitor's alone.

use std::path::PathBuf;

use super::request::StartRequest;
use crate::storage::Store;
use crate::sys::fs;
use crate::types::health::OnFailure;
use crate::types::id::ContainerId;
use crate::types::restart::RestartPolicy;

/// Longest file that is kept: the engine's are `hosts` and its like.
const LARGEST: u64 = 1 << 20;

/// The files of a container that are bound into it.
#[derive(Debug)]
pub(super) struct RunFiles {
    id: ContainerId,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl RunFiles {
    /// Reads them, before the container can change them. None if there will be no restart.
    pub(super) fn read(store: &Store, request: &StartRequest) -> Self {
        let id = request.config.id.clone();
        let unhealthy = request.health.as_ref().is_some_and(|health| health.check.on_failure == OnFailure::Restart);
        if request.config.spec.restart == RestartPolicy::No && !unhealthy {
            return Self { id, files: Vec::new() };
        }
        let dir = store.layout().run_container(&id);
        let mounts = request.bundle.spec.mounts().iter().flatten();
        let sources = mounts.filter_map(|mount| mount.source().clone()).filter(|path| path.starts_with(&dir));
        let read = |path: PathBuf| match fs::read_limited(&path, LARGEST) {
            Ok(bytes) => Some((path, bytes)),
            Err(error) => {
                tracing::debug!(%error, "not kept for a restart");
                None
            }
        };
        Self { id, files: sources.filter_map(read).collect() }
    }

    /// Writes those anew that are gone.
    pub(super) fn restore(&self, store: &Store) {
        if self.files.iter().all(|(path, _)| fs::exists(path)) {
            return;
        }
        if let Err(error) = store.remake_run().and_then(|()| store.make_run_container(&self.id)) {
            tracing::warn!(%error, "runtime directory not restored");
        }
        for (path, bytes) in self.files.iter().filter(|(path, _)| !fs::exists(path)) {
            if let Err(error) = fs::replace_public(path, bytes) {
                tracing::warn!(%error, "not restored for a restart");
            }
        }
    }
}
