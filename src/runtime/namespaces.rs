//! The namespaces of a container: which are new, and the way into those of others.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use oci_spec::runtime::LinuxNamespaceType;

use crate::sys::namespace::{self, NsKind};

use super::bundle::Bundle;
use super::error::Error;

/// Kinds that can be joined or shared, with OCI's names.
const KINDS: [(LinuxNamespaceType, NsKind, &str); 7] = [
    (LinuxNamespaceType::Network, NsKind::Network, "network"),
    (LinuxNamespaceType::Ipc, NsKind::Ipc, "ipc"),
    (LinuxNamespaceType::Uts, NsKind::Uts, "uts"),
    (LinuxNamespaceType::Pid, NsKind::Pid, "pid"),
    (LinuxNamespaceType::Cgroup, NsKind::Cgroup, "cgroup"),
    (LinuxNamespaceType::Time, NsKind::Time, "time"),
    (LinuxNamespaceType::User, NsKind::User, "user"),
];

/// The pid namespace of another container, for whoever is to enter it.
#[derive(Debug)]
pub(super) struct JoinedPid {
    path: PathBuf,
    fd: OwnedFd,
}

/// `CLONE_NEW*` flags for init.
pub(super) fn new_ones(bundle: &Bundle) -> i32 {
    let flags = KINDS.iter().filter(|(typ, ..)| bundle.is_new(*typ)).map(|(_, kind, _)| kind.flag());
    flags.fold(NsKind::Mount.flag(), |all, flag| all | flag)
}

/// The pid namespace that is joined.
pub(super) fn open_pid(bundle: &Bundle) -> Result<OwnedFd, Error> {
    let Some(Some(path)) = bundle.namespace(LinuxNamespaceType::Pid) else {
        return Err(Error::Unsupported("a container without a pid namespace"));
    };
    namespace::open_path(path).map_err(|source| Error::Join { kind: "pid", path: path.clone(), source })
}

/// Those of others that the container is to be in, opened by their paths.
#[derive(Debug)]
pub(super) struct Joins(Vec<(NsKind, &'static str, PathBuf, OwnedFd)>);

/// Opens what the container shares with another one.
pub(super) fn open(bundle: &Bundle) -> Result<Joins, Error> {
    if let Some(Some(_)) = bundle.namespace(LinuxNamespaceType::Mount) {
        return Err(Error::Unsupported("joining a mount namespace"));
    }
    let mut opened = Vec::new();
    for (typ, kind, name) in KINDS {
        if let Some(Some(path)) = bundle.namespace(typ) {
            let fd =
                namespace::open_path(path).map_err(|source| Error::Join { kind: name, path: path.clone(), source })?;
            opened.push((kind, name, path.clone(), fd));
        }
    }
    Ok(Joins(opened))
}

impl Joins {
    /// P has power over all containers of this P (K-A12); the user namespace comes last, because after it that power is gone.
    ///
    /// Together with the user namespace, the pid namespace is not for the stage: init shall be born outside of it.
    pub(super) fn join(self, bundle: &Bundle) -> Result<Option<JoinedPid>, Error> {
        let mut pid = None;
        for (kind, name, path, fd) in self.0 {
            if kind == NsKind::Pid && bundle.joins_userns() {
                pid = Some(JoinedPid { path, fd });
                continue;
            }
            let joined = namespace::join(fd.as_fd(), &[kind]);
            joined.map_err(|source| Error::Join { kind: name, path, source })?;
        }
        Ok(pid)
    }
}

impl JoinedPid {
    /// This process stays where it is; its children will be there.
    pub(super) fn for_children(self) -> Result<(), Error> {
        let joined = namespace::join(self.fd.as_fd(), &[NsKind::Pid]);
        joined.map_err(|source| Error::Join { kind: "pid", path: self.path, source })
    }
}
