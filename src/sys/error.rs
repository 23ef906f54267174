//! The one error of this layer: which call, on what, and what the kernel answered.

use std::fmt;

pub(crate) use nix::errno::Errno;

/// A system call (or a helper program's exec) that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    /// Name of the call as in section 2 of the manual.
    pub(crate) call: &'static str,
    /// Its telling arguments, printed as in `strace`.
    pub(crate) args: String,
    /// What the kernel answered.
    pub(crate) errno: Errno,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(call: &'static str, args: impl Into<String>, errno: Errno) -> Self {
        Self { call, args: args.into(), errno }
    }

    /// The error of the last failed libc call of this thread.
    pub(crate) fn last(call: &'static str, args: impl Into<String>) -> Self {
        Self::new(call, args, Errno::last())
    }

    /// The kernel that brought what we need of a call, for calls that have no fallback (docs/kernel-features.md).
    fn since(&self) -> Option<(u32, u32)> {
        Some(match self.call {
            "clone3" => (5, 7),
            "mount_setattr" => (5, 12),
            "fsopen" | "fsconfig" | "fsmount" | "move_mount" | "open_tree" => (5, 2),
            "pidfd_open" => (5, 3),
            "pidfd_send_signal" => (5, 1),
            _ => return None,
        })
    }

    /// True if the kernel answered `errno`.
    pub(crate) fn is(&self, errno: Errno) -> bool {
        self.errno == errno
    }

    /// True if this process or the machine has nothing left to answer with: that says nothing of what was asked for.
    pub(crate) fn is_shortage(&self) -> bool {
        [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM].contains(&self.errno)
    }

    /// True if the file system, or the user's share of it, is full.
    pub(crate) fn is_full(&self) -> bool {
        self.is(Errno::ENOSPC) || self.is(Errno::EDQUOT)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}): {:?} ({})", self.call, self.args, self.errno, self.errno.desc())?;
        match self.since() {
            Some((major, minor)) if self.errno == Errno::ENOSYS => {
                write!(f, ": Linux {major}.{minor} has this call; a sandbox around us may hide it")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Anything that carries an errno: the error types of nix, rustix and std.
pub(crate) trait IntoErrno {
    fn into_errno(self) -> Errno;
}

impl IntoErrno for Errno {
    fn into_errno(self) -> Errno {
        self
    }
}

impl IntoErrno for rustix::io::Errno {
    fn into_errno(self) -> Errno {
        Errno::from_raw(self.raw_os_error())
    }
}

impl IntoErrno for std::io::Error {
    /// An error of the standard library's own making (short read, invalid data) counts as EIO.
    fn into_errno(self) -> Errno {
        self.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
    }
}

/// Turns the result of a wrapped call into ours: `rustix::fs::open(..).call("open", || format!("{path:?}"))`.
pub(crate) trait Call<T> {
    fn call(self, name: &'static str, args: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: IntoErrno> Call<T> for std::result::Result<T, E> {
    fn call(self, name: &'static str, args: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| {
            let error = Error::new(name, args(), error.into_errno());
            tracing::trace!(%error, "system call refused");
            error
        })
    }
}
