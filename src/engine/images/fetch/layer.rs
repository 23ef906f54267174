//! The processes of one layer: one that watches, one that downloads, one that unpacks.

use std::os::fd::BorrowedFd;

use serde::{Deserialize, Serialize};

use super::{Blob, Job, Origin, Shared};
use crate::engine::error::{Error, failure};
use crate::engine::images::caged::measure_layer;
use crate::engine::images::feed::unwritten;
use crate::engine::images::incoming::{IncomingLayer, unpack_layer};
use crate::engine::images::notes::{self, tell};
use crate::registry::{self, BlobSink};
use crate::storage;
use crate::storage::blobs::{BlobWriter, StagedBlob};
use crate::storage::layers::StagedLayer;
use crate::storage::lease::Lease;
use crate::storage::unpack::{self, Growing, Marks, Threads, Unpacked};
use crate::sys;
use crate::sys::clone::{Forked, fork};
use crate::sys::fs::File;
use crate::sys::{descriptor, process};
use crate::types::descriptor::Descriptor;
use crate::types::failure::{Failure, FailureKind};

/// From the processes to the engine, one JSON document in a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Note {
    /// So many bytes are there from an earlier try.
    Resumed(u64),
    Received(u64),
    Blob(Result<StagedBlob, Failure>),
    /// Other bytes than the manifest promises.
    Wrong(Failure),
    Layer(Result<Unpacked, Failure>),
}

/// The layer's process, from the fork to its end.
pub(super) fn main(
    parent: process::Pid,
    job: &Job,
    origin: &mut dyn Origin,
    shared: &Shared<'_>,
    threads: Threads<'_>,
    notes: BorrowedFd<'_>,
) -> ! {
    let note = match &job.staged {
        Some(staged) => {
            Note::Layer(bound(parent).and_then(|()| watch_over(job, staged, origin, shared, threads, notes)))
        }
        None => {
            let ready = bound(parent).map_err(|failure| Note::Blob(Err(failure)));
            match ready.and_then(|()| download(job, origin, shared.lease, None, None, notes)) {
                Ok(Some(blob)) => compared(blob, &job.layer, notes),
                Ok(None) => process::exit_now(1),
                Err(note) => note,
            }
        }
    };
    process::exit_now(i32::from(tell(notes, &note).is_err()))
}

/// The layer is here, so that nobody unpacks the blob: it must be that layer all the same, or the image would go out as
/// something else than what it is here. The blob itself is whole, and no other place has a better one.
fn compared(blob: StagedBlob, layer: &IncomingLayer, notes: BorrowedFd<'_>) -> Note {
    let Err(failure) = compare(&blob, layer) else { return Note::Blob(Ok(blob)) };
    tell(notes, &Note::Layer(Err(failure))).map_or_else(lost, |()| Note::Blob(Ok(blob)))
}

fn compare(blob: &StagedBlob, layer: &IncomingLayer) -> Result<(), Failure> {
    let file = blob.open().map_err(|error| failure(&error))?;
    let measured = measure_layer(&layer.blob, file).map_err(|error| match error {
        Error::Layer { source, .. } => source,
        error => failure(&error),
    });
    let (_, found) = measured?;
    let expected = layer.diff_id.clone();
    if found == expected { Ok(()) } else { Err(failure(&unpack::Error::DiffId { expected, found })) }
}

/// In the layer's process: starts the download and the unpacker, and waits for both.
fn watch_over(
    job: &Job,
    staged: &StagedLayer,
    origin: &mut dyn Origin,
    shared: &Shared<'_>,
    threads: Threads<'_>,
    notes: BorrowedFd<'_>,
) -> Result<Unpacked, Failure> {
    let Shared { outer, maps, .. } = *shared;
    let unpack = |source: unpack::Source| unpack_layer(outer, maps, source, staged, &job.layer, threads);
    let unpacked = |result: Result<Unpacked, crate::rootless::Error>| {
        result.map_err(|error| Failure::from_error(error.kind(), &error))
    };
    if let Blob::Here(file) = &job.blob {
        let file = file.try_clone().map_err(|error| failure(&error))?;
        return unpacked(unpack(file.into()));
    }
    let (new, file) = begin(job, shared.lease).map_err(|error| {
        // Not the unpacker's failure: nothing is wrong with what there is.
        let failure = failure(&error);
        let told = tell(notes, &Note::Blob(Err(failure.clone())));
        told.err().map_or(failure, |error| self::failure(&error))
    })?;
    let (reader, writer) = descriptor::pipe().map_err(|error| failure(&error))?;
    let parent = process::Pid::this();
    match fork().map_err(|error| failure(&error))? {
        Forked::Child => {
            drop(reader);
            let ready = bound(parent).map_err(|failure| Note::Blob(Err(failure)));
            let marks = Some(Marks::new(writer));
            let note = match ready.and_then(|()| download(job, origin, shared.lease, new, marks, notes)) {
                Ok(Some(blob)) => Note::Blob(Ok(blob)),
                // The unpacker has ended, and tells why.
                Ok(None) => process::exit_now(0),
                Err(note) => note,
            };
            process::exit_now(i32::from(tell(notes, &note).is_err()))
        }
        Forked::Parent(child) => {
            drop((writer, new));
            // The reading end goes with the worker's job, so that the download notices the end of the unpacker.
            let result = unpack(unpack::Source::Growing(Growing::new(file, reader)));
            child.wait().map_err(|error| failure(&error))?;
            unpacked(result)
        }
    }
}

