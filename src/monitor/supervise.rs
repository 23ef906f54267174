//! From the start of the program to its end: one loop that moves all bytes, reaps all orphans, and waits for init.
//!
//! The container is never held up by a log, by an onlooker, or by a socket that cannot be made. `exec` uses the same
//! loop without log, socket and hooks.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::attach::{AttachSocket, Clients};
use super::hooks::{Hooks, StopPlan, Wish};
use super::log::LogSink;
use super::output::{Output, split};
use super::stdio::{ContainerIo, Input};
use crate::sys;
use crate::sys::poll::{EventLoop, Interest, Ready, Token};
use crate::sys::process::{self, ExitStatus, Pid, PidFd};
use crate::sys::signal::{self, MaskGuard, SignalFd, SignalSet};

/// A running program and everything that belongs to it. The caller is its parent (or has inherited it) and a child
/// subreaper.
#[derive(Debug)]
pub(crate) struct Supervised<'a> {
    pub(crate) init: &'a PidFd,
    pub(crate) io: ContainerIo,
    pub(crate) log: &'a mut LogSink,
    /// Those who are there from the start on; they stay afterwards, for the next start or for [`Clients::finish`].
    pub(crate) clients: &'a mut Clients,
    /// `attach.sock`; none for an exec session.
    pub(crate) socket: Option<PathBuf>,
    pub(crate) network_helper: Option<&'a PidFd>,
    /// `--timeout`: SIGKILL after this.
    pub(crate) timeout: Option<Duration>,
    /// What SIGTERM to us means for the container.
    pub(crate) stop: StopPlan,
    pub(crate) hooks: &'a mut dyn Hooks,
}

/// The program's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exited {
    pub(crate) status: ExitStatus,
    pub(crate) finished_at: SystemTime,
    /// `--timeout` was over.
    pub(crate) timed_out: bool,
}

const SIGNALS: Token = 0;
const INIT: Token = 1;
const NETWORK: Token = 2;
const LISTENER: Token = 3;
const CLIENTS: Token = 4;
const INPUT: Token = 5;
/// Standard output or the terminal; standard error is the next.
const OUTPUTS: Token = 6;

/// Bytes of one read.
const BUFFER: usize = 32 << 10;
/// Reads of one stream before the others have their turn.
const TURN: usize = 4;
/// How often the attach socket is looked for.
const LOOK: Duration = Duration::from_secs(3);
/// How long others who hold the pipes open may go on writing after the end of init.
const GRACE: Duration = Duration::from_millis(200);
/// Most bytes taken after the end of init, whatever comes.
const LAST_WORDS: usize = 16 << 20;

/// Runs until init has ended and its output is drained. An error means that we cannot do our work at all.
pub(crate) fn run(supervised: Supervised<'_>) -> sys::Result<Exited> {
    let signals = [
        signal::SIGCHLD,
        signal::SIGTERM,
        signal::SIGINT,
        signal::SIGHUP,
        signal::SIGQUIT,
        signal::SIGPIPE,
        signal::SIGUSR1,
        signal::SIGUSR2,
    ];
    let set = SignalSet::of(signals);
    let _mask = MaskGuard::block(&set)?;
    let signals = SignalFd::new(&set)?;
    let mut supervisor = Supervisor::new(supervised, signals)?;
    let status = supervisor.until_init_ends()?;
    let finished_at = SystemTime::now();
    supervisor.drain();
    let timed_out = supervisor.timed_out;
    supervisor.close();
    Ok(Exited { status, finished_at, timed_out })
}

#[derive(Debug)]
struct Supervisor<'a> {
    init: &'a PidFd,
    log: &'a mut LogSink,
    clients: &'a mut Clients,
    hooks: &'a mut dyn Hooks,
    network_helper: Option<&'a PidFd>,
    stop: StopPlan,
    events: EventLoop,
    signals: SignalFd,
    socket: Option<AttachSocket>,
    socket_seen: Instant,
    /// What else was beside the socket is still to be written anew.
    unrestored: bool,
    input: Input,
    input_watched: bool,
    outputs: Vec<Output>,
    /// Held so that the terminal has never hung up while init lives.
    terminal: Option<OwnedFd>,
    timeout: Option<Instant>,
    timed_out: bool,
    kill_at: Option<Instant>,
    status: Option<ExitStatus>,
    buffer: Vec<u8>,
}

