//! The stage: a short-lived process in P whose kernel uid is still the caller's, so that it reaches every path that the
//! caller reaches. It makes the root file system and a detached copy of every bind source, then clones init into the
//! container's own namespaces, writes C's id map, hands the pidfd to the monitor, and exits (K-A3, K-E).

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxNamespaceType, Mount};

use crate::rootless::outer::OuterChild;
use crate::sys::clone::{CloneOptions, Forked};
use crate::sys::dir::FileKind;
use crate::sys::mount;
use crate::sys::namespace::{self, NsKind};
use crate::sys::process::{self, Pid, PidFd};
use crate::sys::seccomp::Program;
use crate::sys::stream;
use crate::sys::{self, descriptor};

use super::bundle::Bundle;
use super::create::Streams;
use super::error::Error;
use super::init::{self, Context, Place, Tree};
use super::mount_options::MountOptions;
use super::sync::{Message, Wire};
use super::{rootfs, seccomp_profile};

/// What the monitor hands to the stage, by the fork.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) bundle: Bundle,
    pub(super) streams: Streams,
    pub(super) wire: Wire,
    /// Init must leave the binary that it was forked from (K-A6).
    pub(super) re_execute: bool,
}

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

/// Does all of it; never returns to what the process was forked from.
pub(super) fn run(child: OuterChild, task: Task) -> ! {
    let wire_failed = |wire: &Wire, error: &Error| -> ! {
        wire.fail(error);
        process::exit_now(1)
    };
    let Task { mut bundle, streams, wire, re_execute } = task;
    let prepared = match prepare(child, &bundle) {
        Ok(prepared) => prepared,
        Err(error) => wire_failed(&wire, &error),
    };
    give_streams(&bundle, &streams);
    // Compiled: init need not carry the text of it.
    if let Some(linux) = bundle.spec.linux_mut() {
        linux.set_seccomp(None);
    }
    let born = match give_birth(&bundle, &wire) {
        Ok(born) => born,
        Err(error) => wire_failed(&wire, &error),
    };
    match born {
        Born::Init { go } => {
            let Prepared { root, trees, filters, fuse } = prepared;
            drop(fuse);
            let place = Place::Build { root, trees };
            init::run(Context { bundle, place, filters, streams, wire }, go, re_execute)
        }
        Born::Stage { init, go } => match introduce(&bundle, &init, &prepared, &wire) {
            Ok(()) => {
                // Init may have died already; the monitor sees that by its pidfd.
                drop(sys::descriptor::write_all(go.as_fd(), b"g"));
                process::exit_now(0)
            }
            Err(error) => {
                super::create::end(&init);
                wire_failed(&wire, &error)
            }
        },
    }
}

/// The pipes become C's root's, who gives them to the program's user: where the caller is not mapped, C has no power over
/// what the caller made. Best effort: a program that never opens `/dev/stdout` does not care.
fn give_streams(bundle: &Bundle, streams: &Streams) {
    let root = bundle.maps().ok().and_then(|maps| maps.uid.to_outside(0));
    for fd in streams.iter().flatten() {
        if let Some(root) = root {
            drop(stream::give(fd, root));
        }
    }
}

#[derive(Debug)]
struct Prepared {
    root: OwnedFd,
    trees: Vec<Tree>,
    filters: Vec<Program>,
    fuse: Option<PidFd>,
}

/// Makes every mount that needs the caller's reach.
fn prepare(child: OuterChild, bundle: &Bundle) -> Result<Prepared, Error> {
    // Compiled while newuidmap runs.
    let filters = seccomp_profile::filters(bundle);
    // First of all the map: the monitor waits to write it.
    child.ready().map_err(Error::Outer)?;
    let filters = filters?;
    let (root, fuse) = rootfs::mount(&bundle.rootfs, root_of(&bundle.maps()?))?;
    let mut trees = Vec::new();
    for (index, spec) in bundle.spec.mounts().iter().flatten().enumerate() {
        if let Some(fd) = source_tree(spec)? {
            trees.push(Tree { index, fd });
        }
    }
    join_namespaces(bundle)?;
    Ok(Prepared { root, trees, filters, fuse })
}

/// C's root in P's ids; in single-id mode with another user there is none, and the caller has everything.
fn root_of(maps: &crate::types::idmap::IdMaps) -> (u32, u32) {
    (maps.uid.to_outside(0).unwrap_or(0), maps.gid.to_outside(0).unwrap_or(0))
}

/// A detached mount for what init could not reach or mount: binds, and overlays of directories of the host.
fn source_tree(spec: &Mount) -> Result<Option<OwnedFd>, Error> {
    let options = MountOptions::parse(spec.destination(), spec.options().as_deref().unwrap_or_default())?;
    let kind = spec.typ().as_deref().unwrap_or("bind");
    if kind == "overlay" {
        return rootfs::overlay_from_options(spec.destination(), &options).map(Some);
    }
    if !(options.bind || kind == "bind") {
        return Ok(None);
    }
    let Some(path) = spec.source() else {
        return Err(Error::MountOption {
            target: spec.destination().clone(),
            option: "a bind without a source".to_owned(),
        });
    };
    bind_tree(path, options.subpath.as_deref()).map(Some)
}

