//! Helper programs (`newuidmap`, `pasta`, `slirp4netns`, `fuse-overlayfs`, `getent`): fork and exec with an explicit
//! list of descriptors and an environment of our choice. The caller has one thread.

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::clone::{Forked, fork};
use super::error::{Errno, Error, Result};
use super::process::{self, ExitStatus, PidFd};
use super::{fs, prctl};

/// A program about to be started.
#[derive(Debug)]
pub(crate) struct Spawn<'a> {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<OsString>,
    inherit: Vec<BorrowedFd<'a>>,
    streams: [Option<BorrowedFd<'a>>; 3],
    die_with_parent: bool,
}

/// A started program. It is not killed or reaped on drop.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pidfd: PidFd,
    program: PathBuf,
    /// Closed by a successful exec; carries the errno of a failed one.
    exec_error: OwnedFd,
}

impl<'a> Spawn<'a> {
    /// `program` is a path: find it with [`find_program`]. Standard streams are `/dev/null` unless set.
    pub(crate) fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let name = program.clone().into_os_string();
        Self {
            program,
            args: vec![name],
            env: Vec::new(),
            inherit: Vec::new(),
            streams: [None; 3],
            die_with_parent: false,
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Its environment, `NAME=VALUE` each: empty unless given.
    pub(crate) fn environment(mut self, variables: Vec<OsString>) -> Self {
        self.env = variables;
        self
    }

    /// The program keeps this descriptor under the same number.
    pub(crate) fn inherit(mut self, fd: BorrowedFd<'a>) -> Self {
        self.inherit.push(fd);
        self
    }

    /// Standard input (0), output (1) or error (2).
    pub(crate) fn stream(mut self, number: usize, fd: BorrowedFd<'a>) -> Self {
        self.streams[number] = Some(fd);
        self
    }

    /// The program gets SIGKILL when we die (`PR_SET_PDEATHSIG`).
    pub(crate) fn die_with_parent(mut self) -> Self {
        self.die_with_parent = true;
        self
    }

    /// Starts it. A failed exec shows in [`Child::started`] and [`Child::wait`].
    pub(crate) fn start(self) -> Result<Child> {
        let (reader, writer) = super::descriptor::pipe()?;
        let null = super::descriptor::dev_null()?;
        let parent = process::Pid::this();
        match fork()? {
            Forked::Parent(pidfd) => Ok(Child { pidfd, program: self.program, exec_error: reader }),
            Forked::Child => {
                let error = self.become_program(&null, &writer, parent);
                let errno = (error.errno as i32).to_le_bytes();
                // If nobody reads, the exit code below still tells that something went wrong.
                if rustix::io::write(&writer, &errno).is_err() {
                    process::exit_now(126)
                }
                process::exit_now(127)
            }
        }
    }

    /// Runs it to its end; its standard output as bytes (at most `limit`), its standard error in the message.
    pub(crate) fn output(self, limit: u64) -> Result<(ExitStatus, Vec<u8>)> {
        let (reader, writer) = super::descriptor::pipe()?;
        let child = Spawn { streams: [self.streams[0], Some(writer.as_fd()), self.streams[2]], ..self }.start()?;
        drop(writer);
        let mut bytes = Vec::new();
        let read = std::fs::File::from(reader).take(limit).read_to_end(&mut bytes);
        let status = child.wait()?;
        read.map(|_| (status, bytes)).map_err(|error| {
            Error::new("read", "output of a helper program", error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
        })
    }

    fn become_program(&self, null: &OwnedFd, writer: &OwnedFd, parent: process::Pid) -> Error {
        let ready = || -> Result<()> {
            if self.die_with_parent {
                prctl::die_with(parent)?;
            }
            for (number, stream) in self.streams.iter().enumerate() {
                let number = i32::try_from(number).unwrap_or(2);
                super::descriptor::redirect(stream.unwrap_or(null.as_fd()), number)?;
            }
            let mut keep = self.inherit.clone();
            keep.push(writer.as_fd());
            super::descriptor::close_all_but(&keep)?;
            for fd in &self.inherit {
                super::descriptor::set_cloexec(*fd, false)?;
            }
            prctl::reset_signals()
        };
        match ready() {
            Ok(()) => process::exec(&self.program, &self.args, &self.env),
            Err(error) => error,
        }
    }
}

impl Child {
    /// Waits until the exec has happened; the kernel's answer if it refused.
    pub(crate) fn started(&self) -> Result<()> {
        let mut errno = [0; 4];
        loop {
            return match rustix::io::read(&self.exec_error, &mut errno[..]) {
                Ok(4) => {
                    Err(Error::new("execve", format!("{:?}", self.program), Errno::from_raw(i32::from_le_bytes(errno))))
                }
                Err(rustix::io::Errno::INTR) => continue,
                _ => Ok(()),
            };
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> Result<ExitStatus> {
        let started = self.started();
        let status = self.pidfd.wait()?;
        started.map(|()| status)
    }
}

/// Looks for an executable file in a `PATH`.
pub(crate) fn find_program(name: &str, path: &str) -> Option<PathBuf> {
    try_find_program(name, path).ok().flatten()
}

/// Like [`find_program`], but an error that says nothing of the program (of the disk, or of a limit) is one.
pub(crate) fn try_find_program(name: &str, path: &str) -> Result<Option<PathBuf>> {
    for dir in path.split(':').filter(|dir| dir.starts_with('/')) {
        let candidate = Path::new(dir).join(name);
        let found = match fs::stat(&candidate) {
            // A directory of somebody else's on the way.
            Err(error) if [Errno::EACCES, Errno::ELOOP, Errno::ENAMETOOLONG].into_iter().any(|e| error.is(e)) => None,
            other => other?,
        };
        if found.is_some_and(|meta| meta.is_file())
            && rustix::fs::access(&candidate, rustix::fs::Access::EXEC_OK).is_ok()
        {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}
