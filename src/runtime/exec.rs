//! `exec`: another program in a container that runs; the side of its supervisor.

use std::os::fd::{AsFd, OwnedFd};

use crate::sys::clone::{Forked, fork};
use crate::sys::process::{Pid, PidFd};
use crate::types::idmap::IdMaps;

use super::bundle::Bundle;
use super::create::{Created, Streams};
use super::error::Error;
use super::init::{self, Context, Place};
use super::seccomp_profile;
use super::sync::{Message, Wire};

/// The joining process exists and waits outside.
#[derive(Debug)]
#[must_use]
pub(crate) struct Joining {
    wire: Wire,
    joiner: PidFd,
}

/// Forks the joining process. `bundle`: the container's spec with the program's process section; its mounts are not
/// looked at. `outer`: P's map, by which it is judged whether the container could write our binary.
pub(crate) fn begin(bundle: Bundle, container: &PidFd, outer: &IdMaps, streams: Streams) -> Result<Joining, Error> {
    let (wire, theirs) = Wire::pair()?;
    let filters = seccomp_profile::filters(&bundle)?;
    let pid = container.pid().as_raw();
    let init: OwnedFd = container.as_fd().try_clone_to_owned().map_err(|_closed| Error::Gone(pid))?;
    match fork().map_err(Error::Clone)? {
        Forked::Child => {
            drop(wire);
            let place = Place::Join { init, pid };
            init::join(Context { bundle, place, filters, streams, wire: theirs }, init::must_re_execute(outer))
        }
        Forked::Parent(joiner) => Ok(Joining { wire, joiner }),
    }
}

impl Joining {
    /// To be moved into the container's cgroup, which its children inherit.
    pub(crate) fn pid(&self) -> Pid {
        self.joiner.pid()
    }

    /// Lets it enter; the program exists and waits for [`Created::start`] when this returns.
    pub(crate) fn join(self) -> Result<Created, Error> {
        let told = self.wire.send(&Message::Cgroup, &[]);
        let program = self.wire.expect("joining", |message, mut fds| match message {
            Message::InitPid(pid) => Some(PidFd::from_received(Pid::from_raw(*pid)?, fds.pop()?)),
            _ => None,
        });
        super::create::reap(&self.joiner);
        let program = program?;
        told?;
        Created::await_console(self.wire, program)
    }
}
