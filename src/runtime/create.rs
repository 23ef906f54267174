//! The parent side of OCI's `create` and `start`, in the monitor. Each step consumes the one before.

use std::os::fd::{BorrowedFd, OwnedFd};

use crate::rootless::Outer;
use crate::rootless::outer::{Entered, OuterParent};
use crate::sys::process::{self, Pid, PidFd};
use crate::sys::signal::SIGKILL;

use super::bundle::Bundle;
use super::error::Error;
use super::kin::Kin;
use super::stage;
use super::sync::{self, Message, Wire};

/// Standard streams of the program; `None` = init opens a terminal.
pub(crate) type Streams = Option<[OwnedFd; 3]>;

/// The stage is on its way into P.
#[derive(Debug)]
#[must_use]
pub(crate) struct Creating {
    wire: Wire,
    stage: OuterParent,
}

/// The stage mounts, and will clone init into the cgroup.
#[derive(Debug)]
#[must_use]
pub(crate) struct Staging {
    wire: Wire,
    stage: PidFd,
}

/// Init exists and builds its root.
#[derive(Debug)]
#[must_use]
pub(crate) struct Placed {
    wire: Wire,
    pub(crate) init: PidFd,
    /// The user namespace of the container, and its network namespace.
    pub(crate) userns: OwnedFd,
    pub(crate) netns: OwnedFd,
    /// The mount namespace of an init that hides: nobody can look that up before the program runs.
    mounts: Option<OwnedFd>,
    /// `fuse-overlayfs`, our child, if it serves the root.
    pub(crate) fuse: Option<PidFd>,
}

/// OCI's `created`: everything is in place but the program.
#[derive(Debug)]
#[must_use]
pub(crate) struct Created {
    wire: Wire,
    pub(crate) init: PidFd,
    /// Master of the program's terminal.
    pub(crate) console: Option<OwnedFd>,
    pub(crate) fuse: Option<PidFd>,
    mounts: Option<OwnedFd>,
}

/// OCI's `running`.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) init: PidFd,
    pub(crate) console: Option<OwnedFd>,
    pub(crate) fuse: Option<PidFd>,
    /// Of a container whose processes do not end with init.
    pub(crate) kin: Option<Kin>,
}

/// Starts the stage. Other work (the cgroup, the network helper's start) goes between this and [`Creating::map`].
pub(crate) fn begin(bundle: &Bundle, outer: &Outer, streams: Streams) -> Result<Creating, Error> {
    let (wire, theirs) = Wire::pair()?;
    let re_execute = super::init::must_re_execute(outer.maps());
    match outer.enter().map_err(Error::Outer)? {
        Entered::Child(child) => {
            drop(wire);
            stage::run(child, stage::Task { bundle: bundle.clone(), streams, wire: theirs, re_execute })
        }
        Entered::Parent(stage) => Ok(Creating { wire, stage }),
    }
}

impl Creating {
    /// The stage, for the cgroup.
    pub(crate) fn stage_pid(&self) -> Pid {
        self.stage.child().pid()
    }

    /// Waits for P's id map; with the P, if that was made ahead.
    pub(crate) fn map(mut self) -> Result<(Staging, Option<OwnedFd>), Error> {
        let mapped = self.stage.finish_map();
        let stage = self.stage.into_child();
        match mapped {
            Ok(own) => Ok((Staging { wire: self.wire, stage }, own)),
            Err(error) => {
                drop(self.wire);
                reap(&stage);
                Err(Error::Outer(error))
            }
        }
    }
}

impl Staging {
    /// A process in P, as long as [`Staging::place`] has not been called.
    pub(crate) fn stage_pid(&self) -> Pid {
        self.stage.pid()
    }

    /// Names the cgroup that init is born in, and waits for its birth.
    pub(crate) fn place(self, cgroup: Option<BorrowedFd<'_>>) -> Result<Placed, Error> {
        let asked = self.wire.ask(&Message::Cgroup, cgroup.as_slice());
        let placed = self.wire.expect("stage", |message, mut fds| match message {
            Message::InitPid(pid) => {
                let pid = Pid::from_raw(*pid)?;
                let fuse = (fds.len() % 2 == 0).then(|| fds.pop()).flatten();
                let namespaces = if fds.len() == 3 { fds.pop().zip(fds.pop()) } else { None };
                Some((PidFd::from_received(pid, fds.pop()?), namespaces, fuse))
            }
            _ => None,
        });
        reap(&self.stage);
        let (init, namespaces, fuse) = sync::answered(asked, placed)?;
        // The number does not matter: it is only waited for and killed by descriptor.
        let fuse = fuse.map(|fd| PidFd::from_received(init.pid(), fd));
        let told = namespaces.map(|(netns, userns)| Namespaces { netns, userns, mounts: None });
        match told.map_or_else(|| await_namespaces(&self.wire), Ok) {
            Ok(Namespaces { netns, userns, mounts }) => {
                Ok(Placed { wire: self.wire, init, userns, netns, mounts, fuse })
            }
            Err(error) => {
                end(&init);
                end_all(fuse.as_ref());
                Err(error)
            }
        }
    }
}

