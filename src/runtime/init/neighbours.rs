//! Among the processes of another container (`--pid=container:ID`).
//!
//! They see whoever is in their pid namespace, and may stop or kill it at any moment. So init builds the root where they cannot see
//! it, and only the process that becomes the program is in their midst. Not being dumpable protects it as long as it has memory: one
//! that is being killed has none, but its root and its descriptors still (`__ptrace_may_access`, `do_exit`). So it is born with none
//! of the host's.

use std::os::fd::AsFd;

use crate::runtime::error::Error;
use crate::runtime::sync::Message;
use crate::sys::clone::{CloneOptions, Forked};
use crate::sys::pty;
use crate::sys::{self, descriptor, process};

use super::context::Context;

/// The child takes our place; we tell the monitor and end.
pub(super) fn move_in(context: &Context, console: Option<&pty::Pair>) -> Result<(), Error> {
    let wire = &context.wire;
    let (go, told) = descriptor::pipe().map_err(Error::Clone)?;
    let mut kept = vec![wire.as_fd(), go.as_fd(), told.as_fd()];
    kept.extend(context.streams.iter().flatten().map(AsFd::as_fd));
    kept.extend(console.iter().flat_map(|pair| [pair.master.as_fd(), pair.slave.as_fd()]));
    descriptor::close_all_but(&kept).map_err(Error::Clone)?;
    match sys::clone::clone3(CloneOptions { sibling: true, ..CloneOptions::default() }).map_err(Error::Clone)? {
        Forked::Child => {
            drop(told);
            match descriptor::read_byte(go.as_fd()).map_err(Error::Wire)? {
                Some(_) => Ok(()),
                // The one before us could not tell of us, and has said why.
                None => process::exit_now(1),
            }
        }
        Forked::Parent(child) => {
            wire.send(&Message::InitPid(child.pid().as_raw()), &[child.as_fd()])?;
            // If it is gone, the monitor sees that.
            drop(descriptor::write_all(told.as_fd(), b"g"));
            process::exit_now(0)
        }
    }
}
