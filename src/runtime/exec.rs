//! `exec`: another program in a container that runs; the side of its supervisor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::sys::Errno;
use crate::sys::clone::{CloneOptions, Forked, clone3, fork};
use crate::sys::process::{Pid, PidFd};
use crate::types::idmap::IdMaps;

use super::bundle::Bundle;
use super::create::{Created, Streams};
use super::error::Error;
use super::init::{self, Context, Place};
use super::seccomp_profile;
use super::sync::{self, Message, Wire};

/// The joining process exists and waits outside.
#[derive(Debug)]
#[must_use]
pub(crate) struct Joining {
    wire: Wire,
    joiner: PidFd,
    in_cgroup: bool,
}

/// Forks the joining process. `bundle`: the container's spec with the program's process section; its mounts are not
/// looked at. `outer`: P's map, by which it is judged whether the container could write our binary.
pub(crate) fn begin(
    bundle: Bundle,
    container: &PidFd,
    outer: &IdMaps,
    streams: Streams,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<Joining, Error> {
    let (wire, theirs) = Wire::pair()?;
    let filters = seccomp_profile::filters(&bundle)?;
    let pid = container.pid().as_raw();
    let init: OwnedFd = container.as_fd().try_clone_to_owned().map_err(|_closed| Error::Gone(pid))?;
    let (forked, in_cgroup) = clone_into(cgroup)?;
    match forked {
        Forked::Child => {
            drop(wire);
            let place = Place::Join { init, pid };
            init::join(Context { bundle, place, filters, streams, wire: theirs }, init::must_re_execute(outer))
        }
        Forked::Parent(joiner) => Ok(Joining { wire, joiner, in_cgroup }),
    }
}

/// Born in the cgroup, which costs nothing; being moved there later waits for the kernel (10 ms). A caller outside of
/// the delegated subtree may not, and is moved.
fn clone_into(cgroup: Option<BorrowedFd<'_>>) -> Result<(Forked, bool), Error> {
    if let Some(cgroup) = cgroup {
        match clone3(CloneOptions { cgroup: Some(cgroup), ..CloneOptions::default() }) {
            Err(error) if error.is(Errno::EACCES) || error.is(Errno::EPERM) || error.is(Errno::EBUSY) => {}
            other => return other.map(|forked| (forked, true)).map_err(Error::Clone),
        }
    }
    fork().map(|forked| (forked, false)).map_err(Error::Clone)
}

impl Joining {
    /// It was born in the container's cgroup.
    pub(crate) fn is_in_cgroup(&self) -> bool {
        self.in_cgroup
    }

    /// To be moved into the container's cgroup, which its children inherit.
    pub(crate) fn pid(&self) -> Pid {
        self.joiner.pid()
    }

    /// Lets it enter; the program exists and waits for [`Created::start`] when this returns.
    pub(crate) fn join(self) -> Result<Created, Error> {
        let asked = self.wire.ask(&Message::Cgroup, &[]);
        let program = self.wire.expect("joining", |message, mut fds| match message {
            Message::InitPid(pid) => Some(PidFd::from_received(Pid::from_raw(*pid)?, fds.pop()?)),
            _ => None,
        });
        super::create::reap(&self.joiner);
        let program = sync::answered(asked, program)?;
        Created::await_console(self.wire, program)
    }
}
