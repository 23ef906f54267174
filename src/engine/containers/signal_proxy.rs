//! Signals to a command that stands for a container (`run`, `start -a`, `attach`, `exec`).

use crate::sys;
use crate::sys::signal::{self, MaskGuard, Received, SignalFd, SignalSet};

/// Signals held back from their default action while this lives, to be read by [`super::attach_session::attach`].
///
/// Make it before the container is started: what arrives meanwhile waits and reaches the program when it runs, so that
/// no signal at any moment leaves an orphan or a terminal in raw mode (G06). A process that is forked meanwhile inherits the
/// mask and must reset it.
#[derive(Debug)]
pub(crate) struct SignalProxy {
    signals: SignalFd,
    /// `--sig-proxy`: signals go to the program. Otherwise those that end us are held only to restore the terminal.
    forwarding: bool,
    mask: MaskGuard,
}

/// Signals that are never the container's: KILL and STOP, which nobody can hold, faults of our own, job control of our
/// terminal, news for us, and the C library's own. Numbers as on x86-64, arm64 and riscv64 (signal(7)).
const OURS: [i32; 15] = {
    const ILL_TRAP_BUS_FPE: [i32; 4] = [4, 5, 7, 8];
    const SEGV_STOP_SYS: [i32; 3] = [11, 19, 31];
    const TTIN: i32 = 21;
    const LIBC: [i32; 2] = [32, 33];
    let [ill, trap, bus, fpe] = ILL_TRAP_BUS_FPE;
    let [segv, stop, sys] = SEGV_STOP_SYS;
    let [cancel, setxid] = LIBC;
    let (kill, ttou) = (signal::SIGKILL, signal::SIGTTOU);
    let (chld, urg, pipe) = (signal::SIGCHLD, signal::SIGURG, signal::SIGPIPE);
    [ill, trap, bus, fpe, segv, stop, sys, TTIN, ttou, kill, chld, urg, pipe, cancel, setxid]
};

impl SignalProxy {
    /// Holds back every signal that can be the container's (`forwarding`), or those that would end us.
    pub(crate) fn new(forwarding: bool) -> sys::Result<Self> {
        let set = if forwarding {
            SignalSet::of((1..=64).filter(|number| !OURS.contains(number)))
        } else {
            SignalSet::of([
                signal::SIGHUP,
                signal::SIGINT,
                signal::SIGQUIT,
                signal::SIGTERM,
                signal::SIGCONT,
                signal::SIGWINCH,
            ])
        };
        let mask = MaskGuard::block(&set)?;
        Ok(Self { signals: SignalFd::new(&set)?, forwarding, mask })
    }

    pub(super) fn descriptor(&self) -> &SignalFd {
        &self.signals
    }

    /// Readable while one of those is held back that are to end us. None is taken there: they wait for the program, or have
    /// their way when this is dropped.
    pub(super) fn interrupts(&self) -> sys::Result<SignalFd> {
        SignalFd::new(&SignalSet::of([signal::SIGHUP, signal::SIGINT, signal::SIGQUIT, signal::SIGTERM]))
    }

    pub(super) fn take(&self) -> sys::Result<Option<Received>> {
        self.signals.take()
    }

    pub(super) fn is_forwarding(&self) -> bool {
        self.forwarding
    }

    /// Lets the signal have its way with us: the terminal has been restored.
    pub(super) fn give_in(self, number: i32) -> sys::Result<()> {
        drop(self.mask);
        signal::raise(number)
    }
}
