//! Terminals: pairs (`pty(7)`), window size, raw mode with a way back.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};

use super::error::{Call, Result};
use super::signal::{MaskGuard, SIGTTOU, SignalSet};

/// A new pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) master: OwnedFd,
    /// The terminal itself; it did not become anyone's controlling terminal.
    pub(crate) slave: OwnedFd,
}

/// Rows and columns of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WindowSize {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
}

/// Makes a pair by the multiplexer at `ptmx` (that of a container's devpts, or `/dev/ptmx`).
///
/// The slave is opened through the master (`TIOCGPTPEER`), never by a name that the container could have replaced.
pub(crate) fn open(ptmx: &Path) -> Result<Pair> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let master = match rustix::fs::open(ptmx, flags, Mode::empty()) {
        // `/dev/ptmx` is a link to `pts/ptmx` in a container's /dev of our own making.
        Err(rustix::io::Errno::LOOP) => rustix::fs::open(ptmx, flags - OFlags::NOFOLLOW, Mode::empty()),
        other => other,
    }
    .call("open", || format!("{ptmx:?}"))?;
    rustix::pty::unlockpt(&master).call("ioctl", || "TIOCSPTLCK".to_owned())?;
    let slave = peer(&master)?;
    Ok(Pair { master, slave })
}

/// Opens the slave of a master, whichever devpts it is from.
pub(crate) fn peer(master: impl AsFd) -> Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    rustix::pty::ioctl_tiocgptpeer(master, flags).call("ioctl", || "TIOCGPTPEER".to_owned())
}

/// Makes a terminal the controlling one of this session, whose leader we are.
pub(crate) fn make_controlling(slave: impl AsFd) -> Result<()> {
    rustix::process::ioctl_tiocsctty(slave).call("ioctl", || "TIOCSCTTY".to_owned())
}

/// True if this is a terminal.
pub(crate) fn is_terminal(fd: impl AsFd) -> bool {
    rustix::termios::isatty(fd)
}

/// The window size of a terminal, from either end.
pub(crate) fn window_size(fd: impl AsFd) -> Result<WindowSize> {
    let size = rustix::termios::tcgetwinsize(fd).call("ioctl", || "TIOCGWINSZ".to_owned())?;
    Ok(WindowSize { rows: size.ws_row, columns: size.ws_col })
}

/// Sets it; the foreground job of the terminal gets SIGWINCH if it is another one.
pub(crate) fn set_window_size(fd: impl AsFd, size: WindowSize) -> Result<()> {
    let size = rustix::termios::Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(fd, size).call("ioctl", || "TIOCSWINSZ".to_owned())
}

/// The character that ends the input of a terminal (Ctrl-D unless changed); `None` if there is none.
pub(crate) fn end_of_file_character(fd: impl AsFd) -> Option<u8> {
    let code = rustix::termios::tcgetattr(fd).ok()?.special_codes[SpecialCodeIndex::VEOF];
    (code != 0).then_some(code)
}

/// True while a terminal gathers lines (`ICANON`); false if the program that reads it takes each byte, or it is none.
pub(crate) fn is_canonical(fd: impl AsFd) -> bool {
    rustix::termios::tcgetattr(fd).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON))
}

/// True if we may set the modes of our terminal: a job in the background is stopped by that.
pub(crate) fn is_foreground(terminal: impl AsFd) -> bool {
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// A terminal in raw mode; as it was before when this is dropped.
#[derive(Debug)]
pub(crate) struct RawMode<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
    /// Its keys for signals still send them, to us.
    signals: bool,
}

impl<'a> RawMode<'a> {
    /// Switches to raw mode. From a background job this stops us with SIGTTOU until we are in the foreground.
    pub(crate) fn enter(terminal: BorrowedFd<'a>) -> Result<Self> {
        Self::begin(terminal, false)
    }

    /// The same, but Ctrl-C and its like are signals: nobody else would take what is typed.
    pub(crate) fn enter_with_signals(terminal: BorrowedFd<'a>) -> Result<Self> {
        Self::begin(terminal, true)
    }

    fn begin(terminal: BorrowedFd<'a>, signals: bool) -> Result<Self> {
        let before =
            rustix::termios::tcgetattr(terminal).call("ioctl", || format!("{}, TCGETS", terminal.as_raw_fd()))?;
        let guard = Self { terminal, before, signals };
        guard.again()?;
        Ok(guard)
    }

