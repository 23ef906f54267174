//! When a layer is worth a second thread.

use std::os::fd::{AsFd as _, OwnedFd};

use super::AT_ONCE;
use crate::storage::unpack::Threads;
use crate::sys;
use crate::sys::descriptor;

/// While the layers under way fill the cores, one thread for each is the least work, and what is least work is soonest
/// done. When fewer are left than there are cores, all of them hear of it, in whichever process they are.
pub(super) struct Cores {
    count: usize,
    /// At its end as soon as there is a core for more threads.
    pipe: OwnedFd,
    /// Open, in this process alone, while there is none.
    filled: Option<OwnedFd>,
}

impl Cores {
    pub(super) fn new() -> sys::Result<Self> {
        let (pipe, filled) = descriptor::pipe()?;
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { count, pipe, filled: Some(filled) })
    }

    /// So many layers are still to be unpacked. True if there is a core to spare for the first time: the workers have
    /// heard of it, and it is not taken back.
    pub(super) fn left(&mut self, layers: usize) -> bool {
        layers.min(AT_ONCE) < self.count && self.filled.take().is_some()
    }

    /// This process is the child of the one that tells.
    pub(super) fn after_fork(&mut self) {
        self.filled = None;
    }

    /// Of each layer.
    pub(super) fn threads(&self) -> Threads<'_> {
        Threads::OneUntil(self.pipe.as_fd())
    }
}
