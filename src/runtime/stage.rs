//! The stage: a short-lived process in P whose kernel uid is still the caller's, so that it reaches every path that the
//! caller reaches. It makes the root file system and a detached copy of every bind source, then clones init into the
//! container's own namespaces, writes C's id map, hands the pidfd to the monitor, and exits (K-A3, K-E).
//!
//! Where the user namespace is another container's, the stage hides before it joins, and init after it: see [`init::hide`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
use crate::types::idmap::IdMaps;

use super::bare_root;
use super::bundle::Bundle;
use super::create::Streams;
use super::error::Error;
use super::init::{self, Context, Place, Tree};
use super::mount_options::MountOptions;
use super::namespaces::{self, JoinedPid};
use super::sync::{Message, Wire};
use super::{foreign_tree, rootfs, seccomp_profile};

/// What the monitor hands to the stage, by the fork.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) bundle: Bundle,
    pub(super) streams: Streams,
    pub(super) wire: Wire,
    /// Init, or the stage before it, must leave the binary that it was forked from (K-A6).
    pub(super) re_execute: bool,
}

/// Enters P; never returns to what the process was forked from.
pub(super) fn run(child: OuterChild, task: Task) -> ! {
    let Task { mut bundle, streams, wire, re_execute } = task;
    let filters = match enter(child, &bundle) {
        Ok(filters) => filters,
        Err(error) => give_up(&wire, &error),
    };
    // Compiled: init need not carry the text of it.
    if let Some(linux) = bundle.spec.linux_mut() {
        linux.set_seccomp(None);
    }
    let context = Context { bundle, place: Place::Stage, filters, streams, wire };
    if (re_execute || context.bundle.reaper) && context.bundle.joins_userns() {
        // Here, while nobody but P has power over what we execute: in the user namespace of others they would have it, whether
        // the process may be dumped or not (`mm->user_ns`, ptrace(2)).
        let Err(error) = init::re_execute(&context);
        give_up(&context.wire, &error)
    }
    proceed(context, re_execute)
}

fn give_up(wire: &Wire, error: &Error) -> ! {
    wire.fail(error);
    process::exit_now(1)
}

/// Waits for the map of P. Answers with the filters, which are compiled while newuidmap runs.
fn enter(child: OuterChild, bundle: &Bundle) -> Result<Vec<Program>, Error> {
    let filters = seccomp_profile::filters(bundle);
    // First of all the map: the monitor waits to write it.
    child.ready().map_err(Error::Outer)?;
    filters
}

/// The work in P, by a stage that has left the binary if it must.
pub(super) fn proceed(context: Context, re_execute: bool) -> ! {
    let Context { bundle, filters, streams, wire, .. } = context;
    let Prepared { root, trees, fuse, pid } = match prepare(&bundle) {
        Ok(prepared) => prepared,
        Err(error) => give_up(&wire, &error),
    };
    give_streams(&bundle, &streams);
    let born = match give_birth(&bundle, &wire) {
        Ok(born) => born,
        Err(error) => give_up(&wire, &error),
    };
    match born {
        Born::Init { go } => {
            drop(fuse);
            if let Err(error) = pid.map_or(Ok(()), JoinedPid::for_children) {
                give_up(&wire, &error)
            }
            let place = Place::Build { root, trees };
            init::run(Context { bundle, place, filters, streams, wire }, go, re_execute)
        }
        Born::Stage { init, go } => match introduce(&bundle, &init, fuse.as_ref(), &wire) {
            Ok(()) => {
                // Init may have died already; the monitor sees that by its pidfd.
                drop(sys::descriptor::write_all(go.as_fd(), b"g"));
                if bundle.joins_userns() {
                    leave_nothing(&root);
                }
                process::exit_now(0)
            }
            Err(error) => {
                super::create::end(&init);
                give_up(&wire, &error)
            }
        },
    }
}

/// Who ends is dumpable for a moment, because its memory goes before its root and descriptors (super::init::hide): those who have
/// power over our user namespace and see the host's processes shall find nothing then.
fn leave_nothing(root: &OwnedFd) {
    // If that is refused, we still have to end.
    drop(process::change_root(root.as_fd()));
    drop(descriptor::close_all_but(&[]));
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
    fuse: Option<PidFd>,
    /// The pid namespace that init is to bring its program into.
    pid: Option<JoinedPid>,
}

/// Makes every mount that needs the caller's reach, and joins the namespaces that are others' already.
fn prepare(bundle: &Bundle) -> Result<Prepared, Error> {
    let maps = bundle.maps()?;
    let (root, fuse) = rootfs::mount(&bundle.rootfs, root_of(&maps))?;
    let mut trees = Vec::new();
    for (index, spec) in bundle.spec.mounts().iter().flatten().enumerate() {
        if let Some(fd) = source_tree(spec, &maps)? {
            trees.push(Tree { index, fd });
        }
    }
    let joins = namespaces::open(bundle)?;
    if bundle.joins_userns() {
        init::forget_arguments()?;
        if bundle.moves_in() {
            trees.extend(procfs_of_others(bundle, &root)?);
        }
        // fuse-overlayfs is in our mount namespace.
        if fuse.is_none() {
            bare_root::enter().map_err(Error::BareRoot)?;
        }
        init::hide(bundle)?;
    }
    let pid = joins.join(bundle)?;
    Ok(Prepared { root, trees, fuse, pid })
}

