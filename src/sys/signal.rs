//! Signals to this process: mask, and reception by descriptor (`signalfd(2)`).
//!
//! Sending goes by pidfd (`process::PidFd::signal`); defaults for a new program are set by `prctl::reset_signals`.
#![expect(unsafe_code, reason = "nix's SigSet does not know the real-time signals")]

use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use super::error::{Call, Error, Result};

/// Numbers for those who have no business with `types::signal`.
pub(crate) use libc::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGSTOP, SIGTERM, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2,
    SIGWINCH,
};

/// A set of signals by number; numbers that are no signal are left out.
#[derive(Clone, Copy)]
pub(crate) struct SignalSet(libc::sigset_t);

impl SignalSet {
    pub(crate) fn empty() -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset(3) initialises the set that it is given.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: initialised by the line above.
        Self(unsafe { set.assume_init() })
    }

    pub(crate) fn of(signals: impl IntoIterator<Item = i32>) -> Self {
        let mut set = Self::empty();
        for signal in signals {
            // SAFETY: the set is initialised; a number out of range is EINVAL and changes nothing.
            unsafe { libc::sigaddset(&raw mut set.0, signal) };
        }
        set
    }

    pub(crate) fn contains(&self, signal: i32) -> bool {
        // SAFETY: the set is initialised; a number out of range is EINVAL.
        unsafe { libc::sigismember(&raw const self.0, signal) == 1 }
    }
}

impl std::fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries((1..=64).filter(|signal| self.contains(*signal))).finish()
    }
}

/// Signals blocked for this thread until the guard is dropped; then the mask is as it was.
#[derive(Debug)]
pub(crate) struct MaskGuard {
    previous: SignalSet,
}

impl MaskGuard {
    /// Blocks these signals, in addition to what is blocked.
    pub(crate) fn block(signals: &SignalSet) -> Result<Self> {
        change_mask(libc::SIG_BLOCK, signals).map(|previous| Self { previous })
    }
}

impl Drop for MaskGuard {
    fn drop(&mut self) {
        if let Err(error) = change_mask(libc::SIG_SETMASK, &self.previous) {
            tracing::debug!(%error, "signal mask stays");
        }
    }
}

/// Sends a signal to this process itself.
pub(crate) fn raise(signal: i32) -> Result<()> {
    // SAFETY: raise(3) takes a number only.
    let result = unsafe { libc::raise(signal) };
    if result == 0 { Ok(()) } else { Err(Error::last("raise", signal.to_string())) }
}

/// One signal as `signalfd(2)` delivers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) signal: i32,
    /// Who sent it; 0 for the kernel and for senders outside our pid namespace.
    pub(crate) sender: u32,
}

/// Blocked signals as something to read. The signals must stay blocked while it lives.
#[derive(Debug)]
pub(crate) struct SignalFd {
    fd: OwnedFd,
}

impl SignalFd {
    pub(crate) fn new(signals: &SignalSet) -> Result<Self> {
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: -1 asks for a new descriptor; the set is initialised.
        let fd = unsafe { libc::signalfd(-1, &raw const signals.0, flags) };
        if fd < 0 {
            return Err(Error::last("signalfd", format!("{signals:?}")));
        }
        // SAFETY: the kernel gave us this new descriptor.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Takes one signal; `None` if none is pending.
    pub(crate) fn take(&self) -> Result<Option<Received>> {
        let mut buffer = [0_u8; size_of::<libc::signalfd_siginfo>()];
        loop {
            return match rustix::io::read(&self.fd, &mut buffer) {
                Ok(_) => {
                    // SAFETY: signalfd(2) gives whole records of plain integers; any bytes are a valid one.
                    let info: libc::signalfd_siginfo = unsafe { std::ptr::read_unaligned(buffer.as_ptr().cast()) };
                    Ok(Some(Received { signal: info.ssi_signo.cast_signed(), sender: info.ssi_pid }))
                }
                Err(rustix::io::Errno::AGAIN) => Ok(None),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => Err(error).call("read", || "signalfd".to_owned()),
            };
        }
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn change_mask(how: i32, signals: &SignalSet) -> Result<SignalSet> {
    let mut previous = SignalSet::empty();
    // SAFETY: both sets are initialised.
    let errno = unsafe { libc::pthread_sigmask(how, &raw const signals.0, &raw mut previous.0) };
    if errno == 0 {
        return Ok(previous);
    }
    Err(Error::new("rt_sigprocmask", format!("{signals:?}"), super::Errno::from_raw(errno)))
}

#[cfg(test)]
mod tests {
    use super::{MaskGuard, SignalFd, SignalSet, raise};

    #[test]
    fn a_blocked_signal_is_read_and_the_mask_comes_back() {
        let real_time = 40;
        let set = SignalSet::of([libc::SIGUSR1, real_time]);
        let signals = SignalFd::new(&set).expect("signalfd");
        {
            let guard = MaskGuard::block(&set).expect("block");
            assert!(!guard.previous.contains(real_time));
            for signal in [libc::SIGUSR1, real_time] {
                raise(signal).expect("raise");
                assert_eq!(signals.take().expect("take").expect("pending").signal, signal);
            }
            assert_eq!(signals.take().expect("take"), None);
        }
        let guard = MaskGuard::block(&SignalSet::empty()).expect("block nothing");
        assert!(!guard.previous.contains(real_time));
        assert_eq!(format!("{set:?}"), format!("{{{}, {real_time}}}", libc::SIGUSR1));
    }
}
