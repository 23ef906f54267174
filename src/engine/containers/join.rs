//! Joining namespaces of another container: whose user namespace then holds.

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::types::container_spec::ContainerSpec;
use crate::types::id::ContainerId;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};

/// Longest chain of containers that join one another's user namespace.
const CHAIN: usize = 16;

/// A container that joins another one shares its user namespace, unless the user chose one: the kernel lets only the
/// owner of a pid or ipc namespace mount `/proc` and `/dev/mqueue` for it, and bind low ports in a network namespace.
pub(super) fn share_userns(spec: &mut ContainerSpec) {
    if spec.userns != UsernsMode::Default {
        return;
    }
    if let Some(id) = joined(spec).cloned() {
        spec.userns = UsernsMode::Container(id);
    }
}

/// The container that is joined; of several, the one whose namespace needs its owner most.
fn joined(spec: &ContainerSpec) -> Option<&ContainerId> {
    fn of(mode: &NamespaceMode) -> Option<&ContainerId> {
        match mode {
            NamespaceMode::Container(id) => Some(id),
            NamespaceMode::Private | NamespaceMode::Host | NamespaceMode::Path(_) => None,
        }
    }
    let network = match &spec.network {
        Some(NetworkMode::Container(id)) => Some(id),
        _ => None,
    };
    of(&spec.pid).or(of(&spec.ipc)).or(network)
}

impl Engine {
    /// The mode that decides a container's id map: of a joined user namespace, its owner's.
    pub(super) fn userns_in_force(&self, mode: &UsernsMode) -> Result<UsernsMode, Error> {
        let mut mode = mode.clone();
        for _ in 0..CHAIN {
            let UsernsMode::Container(id) = &mode else { break };
            mode = self.store.container_config(id)?.spec.userns;
        }
        Ok(mode)
    }
}