impl<'a> Supervisor<'a> {
    fn new(supervised: Supervised<'a>, signals: SignalFd) -> sys::Result<Self> {
        let (input, outputs, terminal) = split(supervised.io)?;
        let now = Instant::now();
        let mut this = Self {
            init: supervised.init,
            log: supervised.log,
            clients: supervised.clients,
            hooks: supervised.hooks,
            network_helper: supervised.network_helper,
            stop: supervised.stop,
            events: EventLoop::new()?,
            signals,
            socket: supervised.socket.map(AttachSocket::new),
            socket_seen: now,
            unrestored: false,
            input,
            input_watched: false,
            outputs,
            terminal,
            timeout: supervised.timeout.map(|timeout| now + timeout),
            timed_out: false,
            kill_at: None,
            status: None,
            buffer: vec![0; BUFFER],
        };
        this.events.add(&this.signals, SIGNALS, Interest::READ)?;
        this.events.add(this.init, INIT, Interest::READ)?;
        this.events.add(&*this.clients, CLIENTS, Interest::READ)?;
        if let Some(helper) = this.network_helper {
            this.events.add(helper, NETWORK, Interest::READ)?;
        }
        this.clients.set_reading(!this.input.is_blocked());
        this.look_for_socket(false);
        Ok(this)
    }

    /// The loop.
    fn until_init_ends(&mut self) -> sys::Result<ExitStatus> {
        let mut ready = Vec::new();
        // Who ended before SIGCHLD was blocked does not announce itself.
        self.reap()?;
        loop {
            if let Some(status) = self.status {
                return Ok(status);
            }
            self.update_watches()?;
            let wait = self.next_deadline().map(|at| at.saturating_duration_since(Instant::now()));
            self.events.wait(&mut ready, wait)?;
            for event in &ready {
                self.handle(*event)?;
            }
            self.log.flush();
            self.handle_time()?;
        }
    }

    fn handle(&mut self, event: Ready) -> sys::Result<()> {
        match event.token {
            SIGNALS => self.handle_signals(),
            INIT => self.reap(),
            NETWORK => {
                if let Some(helper) = self.network_helper.take() {
                    self.events.remove(helper)?;
                    self.hooks.network_helper_ended();
                }
                Ok(())
            }
            LISTENER => {
                if let Some(Err(error)) = self.socket.as_mut().map(|socket| socket.accept(self.clients)) {
                    tracing::warn!(%error, "attach connection refused");
                }
                Ok(())
            }
            CLIENTS => self.clients.serve(&mut self.input, &mut self.buffer),
            INPUT => {
                self.input.flush();
                self.clients.set_reading(!self.input.is_blocked());
                Ok(())
            }
            token => {
                let index = usize::from(token != OUTPUTS);
                self.pump(index, TURN);
                Ok(())
            }
        }
    }

    fn handle_signals(&mut self) -> sys::Result<()> {
        while let Some(received) = self.signals.take()? {
            match received.signal {
                signal::SIGCHLD => self.reap()?,
                signal::SIGTERM => {
                    tracing::info!(signal = self.stop.signal, "told to end: the container is stopped");
                    self.fulfil(Wish::Stop)?;
                }
                // The terminal and the session that started us are no longer ours.
                _ => {}
            }
        }
        Ok(())
    }

    /// Begins to end the program.
    fn fulfil(&mut self, wish: Wish) -> sys::Result<()> {
        match wish {
            Wish::Stop if self.kill_at.is_some() => Ok(()),
            Wish::Stop if self.stop.signal != signal::SIGKILL => {
                self.init.signal(self.stop.signal)?;
                self.kill_at = self.stop.timeout.map(|timeout| Instant::now() + timeout);
                Ok(())
            }
            Wish::Stop | Wish::Kill => self.kill(),
        }
    }

    fn kill(&mut self) -> sys::Result<()> {
        self.hooks.killing(self.init);
        self.init.signal(signal::SIGKILL).map(drop)
    }

    /// Takes the status of every child that has ended; init's is the one we wait for (G05).
    fn reap(&mut self) -> sys::Result<()> {
        let (hooks, mut wish) = (&mut *self.hooks, None);
        let known = self.status.is_some();
        let found = collect(
            self.init.pid(),
            || known || self.init.is_alive(),
            process::reap_any,
            |pid, status| {
                wish = hooks.child_ended(pid, status).or(wish);
            },
        )?;
        self.status = self.status.or(found);
        match wish {
            Some(wish) if self.status.is_none() => self.fulfil(wish),
            _ => Ok(()),
        }
    }

