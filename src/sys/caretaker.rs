//! A process that takes a half-made directory away when its maker ends, however that ends.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::clone::{Forked, fork};
use super::error::Result;
use super::process::PidFd;
use super::signal::{MaskGuard, SignalSet};
use super::{descriptor, fs, process};

/// The child that waits. It is gone when this is dropped, and what it looks after, if that is still there, too.
#[derive(Debug)]
pub(crate) struct Caretaker {
    /// Its other end tells the child that nobody is left.
    alive: Option<OwnedFd>,
    child: PidFd,
}

impl Caretaker {
    /// Looks after what is made at `path`, whose name nobody else has; it ends with a rename, or a removal. The caller has
    /// one thread.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let (reader, writer) = descriptor::pipe()?;
        match fork()? {
            Forked::Child => {
                // As long as we have a copy, we would not hear of the other's end.
                drop(writer);
                wait_in_peace(&reader);
                drop(fs::remove_tree(path));
                process::exit_now(0)
            }
            Forked::Parent(child) => Ok(Self { alive: Some(writer), child }),
        }
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.alive = None;
        if let Err(error) = self.child.wait() {
            tracing::debug!(%error, "nobody has looked after a directory");
        }
    }
}

/// Returns when the other end of the pipe is closed. What ends the maker does not end us, and nobody waits for us to close his
/// streams or locks. Each of it may fail: then we do what we can.
fn wait_in_peace(pipe: &OwnedFd) {
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
    std::mem::forget(MaskGuard::block(&SignalSet::of(signals)));
    drop(process::setsid());
    drop(descriptor::close_all_but(&[pipe.as_fd()]));
    while let Ok(Some(_)) = descriptor::read_byte(pipe.as_fd()) {}
}
