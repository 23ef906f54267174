//! Sampan as pid 1 (`--init`): hands signals on to the program, reaps orphans, ends as the program ends.

use std::convert::Infallible;
use std::os::fd::AsFd;

use crate::runtime::error::Error;
use crate::sys::descriptor;
use crate::sys::process::{self, PidFd};
use crate::sys::signal::{MaskGuard, SignalFd, SignalSet};

/// SIGCHLD is for us, not for the program.
const CHILD: i32 = 17;

/// Reaps until the program has ended, and exits with its code. The control wire is closed, so that the monitor sees the exec.
pub(super) fn run(program: &PidFd) -> Result<Infallible, Error> {
    let error = |source| Error::Identity { operation: "serve as init", source };
    let all = SignalSet::of(1..=64);
    let _blocked = MaskGuard::block(&all).map_err(error)?;
    let signals = SignalFd::new(&all).map_err(error)?;
    // Only the signals matter from here on: the wire's end must be the program's alone.
    descriptor::close_all_but(&[signals.as_fd(), program.as_fd()]).map_err(error)?;
    loop {
        // First, for the SIGCHLD of a program that ended before the signal was blocked never comes.
        while let Some((pid, status)) = process::reap_any().map_err(error)? {
            if pid == program.pid() {
                process::exit_now(status.code());
            }
        }
        crate::sys::wait_readable(signals.as_fd(), None).map_err(error)?;
        while let Some(signal) = signals.take().map_err(error)? {
            if signal.signal != CHILD {
                program.signal(signal.signal).map_err(error)?;
            }
        }
    }
}