/// A detached recursive copy of what is at `path` of the host, or of a part of it.
pub(super) fn bind_tree(path: &Path, subpath: Option<&Path>) -> Result<OwnedFd, Error> {
    if let Some(subpath) = subpath {
        let part = sys::root::RootDir::open(path).and_then(|root| root.lookup_without_links(subpath));
        // The last component as well: a link that is mounted leads somewhere else (D07).
        let part = part.and_then(|part| match sys::dir::fstat(part.as_fd())?.kind {
            FileKind::Symlink => Err(sys::Error::new("openat2", format!("{subpath:?}: a link"), sys::Errno::ELOOP)),
            _ => Ok(part),
        });
        let tree = part.and_then(|part| mount::clone_tree_at(part.as_fd()));
        return tree.map_err(|source| Error::Source { path: path.join(subpath), source });
    }
    let tree = match super::foreign_tree::container_path(path) {
        Some((mounts, inside)) => super::foreign_tree::clone_tree(&mounts, &inside),
        None => mount::clone_tree(sys::fs::current_dir(), path),
    };
    tree.map_err(|source| Error::Source { path: path.to_owned(), source })
}

/// Joins what the container shares with another one. P has power over all containers of this P (K-A12); the user
/// namespace comes last, because after it that power is gone.
fn join_namespaces(bundle: &Bundle) -> Result<(), Error> {
    let mut opened: Vec<(NsKind, &'static str, &PathBuf, OwnedFd)> = Vec::new();
    for (typ, kind, name) in KINDS {
        if let Some(Some(path)) = bundle.namespace(typ) {
            let fd =
                namespace::open_path(path).map_err(|source| Error::Join { kind: name, path: path.clone(), source })?;
            opened.push((kind, name, path, fd));
        }
    }
    if let Some(Some(_)) = bundle.namespace(LinuxNamespaceType::Mount) {
        return Err(Error::Unsupported("joining a mount namespace"));
    }
    for (kind, name, path, fd) in opened {
        namespace::join(fd.as_fd(), &[kind]).map_err(|source| Error::Join {
            kind: name,
            path: path.clone(),
            source,
        })?;
    }
    Ok(())
}

enum Born {
    Init { go: OwnedFd },
    Stage { init: PidFd, go: OwnedFd },
}

/// Waits for the cgroup and clones init as the monitor's child.
fn give_birth(bundle: &Bundle, wire: &Wire) -> Result<Born, Error> {
    let cgroup = wire.expect("monitor", |message, mut fds| matches!(message, Message::Cgroup).then(|| fds.pop()))?;
    let mut namespaces = NsKind::Mount.flag();
    for (typ, kind, _) in KINDS {
        if bundle.is_new(typ) {
            namespaces |= kind.flag();
        }
    }
    let (reader, writer) = descriptor::pipe().map_err(Error::Clone)?;
    let options = CloneOptions { namespaces, sibling: true, cgroup: cgroup.as_ref().map(AsFd::as_fd) };
    match sys::clone::clone3(options).map_err(Error::Clone)? {
        Forked::Child => Ok(Born::Init { go: reader }),
        Forked::Parent(init) => Ok(Born::Stage { init, go: writer }),
    }
}

/// Writes C's map, and sends the monitor everything by which it can reach init, before init changes its uid: then its
/// `/proc` entries would be closed to us for a moment (K-A7).
fn introduce(bundle: &Bundle, init: &PidFd, prepared: &Prepared, wire: &Wire) -> Result<(), Error> {
    let pid = init.pid();
    let userns = namespace::open(pid, NsKind::User).map_err(Error::Clone)?;
    let netns = namespace::open(pid, NsKind::Network).map_err(Error::Clone)?;
    if bundle.is_new(LinuxNamespaceType::User) {
        write_maps(bundle, pid)?;
    }
    let mut fds = vec![init.as_fd(), userns.as_fd(), netns.as_fd()];
    fds.extend(prepared.fuse.as_ref().map(AsFd::as_fd));
    wire.send(&Message::InitPid(pid.as_raw()), &fds)
}

fn write_maps(bundle: &Bundle, pid: Pid) -> Result<(), Error> {
    let maps = bundle.maps()?;
    let write = |file: &str, text: &str| {
        let path = PathBuf::from(format!("/proc/{pid}/{file}"));
        sys::fs::write_in_place(&path, text.as_bytes()).map_err(Error::WriteMap)
    };
    if maps.is_single() {
        write("setgroups", "deny")?;
    }
    write("uid_map", &maps.uid.to_proc())?;
    write("gid_map", &maps.gid.to_proc())
}
