//! The processes of a pull: for each missing layer one that watches, one that downloads, one that unpacks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use super::incoming::{IncomingLayer, StagedUnpack, failure, unpack_layer};
use crate::engine::Error;
use crate::registry::{self, Archive, BlobSink, Descriptor, Session};
use crate::rootless::Outer;
use crate::storage;
use crate::storage::blobs::{BlobWriter, StagedBlob};
use crate::storage::layers::StagedLayer;
use crate::storage::lease::Lease;
use crate::storage::unpack::Unpacked;
use crate::sys;
use crate::sys::clone::{Forked, fork};
use crate::sys::fs::File;
use crate::sys::poll::{EventLoop, Interest};
use crate::sys::process::{self, PidFd};
use crate::types::failure::{Failure, FailureKind};
use crate::types::idmap::IdMaps;
use crate::types::progress::Progress;

/// Layers at once: enough to keep a slow registry and two cores busy.
const AT_ONCE: usize = 4;
/// Bytes between two notes of progress.
const NOTE_EVERY: u64 = 1 << 20;
/// Room in the pipe from download to unpacker: the most that an ordinary user may ask for (`pipe(7)`).
const PIPE: usize = 1 << 20;

/// Where blobs come from.
pub(super) trait Origin {
    /// This process is a child of the one that the origin was opened in.
    fn after_fork(&mut self);
    /// Copies a blob to `sink`.
    fn blob(&mut self, descriptor: &Descriptor, sink: &mut dyn BlobSink) -> Result<(), registry::Error>;
}

impl Origin for Session {
    fn after_fork(&mut self) {
        Session::after_fork(self);
    }

    fn blob(&mut self, descriptor: &Descriptor, sink: &mut dyn BlobSink) -> Result<(), registry::Error> {
        Session::blob(self, descriptor, sink)
    }
}

impl Origin for Archive {
    /// It is read by offset: nothing is shared.
    fn after_fork(&mut self) {}

    fn blob(&mut self, descriptor: &Descriptor, sink: &mut dyn BlobSink) -> Result<(), registry::Error> {
        Archive::blob(self, descriptor, sink)
    }
}

/// A layer to fetch.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) index: usize,
    /// Beginning of the blob's digest, for the user.
    pub(super) name: String,
    pub(super) layer: IncomingLayer,
    pub(super) staged: StagedLayer,
    /// The blob, if it is in the store already: nothing is downloaded then.
    pub(super) local: Option<File>,
}

/// What all the processes need.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) outer: &'a Outer,
    pub(super) maps: &'a IdMaps,
    pub(super) lease: &'a Lease,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) blobs: Vec<StagedBlob>,
    pub(super) layers: Vec<StagedUnpack>,
}

/// From the processes to the engine, one JSON document in a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Note {
    Received(u64),
    Blob(Result<StagedBlob, Failure>),
    Layer(Result<Unpacked, Failure>),
}

/// A layer under way.
struct Running {
    job: Job,
    child: PidFd,
    notes: OwnedFd,
    /// Beginning of a line.
    partial: Vec<u8>,
    blob: Option<Result<StagedBlob, Failure>>,
    layer: Option<Result<Unpacked, Failure>>,
}

/// Runs all jobs, the largest first. After the first failure the others are ended, and everything is gone when this
/// returns but the files in the lease.
pub(super) fn run(
    mut jobs: Vec<Job>,
    origin: &mut dyn Origin,
    shared: &Shared<'_>,
    progress: &dyn Progress,
) -> Result<Fetched, Error> {
    jobs.sort_by_key(|job| job.layer.size);
    let watch = EventLoop::new().map_err(|source| host("wait for layers", source))?;
    let (mut running, mut fetched): (Vec<Running>, _) = (Vec::new(), Fetched::default());
    let result = loop {
        while running.len() < AT_ONCE
            && let Some(job) = jobs.pop()
        {
            progress.begin(&job.name, &job.name, Some(job.layer.size));
            match start(job, origin, shared, &watch) {
                Ok(started) => running.push(started),
                Err(error) => return end(running).and(Err(error)),
            }
        }
        if running.is_empty() {
            break Ok(());
        }
        if let Err(error) = step(&watch, &mut running, &mut fetched, progress) {
            break Err(error);
        }
    };
    match result {
        Ok(()) => Ok(fetched),
        // The failure that came first is the one to tell.
        Err(error) => end(running).and(Err(error)),
    }
}

