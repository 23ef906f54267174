//! `exec`: another program in a container that runs; the side of its supervisor.

use std::os::fd::{BorrowedFd, OwnedFd};

use crate::rootless::OuterWish;
use crate::sys::Errno;
use crate::sys::clone::{CloneOptions, Forked, clone3, fork};
use crate::sys::process::{Pid, PidFd};
use crate::sys::stream;

use super::bundle::Bundle;
use super::create::{Running, Streams};
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
/// looked at. `wish`: by P's map it is judged whether the container could write our binary.
pub(crate) fn begin(
    bundle: Bundle,
    container: &PidFd,
    wish: &OuterWish,
    streams: Streams,
    cgroup: Option<BorrowedFd<'_>>,
) -> Result<Joining, Error> {
    let (wire, theirs) = Wire::pair()?;
    let filters = seccomp_profile::filters(&bundle)?;
    let pid = container.pid().as_raw();
    let init: OwnedFd = stream::duplicate(container).map_err(Error::Clone)?;
    let (forked, in_cgroup) = clone_into(cgroup)?;
    match forked {
        Forked::Child => {
            drop(wire);
            let place = Place::Join { init, pid };
            let context = Context { bundle, place, filters, streams, wire: theirs };
            init::join(context, in_cgroup, wish)
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

    /// Lets it enter, and waits until the program runs. On an error all that we made is gone.
    pub(crate) fn run(self) -> Result<Entered, Error> {
        // Whoever was born there waits for nothing.
        let asked = if self.in_cgroup { Ok(()) } else { self.wire.ask(&Message::Cgroup, &[]) };
        let program = self.wire.attend().and_then(|()| {
            self.wire.expect("joining", |message, mut fds| match message {
                Message::InitPid(pid) => Some((Pid::from_raw(*pid)?, fds.pop())),
                _ => None,
            })
        });
        let program = sync::answered(asked, program).and_then(|(pid, console)| {
            sync::require_child(pid)?;
            let init = PidFd::open(pid).inspect_err(|_| super::create::kill(pid)).map_err(Error::Wire)?;
            Ok((init, console))
        });
        match program {
            Ok((init, console)) => match super::create::await_exec(&self.wire) {
                Ok(()) => {
                    Ok(Entered { running: Running { init, console, fuse: None, kin: None }, joiner: self.joiner })
                }
                Err(error) => {
                    super::create::end(&init);
                    super::create::reap(&self.joiner);
                    Err(error)
                }
            },
            Err(error) => {
                super::create::end(&self.joiner);
                // A program's process that has not told its number ends when it sees that nobody listens.
                drop(self.wire);
                super::create::reap_rest();
                Err(error)
            }
        }
    }
}

/// The program runs.
#[derive(Debug)]
#[must_use]
pub(crate) struct Entered {
    pub(crate) running: Running,
    joiner: PidFd,
}

impl Entered {
    /// Waits for the end of the process that joined: it leaves when the program runs, and nobody need wait for that sooner.
    pub(crate) fn finish(self) -> Running {
        super::create::reap(&self.joiner);
        self.running
    }
}
