//! The attach wire between a client (`run`, `start -a`, `attach`, `exec`) and the one who owns the container's streams.
//!
//! A stream socket carries frames both ways; a frame that is larger than [`MAX_PAYLOAD`] or unknown ends the connection.
//!
//! ```text
//! kind u8 | length u32 LE | payload
//!   0 stdin data      client →            bytes
//!   1 stdin end       client →            none: no more input from anyone
//!   2 stdout          → client            bytes (all output of a terminal)
//!   3 stderr          → client            bytes
//!   4 resize          client →            rows u16 LE, columns u16 LE
//!   5 exit            → client            code i32 LE, signal u8 (0 = none), flags u8 (1 = out of memory)
//! ```
//!
//! The end of the connection without an exit frame means that the client was too slow, or that the monitor died.

use crate::sys::pty::WindowSize;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FrameKind {
    Stdin = 0,
    StdinEnd = 1,
    Stdout = 2,
    Stderr = 3,
    Resize = 4,
    Exit = 5,
}

/// Bytes before the payload.
pub(crate) const HEADER: usize = 5;
/// Most bytes in one frame.
pub(crate) const MAX_PAYLOAD: usize = 64 << 10;
/// Frames that are no stream data are at most this long, and are delivered whole.
const MAX_CONTROL: usize = 8;

/// How the program ended, as the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExitReport {
    /// The code to show: 128 + n for a signal.
    pub(crate) code: i32,
    pub(crate) signal: Option<u8>,
    pub(crate) oom_killed: bool,
}

/// A frame that breaks the rules; the connection is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed frame on the attach socket (kind {kind}, {length} bytes)")]
pub(crate) struct Malformed {
    pub(crate) kind: u8,
    pub(crate) length: u32,
}

/// The header of a frame with this payload length (at most [`MAX_PAYLOAD`]).
pub(crate) fn header(kind: FrameKind, length: usize) -> [u8; HEADER] {
    let length = u32::try_from(length).expect("a payload is at most 64 KiB").to_le_bytes();
    [kind as u8, length[0], length[1], length[2], length[3]]
}

/// A whole resize frame.
pub(crate) fn resize(size: WindowSize) -> [u8; HEADER + 4] {
    let mut frame = [0; HEADER + 4];
    frame[..HEADER].copy_from_slice(&header(FrameKind::Resize, 4));
    frame[HEADER..HEADER + 2].copy_from_slice(&size.rows.to_le_bytes());
    frame[HEADER + 2..].copy_from_slice(&size.columns.to_le_bytes());
    frame
}

/// A whole exit frame.
pub(crate) fn exit(report: ExitReport) -> [u8; HEADER + 6] {
    let mut frame = [0; HEADER + 6];
    frame[..HEADER].copy_from_slice(&header(FrameKind::Exit, 6));
    frame[HEADER..HEADER + 4].copy_from_slice(&report.code.to_le_bytes());
    frame[HEADER + 4] = report.signal.unwrap_or(0);
    frame[HEADER + 5] = u8::from(report.oom_killed);
    frame
}

/// One thing that came out of a [`Decoder`]. Stream data comes in pieces as it arrives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Stdin(&'a [u8]),
    StdinEnd,
    Stdout(&'a [u8]),
    Stderr(&'a [u8]),
    Resize(WindowSize),
    Exit(ExitReport),
}

/// Takes frames apart, wherever the reads happened to cut them; holds at most one control frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    held: [u8; HEADER + MAX_CONTROL],
    have: usize,
    /// Bytes of the current stream frame that are still to come.
    left: usize,
}