    /// Switches to raw mode once more: after a stop the shell has set its own modes.
    pub(crate) fn again(&self) -> Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        if self.signals {
            raw.local_modes |= self.before.local_modes & LocalModes::ISIG;
        }
        loop {
            match rustix::termios::tcsetattr(self.terminal, OptionalActions::Now, &raw) {
                Err(rustix::io::Errno::INTR) => {}
                other => return other.call("ioctl", || format!("{}, TCSETS, raw", self.terminal.as_raw_fd())),
            }
        }
    }
}

impl Drop for RawMode<'_> {
    fn drop(&mut self) {
        // With SIGTTOU blocked the restoration works from the background as well (termios(3)).
        let guard = MaskGuard::block(&SignalSet::of([SIGTTOU]));
        if let Err(error) = rustix::termios::tcsetattr(self.terminal, OptionalActions::Now, &self.before) {
            tracing::debug!(%error, "terminal modes stay");
        }
        drop(guard);
    }
}

/// Reads a line that the terminal does not show. `None`: the user gave up (Ctrl-C, or Ctrl-D before anything else).
/// Signals from keys are off meanwhile, so that the terminal is never left without echo.
pub(crate) fn read_hidden(terminal: BorrowedFd<'_>, ask: impl FnOnce()) -> Result<Option<Vec<u8>>> {
    let mode = RawMode::enter(terminal)?;
    ask();
    let mut line = Vec::new();
    let answer = loop {
        match super::descriptor::read_byte(terminal)? {
            None => break (!line.is_empty()).then_some(line),
            Some(b'\r' | b'\n') => break Some(line),
            // Ctrl-C
            Some(3) => break None,
            // Ctrl-D
            Some(4) if line.is_empty() => break None,
            Some(4) => {}
            Some(8 | 127) => {
                // A character of UTF-8 goes with its continuation bytes.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            // Ctrl-U
            Some(21) => line.clear(),
            Some(byte) => line.push(byte),
        }
    };
    drop(mode);
    Ok(answer)
}

/// The modes of a terminal as text, for tests to compare.
#[cfg(test)]
pub(crate) fn describe_modes(terminal: impl AsFd) -> Result<String> {
    rustix::termios::tcgetattr(terminal).map(|modes| format!("{modes:?}")).call("ioctl", || "TCGETS".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::path::Path;

    use rustix::termios::{LocalModes, tcgetattr};

    use super::{RawMode, WindowSize, end_of_file_character, is_terminal, open, peer, set_window_size, window_size};

    #[test]
    fn a_hidden_line() {
        let pair = open(Path::new("/dev/ptmx")).expect("pty");
        for (typed, read) in [
            (&b"pa\x7f\x7fsecr\xc3\xa4\x7fet\r"[..], Some(&b"secret"[..])),
            (b"x\x15y\n", Some(b"y")),
            (b"ab\x03", None),
            (b"\x04", None),
            (b"\r", Some(b"")),
        ] {
            // Whoever answers at once finds the terminal raw: the kernel would act on these characters itself.
            let answer = || {
                let echo = tcgetattr(&pair.slave).expect("modes").local_modes.contains(LocalModes::ECHO);
                assert!(!echo);
                crate::sys::descriptor::write_all(pair.master.as_fd(), typed).expect("typed");
            };
            assert_eq!(super::read_hidden(pair.slave.as_fd(), answer).expect("read").as_deref(), read, "{typed:?}");
        }
    }

    #[test]
    fn raw_mode_is_undone_and_sizes_pass() {
        let pair = open(Path::new("/dev/ptmx")).expect("pty");
        assert!(is_terminal(&pair.slave));
        let canonical = || tcgetattr(&pair.slave).expect("modes").local_modes.contains(LocalModes::ICANON);
        assert!(canonical());
        {
            let raw = RawMode::enter(pair.slave.as_fd()).expect("raw");
            assert!(!canonical());
            raw.again().expect("again");
        }
        assert!(canonical());
        let signals = || tcgetattr(&pair.slave).expect("modes").local_modes.contains(LocalModes::ISIG);
        let raw = RawMode::enter_with_signals(pair.slave.as_fd()).expect("raw");
        assert!(!canonical() && signals());
        drop(raw);
        let size = WindowSize { rows: 33, columns: 101 };
        set_window_size(&pair.master, size).expect("resize");
        assert_eq!(window_size(peer(&pair.master).expect("peer")).expect("size"), size);
        assert_eq!(end_of_file_character(&pair.slave), Some(4));
    }
}
