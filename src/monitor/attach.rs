//! The attached clients: output to all of them, input and window sizes from any of them; and the socket they come by.
//!
//! The client that a foreground `run`, `start -a` or `exec` brings along is the reader of a pipe in the user's eyes:
//! nothing is lost, and when it is slow the program waits ([`Pace::Lossless`]). Those that come later through the
//! socket are onlookers: one that is a mebibyte behind is dropped, and the container never waits for it (G11).

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::report::{self, Decoder, Event, ExitReport, FrameKind};
use super::stdio::Input;
use crate::sys::poll::{EventLoop, Interest, Ready, Token};
use crate::sys::pty::WindowSize;
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, fs, process, socket};

/// What a client may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// The program waits for this client.
    Lossless,
    /// This client is dropped when it is too slow.
    Droppable,
}

/// Bytes that may wait for one onlooker.
const DROP_AT: usize = 1 << 20;
/// The program waits while a lossless client is this far behind …
const STALL_AT: usize = 256 << 10;
/// … and goes on below this.
const RESUME_AT: usize = 64 << 10;
/// Onlookers at a time.
const MAX_CLIENTS: usize = 64;
/// How long an onlooker may take to fetch the rest after the exit.
const FAREWELL: Duration = Duration::from_secs(2);

/// One connection.
#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    pace: Pace,
    decoder: Decoder,
    /// Bytes that did not fit into the socket, from `sent` on.
    backlog: Vec<u8>,
    sent: usize,
    interest: Interest,
}

/// All connections. They outlive a restart of the container.
#[derive(Debug)]
pub(crate) struct Clients {
    events: EventLoop,
    slots: Vec<Option<Client>>,
    ready: Vec<Ready>,
    reading: bool,
    stalled: bool,
    /// The size that one of them last gave the terminal.
    window: Option<WindowSize>,
}

impl Clients {
    pub(crate) fn new() -> sys::Result<Self> {
        Ok(Self {
            events: EventLoop::new()?,
            slots: Vec::new(),
            ready: Vec::new(),
            reading: true,
            stalled: false,
            window: None,
        })
    }

    /// Takes a connected socket.
    pub(crate) fn add(&mut self, socket: OwnedFd, pace: Pace) -> sys::Result<()> {
        stream::set_nonblocking(&socket, true)?;
        let index = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        let interest = Interest { read: self.reading, write: false };
        self.events.add(&socket, index as Token, interest)?;
        let client = Client { socket, pace, decoder: Decoder::default(), backlog: Vec::new(), sent: 0, interest };
        match self.slots.get_mut(index) {
            Some(slot) => *slot = Some(client),
            None => self.slots.push(Some(client)),
        }
        Ok(())
    }

    /// For the terminal of the next run.
    pub(super) fn window(&self) -> Option<WindowSize> {
        self.window
    }

    pub(crate) fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Sends output to all; what does not fit waits, and an onlooker who is too far behind goes.
    pub(crate) fn broadcast(&mut self, kind: FrameKind, bytes: &[u8]) {
        for piece in bytes.chunks(report::MAX_PAYLOAD) {
            let header = report::header(kind, piece.len());
            self.each(|client| client.send(&header, piece));
        }
    }

    /// True while the program should wait for a lossless client.
    pub(super) fn stalled(&mut self) -> bool {
        let lossless = self.slots.iter().flatten().filter(|client| client.pace == Pace::Lossless);
        let behind = lossless.map(Client::waiting).max().unwrap_or(0);
        self.stalled = behind >= if self.stalled { RESUME_AT } else { STALL_AT };
        self.stalled
    }

    /// Does what the sockets are ready for. Input is not taken while the container does not take it.
    pub(super) fn serve(&mut self, input: &mut Input, buffer: &mut [u8]) -> sys::Result<()> {
        self.wait(Duration::ZERO)?;
        let ready = std::mem::take(&mut self.ready);
        for event in &ready {
            let Some(slot) = usize::try_from(event.token).ok().and_then(|index| self.slots.get_mut(index)) else {
                continue;
            };
            let Some(client) = slot else { continue };
            // One that hung up while we do not read has nobody left who would want an answer.
            let keep = (!event.writable || client.flush())
                && (client.interest.read || !event.closed)
                && (!event.readable || !client.interest.read || client.receive(input, buffer));
            if !keep {
                *slot = None;
            }
        }
        self.ready = ready;
        self.window = input.window().or(self.window);
        self.set_reading(!input.is_blocked());
        Ok(())
    }

    /// Reads from the clients from now on, or not.
    pub(super) fn set_reading(&mut self, reading: bool) {
        self.reading = reading;
        self.each(|_client| true);
    }

