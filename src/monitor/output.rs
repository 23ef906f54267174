//! The container's output: pipes or a terminal, read a little at a time into the log and to the clients.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::attach::Clients;
use super::log::LogSink;
use super::log::line::Stream;
use super::report::FrameKind;
use super::stdio::{ContainerIo, Input};
use crate::sys::poll::{EventLoop, Interest, Token};
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, pty};

/// How long to wait before reading a terminal again that nobody has open.
const TERMINAL_REST: Duration = Duration::from_millis(100);

/// One stream of output.
#[derive(Debug)]
pub(super) struct Output {
    /// None at its end.
    reader: Option<OwnedFd>,
    stream: Stream,
    watched: bool,
    /// A terminal that had no reader: do not look before this.
    rest_until: Option<Instant>,
}

impl Output {
    fn new(reader: OwnedFd, stream: Stream) -> Self {
        Self { reader: Some(reader), stream, watched: false, rest_until: None }
    }

    /// What is read, until its end.
    pub(super) fn reader(&self) -> Option<BorrowedFd<'_>> {
        self.reader.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn rest_until(&self) -> Option<Instant> {
        self.rest_until
    }

    /// Watches the stream, unless nobody can take more (`stalled`) or it rests.
    pub(super) fn watch(&mut self, events: &EventLoop, token: Token, stalled: bool, now: Instant) -> sys::Result<()> {
        self.rest_until = self.rest_until.filter(|until| *until > now);
        let Some(reader) = &self.reader else { return Ok(()) };
        let wanted = !stalled && self.rest_until.is_none();
        match (self.watched, wanted) {
            (false, true) => events.add(reader, token, Interest::READ)?,
            // Removed, not muted: a hang-up is always reported and would keep us awake.
            (true, false) => events.remove(reader)?,
            _ => {}
        }
        self.watched = wanted;
        Ok(())
    }

    /// Moves up to `turns` reads to log and clients. An end is none if the stream `rests` when nobody has it open.
    /// Returns how many bytes, and whether more may come.
    pub(super) fn pump(
        &mut self,
        turns: usize,
        rests: bool,
        buffer: &mut [u8],
        log: &mut LogSink,
        clients: &mut Clients,
    ) -> (usize, bool) {
        let mut moved = 0;
        for _turn in 0..turns {
            let Some(reader) = &self.reader else { return (moved, false) };
            match stream::read(reader, buffer) {
                Ok(Transfer::Bytes(count)) => {
                    moved += count;
                    log.append(self.stream, &buffer[..count]);
                    clients.broadcast(kind(self.stream), &buffer[..count]);
                }
                Ok(Transfer::WouldBlock) => return (moved, true),
                Ok(Transfer::End) if rests => {
                    self.rest_until = Some(Instant::now() + TERMINAL_REST);
                    return (moved, true);
                }
                Ok(Transfer::End) | Err(_) => {
                    // Closing it takes it out of the event set.
                    self.reader = None;
                    self.watched = false;
                    return (moved, false);
                }
            }
        }
        (moved, true)
    }
}

fn kind(stream: Stream) -> FrameKind {
    match stream {
        Stream::Stdout => FrameKind::Stdout,
        Stream::Stderr => FrameKind::Stderr,
    }
}

/// Input, outputs, and the terminal to be held open.
pub(super) fn split(io: ContainerIo) -> sys::Result<(Input, Vec<Output>, Option<OwnedFd>)> {
    Ok(match io {
        ContainerIo::Pipes { stdin, stdout, stderr } => {
            let outputs = vec![Output::new(stdout, Stream::Stdout), Output::new(stderr, Stream::Stderr)];
            (Input::new(stdin, false), outputs, None)
        }
        ContainerIo::Pty { master } => {
            let terminal = pty::peer(&master).inspect_err(|error| tracing::debug!(%error, "terminal not held")).ok();
            // A second descriptor, because the event set knows one interest per descriptor.
            let reader = stream::duplicate(&master)?;
            (Input::new(Some(master), true), vec![Output::new(reader, Stream::Stdout)], terminal)
        }
    })
}