/// The file that the blob is to come into, open for the unpacker to read; and its writer, if it is a new one.
fn begin(job: &Job, lease: &Lease) -> Result<(Option<BlobWriter>, File), storage::Error> {
    if let Blob::Partial(partial) = &job.blob {
        return Ok((None, partial.open()?));
    }
    let writer = lease.stage_blob(Some(&job.layer.blob), Some(job.layer.size))?;
    let file = writer.open()?;
    Ok((Some(writer), file))
}

/// The blob goes to disk; if somebody unpacks it, marks tell how far it has come. `new` is its writer, if there is one
/// already. None: the unpacker has gone.
fn download(
    job: &Job,
    origin: &mut dyn Origin,
    lease: &Lease,
    new: Option<BlobWriter>,
    marks: Option<Marks>,
    notes: BorrowedFd<'_>,
) -> Result<Option<StagedBlob>, Note> {
    let stored = |error: storage::Error| Note::Blob(Err(failure(&error)));
    let layer = &job.layer;
    origin.after_fork();
    origin.pass_over(job.passed_over);
    let blob = match (&job.blob, new) {
        (Blob::Partial(partial), _) => {
            let mut closed = false;
            match partial.resume(|length| mark(marks.as_ref(), length, &mut closed)) {
                // What is left of an earlier try may be damaged: the notes tell what the unpacker has got.
                Err(_) if closed => return tell(notes, &Note::Resumed(1)).map(|()| None).map_err(lost),
                other => other.map_err(stored)?,
            }
        }
        (_, Some(blob)) => blob,
        (Blob::Here(_) | Blob::Away, None) => lease.stage_blob(Some(&layer.blob), Some(layer.size)).map_err(stored)?,
    };
    let from = blob.written();
    if from > 0 {
        tell(notes, &Note::Resumed(from)).map_err(lost)?;
    }
    let descriptor = Descriptor { media_type: layer.media_type.clone(), digest: layer.blob.clone(), size: layer.size };
    let mut tee = Tee { blob, marks, notes, told: from, closed: false };
    match origin.blob(&descriptor, from, &mut tee) {
        Ok(()) => tee.blob.finish().map(Some).map_err(|error| match error {
            storage::Error::BlobDigest { .. } => Note::Wrong(Failure::from_error(FailureKind::WrongContent, &error)),
            error => stored(error),
        }),
        Err(_) if tee.closed => Ok(None),
        Err(error @ registry::Error::WrongSize { .. }) => {
            Err(Note::Wrong(Failure::from_error(FailureKind::WrongContent, &error)))
        }
        Err(error) => Err(Note::Blob(Err(failure(&error)))),
    }
}

fn lost(error: sys::Error) -> Note {
    Note::Blob(Err(failure(&error)))
}

/// For the unpacker; `closed`: it has gone.
fn mark(marks: Option<&Marks>, length: u64, closed: &mut bool) -> sys::Result<()> {
    let Some(marks) = marks else { return Ok(()) };
    marks.tell(length).inspect_err(|error| *closed = error.is(sys::Errno::EPIPE))
}

/// A blob that somebody reads while it comes.
struct Tee<'a> {
    blob: BlobWriter,
    marks: Option<Marks>,
    notes: BorrowedFd<'a>,
    told: u64,
    closed: bool,
}

impl BlobSink for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        self.blob.write_chunk(bytes).map_err(unwritten)?;
        let received = self.blob.written();
        mark(self.marks.as_ref(), received, &mut self.closed)?;
        if received - self.told >= notes::EVERY {
            self.told = received;
            tell(self.notes, &Note::Received(received))?;
        }
        Ok(())
    }
}

fn bound(parent: process::Pid) -> Result<(), Failure> {
    sys::prctl::die_with(parent).map_err(|error| failure(&error))
}
