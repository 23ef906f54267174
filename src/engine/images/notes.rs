//! The notes that the processes of a transfer send to the engine: one JSON document in a line.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Error;
use crate::sys;
use crate::sys::process::PidFd;
use crate::types::failure::{Failure, FailureKind};

/// Bytes between two notes of progress.
pub(super) const EVERY: u64 = 1 << 20;
/// Bytes of notes that are read at once.
pub(super) const CHUNK: usize = 64 << 10;

/// One write, so that the lines of two processes do not mix: short ones are atomic (`pipe(7)`), and a long one is the
/// last word of the last process.
pub(super) fn tell<N: Serialize>(notes: BorrowedFd<'_>, note: &N) -> sys::Result<()> {
    let encoded = serde_json::to_vec(note);
    let mut line = encoded.map_err(|error| sys::Error::new("write", error.to_string(), sys::Errno::EINVAL))?;
    line.push(b'\n');
    sys::descriptor::write_all(notes, &line)
}

/// What has come of the notes.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Beginning of a line.
    partial: Vec<u8>,
}

impl Inbox {
    /// The notes that are whole now that `bytes` have come.
    pub(super) fn take<N: DeserializeOwned>(&mut self, bytes: &[u8]) -> Result<Vec<N>, Failure> {
        self.partial.extend_from_slice(bytes);
        let whole = self.partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.partial.drain(..whole).collect();
        let notes = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let unreadable = |error| Failure::from_error(FailureKind::Other, &error).context("read a note");
        notes.map(|line| serde_json::from_slice(line).map_err(unreadable)).collect()
    }
}

/// Ends processes before their time, and waits until neither they nor their children write any more.
pub(super) fn end(senders: impl IntoIterator<Item = (PidFd, OwnedFd)>) -> Result<(), Error> {
    let failed = |source| Error::Host { what: "end a transfer", source };
    let senders: Vec<_> = senders.into_iter().collect();
    for (child, _) in &senders {
        child.signal(sys::signal::SIGKILL).map_err(failed)?;
    }
    for (child, notes) in senders {
        // The children of a child die with it; the pipe ends when the last one has.
        while !sys::descriptor::read_some(notes.as_fd(), CHUNK).map_err(failed)?.is_empty() {}
        child.wait().map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Inbox;

    #[test]
    fn notes_come_in_pieces() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.take::<u8>(b"1\n2\n3").expect("notes"), [1, 2]);
        assert!(inbox.take::<u8>(b"4").expect("notes").is_empty());
        assert_eq!(inbox.take::<u8>(b"\n").expect("notes"), [34]);
        assert!(inbox.take::<u8>(b"x\n").is_err());
    }
}
