//! Which namespaces are new, joined, or the host's.

use std::path::PathBuf;

use oci_spec::runtime::{LinuxNamespace, LinuxNamespaceType};

use crate::types::container_spec::ContainerSpec;
use crate::types::host::HostFacts;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};

use super::error::Error;
use super::placement::Placement;

/// The list of the spec. What is not in it is shared with the host.
pub(super) fn namespaces(spec: &ContainerSpec, host: &HostFacts, at: &Placement) -> Result<Vec<LinuxNamespace>, Error> {
    let mut list = vec![namespace(LinuxNamespaceType::Mount, None), user(spec, at)?];
    let joined = &at.joined;
    for (typ, mode, path, name) in [
        (LinuxNamespaceType::Pid, &spec.pid, &joined.pid, "pid"),
        (LinuxNamespaceType::Ipc, &spec.ipc, &joined.ipc, "ipc"),
        (LinuxNamespaceType::Uts, &spec.uts, &joined.uts, "uts"),
        (LinuxNamespaceType::Cgroup, &spec.cgroupns, &joined.cgroup, "cgroup"),
    ] {
        match mode {
            NamespaceMode::Private => list.push(namespace(typ, None)),
            NamespaceMode::Host => {}
            NamespaceMode::Container(_) => list.push(joined_at(typ, path.as_ref(), name)?),
            NamespaceMode::Path(path) => list.push(namespace(typ, Some(path.clone()))),
        }
    }
    match spec.network() {
        NetworkMode::Host => {}
        NetworkMode::Container(_) => {
            list.push(joined_at(LinuxNamespaceType::Network, joined.network.as_ref(), "network")?);
        }
        NetworkMode::Path(path) => list.push(namespace(LinuxNamespaceType::Network, Some(path))),
        NetworkMode::None | NetworkMode::Private | NetworkMode::Pasta { .. } | NetworkMode::Slirp4netns { .. } => {
            list.push(namespace(LinuxNamespaceType::Network, None));
        }
    }
    if host.time_namespace {
        list.push(namespace(LinuxNamespaceType::Time, None));
    }
    Ok(list)
}

fn user(spec: &ContainerSpec, at: &Placement) -> Result<LinuxNamespace, Error> {
    match &spec.userns {
        UsernsMode::Container(_) => joined_at(LinuxNamespaceType::User, at.joined.user.as_ref(), "user"),
        UsernsMode::Path(path) => Ok(namespace(LinuxNamespaceType::User, Some(path.clone()))),
        UsernsMode::Default
        | UsernsMode::KeepId { .. }
        | UsernsMode::Nomap
        | UsernsMode::Auto { .. }
        | UsernsMode::Explicit(_) => Ok(namespace(LinuxNamespaceType::User, None)),
    }
}

fn joined_at(typ: LinuxNamespaceType, path: Option<&PathBuf>, name: &'static str) -> Result<LinuxNamespace, Error> {
    let path = path.ok_or(Error::NotJoined(name))?;
    Ok(namespace(typ, Some(path.clone())))
}

fn namespace(typ: LinuxNamespaceType, path: Option<PathBuf>) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(typ).set_path(path);
    namespace
}