/// A procfs shows the pid namespace of who makes it: a child of ours there. It is in P and not in the user namespace of those who
/// see it, who so have no power over it. It has `root` for its root, so that its `mountinfo` shows nothing of the host.
fn procfs_of_others(bundle: &Bundle, root: &OwnedFd) -> Result<Vec<Tree>, Error> {
    let is_procfs = |spec: &&Mount| spec.typ().as_deref() == Some("proc");
    let Some((index, spec)) = bundle.spec.mounts().iter().flatten().enumerate().find(|(_, spec)| is_procfs(spec))
    else {
        return Ok(Vec::new());
    };
    let failed = |source: sys::Error| match source.errno {
        foreign_tree::STOPPED => Error::Stopped,
        _ => Error::Mount { target: spec.destination().clone(), source },
    };
    let pid = namespaces::open_pid(bundle)?;
    let by_child = |make: &dyn Fn() -> sys::Result<OwnedFd>| {
        foreign_tree::by_child("fsmount", &|| "proc of the joined pid namespace".to_owned(), make)
    };
    let made = by_child(&|| {
        process::change_root(root.as_fd())?;
        namespace::join(pid.as_fd(), &[NsKind::Pid])?;
        by_child(&|| init::procfs(spec))
    });
    Ok(vec![Tree { index, fd: made.map_err(failed)? }])
}

/// C's root in P's ids; in single-id mode with another user there is none, and the caller has everything.
fn root_of(maps: &IdMaps) -> (u32, u32) {
    (maps.uid.to_outside(0).unwrap_or(0), maps.gid.to_outside(0).unwrap_or(0))
}

/// A detached mount for what init could not reach or mount: binds, and overlays of directories of the host.
fn source_tree(spec: &Mount, maps: &IdMaps) -> Result<Option<OwnedFd>, Error> {
    let options = MountOptions::parse(spec.destination(), spec.options().as_deref().unwrap_or_default())?;
    let kind = spec.typ().as_deref().unwrap_or("bind");
    let (tree, path) = if kind == "overlay" {
        let tree = rootfs::overlay_from_options(spec.destination(), &options, root_of(maps))?;
        (tree, spec.destination())
    } else if options.bind || kind == "bind" {
        let Some(path) = spec.source() else {
            return Err(Error::MountOption {
                target: spec.destination().clone(),
                option: "a bind without a source".to_owned(),
            });
        };
        (bind_tree(path, options.subpath.as_deref())?, path)
    } else {
        return Ok(None);
    };
    if options.of_root {
        let given = give_to(root_of(maps), tree.as_fd());
        given.map_err(|source| Error::Source { path: path.clone(), source })?;
    }
    if options.copy_up {
        let given = init::fill::hand_over(tree.as_fd(), maps);
        given.map_err(|source| Error::Source { path: path.clone(), source })?;
    }
    Ok(Some(tree))
}

/// A file that the caller has made: with `--userns=keep-id` its owner would be the container's user, with `nomap` nobody.
fn give_to((uid, gid): (u32, u32), file: BorrowedFd<'_>) -> sys::Result<()> {
    let stat = sys::dir::fstat(file)?;
    if (stat.uid, stat.gid) == (uid, gid) { Ok(()) } else { sys::dir::chown_path(file, uid, gid) }
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

enum Born {
    Init { go: OwnedFd },
    Stage { init: PidFd, go: OwnedFd },
}

/// Waits for the cgroup and clones init as the monitor's child.
fn give_birth(bundle: &Bundle, wire: &Wire) -> Result<Born, Error> {
    let cgroup = wire.expect("monitor", |message, mut fds| matches!(message, Message::Cgroup).then(|| fds.pop()))?;
    let namespaces = namespaces::new_ones(bundle);
    let (reader, writer) = descriptor::pipe().map_err(Error::Clone)?;
    let options = CloneOptions { namespaces, sibling: true, cgroup: cgroup.as_ref().map(AsFd::as_fd) };
    match sys::clone::clone3(options).map_err(Error::Clone)? {
        Forked::Child => Ok(Born::Init { go: reader }),
        Forked::Parent(init) => Ok(Born::Stage { init, go: writer }),
    }
}

/// Writes C's map, and sends the monitor everything by which it can reach init, before init changes its uid: then its
/// `/proc` entries would be closed to us for a moment (K-A7). Those of an init that hides are closed: it tells its namespaces
/// itself.
fn introduce(bundle: &Bundle, init: &PidFd, fuse: Option<&PidFd>, wire: &Wire) -> Result<(), Error> {
    let pid = init.pid();
    let mut namespaces = Vec::new();
    if !bundle.joins_userns() {
        for kind in [NsKind::User, NsKind::Network] {
            namespaces.push(namespace::open(pid, kind).map_err(Error::Clone)?);
        }
    }
    if bundle.is_new(LinuxNamespaceType::User) {
        write_maps(bundle, pid)?;
    }
    let mut fds = vec![init.as_fd()];
    fds.extend(namespaces.iter().map(AsFd::as_fd));
    fds.extend(fuse.map(AsFd::as_fd));
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
