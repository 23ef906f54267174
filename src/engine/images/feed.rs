//! The process that brings an imported tar into a staged blob, which the unpacker reads as it grows.
//!
//! ```text
//! file, stream or web ─► feeder ─► staging/…/blob (sha256) ─► unpack (worker in P) ─► staged layer
//! ```

use std::io::Read;
use std::time::Duration;

use super::caged::cage;
use crate::engine::Error;
use crate::engine::error::failure;
use crate::engine::feeder::Feeder;
use crate::registry::{self, BlobSink};
use crate::storage::blobs::{BlobWriter, StagedBlob};
use crate::storage::lease::Lease;
use crate::storage::unpack::{self, Caged, Compression, Growing, Limits, Marks};
use crate::sys;
use crate::sys::fs::File;
use crate::types::failure::{Failure, FailureKind};

/// How long a feeder may take to tell why it broke off.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Where a tar comes from.
#[derive(Debug)]
pub(super) enum Feed {
    File(File),
    Web(String),
}

impl Feed {
    /// Bytes that will come, if that is known.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::File(file) => {
                file.metadata().ok().filter(|metadata| metadata.is_file()).map(|metadata| metadata.len())
            }
            Self::Web(_) => None,
        }
    }
}

/// Brings an archive, and the blob of it in the end.
pub(super) struct Bringer(Feeder<StagedBlob>);

/// Starts to bring an archive, which can be read as it comes.
pub(super) fn start(feed: Feed, lease: &Lease) -> Result<(Bringer, Growing), Error> {
    let blob = lease.stage_blob(None, None)?;
    let file = blob.open()?;
    let started = Feeder::start(|pipe| {
        let marks = Marks::new(pipe);
        let brought = bring(feed, lease, Tee { blob, marks: &marks });
        // Who reads hears of the end from the end of this process: by then it has said what there is to say.
        std::mem::forget(marks);
        brought
    });
    let failed = |source| Error::Host { what: "start the process that brings the archive", source };
    started.map(|(feeder, marks)| (Bringer(feeder), Growing::new(file, marks))).map_err(failed)
}

impl Bringer {
    /// The blob, when everything has been read.
    pub(super) fn finish(self) -> Result<StagedBlob, Error> {
        match self.answer(None)? {
            Some(answer) => answer.map_err(Error::Failure),
            None => Err(Error::Failure(Failure::new(FailureKind::Died, "the process that brings the archive died"))),
        }
    }

    /// The reader has broken off with `error`: if that was because this one had, its reason is the one to tell.
    pub(super) fn abandon(self, error: Error) -> Error {
        match self.answer(Some(LAST_WORD)) {
            // EPIPE: nobody reads any more, which is what we know.
            Ok(Some(Err(failure))) if failure.kind != FailureKind::Died => Error::Failure(failure),
            _ => error,
        }
    }

    fn answer(self, patience: Option<Duration>) -> Result<Option<Result<StagedBlob, Failure>>, Error> {
        self.0.answer(patience).map_err(|source| Error::Host { what: "wait for the archive", source })
    }
}

/// In the process of its own.
fn bring(feed: Feed, lease: &Lease, mut tee: Tee<'_>) -> Result<StagedBlob, Failure> {
    let stored = |error: crate::storage::Error| failure(&error);
    match feed {
        Feed::Web(address) => {
            let mut web = FromWeb { tee: &mut tee, lease, first: Some(Vec::new()), aside: None };
            registry::download(&address, &mut web).map_err(|error| match &error {
                registry::Error::Sink(source) => broken(source),
                error => failure(error),
            })?;
            if let Some(archive) = web.finish().map_err(|error| broken(&error))? {
                let archive = archive.finish().and_then(|blob| blob.open()).map_err(stored)?;
                copy(archive, &mut tee, &cage()?)?;
            }
        }
        Feed::File(file) => {
            copy(file, &mut tee, &cage()?)?;
        }
    }
    tee.blob.finish().map_err(stored)
}

fn copy(mut file: File, tee: &mut Tee<'_>, caged: &Caged) -> Result<(), Failure> {
    let mut buffer = vec![0; 256 << 10];
    let mut magic = Vec::with_capacity(Compression::MAGIC_LEN);
    let limit = Compression::MAGIC_LEN as u64;
    let unreadable = |error: &std::io::Error| failure(error).context("read the archive");
    (&mut file).take(limit).read_to_end(&mut magic).map_err(|error| unreadable(&error))?;
    if Compression::is_of_archives(&magic) {
        // No layer may be xz or bzip2: what is stored is the plain tar.
        let whole = std::io::Cursor::new(magic).chain(file);
        let mut reader = unpack::open_archive(whole, Limits::default(), caged).map_err(|error| failure(&error))?;
        loop {
            match reader.next(&mut buffer).map_err(|error| failure(&error))? {
                0 => return Ok(()),
                count => tee.write(&buffer[..count]).map_err(|error| broken(&error))?,
            }
        }
    }
    tee.write(&magic).map_err(|error| broken(&error))?;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => tee.write(&buffer[..count]).map_err(|error| broken(&error))?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

/// A full disk is an error of ours, a closed pipe is the reader's.
fn broken(error: &sys::Error) -> Failure {
    if error.is(sys::Errno::EPIPE) {
        return Failure::new(FailureKind::Died, "the unpacker has gone");
    }
    failure(error)
}

/// A blob that somebody reads while it comes.
struct Tee<'a> {
    blob: BlobWriter,
    marks: &'a Marks,
}

impl BlobSink for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        self.blob.write_chunk(bytes).map_err(unwritten)?;
        self.marks.tell(self.blob.written())
    }
}

/// A blob that cannot be written, as a sink tells it.
pub(super) fn unwritten(error: crate::storage::Error) -> sys::Error {
    match error {
        crate::storage::Error::Write { source, .. } => source,
        // Longer than it was announced.
        error => sys::Error::new("write", error.to_string(), sys::Errno::EFBIG),
    }
}

/// What comes from the web: on to the tee, or aside if it must be decompressed, which reads from a file.
struct FromWeb<'a, 'b> {
    tee: &'a mut Tee<'b>,
    lease: &'a Lease,
    /// The first bytes, until there are enough to tell what it is.
    first: Option<Vec<u8>>,
    aside: Option<BlobWriter>,
}

impl FromWeb<'_, '_> {
    /// What is to be decompressed.
    fn finish(mut self) -> sys::Result<Option<BlobWriter>> {
        if let Some(first) = self.first.take() {
            self.tee.write(&first)?;
        }
        Ok(self.aside)
    }
}

impl BlobSink for FromWeb<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        let joined;
        let bytes = match self.first.take() {
            Some(first) => {
                joined = [&first, bytes].concat();
                if joined.len() < Compression::MAGIC_LEN {
                    self.first = Some(joined);
                    return Ok(());
                }
                if Compression::is_of_archives(&joined) {
                    self.aside = Some(self.lease.stage_blob(None, None).map_err(unwritten)?);
                }
                &joined
            }
            None => bytes,
        };
        match &mut self.aside {
            Some(aside) => aside.write_chunk(bytes).map_err(unwritten),
            None => self.tee.write(bytes),
        }
    }
}
