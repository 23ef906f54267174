//! The cage of the process that reads an untrusted tar.

use super::error::Error;
use crate::sys;
use crate::sys::root::RootDir;

/// Confines this process, a worker with one thread, to `dirs` for the rest of its life: it can neither start programs
/// nor talk to anybody, and writes only there. Call it when everything else is open.
pub(crate) fn confine(dirs: &[&RootDir]) -> Result<(), Error> {
    use std::os::fd::AsFd as _;
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_fd()).collect();
    let landlocked = sys::confine::confine_worker(&dirs).map_err(Error::Confine)?;
    if !landlocked {
        tracing::debug!("no Landlock here: the worker is confined by seccomp and by descriptors alone");
    }
    Ok(())
}