impl Placed {
    /// Waits until the root is built. On an error init is gone.
    pub(crate) fn created(self) -> Result<Created, Error> {
        match Created::await_console(self.wire, self.init) {
            Ok(created) => Ok(Created { fuse: self.fuse, mounts: self.mounts, ..created }),
            Err(error) => {
                end_all(self.fuse.as_ref());
                Err(error)
            }
        }
    }

    /// Gives up.
    pub(crate) fn abandon(self) {
        end(&self.init);
        end_all(self.fuse.as_ref());
    }
}

impl Created {
    /// Waits until `init` has told that all is in place. On an error it is gone.
    fn await_console(wire: Wire, init: PidFd) -> Result<Self, Error> {
        let answer = wire.attend().and_then(|()| {
            wire.expect("init", |message, mut fds| match message {
                Message::Created => Some(Ok(fds.pop())),
                Message::InitPid(pid) => Some(Err(PidFd::from_received(Pid::from_raw(*pid)?, fds.pop()?))),
                _ => None,
            })
        });
        match answer {
            Ok(Ok(console)) => Ok(Self { wire, init, console, fuse: None, mounts: None }),
            Ok(Err(successor)) => {
                // It has nothing to do but to end.
                reap(&init);
                sync::require_child(successor.pid())?;
                Self::await_console(wire, successor)
            }
            Err(error) => {
                end(&init);
                Err(error)
            }
        }
    }

    /// How the container's processes are known when init has ended. To be asked before the program runs, which may end at
    /// once.
    pub(crate) fn kin(&mut self) -> crate::sys::Result<Kin> {
        self.mounts.take().map_or_else(|| Kin::of(&self.init), Kin::in_namespace)
    }

    /// Lets init execute the program. On an error init is gone.
    pub(crate) fn start(self) -> Result<Running, Error> {
        let run = || -> Result<(), Error> {
            self.wire.send(&Message::Start, &[])?;
            await_exec(&self.wire)
        };
        match run() {
            Ok(()) => Ok(Running { init: self.init, console: self.console, fuse: self.fuse, kin: None }),
            Err(error) => {
                end(&self.init);
                end_all(self.fuse.as_ref());
                Err(error)
            }
        }
    }

    /// Gives up.
    pub(crate) fn abandon(self) {
        end(&self.init);
        end_all(self.fuse.as_ref());
    }
}

/// What is kept open of a container that is being made.
struct Namespaces {
    netns: OwnedFd,
    userns: OwnedFd,
    mounts: Option<OwnedFd>,
}

/// Those of an init that hides.
fn await_namespaces(wire: &Wire) -> Result<Namespaces, Error> {
    wire.expect("init", |message, mut fds| match message {
        Message::Namespaces if fds.len() == 3 => {
            let mounts = fds.pop();
            let (netns, userns) = fds.pop().zip(fds.pop())?;
            Some(Namespaces { netns, userns, mounts })
        }
        _ => None,
    })
}

/// Waits until the kernel has executed the program, which closes the other end of the wire.
pub(super) fn await_exec(wire: &Wire) -> Result<(), Error> {
    wire.attend()?;
    wire.expect("init", |message, _| matches!(message, Message::Executing).then_some(()))?;
    wire.attend()?;
    match wire.receive()? {
        None => Ok(()),
        Some((Message::Failed(failure), _)) => Err(Error::Child(failure)),
        Some(_) => Err(Error::OutOfOrder("message")),
    }
}

/// Kills and reaps a child whose story is over; its own error has been reported.
pub(crate) fn end(child: &PidFd) {
    if let Err(error) = child.signal(SIGKILL) {
        tracing::debug!(%error, "kill init");
    }
    reap(child);
}

fn end_all(child: Option<&PidFd>) {
    if let Some(child) = child {
        end(child);
    }
}

pub(super) fn reap(child: &PidFd) {
    if let Err(error) = child.wait() {
        tracing::debug!(%error, "reap a child");
    }
}

/// Kills a child that we have no descriptor of.
pub(super) fn kill(child: Pid) {
    if let Err(error) = process::kill_child(child) {
        tracing::debug!(%error, "kill a child");
    }
}

/// Reaps all children that are left, which are about to end.
pub(super) fn reap_rest() {
    if let Err(error) = process::reap_all() {
        tracing::debug!(%error, "reap the children that are left");
    }
}
