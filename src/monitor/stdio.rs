//! The container's standard streams: our ends, and the ends that init gets.

use std::os::fd::OwnedFd;

use crate::sys::{self, process, stream};

/// Our ends.
#[derive(Debug)]
pub(crate) enum ContainerIo {
    /// `-t`: the master of the terminal that init opened in the container.
    Pty { master: OwnedFd },
    /// Without: one pipe each; no `stdin` without `-i`.
    Pipes { stdin: Option<OwnedFd>, stdout: OwnedFd, stderr: OwnedFd },
}

/// What becomes 0, 1 and 2 of the program. Close these in the monitor once init has them.
#[derive(Debug)]
pub(crate) struct ChildStdio {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

impl ContainerIo {
    /// Pipes for a container without a terminal. Standard input is `/dev/null` unless `interactive`.
    ///
    /// Our ends do not block; the program's do (they are other open file descriptions).
    pub(crate) fn pipes(interactive: bool) -> sys::Result<(Self, ChildStdio)> {
        let (child_stdin, stdin) = if interactive {
            let (reader, writer) = process::pipe()?;
            stream::set_nonblocking(&writer, true)?;
            (reader, Some(writer))
        } else {
            (process::dev_null()?, None)
        };
        let (stdout, child_stdout) = process::pipe()?;
        let (stderr, child_stderr) = process::pipe()?;
        stream::set_nonblocking(&stdout, true)?;
        stream::set_nonblocking(&stderr, true)?;
        Ok((
            Self::Pipes { stdin, stdout, stderr },
            ChildStdio { stdin: child_stdin, stdout: child_stdout, stderr: child_stderr },
        ))
    }

    /// The master that init sent.
    pub(crate) fn terminal(master: OwnedFd) -> sys::Result<Self> {
        stream::set_nonblocking(&master, true)?;
        Ok(Self::Pty { master })
    }
}
