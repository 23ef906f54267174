//! Containers whose namespaces another one joins: they are started before it, as Podman does.

use std::collections::BTreeSet;

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::spawn::Started;
use crate::storage::container_record::ContainerConfig;
use crate::types::id::ContainerId;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};

/// Starts of containers that others needed.
pub(super) type Ahead = Vec<(ContainerId, Started)>;

impl Engine {
    /// Starts what the container needs and what does not run, the deepest first.
    pub(super) fn start_dependencies(&self, config: &ContainerConfig) -> Result<Ahead, Error> {
        let mut ahead = Ahead::new();
        // A definition that was changed by hand may lead back to where it began.
        let mut seen = BTreeSet::from([config.id.clone()]);
        self.start_below(config, &mut seen, &mut ahead)?;
        Ok(ahead)
    }

    fn start_below(
        &self,
        config: &ContainerConfig,
        seen: &mut BTreeSet<ContainerId>,
        ahead: &mut Ahead,
    ) -> Result<(), Error> {
        for id in dependencies(config) {
            if !seen.insert(id.clone()) {
                continue;
            }
            let record = self.settled(id)?;
            if record.status.is_alive() {
                // Somebody else's start may be under way.
                drop(self.lock_started(id)?);
                continue;
            }
            self.start_below(&record.config, seen, ahead)?;
            ahead.extend(self.start_alone(id)?.map(|started| (id.clone(), started)));
        }
        Ok(())
    }
}

/// Containers whose namespaces this one joins.
pub(super) fn dependencies(config: &ContainerConfig) -> BTreeSet<&ContainerId> {
    let spec = &config.spec;
    let mut ids = BTreeSet::new();
    if let Some(NetworkMode::Container(id)) = &spec.network {
        ids.insert(id);
    }
    if let UsernsMode::Container(id) = &spec.userns {
        ids.insert(id);
    }
    for mode in [&spec.pid, &spec.ipc, &spec.uts, &spec.cgroupns] {
        if let NamespaceMode::Container(id) = mode {
            ids.insert(id);
        }
    }
    ids
}
