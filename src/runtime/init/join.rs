//! `exec`: into a container that runs.
//!
//! The joining process is the attack surface of CVE-2019-5736 and CVE-2016-9962: it leaves a binary that the container
//! could write before it enters, is not dumpable from then until the program runs, and joins by one `setns` of a pidfd
//! (K-A6, K-A7, K-A12). The program is its sibling, a child of the session's supervisor, and uses its memory until the
//! exec, while the joining process stands still.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::rootless::OuterWish;
use crate::runtime::error::Error;
use crate::runtime::sync::Message;
use crate::sys::clone;
use crate::sys::dir::Dir;
use crate::sys::namespace::{self, NsKind};
use crate::sys::process::{self, Pid};
use crate::sys::{self, mount, prctl};
use crate::types::idmap::{IdMap, IdMaps};

use super::context::{Context, Place};
use super::{console, hide, program, re_execute, sequence};

/// The joiner's part before a re-execution. Never returns to what it was forked from.
pub(in crate::runtime) fn run(context: Context, born_in_cgroup: bool, wish: &OuterWish) -> ! {
    match begin(&context, born_in_cgroup, wish) {
        Ok(()) => sequence::proceed(context),
        Err(error) => {
            context.wire.fail(&error);
            process::exit_now(1)
        }
    }
}

/// Waits until the supervisor has put us into the container's cgroup, unless we were born there. Leaves a binary that is in reach,
/// and in single-id mode the caller's memory: see [`take_the_only_id`].
fn begin(context: &Context, born_in_cgroup: bool, wish: &OuterWish) -> Result<(), Error> {
    if !born_in_cgroup {
        context.wire.expect("supervisor", |message, _| matches!(message, Message::Cgroup).then_some(()))?;
    }
    let in_reach = re_execute::must_re_execute(&wish.maps);
    if !in_reach && !context.bundle.single_id {
        // Before the container can see us: it may read the command line of everybody in it, and of whom it kills it may open
        // what he had open (super::neighbours).
        hide::arguments()?;
        return context.close_others();
    }
    let Place::Join { init, pid } = &context.place else { return Ok(()) };
    enter_outer(init, *pid, wish)?;
    let binary = if in_reach { re_execute::own_binary()? } else { re_execute::running_binary()? };
    let Err(error) = re_execute::leave(&binary, context);
    Err(error)
}

/// P has power over the container and is not the container. A mount namespace there, for mounts of ours.
fn enter_outer(init: &OwnedFd, pid: i32, wish: &OuterWish) -> Result<(), Error> {
    let identity = |source| Error::Identity { operation: "enter the outer user namespace", source };
    let userns = namespace::open(pid_of(pid)?, NsKind::User).map_err(identity)?;
    // Its number is another's now, perhaps.
    if sys::wait_readable(init.as_fd(), Some(Duration::ZERO)).map_err(identity)? {
        return Err(Error::Gone(pid));
    }
    let outer = wish.above(userns.as_fd()).map_err(Error::Outer)?;
    prctl::set_dumpable(false).map_err(identity)?;
    if let Some(outer) = outer {
        namespace::join(outer.as_fd(), &[NsKind::User]).map_err(identity)?;
    }
    namespace::unshare(&[NsKind::Mount]).map_err(identity)
}

fn pid_of(pid: i32) -> Result<Pid, Error> {
    Pid::from_raw(pid).ok_or(Error::Gone(pid))
}

/// Enters, and hands over to a process inside, which becomes the program.
pub(super) fn join_and_execute(context: &Context, init: &OwnedFd, pid: i32) -> Result<Infallible, Error> {
    let identity = |operation| move |source| Error::Identity { operation, source };
    prctl::set_dumpable(false).map_err(identity("hide from the container"))?;
    let joining = |source: sys::Error| match source.errno {
        sys::Errno::ESRCH | sys::Errno::ENOENT => Error::Gone(pid),
        _ => Error::Join { kind: "container's", path: format!("/proc/{pid}/ns").into(), source },
    };
    let kinds = namespace::differing(pid_of(pid)?).map_err(joining)?;
    let maps = if context.bundle.single_id {
        let own_proc = own_proc().map_err(joining)?;
        namespace::join(init.as_fd(), &kinds).map_err(joining)?;
        Some(take_the_only_id(context, &own_proc)?)
    } else {
        let maps = match context.bundle.maps()? {
            // The user namespace of another container.
            unknown if unknown.uid.extents().is_empty() => {
                sequence::maps_of(&Path::new("/proc").join(pid.to_string())).map_err(joining)?
            }
            maps => maps,
        };
        namespace::join(init.as_fd(), &kinds).map_err(joining)?;
        // Before anybody inside can see us: our kernel uid is the caller's, and with `--userns=keep-id` that is a user of the
        // container, who could open our terminal and set our limits (prlimit(2) does not ask for dumpable).
        sequence::take_root(&maps)?;
        None
    };
    // From here on we are the program's process: the one that joined waits for our exec, and is gone then.
    let number = clone::hand_over().map_err(Error::Clone)?;
    become_program(context, number, maps.as_ref())
}

/// The host's `/proc/self`: what the container calls /proc is its own affair (case C18). A mount of its own, from which `..` leads
/// nowhere: one that is killed is open to those who have power over it as long as it ends (super::neighbours).
fn own_proc() -> sys::Result<Dir> {
    mount::clone_tree(sys::fs::current_dir(), Path::new("/proc/self")).map(Dir::from)
}

/// Single-id mode: the container's user namespace has one id, that of the user it was started with. A program that
/// wants to be somebody else gets a user namespace below it, where the same id bears the other number; it has no power
/// over the container there, as the other users of a container have none. The map of the program's user namespace.
///
/// Everybody in the container has power over that namespace: their kernel uid is its owner's. So the process that goes there stays
/// undumpable, and may write its own map all the same, because its memory is P's, whose root is the caller: it was executed there.
fn take_the_only_id(context: &Context, own_proc: &Dir) -> Result<IdMaps, Error> {
    let who = program::who(&context.bundle)?;
    let (uid, gid) = process::ids();
    let maps = IdMaps { uid: IdMap::single(who.uid, uid), gid: IdMap::single(who.gid, gid) };
    if (who.uid, who.gid) == (uid, gid) {
        return Ok(maps);
    }
    namespace::unshare(&[NsKind::User]).map_err(Error::WriteMap)?;
    let files = [("setgroups", "deny".to_owned()), ("uid_map", maps.uid.to_proc()), ("gid_map", maps.gid.to_proc())];
    for (file, text) in files {
        own_proc.write_in_place(OsStr::new(file), text.as_bytes()).map_err(Error::WriteMap)?;
    }
    Ok(maps)
}

/// Tells the supervisor who we are, with the master of our terminal, and goes on without waiting for an answer.
fn become_program(context: &Context, number: Pid, maps: Option<&IdMaps>) -> Result<Infallible, Error> {
    process::setsid().map_err(|source| Error::Identity { operation: "start a session", source })?;
    let terminal = if context.bundle.terminal() { Some(console::open(&context.bundle)?) } else { None };
    let master = terminal.as_ref().map(|pair| pair.master.as_fd());
    context.wire.send(&Message::InitPid(number.as_raw()), master.as_slice())?;
    program::execute(context, terminal.map(|pair| pair.slave), maps)
}