    /// Tells all how the program ended, and lets go of them when they have everything: a lossless client has all the
    /// time it wants. Call this when nothing is left to do for the container, nor a lock of it to be held.
    pub(crate) fn finish(mut self, report: ExitReport) -> sys::Result<()> {
        let frame = report::exit(report);
        self.reading = false;
        self.each(|client| client.send(&frame, &[]));
        let deadline = Instant::now() + FAREWELL;
        loop {
            let overdue = Instant::now() >= deadline;
            for slot in &mut self.slots {
                slot.take_if(|client| client.waiting() == 0 || (overdue && client.pace == Pace::Droppable));
            }
            if self.count() == 0 {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.wait(if overdue { Duration::from_hours(1) } else { left })?;
            for event in std::mem::take(&mut self.ready) {
                if let Some(slot) = usize::try_from(event.token).ok().and_then(|index| self.slots.get_mut(index)) {
                    slot.take_if(|client| event.closed || !client.flush());
                }
            }
        }
    }

    fn wait(&mut self, timeout: Duration) -> sys::Result<()> {
        self.events.wait(&mut self.ready, Some(timeout))
    }

    /// Does something with each client, drops those for which it says no, and brings the event set up to date.
    fn each(&mut self, mut act: impl FnMut(&mut Client) -> bool) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            slot.take_if(|client| {
                let keep = act(client);
                let interest = Interest { read: self.reading, write: client.waiting() > 0 };
                let changed = client.interest != interest;
                client.interest = interest;
                !keep || (changed && self.events.change(&client.socket, index as Token, interest).is_err())
            });
        }
    }
}

impl AsFd for Clients {
    /// Readable while a client is ready.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl Client {
    /// Sends a frame, or keeps what does not fit. False if this client is to go.
    fn send(&mut self, header: &[u8], payload: &[u8]) -> bool {
        let mut skip = 0;
        if self.waiting() == 0 {
            match socket::send(&self.socket, &[IoSlice::new(header), IoSlice::new(payload)]) {
                Ok(Transfer::Bytes(count)) => skip = count,
                Ok(Transfer::WouldBlock) => {}
                Ok(Transfer::End) | Err(_) => return false,
            }
        }
        self.backlog.extend_from_slice(&header[skip.min(header.len())..]);
        self.backlog.extend_from_slice(&payload[skip.saturating_sub(header.len()).min(payload.len())..]);
        self.pace == Pace::Lossless || self.waiting() <= DROP_AT
    }

    /// Sends more of what waits. False if this client is to go.
    fn flush(&mut self) -> bool {
        while self.waiting() > 0 {
            match socket::send(&self.socket, &[IoSlice::new(&self.backlog[self.sent..])]) {
                Ok(Transfer::Bytes(count)) => self.sent += count,
                Ok(Transfer::WouldBlock) => break,
                Ok(Transfer::End) | Err(_) => return false,
            }
        }
        if self.waiting() == 0 {
            // Gives the memory back: most clients never wait.
            (self.backlog, self.sent) = (Vec::new(), 0);
        } else if self.sent > DROP_AT / 4 {
            self.backlog.drain(..self.sent);
            self.sent = 0;
        }
        true
    }

    /// Takes one read's worth of frames. False at the end, and for a client that does not keep to the wire.
    fn receive(&mut self, input: &mut Input, buffer: &mut [u8]) -> bool {
        let count = match stream::read(&self.socket, buffer) {
            Ok(Transfer::Bytes(count)) => count,
            Ok(Transfer::WouldBlock) => return true,
            Ok(Transfer::End) | Err(_) => return false,
        };
        let mut bytes = &buffer[..count];
        loop {
            match self.decoder.next(&mut bytes) {
                Ok(Some(Event::Stdin(piece))) => input.take(piece),
                Ok(Some(Event::StdinEnd)) => input.end(),
                Ok(Some(Event::Resize(size))) => input.resize(size),
                Ok(None) => return true,
                Ok(Some(Event::Stdout(_) | Event::Stderr(_) | Event::Exit(_))) | Err(_) => return false,
            }
        }
    }

    fn waiting(&self) -> usize {
        self.backlog.len() - self.sent
    }
}

/// The socket `attach.sock` of a running container. It comes back when somebody removes it with its directory, as
/// logind does at the end of a session (K-A10, G19).
#[derive(Debug)]
pub(super) struct AttachSocket {
    path: PathBuf,
    listener: Option<OwnedFd>,
    inode: Option<(u64, u64)>,
}

impl AttachSocket {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, listener: None, inode: None }
    }

    /// Makes the socket, with its directory, unless it is there. True if it was made.
    pub(super) fn ensure(&mut self, events: &EventLoop, token: Token) -> sys::Result<bool> {
        let there = fs::lstat(&self.path)?.map(|metadata| (metadata.dev(), metadata.ino()));
        if self.listener.is_some() && there.is_some() && there == self.inode {
            return Ok(false);
        }
        self.listener = None;
        if let Some(parent) = self.path.parent() {
            fs::mkdir_all(parent, 0o700)?;
        }
        let listener = socket::listen(&self.path)?;
        events.add(&listener, token, Interest::READ)?;
        self.inode = fs::lstat(&self.path)?.map(|metadata| (metadata.dev(), metadata.ino()));
        self.listener = Some(listener);
        Ok(true)
    }

    /// Takes the waiting connections. An error (no descriptors left) stops listening until the next `ensure`.
    pub(super) fn accept(&mut self, clients: &mut Clients) -> sys::Result<()> {
        while let Some(listener) = &self.listener {
            match socket::accept(listener) {
                Ok(Some(client)) => admit(client, clients)?,
                Ok(None) => break,
                Err(error) => {
                    self.listener = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Removes the socket: nobody answers any more.
    pub(super) fn close(self) -> sys::Result<()> {
        drop(self.listener);
        fs::remove_file(&self.path).map(drop)
    }
}

fn admit(client: OwnedFd, clients: &mut Clients) -> sys::Result<()> {
    let allowed = socket::peer(&client)?.uid == process::ids().0 && clients.count() < MAX_CLIENTS;
    if allowed { clients.add(client, Pace::Droppable) } else { Ok(()) }
}
