//! One client of a container's streams: moves bytes between ours and the owner's until one of them has had enough.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::attach::{AttachOptions, AttachOutcome};
use super::signal_proxy::SignalProxy;
use crate::monitor::report::{self, Decoder, Event, FrameKind};
use crate::sys::poll::{EventLoop, Interest, Ready, Token};
use crate::sys::pty::{self, RawMode};
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, Errno, signal, socket};
use crate::types::detach_keys::DetachScanner;

/// Moves bytes between our streams and the owner of the container's until one of them has had enough. `pass_on` brings the
/// program a signal. The terminal is as before when this returns, however it returns.
pub(crate) fn attach(
    socket: OwnedFd,
    options: AttachOptions<'_>,
    proxy: SignalProxy,
    pass_on: PassOn<'_>,
) -> sys::Result<AttachOutcome> {
    let terminal = options.keyboard.filter(|keyboard| options.terminal && pty::is_terminal(keyboard));
    let raw = match terminal {
        Some(terminal) if options.stdin.is_some() => Some(RawMode::enter(terminal)?),
        // What the program prints has its line ends already.
        Some(terminal) if pty::is_foreground(terminal) => Some(RawMode::enter_with_signals(terminal)?),
        _ => None,
    };
    let mut session = Session::new(&socket, options, &proxy, pass_on, raw)?;
    let end = session.run();
    drop(session);
    match end? {
        End::Outcome(outcome) => Ok(outcome),
        End::Signal(number) => {
            proxy.give_in(number)?;
            // Only if the signal is ignored: then it is no reason to end, but the session is over.
            Ok(AttachOutcome::Detached)
        }
    }
}

/// Brings the program a signal, if there is one.
pub(crate) type PassOn<'a> = &'a dyn Fn(i32) -> sys::Result<()>;

const SOCKET: Token = 0;

const SIGNALS: Token = 1;

const STDIN: Token = 2;

const STDOUT: Token = 3;

const STDERR: Token = 4;

/// Bytes of one read.
const BUFFER: usize = 32 << 10;

/// A pipe that is ready for writing takes this much without waiting (`PIPE_BUF`, pipe(7)).
const BITE: usize = 4096;

/// Why the loop ended.
#[derive(Debug, Clone, Copy)]
enum End {
    Outcome(AttachOutcome),
    /// This signal would have ended us.
    Signal(i32),
}

/// One of our streams.
#[derive(Debug)]
struct Stream<'a> {
    fd: Option<BorrowedFd<'a>>,
    token: Token,
    interest: Interest,
    /// In the event set.
    watched: bool,
    /// A regular file or the like, which no event set takes: always ready.
    always_ready: bool,
}

struct Session<'a> {
    socket: &'a OwnedFd,
    options: AttachOptions<'a>,
    proxy: &'a SignalProxy,
    pass_on: PassOn<'a>,
    raw: Option<RawMode<'a>>,
    events: EventLoop,
    socket_interest: Interest,
    stdin: Stream<'a>,
    stdout: Stream<'a>,
    stderr: Stream<'a>,
    /// Why some of the output was not written.
    lost: Option<Errno>,
    scanner: Option<DetachScanner>,
    decoder: Decoder,
    /// What came from the socket, from `taken` on not yet decoded.
    inbox: Vec<u8>,
    taken: usize,
    /// Output that one of our streams must take before more is decoded.
    pending: Vec<u8>,
    pending_on_stderr: bool,
    /// Frames on their way to the socket; our input waits until they are gone.
    outbox: Vec<u8>,
    buffer: Vec<u8>,
}

impl<'a> Session<'a> {
    fn new(
        socket: &'a OwnedFd,
        options: AttachOptions<'a>,
        proxy: &'a SignalProxy,
        pass_on: PassOn<'a>,
        raw: Option<RawMode<'a>>,
    ) -> sys::Result<Self> {
        stream::set_nonblocking(socket, true)?;
        let events = EventLoop::new()?;
        events.add(socket, SOCKET, Interest::READ)?;
        events.add(proxy.descriptor(), SIGNALS, Interest::READ)?;
        let typed = options.stdin.is_some_and(pty::is_terminal);
        let mut session = Self {
            socket,
            proxy,
            pass_on,
            raw,
            events,
            socket_interest: Interest::READ,
            stdin: Stream::new(options.stdin, STDIN),
            stdout: Stream::new(options.stdout, STDOUT),
            stderr: Stream::new(options.stderr, STDERR),
            lost: None,
            scanner: typed.then(|| DetachScanner::new(&options.detach_keys)),
            decoder: Decoder::default(),
            inbox: Vec::new(),
            taken: 0,
            pending: Vec::new(),
            pending_on_stderr: false,
            outbox: Vec::new(),
            buffer: vec![0; BUFFER],
            options,
        };
        session.send_size();
        if session.options.stdin.is_none() && session.options.ends_input && !session.options.terminal {
            // Nobody will type: the program's input ends at once, as with Podman, and it does not wait for ever.
            session.outbox.extend_from_slice(&report::header(FrameKind::StdinEnd, 0));
            session.flush_outbox();
        }
        Ok(session)
    }

