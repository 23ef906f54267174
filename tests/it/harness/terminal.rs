//! A command on a pseudo-terminal: what a person sees and types.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use rustix::termios::Winsize;

use super::command::Command;

/// The person's side of the terminal; the command is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    child: Child,
    master: File,
    seen: Vec<u8>,
    line: String,
}

impl Terminal {
    /// Starts the command as leader of a session with a controlling terminal of this size.
    pub(crate) fn start(command: &Command<'_>, rows: u16, columns: u16) -> Self {
        let pty = nix::pty::openpty(None, None).unwrap();
        let slave: OwnedFd = pty.slave;
        rustix::termios::tcsetwinsize(&slave, size(rows, columns)).unwrap();
        fcntl(&pty.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        fcntl(&pty.master, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC)).unwrap();
        let inner = command.prepare();
        let mut outer = std::process::Command::new("setsid");
        outer.args(["--ctty", "--wait"]).arg(inner.get_program()).args(inner.get_args());
        outer.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer.env("TERM", "xterm").current_dir(inner.get_current_dir().unwrap());
        outer.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let line = command.line();
        let child = outer.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { child, master: pty.master.into(), seen: Vec::new(), line }
    }

    /// Types these bytes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.master.write_all(bytes.as_ref()).unwrap();
    }

    /// Waits until this text comes after all that was expected before, and forgets everything up to its end.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            self.read();
            let shown = String::from_utf8_lossy(&self.seen).into_owned();
            if let Some(at) = shown.find(text) {
                self.seen = shown.as_bytes()[at + text.len()..].to_vec();
                return shown[..at].to_owned();
            }
            assert!(Instant::now() < deadline, "{}: no {text:?} on the terminal, but {shown:?}", self.line);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Changes the window, as a person who drags its corner.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        rustix::termios::tcsetwinsize(&self.master, size(rows, columns)).unwrap();
    }

    /// True if the terminal echoes and edits lines: it is as a shell left it.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.master).unwrap();
        modes.local_modes.contains(rustix::termios::LocalModes::ICANON | rustix::termios::LocalModes::ECHO)
    }

    /// Waits for the end; returns the exit code and what was printed since the last `expect`.
    #[track_caller]
    pub(crate) fn finish(mut self) -> (i32, String) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            self.read();
            if let Some(status) = self.child.try_wait().unwrap() {
                self.read();
                return (status.code().unwrap_or(-1), String::from_utf8_lossy(&self.seen).into_owned());
            }
            assert!(Instant::now() < deadline, "{} still runs: {:?}", self.line, String::from_utf8_lossy(&self.seen));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        // EAGAIN: nothing more now. EIO: every slave is closed.
        while let Ok(count @ 1..) = self.master.read(&mut buffer) {
            self.seen.extend_from_slice(&buffer[..count]);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
