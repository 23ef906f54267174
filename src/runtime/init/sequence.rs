//! The story of init.

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use oci_spec::runtime::LinuxNamespaceType;

use crate::runtime::bundle::Bundle;
use crate::runtime::error::Error;
use crate::runtime::stage;
use crate::runtime::sync::Message;
use crate::sys;
use crate::sys::namespace::{self, NsKind};
use crate::sys::{prctl, process};
use crate::types::idmap::{IdMap, IdMaps};

use super::context::{Context, Place, Tree};
use super::{assemble, identity, join, neighbours, program, re_execute};

/// From birth to the program, or to the exit with a failure told over the wire. `go` is readable when the map is there.
pub(in crate::runtime) fn run(context: Context, go: OwnedFd, re_execute: bool) -> ! {
    match begin(&context, &go, re_execute) {
        Ok(()) => {
            drop(go);
            proceed(context)
        }
        Err(error) => {
            context.wire.fail(&error);
            process::exit_now(1)
        }
    }
}

/// From a mapped and safe init to the program.
pub(super) fn proceed(context: Context) -> ! {
    let Err(error) = match &context.place {
        Place::Stage => stage::proceed(context, false),
        Place::Build { root, trees } => build_and_execute(&context, root, trees),
        Place::Join { init, pid } => join::join_and_execute(&context, init, *pid),
    };
    context.wire.fail(&error);
    process::exit_now(1)
}

/// Waits for the map, becomes C's root, and leaves the binary if it must (then this does not return).
fn begin(context: &Context, go: &OwnedFd, re_execute: bool) -> Result<(), Error> {
    // While our kernel uid is still the caller's: afterwards the path of the binary may be out of reach. In the user namespace of
    // others it is too late (super::hide): there the stage has done it.
    // Who stays (`--init`) must not be a copy of the command, with its arguments and environment.
    let leaves = (re_execute || context.bundle.reaper) && !context.bundle.joins_userns();
    let binary = if leaves { Some(re_execute::own_binary()?) } else { None };
    if sys::descriptor::read_byte(go.as_fd()).map_err(Error::Wire)?.is_none() {
        // The stage failed and has said why.
        process::exit_now(1);
    }
    if context.bundle.joins_userns() {
        tell_namespaces(context)?;
    }
    let root = become_root(&context.bundle)?;
    if let Some(binary) = binary {
        if root != 0 {
            // Without uid 0 an exec drops every capability that is not ambient (K-A6).
            identity::keep_all_capabilities_across_exec()?;
        }
        let Err(error) = re_execute::leave(&binary, context);
        return Err(error);
    }
    Ok(())
}

/// Nobody else can look them up.
fn tell_namespaces(context: &Context) -> Result<(), Error> {
    let own = |kind| namespace::open_own(kind).map_err(Error::Clone);
    let (userns, netns, mounts) = (own(NsKind::User)?, own(NsKind::Network)?, own(NsKind::Mount)?);
    context.wire.send(&Message::Namespaces, &[userns.as_fd(), netns.as_fd(), mounts.as_fd()])
}

/// Takes C's uid and gid 0, or the first ones mapped. Returns the uid.
fn become_root(bundle: &Bundle) -> Result<u32, Error> {
    if bundle.namespace(LinuxNamespaceType::User).is_none() {
        return Err(Error::Unsupported("a container without a user namespace"));
    }
    let maps = match bundle.maps()? {
        // A user namespace that was joined by its path.
        unknown if unknown.uid.extents().is_empty() => maps_of(Path::new("/proc/self"))
            .map_err(|source| Error::Identity { operation: "read the map of the joined user namespace", source })?,
        maps => maps,
    };
    let uid = take_root(&maps)?;
    show(bundle)?;
    Ok(uid)
}

/// The caller's groups stay for now: they are replaced, or kept on wish, with the program's identity.
pub(super) fn take_root(maps: &IdMaps) -> Result<u32, Error> {
    let identity = |operation| move |source| Error::Identity { operation, source };
    let first = |map: &IdMap| match map.to_outside(0) {
        Some(_) => 0,
        None => map.extents().iter().map(|e| e.inside).min().unwrap_or(0),
    };
    let (uid, gid) = (first(&maps.uid), first(&maps.gid));
    process::set_gid(gid).map_err(identity("take the container's root group"))?;
    process::set_uid(uid).map_err(identity("take the container's root user"))?;
    Ok(uid)
}

/// A change of the kernel uid made us undumpable. In a user namespace of our own nobody hostile is near until the program runs, and
/// the monitor and the network helper must reach our namespaces (K-A7).
fn show(bundle: &Bundle) -> Result<(), Error> {
    if bundle.joins_userns() {
        return Ok(());
    }
    prctl::set_dumpable(true).map_err(|source| Error::Identity { operation: "stay visible to the monitor", source })
}

/// The maps of the user namespace of a process, by its directory in /proc.
pub(super) fn maps_of(process: &Path) -> sys::Result<IdMaps> {
    let read = |name: &str| sys::fs::read_to_string(&process.join(name)).map(|text| IdMap::from_proc(&text));
    Ok(IdMaps { uid: read("uid_map")?, gid: read("gid_map")? })
}

fn build_and_execute(context: &Context, root: &OwnedFd, trees: &[Tree]) -> Result<Infallible, Error> {
    show(&context.bundle)?;
    let console = assemble::root(&context.bundle, root, trees)?;
    if context.bundle.moves_in() {
        neighbours::move_in(context, console.as_ref())?;
    }
    process::setsid()
        .or_else(already_leader)
        .map_err(|source| Error::Identity { operation: "start a session", source })?;
    let console_fd = console.as_ref().map(|pair| pair.master.as_fd());
    context.wire.send(&Message::Created, console_fd.as_slice())?;
    let streams = console.map(|pair| pair.slave);
    context.wire.expect("monitor", |message, _| matches!(message, Message::Start).then_some(()))?;
    program::execute(context, streams, None)
}

/// A re-executed init, or one that shares its session with nobody, may lead one already.
fn already_leader(error: sys::Error) -> sys::Result<()> {
    if error.is(sys::Errno::EPERM) { Ok(()) } else { Err(error) }
}