    fn run(&mut self) -> sys::Result<End> {
        let mut ready = Vec::new();
        loop {
            if let Some(end) = self.decode() {
                return Ok(end);
            }
            let busy = self.update_watches()?;
            self.events.wait(&mut ready, busy.then_some(Duration::ZERO))?;
            let forced = [&self.stdin, &self.stdout, &self.stderr].map(Stream::forced).into_iter().flatten();
            ready.extend(forced.collect::<Vec<_>>());
            for event in &ready {
                if let Some(end) = self.handle(*event)? {
                    return Ok(end);
                }
            }
        }
    }

    fn handle(&mut self, event: Ready) -> sys::Result<Option<End>> {
        match event.token {
            SOCKET => {
                self.flush_outbox();
                if self.socket_interest.read { self.receive() } else { Ok(None) }
            }
            SIGNALS => self.handle_signals(),
            STDIN if self.outbox.is_empty() => self.read_stdin(),
            STDOUT | STDERR => Ok(self.write_pending()),
            _ => Ok(None),
        }
    }

    /// Reads from the socket; only when everything before has been written.
    fn receive(&mut self) -> sys::Result<Option<End>> {
        match stream::read(self.socket, &mut self.buffer)? {
            Transfer::Bytes(count) => {
                self.inbox.clear();
                self.inbox.extend_from_slice(&self.buffer[..count]);
                self.taken = 0;
                Ok(None)
            }
            Transfer::WouldBlock => Ok(None),
            Transfer::End => Ok(Some(End::Outcome(AttachOutcome::Lost))),
        }
    }

    /// Takes frames until one is output that must be written first.
    fn decode(&mut self) -> Option<End> {
        while self.pending.is_empty() {
            let mut bytes = &self.inbox[self.taken..];
            let event = self.decoder.next(&mut bytes);
            self.taken = self.inbox.len() - bytes.len();
            match event {
                Ok(None) => break,
                Ok(Some(Event::Stdout(piece))) if self.stdout.fd.is_some() => {
                    self.pending.extend_from_slice(piece);
                    self.pending_on_stderr = false;
                }
                Ok(Some(Event::Stderr(piece))) if self.stderr.fd.is_some() => {
                    self.pending.extend_from_slice(piece);
                    self.pending_on_stderr = true;
                }
                Ok(Some(Event::Exit(report))) => {
                    let whole = AttachOutcome::Exited(report);
                    let outcome = self.lost.map_or(whole, |errno| AttachOutcome::OutputLost(report, errno));
                    return Some(End::Outcome(outcome));
                }
                Ok(Some(_)) => {}
                Err(error) => {
                    tracing::warn!(%error, "attach");
                    return Some(End::Outcome(AttachOutcome::Lost));
                }
            }
        }
        None
    }

    fn write_pending(&mut self) -> Option<End> {
        let target = if self.pending_on_stderr { &mut self.stderr } else { &mut self.stdout };
        let (Some(fd), false) = (target.fd, self.pending.is_empty()) else { return None };
        let bite = if target.always_ready { self.pending.len() } else { self.pending.len().min(BITE) };
        match stream::write(fd, &self.pending[..bite]) {
            Ok(Transfer::Bytes(count)) => drop(self.pending.drain(..count)),
            Ok(Transfer::WouldBlock) => {}
            Ok(Transfer::End) => return Some(End::Outcome(AttachOutcome::OutputClosed)),
            Err(error) => {
                // A full disk behind our output: said now and at the end, and the container goes on.
                tracing::warn!(%error, "output of the container is lost");
                self.lost = Some(error.errno);
                target.fd = None;
                self.pending.clear();
            }
        }
        None
    }

