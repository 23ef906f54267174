//! The container's standard streams: our ends, and the ends that init gets.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::sys::pty::{self, WindowSize};
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, descriptor};

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
            let (reader, writer) = descriptor::pipe()?;
            stream::set_nonblocking(&writer, true)?;
            (reader, Some(writer))
        } else {
            (descriptor::dev_null()?, None)
        };
        let (stdout, child_stdout) = descriptor::pipe()?;
        let (stderr, child_stderr) = descriptor::pipe()?;
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

/// What goes into the container, from whichever client, in order. Holds at most what one read gave.
#[derive(Debug)]
pub(super) struct Input {
    writer: Option<OwnedFd>,
    terminal: bool,
    queue: Vec<u8>,
    sent: usize,
    end_wanted: bool,
    /// The terminal was told that nothing more comes.
    terminal_end: Option<TerminalEnd>,
    window: Option<WindowSize>,
}

/// A terminal's end of input is a character, and lost if the program changes the terminal's mode before it reads, as
/// readline does when a shell starts. So it is sent again after each change, until somebody types.
#[derive(Debug)]
struct TerminalEnd {
    /// The mode in which it was sent last.
    canonical: bool,
    look: Instant,
}

/// How often the mode of a terminal is looked at whose input has ended.
const MODE_LOOK: Duration = Duration::from_millis(500);

impl Input {
    /// `writer`: the pipe, or the terminal's master; none without `-i`.
    pub(super) fn new(writer: Option<OwnedFd>, terminal: bool) -> Self {
        Self { writer, terminal, queue: Vec::new(), sent: 0, end_wanted: false, terminal_end: None, window: None }
    }

    /// Passes bytes on, or keeps those that do not fit. What comes after the end is dropped.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.end_wanted || self.writer.is_none() {
            return;
        }
        self.terminal_end = None;
        self.queue.extend_from_slice(bytes);
        self.flush();
    }

    /// No more input: the program reads its end (a terminal: its end-of-file character) after all that came before.
    pub(super) fn end(&mut self) {
        if self.terminal {
            let Some(master) = &self.writer else { return };
            let canonical = pty::is_canonical(master);
            self.queue.extend(pty::end_of_file_character(master));
            self.terminal_end = Some(TerminalEnd { canonical, look: Instant::now() + MODE_LOOK });
        } else {
            self.end_wanted = true;
        }
        self.flush();
    }

    /// When [`Self::tick`] wants to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.terminal_end.as_ref().map(|end| end.look)
    }

    /// Tells a terminal whose mode has changed once more that its input has ended.
    pub(super) fn tick(&mut self, now: Instant) {
        let Some(end) = self.terminal_end.as_mut().filter(|end| end.look <= now) else { return };
        end.look = now + MODE_LOOK;
        match &self.writer {
            Some(master) if pty::is_canonical(master) != end.canonical => self.end(),
            Some(_) => {}
            None => self.terminal_end = None,
        }
    }

    pub(super) fn resize(&mut self, size: WindowSize) {
        if let Some(master) = self.writer.as_ref().filter(|_| self.terminal) {
            self.window = Some(size);
            // The container may have closed its terminal: nobody is left to see the size.
            if let Err(error) = pty::set_window_size(master, size) {
                tracing::debug!(%error, "window size stays");
            }
        }
    }

    /// The last size that it was given.
    pub(super) fn window(&self) -> Option<WindowSize> {
        self.window
    }

    /// Writes what the container takes now.
    pub(super) fn flush(&mut self) {
        while self.sent < self.queue.len() {
            let Some(writer) = &self.writer else { break };
            match stream::write(writer, &self.queue[self.sent..]) {
                Ok(Transfer::Bytes(count)) => self.sent += count,
                Ok(Transfer::WouldBlock) => return,
                // A terminal that nobody has open now may be opened again; what was typed is lost as on any line.
                Ok(Transfer::End) if self.terminal => self.sent = self.queue.len(),
                Ok(Transfer::End) | Err(_) => self.writer = None,
            }
        }
        (self.queue, self.sent) = (Vec::new(), 0);
        if self.end_wanted {
            self.writer = None;
        }
    }

    /// True while bytes wait for the container, and for good once it takes no more.
    pub(super) fn is_blocked(&self) -> bool {
        self.writer.is_none() || self.is_waiting()
    }

    /// True while bytes wait for the container.
    pub(super) fn is_waiting(&self) -> bool {
        self.sent < self.queue.len()
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The descriptor to watch while something waits.
    pub(super) fn writer(&self) -> Option<BorrowedFd<'_>> {
        self.writer.as_ref().map(AsFd::as_fd)
    }
}