/// Waits for notes and takes them in; a layer whose pipe has ended is taken out of `running`.
fn step(
    watch: &EventLoop,
    running: &mut Vec<Running>,
    fetched: &mut Fetched,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut ready = Vec::new();
    watch.wait(&mut ready, None).map_err(|source| host("wait for layers", source))?;
    for event in ready {
        let Some(at) = running.iter().position(|layer| layer.job.index as u64 == event.token) else { continue };
        let bytes = sys::fs::read_some(running[at].notes.as_fd(), 64 << 10);
        let bytes = bytes.map_err(|source| host("read the notes of a layer", source))?;
        if !bytes.is_empty() {
            running[at].take_notes(&bytes, progress)?;
            continue;
        }
        let layer = running.swap_remove(at);
        // Later children hold copies of the descriptor: closing ours would not take it out of the set.
        watch.remove(&layer.notes).map_err(|source| host("forget a layer", source))?;
        layer.end(fetched, progress)?;
    }
    Ok(())
}

impl Running {
    fn take_notes(&mut self, bytes: &[u8], progress: &dyn Progress) -> Result<(), Error> {
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            let note = serde_json::from_slice(&line).map_err(|error| self.failed(unreadable(&error)))?;
            match note {
                Note::Received(count) => progress.advance(&self.job.name, count),
                Note::Blob(blob) => {
                    progress.phase(&self.job.name, "unpacking");
                    self.blob = Some(blob);
                }
                Note::Layer(layer) => self.layer = Some(layer),
            }
        }
        Ok(())
    }

    /// The pipe has ended, so all processes of the layer have.
    fn end(mut self, fetched: &mut Fetched, progress: &dyn Progress) -> Result<(), Error> {
        let status = self.child.wait().map_err(|source| host("wait for a layer's process", source))?;
        let died = || Failure::new(FailureKind::Died, format!("its process ended with code {}", status.code()));
        // A download that broke off makes the unpacker fail too: its own reason is the one that counts.
        if self.job.local.is_none() {
            match self.blob.take() {
                Some(Ok(blob)) => fetched.blobs.push(blob),
                Some(Err(failure)) => return Err(self.failed(failure)),
                None => {
                    let failure = self.layer.take().and_then(Result::err);
                    return Err(self.failed(failure.unwrap_or_else(died)));
                }
            }
        }
        match self.layer.take() {
            Some(Ok(unpacked)) => {
                progress.phase(&self.job.name, "done");
                fetched.layers.push(StagedUnpack { index: self.job.index, staged: self.job.staged, unpacked });
                Ok(())
            }
            Some(Err(failure)) => Err(self.failed(failure)),
            None => Err(self.failed(died())),
        }
    }

    fn failed(&self, source: Failure) -> Error {
        Error::Layer { digest: self.job.layer.blob.clone(), source }
    }
}

/// Ends the processes that are still running, and waits until none is left that could write.
fn end(running: Vec<Running>) -> Result<(), Error> {
    for layer in &running {
        layer.child.signal(sys::signal::SIGKILL).map_err(|source| host("end a layer's process", source))?;
    }
    for layer in running {
        // Its children die with it; the pipe ends when the last one has.
        while !sys::fs::read_some(layer.notes.as_fd(), 64 << 10)
            .map_err(|source| host("read the notes of a layer", source))?
            .is_empty()
        {}
        layer.child.wait().map_err(|source| host("wait for a layer's process", source))?;
    }
    Ok(())
}

fn start(job: Job, origin: &mut dyn Origin, shared: &Shared<'_>, watch: &EventLoop) -> Result<Running, Error> {
    let forked = |source| host("start a layer's process", source);
    let (notes, writer) = process::pipe().map_err(forked)?;
    let parent = process::Pid::this();
    match fork().map_err(forked)? {
        Forked::Child => {
            drop(notes);
            let layer = die_with(parent).and_then(|()| watch_over(&job, origin, shared, writer.as_fd()));
            process::exit_now(i32::from(tell(writer.as_fd(), &Note::Layer(layer)).is_err()))
        }
        Forked::Parent(child) => {
            drop(writer);
            watch.add(&notes, job.index as u64, Interest::READ).map_err(forked)?;
            Ok(Running { job, child, notes, partial: Vec::new(), blob: None, layer: None })
        }
    }
}