    fn read_stdin(&mut self) -> sys::Result<Option<End>> {
        let Some(stdin) = self.stdin.fd else { return Ok(None) };
        match stream::read(stdin, &mut self.buffer)? {
            Transfer::Bytes(count) => {
                let mut passed = Vec::new();
                let detached = match &mut self.scanner {
                    Some(scanner) => scanner.scan(&self.buffer[..count], &mut passed),
                    None => {
                        passed.extend_from_slice(&self.buffer[..count]);
                        false
                    }
                };
                if !passed.is_empty() {
                    self.outbox.extend_from_slice(&report::header(FrameKind::Stdin, passed.len()));
                    self.outbox.append(&mut passed);
                }
                self.flush_outbox();
                Ok(detached.then_some(End::Outcome(AttachOutcome::Detached)))
            }
            Transfer::WouldBlock => Ok(None),
            Transfer::End => {
                if self.stdin.watched {
                    self.events.remove(stdin)?;
                }
                self.stdin.fd = None;
                if self.options.ends_input {
                    self.outbox.extend_from_slice(&report::header(FrameKind::StdinEnd, 0));
                    self.flush_outbox();
                }
                Ok(None)
            }
        }
    }

    /// Sends what the socket takes. If the other side is gone, the next read says so.
    fn flush_outbox(&mut self) {
        while !self.outbox.is_empty() {
            match socket::send(self.socket, &[std::io::IoSlice::new(&self.outbox)]) {
                Ok(Transfer::Bytes(count)) => drop(self.outbox.drain(..count)),
                Ok(Transfer::WouldBlock) => return,
                Ok(Transfer::End) | Err(_) => self.outbox.clear(),
            }
        }
    }

    fn handle_signals(&mut self) -> sys::Result<Option<End>> {
        while let Some(received) = self.proxy.take()? {
            let number = received.signal;
            match number {
                signal::SIGWINCH => self.send_size(),
                signal::SIGCONT => {
                    // The shell has set the terminal's modes for itself meanwhile.
                    if let Some(raw) = &self.raw {
                        raw.again()?;
                    }
                    self.send_size();
                }
                _ if !self.proxy.is_forwarding() => return Ok(Some(End::Signal(number))),
                _ => (self.pass_on)(number)?,
            }
        }
        Ok(None)
    }

    fn send_size(&mut self) {
        if let Some(size) = self.options.window() {
            self.outbox.extend_from_slice(&report::resize(size));
            self.flush_outbox();
        }
    }

    /// Waits for what can go on now. True if something is ready that no event set knows.
    fn update_watches(&mut self) -> sys::Result<bool> {
        let socket = Interest { read: self.pending.is_empty(), write: !self.outbox.is_empty() };
        match (self.socket_interest == Interest::NONE, socket == Interest::NONE) {
            _ if socket == self.socket_interest => {}
            (true, _) => self.events.add(self.socket, SOCKET, socket)?,
            // Out of the set: the hang-up of a monitor that is done would keep us awake while our reader is slow.
            (_, true) => self.events.remove(self.socket)?,
            _ => self.events.change(self.socket, SOCKET, socket)?,
        }
        self.socket_interest = socket;
        let writing = |wanted: bool| if wanted { Interest::WRITE } else { Interest::NONE };
        let reading = if self.outbox.is_empty() { Interest::READ } else { Interest::NONE };
        let waiting = !self.pending.is_empty();
        self.stdin.watch(&self.events, reading)?;
        self.stdout.watch(&self.events, writing(waiting && !self.pending_on_stderr))?;
        self.stderr.watch(&self.events, writing(waiting && self.pending_on_stderr))?;
        Ok([&self.stdin, &self.stdout, &self.stderr].into_iter().any(|stream| stream.forced().is_some()))
    }
}

impl<'a> Stream<'a> {
    fn new(fd: Option<BorrowedFd<'a>>, token: Token) -> Self {
        Self { fd, token, interest: Interest::NONE, watched: false, always_ready: false }
    }

    /// In the event set only while it is wanted: a hang-up is always reported. One descriptor cannot be in a set twice, so
    /// two streams that are the same are two copies of it (0, 1 and 2 are).
    fn watch(&mut self, events: &EventLoop, interest: Interest) -> sys::Result<()> {
        let Some(fd) = self.fd else { return Ok(()) };
        let wanted = interest != Interest::NONE;
        self.interest = interest;
        if wanted && !self.watched && !self.always_ready {
            match events.add(fd, self.token, interest) {
                Ok(()) => self.watched = true,
                Err(error) if error.is(Errno::EPERM) => self.always_ready = true,
                Err(error) => return Err(error),
            }
        } else if !wanted && self.watched {
            events.remove(fd.as_fd())?;
            self.watched = false;
        }
        Ok(())
    }

    fn forced(&self) -> Option<Ready> {
        let forced = self.fd.is_some() && self.always_ready && self.interest != Interest::NONE;
        let Interest { read, write } = self.interest;
        forced.then_some(Ready { token: self.token, readable: read, writable: write, closed: false })
    }
}

#[cfg(test)]
mod tests;