    fn handle_time(&mut self) -> sys::Result<()> {
        let now = Instant::now();
        if self.timeout.is_some_and(|at| at <= now) {
            self.timeout = None;
            self.timed_out = true;
            self.kill()?;
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            self.kill()?;
        }
        if now.duration_since(self.socket_seen) >= LOOK {
            self.socket_seen = now;
            self.look_for_socket(true);
        }
        self.input.tick(now);
        self.hooks.tick(now);
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let look = self.socket.as_ref().map(|_| self.socket_seen + LOOK);
        let rests = self.outputs.iter().filter_map(Output::rest_until);
        [self.timeout, self.kill_at, look, self.input.deadline(), self.hooks.deadline()]
            .into_iter()
            .flatten()
            .chain(rests)
            .min()
    }

    /// Makes the attach socket if it is not there; without one the container runs on, and we try again.
    fn look_for_socket(&mut self, again: bool) {
        let Some(socket) = &mut self.socket else { return };
        match socket.ensure(&self.events, LISTENER) {
            Ok(true) if again => {
                tracing::info!("runtime directory was gone: made anew");
                self.unrestored = true;
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "no attach socket"),
        }
        if self.unrestored {
            self.unrestored = !self.hooks.runroot_restored();
        }
    }

    /// Watches the outputs unless a lossless client is behind, and the input while something waits for it.
    fn update_watches(&mut self) -> sys::Result<()> {
        let stalled = self.clients.stalled();
        let now = Instant::now();
        for (token, output) in (OUTPUTS..).zip(&mut self.outputs) {
            output.watch(&self.events, token, stalled, now)?;
        }
        match (self.input.writer(), self.input_watched, self.input.is_waiting()) {
            (Some(writer), false, true) => self.events.add(writer, INPUT, Interest::WRITE)?,
            (Some(writer), true, false) => self.events.remove(writer)?,
            _ => {}
        }
        self.input_watched = self.input.writer().is_some() && self.input.is_waiting();
        Ok(())
    }

    /// Moves up to `turns` reads of one stream to log and clients. Returns how many bytes, and whether more may come.
    fn pump(&mut self, index: usize, turns: usize) -> (usize, bool) {
        let rests = self.terminal.is_none() && self.input.is_terminal() && self.status.is_none();
        let Some(output) = self.outputs.get_mut(index) else { return (0, false) };
        output.pump(turns, rests, &mut self.buffer, self.log, self.clients)
    }

    /// Takes what is still in the pipes, and for a short while what those write who hold them open.
    fn drain(&mut self) {
        self.terminal = None;
        let deadline = Instant::now() + GRACE;
        let mut taken = 0;
        for index in 0..self.outputs.len() {
            loop {
                let (moved, more) = self.pump(index, 1);
                taken += moved;
                if moved == 0 && more && !self.input.is_terminal() && Instant::now() < deadline {
                    let reader = self.outputs[index].reader();
                    let left = deadline.saturating_duration_since(Instant::now());
                    if reader.is_some_and(|reader| sys::wait_readable(reader, Some(left)).unwrap_or(false)) {
                        continue;
                    }
                }
                if moved == 0 || taken > LAST_WORDS {
                    break;
                }
            }
        }
        self.log.flush();
    }

    fn close(self) {
        if let Some(Err(error)) = self.socket.map(AttachSocket::close) {
            tracing::debug!(%error, "attach socket stays");
        }
        // A SIGPIPE that is still pending would end us when the mask is undone.
        while let Ok(Some(_)) = self.signals.take() {}
    }
}

/// Takes the status of every child that has ended, and answers init's.
fn collect(
    init: Pid,
    is_alive: impl FnOnce() -> bool,
    mut reap: impl FnMut() -> sys::Result<Option<(Pid, ExitStatus)>>,
    mut other: impl FnMut(Pid, ExitStatus),
) -> sys::Result<Option<ExitStatus>> {
    // Asked before: an init that ends while we reap is there for the next round, not lost.
    let ended = !is_alive();
    let mut found = None;
    while let Some((pid, status)) = reap()? {
        if pid == init {
            found = Some(status);
        } else {
            other(pid, status);
        }
    }
    if found.is_none() && ended {
        // Not our child, or reaped elsewhere: its code cannot be known.
        tracing::warn!(pid = %init, "init ended unseen");
        found = Some(ExitStatus::Signal(signal::SIGKILL));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