impl Decoder {
    /// Takes the next event off the front of `bytes`; `None` when they are used up.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Event<'a>>, Malformed> {
        loop {
            if self.left > 0 {
                if bytes.is_empty() {
                    return Ok(None);
                }
                let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
                *bytes = rest;
                self.left -= piece.len();
                let event = match self.held[0] {
                    0 => Event::Stdin(piece),
                    2 => Event::Stdout(piece),
                    _ => Event::Stderr(piece),
                };
                return Ok(Some(event));
            }
            if !self.fill(bytes, HEADER) {
                return Ok(None);
            }
            let kind = self.held[0];
            let length = u32::from_le_bytes([self.held[1], self.held[2], self.held[3], self.held[4]]);
            let malformed = Malformed { kind, length };
            let size = usize::try_from(length).map_err(|_too_long| malformed)?;
            if matches!(kind, 0 | 2 | 3) {
                if size > MAX_PAYLOAD {
                    return Err(malformed);
                }
                self.have = 0;
                self.left = size;
                continue;
            }
            let expected = match kind {
                1 => 0,
                4 => 4,
                5 => 6,
                _ => return Err(malformed),
            };
            if size != expected {
                return Err(malformed);
            }
            if !self.fill(bytes, HEADER + size) {
                return Ok(None);
            }
            self.have = 0;
            return Ok(Some(self.control()));
        }
    }

    /// True between two frames.
    #[cfg(test)]
    pub(crate) fn is_at_border(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    fn fill(&mut self, bytes: &mut &[u8], wanted: usize) -> bool {
        let count = wanted.saturating_sub(self.have).min(bytes.len());
        let (piece, rest) = bytes.split_at(count);
        self.held[self.have..self.have + count].copy_from_slice(piece);
        self.have += count;
        *bytes = rest;
        self.have >= wanted
    }

    fn control(&self) -> Event<'static> {
        let payload = &self.held[HEADER..];
        match self.held[0] {
            1 => Event::StdinEnd,
            4 => Event::Resize(WindowSize {
                rows: u16::from_le_bytes([payload[0], payload[1]]),
                columns: u16::from_le_bytes([payload[2], payload[3]]),
            }),
            _ => Event::Exit(ExitReport {
                code: i32::from_le_bytes([payload[0], payload[1], payload[2], payload[3]]),
                signal: (payload[4] != 0).then_some(payload[4]),
                oom_killed: payload[5] & 1 != 0,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Event, ExitReport, FrameKind, Malformed, exit, header, resize};
    use crate::sys::pty::WindowSize;

    fn conversation() -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(header(FrameKind::Stdin, 5));
        bytes.extend(b"hello");
        bytes.extend(resize(WindowSize { rows: 24, columns: 80 }));
        bytes.extend(header(FrameKind::Stderr, 0));
        bytes.extend(header(FrameKind::StdinEnd, 0));
        bytes.extend(exit(ExitReport { code: -1, signal: Some(9), oom_killed: true }));
        bytes
    }

    #[test]
    fn decodes_wherever_reads_cut() {
        let bytes = conversation();
        for size in 1..=bytes.len() {
            let mut decoder = Decoder::default();
            let (mut input, mut words) = (Vec::new(), Vec::new());
            for mut chunk in bytes.chunks(size) {
                while let Some(event) = decoder.next(&mut chunk).expect("well formed") {
                    match event {
                        Event::Stdin(piece) => input.extend_from_slice(piece),
                        other => words.push(format!("{other:?}")),
                    }
                }
            }
            assert_eq!(input, b"hello");
            assert!(decoder.is_at_border());
            assert_eq!(
                words,
                [
                    "Resize(WindowSize { rows: 24, columns: 80 })",
                    "StdinEnd",
                    "Exit(ExitReport { code: -1, signal: Some(9), oom_killed: true })"
                ],
                "cut every {size} bytes"
            );
        }
    }

    #[test]
    fn refuses_unknown_and_oversized_frames() {
        for (frame, kind, length) in
            [([9, 0, 0, 0, 0], 9, 0), ([0, 1, 0, 1, 0], 0, 65537), ([4, 5, 0, 0, 0], 4, 5), ([1, 1, 0, 0, 0], 1, 1)]
        {
            assert_eq!(Decoder::default().next(&mut &frame[..]), Err(Malformed { kind, length }));
        }
    }
}
