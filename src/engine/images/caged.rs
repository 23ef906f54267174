//! Decoders at work on bytes that somebody else has made, each in a process that can do nothing else: it has what is open,
//! starts no program and opens nothing by name (`src/sys/confine.rs`).

use std::io::{ErrorKind, Read, Write};

use crate::engine::Error;
use crate::engine::error::failure;
use crate::engine::feeder::Feeder;
use crate::storage::lease::Lease;
use crate::storage::unpack::{self, Caged, Limits};
use crate::sys;
use crate::sys::fs::File;
use crate::types::digest::{DiffId, Digest};
use crate::types::failure::{Failure, FailureKind};

/// Bytes of a plain tar, and their digest.
type Measured = (u64, DiffId);

/// A layer's blob being read as the plain tar that it is.
pub(super) struct PlainLayer {
    blob: Digest,
    feeder: Feeder<Measured>,
    plain: File,
}

impl PlainLayer {
    /// Begins to read `file`, which is `blob`.
    pub(super) fn open(blob: &Digest, file: File) -> Result<Self, Error> {
        let start = Feeder::start(|pipe| decode(file, Some(File::from(pipe))));
        let (feeder, plain) = start.map_err(not_started)?;
        Ok(Self { blob: blob.clone(), feeder, plain: plain.into() })
    }

    /// To be asked when everything has been read, and before any of it is believed: bytes of the tar, and their digest.
    pub(super) fn finish(self) -> Result<Measured, Error> {
        drop(self.plain);
        heard(self.feeder, &self.blob)
    }

    /// Who reads has broken off with `error`: if that was because no more came, the decoder knows why.
    pub(super) fn abandon(self, error: Error) -> Error {
        drop(self.plain);
        match self.feeder.answer(None) {
            // It knows what we do: nobody reads.
            Ok(Some(Ok(_))) | Err(_) => error,
            Ok(Some(Err(failure))) if failure.kind == FailureKind::Died => error,
            Ok(answer) => layer(&self.blob, answer).err().unwrap_or(error),
        }
    }
}

impl Read for PlainLayer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.plain.read(buffer)
    }
}

/// Bytes and digest of the plain tar in `file`, which is `blob`.
pub(in crate::engine) fn measure_layer(blob: &Digest, file: File) -> Result<Measured, Error> {
    let (feeder, _nothing) = Feeder::start(|_pipe| decode(file, None)).map_err(not_started)?;
    heard(feeder, blob)
}

/// Writes what comes out of `source`, decompressed, to a file in staging and opens that.
pub(super) fn spool(lease: &Lease, source: File, name: &str) -> Result<File, Error> {
    let path = lease.new_path("spool");
    let staged = |source| Error::Path { what: "write", path: path.clone(), source };
    let file = sys::fs::create_new(&path, 0o600).map_err(staged)?;
    let (feeder, _nothing) = Feeder::start(|_pipe| {
        let caged = cage()?;
        let unreadable = |error: unpack::Error| failure(&error).context(format!("read {name}"));
        let mut reader = unpack::open_archive(source, Limits::default(), &caged).map_err(unreadable)?;
        let mut at = 0;
        pour(
            |buffer| reader.next(buffer).map_err(unreadable),
            |bytes| {
                let written = sys::contents::write_all_at(&file, bytes, at);
                at += bytes.len() as u64;
                written.map_err(|error| failure(&error).context(format!("write {path:?}")))
            },
        )
    })
    .map_err(not_started)?;
    let died = || Err(Failure::new(FailureKind::Died, format!("the process that reads {name} died")));
    feeder.answer(None).map_err(not_heard)?.unwrap_or_else(died).map_err(Error::Failure)?;
    sys::fs::open(&path).map_err(staged)
}

/// For a process of its own: what comes out of `from`, decompressed, goes to `to`, until nobody reads there any more.
pub(in crate::engine) fn decompress(from: File, mut to: File) -> Result<(), Failure> {
    let caged = cage()?;
    let mut reader = unpack::open_archive(from, Limits::default(), &caged).map_err(|error| failure(&error))?;
    let poured = pour(
        |buffer| reader.next(buffer).map_err(|error| failure(&error)),
        |bytes| to.write_all(bytes).map_err(unread),
    );
    // Who has gone tells why itself.
    poured.or_else(|failure| if failure.kind == FailureKind::Died { Ok(()) } else { Err(failure) })
}

/// Confines this process for good; it has one thread, and everything open that it needs.
pub(super) fn cage() -> Result<Caged, Failure> {
    unpack::confine(&[]).map_err(|error| failure(&error))
}

/// In the process of its own.
fn decode(file: File, to: Option<File>) -> Result<Measured, Failure> {
    let caged = cage()?;
    let mut plain = unpack::PlainLayer::open(file, &caged).map_err(|error| failure(&error))?;
    if let Some(mut to) = to {
        pour(
            |buffer| plain.read(buffer).map_err(|error| failure(&error)),
            |bytes| to.write_all(bytes).map_err(unread),
        )?;
    }
    plain.finish().map_err(|error| failure(&error))
}

/// Reads to the end, which is a read of nothing, and writes what comes.
fn pour(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Failure>,
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match read(&mut buffer)? {
            0 => return Ok(()),
            count => write(&buffer[..count])?,
        }
    }
}

/// Why a pipe could not be written.
fn unread(error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::new(FailureKind::Died, "nobody reads what is decompressed any more"),
        _ => failure(&error),
    }
}

fn heard(feeder: Feeder<Measured>, blob: &Digest) -> Result<Measured, Error> {
    layer(blob, feeder.answer(None).map_err(not_heard)?)
}

fn layer(blob: &Digest, answer: Option<Result<Measured, Failure>>) -> Result<Measured, Error> {
    let died = || Err(Failure::new(FailureKind::Died, "the process that decompresses it died"));
    answer.unwrap_or_else(died).map_err(|source| Error::Layer { digest: blob.clone(), source })
}

fn not_started(source: sys::Error) -> Error {
    Error::Host { what: "start the process that decompresses", source }
}

fn not_heard(source: sys::Error) -> Error {
    Error::Host { what: "wait for the process that decompresses", source }
}
