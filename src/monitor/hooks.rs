//! What the owner of the supervising loop plans, and is told.

use std::time::{Duration, Instant};

use crate::sys::process::{ExitStatus, Pid, PidFd};

/// How a container is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopPlan {
    /// The first signal.
    pub(crate) signal: i32,
    /// SIGKILL after this; `None`: never.
    pub(crate) timeout: Option<Duration>,
}

/// What the owner of the loop does when something happens. Short: the container's output waits meanwhile.
pub(crate) trait Hooks: std::fmt::Debug {
    /// The directory of the attach socket was gone and is there again: write anew what else belongs into it. False if that
    /// cannot be done now: it is asked for again.
    fn runroot_restored(&mut self) -> bool {
        true
    }
    /// pasta or slirp4netns has died.
    fn network_helper_ended(&mut self) {}
    /// Init is about to get SIGKILL from us.
    fn killing(&mut self, _init: &PidFd) {}
    /// When [`Self::tick`] wants to be called.
    fn deadline(&self) -> Option<Instant> {
        None
    }
    /// Called now and then, and at the deadline.
    fn tick(&mut self, _now: Instant) {}
    /// A child that is not init has ended.
    fn child_ended(&mut self, _pid: Pid, _status: ExitStatus) -> Option<Wish> {
        None
    }
}

/// What shall happen to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// As by SIGTERM to us.
    Stop,
    Kill,
}

/// For those who have nothing to add.
#[derive(Debug)]
pub(crate) struct NoHooks;

impl Hooks for NoHooks {}
