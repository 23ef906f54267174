//! Hiding from those who have power over a process before its program runs: the container that `exec` enters, or that a new
//! container shares its user namespace with.
//!
//! Whoever is not dumpable may be looked into (`/proc/PID/{root,cwd,fd,exe,environ,mem}`, ptrace, pidfd_getfd, kcmp) only by those
//! with `CAP_SYS_PTRACE` in the user namespace that its memory belongs to, the one in which its program was executed: the caller's
//! own for a fork of the command, P for one that has left the binary. No container has a capability there. `execve(2)` ends it. What
//! needs no such right (`cmdline`, `stat`, `mountinfo`) shows nothing of the host where the process is in the container's root and
//! has forgotten its arguments.

use crate::runtime::bundle::Bundle;
use crate::runtime::error::Error;
use crate::sys::{self, prctl};

use super::identity;

/// For the stage, and by it for init. The process has not joined anybody yet.
pub(in crate::runtime) fn hide(bundle: &Bundle) -> Result<(), Error> {
    if let Some(process) = bundle.spec.process() {
        // Afterwards our files in /proc are no longer ours.
        identity::set_oom_score(process)?;
    }
    prctl::set_dumpable(false).map_err(failed)
}

/// Not with the command line of who made us.
pub(in crate::runtime) fn arguments() -> Result<(), Error> {
    prctl::forget_arguments().map_err(failed)
}

fn failed(source: sys::Error) -> Error {
    Error::Identity { operation: "hide from the container", source }
}