/// In the layer's process: starts the download and the unpacker, and waits for both.
fn watch_over(
    job: &Job,
    origin: &mut dyn Origin,
    shared: &Shared<'_>,
    notes: BorrowedFd<'_>,
) -> Result<Unpacked, Failure> {
    let unpack = |source| unpack_layer(shared.outer, shared.maps, source, &job.staged, &job.layer);
    let unpacked = |result: Result<Unpacked, crate::rootless::Error>| {
        result.map_err(|error| Failure::from_error(error.kind(), &error))
    };
    if let Some(file) = &job.local {
        let file = file.try_clone().map_err(|error| Failure::from_error(FailureKind::Other, &error))?;
        return unpacked(unpack(file));
    }
    let (reader, writer) = process::pipe().map_err(|error| failure(&error))?;
    process::set_pipe_size(writer.as_fd(), PIPE);
    let parent = process::Pid::this();
    match fork().map_err(|error| failure(&error))? {
        Forked::Child => {
            drop(reader);
            let result = die_with(parent).and_then(|()| download(job, origin, shared.lease, writer, notes));
            // Without a note: the unpacker has ended, and tells why.
            let told = result.transpose().map_or(Ok(()), |blob| tell(notes, &Note::Blob(blob)));
            process::exit_now(i32::from(told.is_err()))
        }
        Forked::Parent(child) => {
            drop(writer);
            // The reading end goes with the worker's job, so that the download notices the end of the unpacker.
            let result = unpack(reader.into());
            child.wait().map_err(|error| failure(&error))?;
            unpacked(result)
        }
    }
}

/// The blob goes to staging and down the pipe. None: the other end of the pipe has gone.
fn download(
    job: &Job,
    origin: &mut dyn Origin,
    lease: &Lease,
    pipe: OwnedFd,
    notes: BorrowedFd<'_>,
) -> Result<Option<StagedBlob>, Failure> {
    let stored = |error: storage::Error| Failure::from_error(storage_kind(&error), &error);
    origin.after_fork();
    let layer = &job.layer;
    let blob = lease.stage_blob(Some(&layer.blob), Some(layer.size)).map_err(stored)?;
    let descriptor = Descriptor { media_type: layer.media_type.clone(), digest: layer.blob.clone(), size: layer.size };
    let mut tee = Tee { blob, pipe, notes, told: 0, closed: false };
    match origin.blob(&descriptor, &mut tee) {
        Ok(()) => tee.blob.finish().map(Some).map_err(stored),
        Err(_) if tee.closed => Ok(None),
        Err(error @ registry::Error::Sink(_)) => Err(Failure::from_error(sink_kind(&error), &error)),
        Err(error) => Err(Failure::from_error(FailureKind::Other, &error)),
    }
}

/// One blob, two destinations.
struct Tee<'a> {
    blob: BlobWriter,
    pipe: OwnedFd,
    notes: BorrowedFd<'a>,
    told: u64,
    closed: bool,
}

impl BlobSink for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        self.blob.write_chunk(bytes).map_err(|error| match error {
            storage::Error::Write { source, .. } => source,
            error => sys::Error::new("write", error.to_string(), sys::Errno::EFBIG),
        })?;
        sys::fs::write_all(self.pipe.as_fd(), bytes).inspect_err(|error| self.closed = error.is(sys::Errno::EPIPE))?;
        let received = self.blob.written();
        if received - self.told >= NOTE_EVERY {
            self.told = received;
            tell(self.notes, &Note::Received(received))?;
        }
        Ok(())
    }
}

/// One write, so that lines of two processes do not mix: short ones are atomic (`pipe(7)`), and a long one is only
/// written when the other process has ended.
fn tell(notes: BorrowedFd<'_>, note: &Note) -> sys::Result<()> {
    let encoded = serde_json::to_vec(note);
    let mut line = encoded.map_err(|error| sys::Error::new("write", error.to_string(), sys::Errno::EINVAL))?;
    line.push(b'\n');
    sys::fs::write_all(notes, &line)
}

/// SIGKILL for this process when its maker ends.
fn die_with(parent: process::Pid) -> Result<(), Failure> {
    sys::prctl::set_parent_death_signal(sys::signal::SIGKILL).map_err(|error| failure(&error))?;
    if process::Pid::parent() == parent.as_raw() {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Died, "the process that wanted the layer is gone"))
}

fn storage_kind(error: &storage::Error) -> FailureKind {
    match error {
        storage::Error::Write { source, .. } => failure(source).kind,
        _ => FailureKind::Other,
    }
}

fn sink_kind(error: &registry::Error) -> FailureKind {
    match error {
        registry::Error::Sink(source) => failure(source).kind,
        _ => FailureKind::Other,
    }
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::from_error(FailureKind::Other, error).context("read a note")
}

fn host(what: &'static str, source: sys::Error) -> Error {
    Error::Host { what, source }
}
