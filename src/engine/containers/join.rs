//! Joining namespaces of another container: whose user namespace then holds.

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::types::container_spec::ContainerSpec;
use crate::types::id::ContainerId;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};

/// Longest chain of containers that join one another's user namespace.
const CHAIN: usize = 16;

/// The container whose namespace of this kind is joined.
fn of(mode: &NamespaceMode) -> Option<&ContainerId> {
    match mode {
        NamespaceMode::Container(id) => Some(id),
        NamespaceMode::Private | NamespaceMode::Host | NamespaceMode::Path(_) => None,
    }
}

/// The container that is joined; of several, the one whose namespace needs its owner most.
fn joined(spec: &ContainerSpec) -> Option<&ContainerId> {
    let network = match &spec.network {
        Some(NetworkMode::Container(id)) => Some(id),
        _ => None,
    };
    of(&spec.pid).or(of(&spec.ipc)).or(network)
}

impl Engine {
    /// A container that joins another one shares its user namespace, unless the user chose one: the kernel lets only the
    /// owner of a pid or ipc namespace mount `/proc` and `/dev/mqueue` for it, and bind low ports in a network namespace.
    /// With pid or ipc another user namespace cannot be (EPERM); the same mode means the same one.
    pub(super) fn share_userns(&self, spec: &mut ContainerSpec) -> Result<(), Error> {
        if let Some(id) = of(&spec.ipc)
            && self.store.container_config(id)?.spec.ipc_unshared
        {
            return Err(Error::JoinUnshared(id.short().to_owned()));
        }
        if spec.userns == UsernsMode::Default {
            if let Some(id) = joined(spec).cloned() {
                spec.userns = UsernsMode::Container(id);
            }
            return Ok(());
        }
        let userns_of = |id: &ContainerId| self.userns_in_force(&UsernsMode::Container(id.clone()));
        for (flag, owner) in [("--pid", of(&spec.pid)), ("--ipc", of(&spec.ipc))] {
            let Some(owner) = owner else { continue };
            let theirs = userns_of(owner)?;
            match &spec.userns {
                // Whose that is shows at the start only.
                UsernsMode::Path(_) => {}
                ours if *ours == theirs || self.userns_in_force(ours)? == theirs => {
                    if let UsernsMode::KeepId { uid, gid, .. } = ours {
                        let facts = self.facts()?;
                        let caller = format!("{}:{}", uid.unwrap_or(facts.uid), gid.unwrap_or(facts.gid));
                        spec.user.get_or_insert(caller);
                    }
                    spec.userns = UsernsMode::Container(owner.clone());
                }
                _ => return Err(Error::JoinOtherUserns { flag, id: owner.short().to_owned() }),
            }
        }
        Ok(())
    }

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
