//! The layers of a pull: which are fetched, which are here, which another pull is fetching; for each one under way a
//! process that watches, one that downloads, one that unpacks.
//!
//! Two pulls that want one blob join: the one that holds its partial fetches, the other waits until the blob is
//! published, or the first is dead, and goes on from what there is. Nobody waits while holding what others may wait
//! for: with nothing under way all partials are given up, and what they hold is whole.

mod cores;
mod layer;

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use super::incoming::{IncomingLayer, StagedUnpack};
use super::notes::{self, Inbox};
use super::writeback::Writeback;
use crate::engine::Error;
use crate::registry::{self, Archive, BlobSink, Source};
use crate::rootless::Outer;
use crate::storage::Store;
use crate::storage::blobs::StagedBlob;
use crate::storage::layers::StagedLayer;
use crate::storage::lease::Lease;
use crate::storage::partials::{Partial, TryPartial};
use crate::storage::unpack::Unpacked;
use crate::sys::clone::{Forked, fork};
use crate::sys::fs::File;
use crate::sys::poll::{EventLoop, Interest};
use crate::sys::process::{self, PidFd};
use crate::sys::{self, descriptor};
use crate::types::failure::{Failure, FailureKind, chain};
use crate::types::idmap::IdMaps;
use crate::types::progress::Progress;

use crate::types::descriptor::Descriptor;
use cores::Cores;
use layer::Note;

/// Layers at once: enough to keep a slow registry and two cores busy.
const AT_ONCE: usize = 4;
/// How often we look whether another pull is done with a blob.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where blobs come from.
pub(super) trait Origin {
    /// This process is a child of the one that the origin was opened in.
    fn after_fork(&mut self);
    /// Copies a blob to `sink`, from byte `from` on.
    fn blob(&mut self, descriptor: &Descriptor, from: u64, sink: &mut dyn BlobSink) -> Result<(), registry::Error>;
    /// It is worth keeping a part of a blob for the next try.
    fn is_resumable(&self) -> bool;
    /// How many places there are that a blob can be asked for at.
    fn places(&self) -> usize;
    /// Forgets the first places: what they gave was not what was asked for.
    fn pass_over(&mut self, places: usize);
}

impl Origin for Source {
    fn after_fork(&mut self) {
        Source::after_fork(self);
    }

    fn blob(&mut self, descriptor: &Descriptor, from: u64, sink: &mut dyn BlobSink) -> Result<(), registry::Error> {
        Source::blob(self, descriptor, from, sink)
    }

    fn is_resumable(&self) -> bool {
        true
    }

    fn places(&self) -> usize {
        Source::places(self)
    }

    fn pass_over(&mut self, places: usize) {
        Source::pass_over(self, places);
    }
}

impl Origin for Archive {
    /// It is read by offset: nothing is shared.
    fn after_fork(&mut self) {}

    fn blob(&mut self, descriptor: &Descriptor, _: u64, sink: &mut dyn BlobSink) -> Result<(), registry::Error> {
        Archive::blob(self, descriptor, sink)
    }

    fn is_resumable(&self) -> bool {
        false
    }

    fn places(&self) -> usize {
        1
    }

    fn pass_over(&mut self, _: usize) {}
}

/// A layer to fetch.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) index: usize,
    /// Beginning of the blob's digest, for the user.
    pub(super) name: String,
    pub(super) layer: IncomingLayer,
    /// To unpack into; none if the layer is here, and only its blob is wanted.
    pub(super) staged: Option<StagedLayer>,
    pub(super) blob: Blob,
    /// Places that gave something else than this blob.
    pub(super) passed_over: usize,
}

impl Job {
    /// What keeps the part of the blob that has come, if anything does.
    fn take_partial(&mut self) -> Option<Partial> {
        match std::mem::replace(&mut self.blob, Blob::Away) {
            Blob::Partial(partial) => Some(partial),
            other => {
                self.blob = other;
                None
            }
        }
    }
}

/// Where the blob of a layer is.
#[derive(Debug)]
pub(super) enum Blob {
    /// In the store: nothing is fetched.
    Here(File),
    /// To be fetched.
    Away,
    /// To be fetched, and what comes is kept here.
    Partial(Partial),
}

/// What all the processes need.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) store: &'a Store,
    pub(super) outer: &'a Outer,
    pub(super) maps: &'a IdMaps,
    pub(super) lease: &'a Lease,
    pub(super) writeback: &'a Writeback,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) blobs: Vec<StagedBlob>,
    pub(super) layers: Vec<StagedUnpack>,
    /// To be kept until all is published: others wait for that.
    pub(super) held: Vec<Partial>,
}

/// A layer under way.
struct Running {
    job: Job,
    child: PidFd,
    notes: OwnedFd,
    inbox: Inbox,
    blob: Option<Result<StagedBlob, Failure>>,
    layer: Option<Result<Unpacked, Failure>>,
    /// It began with bytes of an earlier try.
    resumed: bool,
    /// The bytes are not those that the manifest promises.
    wrong: bool,
}

/// All the layers, by what is to be done next.
struct Fetch<'a> {
    shared: &'a Shared<'a>,
    progress: &'a dyn Progress,
    /// Of the origin.
    places: usize,
    watch: EventLoop,
    cores: Cores,
    /// The largest is last, and begins first.
    ready: Vec<Job>,
    /// Fetched by somebody else.
    waiting: Vec<Job>,
    running: Vec<Running>,
    fetched: Fetched,
}

/// Runs all jobs, the largest first. After the first failure the others are ended, and everything is gone when this
/// returns but the files in the lease, and the partials: those go if it is the disk that is full, where they would be
/// in everybody's way.
pub(super) fn run(
    jobs: Vec<Job>,
    origin: &mut dyn Origin,
    shared: &Shared<'_>,
    progress: &dyn Progress,
) -> Result<Fetched, Error> {
    let watch = EventLoop::new().map_err(|source| host("wait for layers", source))?;
    let cores = Cores::new().map_err(|source| host("prepare to tell layers of cores", source))?;
    let (ready, waiting, running) = (Vec::new(), Vec::new(), Vec::new());
    let (places, fetched) = (origin.places(), Fetched::default());
    let mut fetch = Fetch { shared, progress, places, watch, cores, ready, waiting, running, fetched };
    let result = fetch.all(jobs, origin);
    // The failure that came first is the one to tell.
    match result {
        Ok(()) => Ok(fetch.fetched),
        Err(error) => {
            let jobs = fetch.running.iter_mut().map(|layer| &mut layer.job).chain(&mut fetch.ready);
            let begun: Vec<Partial> = jobs.filter_map(Job::take_partial).chain(fetch.fetched.held).collect();
            // Before, they may still write to them.
            let ended = end(fetch.running);
            if error.kind() == FailureKind::NoSpace {
                give_back(begun);
            }
            ended.and(Err(error))
        }
    }
}

/// Removes what has come.
fn give_back(partials: impl IntoIterator<Item = Partial>) {
    for partial in partials {
        if let Err(error) = partial.discard() {
            tracing::debug!(%error, "part of a blob stays");
        }
    }
}

impl Fetch<'_> {
    fn all(&mut self, jobs: Vec<Job>, origin: &mut dyn Origin) -> Result<(), Error> {
        for job in jobs {
            self.progress.begin(&job.name, &format!("Copying blob {}", job.name), Some(job.layer.size));
            self.queue(job, origin.is_resumable())?;
        }
        self.ready.sort_by_key(|job| job.layer.size);
        loop {
            let left = self.running.iter().map(|layer| &layer.job).chain(&self.ready);
            if self.cores.left(left.filter(|job| job.staged.is_some()).count()) {
                self.shared.writeback.shorten().map_err(|source| host("have more written to disk", source))?;
            }
            while self.running.len() < AT_ONCE
                && let Some(job) = self.ready.pop()
            {
                let started = self.start(job, origin)?;
                self.running.push(started);
            }
            if self.running.is_empty() {
                if self.waiting.is_empty() {
                    return Ok(());
                }
                // Whoever we wait for may wait for these. They are whole: nobody will write to them.
                self.fetched.held.clear();
            }
            self.step()?;
            for job in std::mem::take(&mut self.waiting) {
                self.queue(job, true)?;
            }
        }
    }

    /// Finds out whether a job can begin, has to wait, or was done by somebody else.
    fn queue(&mut self, mut job: Job, keep: bool) -> Result<(), Error> {
        let (store, layer) = (self.shared.store, &job.layer);
        if matches!(job.blob, Blob::Away) && keep {
            match store.try_partial(&layer.blob, layer.size)? {
                TryPartial::Busy(arrived) => {
                    self.progress.phase(&job.name, "waiting for another pull");
                    self.progress.advance(&job.name, arrived);
                    self.waiting.push(job);
                    return Ok(());
                }
                TryPartial::Held(partial) => match store.open_blob(&layer.blob)? {
                    None => job.blob = Blob::Partial(partial),
                    // Published meanwhile, and the lock is that of a new file.
                    Some(file) => {
                        partial.discard()?;
                        let unpacked = match &job.staged {
                            Some(staged) => self.shared.lease.rely_on_layer(store, &staged.key)?,
                            None => true,
                        };
                        if unpacked {
                            self.progress.phase(&job.name, "exists");
                            return Ok(());
                        }
                        job.blob = Blob::Here(file);
                    }
                },
            }
        }
        self.ready.push(job);
        Ok(())
    }

    fn start(&mut self, job: Job, origin: &mut dyn Origin) -> Result<Running, Error> {
        let forked = |source| host("start a layer's process", source);
        let (notes, writer) = descriptor::pipe().map_err(forked)?;
        let parent = process::Pid::this();
        match fork().map_err(forked)? {
            Forked::Child => {
                drop(notes);
                self.cores.after_fork();
                layer::main(parent, &job, origin, self.shared, self.cores.threads(), writer.as_fd())
            }
            Forked::Parent(child) => {
                drop(writer);
                self.watch.add(&notes, job.index as u64, Interest::READ).map_err(forked)?;
                Ok(Running {
                    job,
                    child,
                    notes,
                    inbox: Inbox::default(),
                    blob: None,
                    layer: None,
                    resumed: false,
                    wrong: false,
                })
            }
        }
    }

    /// Waits for notes and takes them in; a layer whose pipe has ended is taken out of `running`.
    fn step(&mut self) -> Result<(), Error> {
        let mut ready = Vec::new();
        let patience = (!self.waiting.is_empty()).then_some(LOOK_EVERY);
        self.watch.wait(&mut ready, patience).map_err(|source| host("wait for layers", source))?;
        for event in ready {
            let token = |layer: &Running| layer.job.index as u64 == event.token;
            let Some(at) = self.running.iter().position(token) else { continue };
            let bytes = sys::descriptor::read_some(self.running[at].notes.as_fd(), notes::CHUNK);
            let bytes = bytes.map_err(|source| host("read the notes of a layer", source))?;
            if !bytes.is_empty() {
                self.running[at].take_notes(&bytes, self.progress)?;
                continue;
            }
            let layer = self.running.swap_remove(at);
            // Later children hold copies of the descriptor: closing ours would not take it out of the set.
            self.watch.remove(&layer.notes).map_err(|source| host("forget a layer", source))?;
            if let Some(job) = layer.end(self.shared, self.places, &mut self.fetched, self.progress)? {
                self.queue(job, true)?;
            }
        }
        Ok(())
    }
}

impl Running {
    fn take_notes(&mut self, bytes: &[u8], progress: &dyn Progress) -> Result<(), Error> {
        for note in self.inbox.take(bytes).map_err(|failure| self.failed(failure))? {
            match note {
                Note::Resumed(count) => {
                    self.resumed = true;
                    progress.phase(&self.job.name, "resumed");
                    progress.resumed(&self.job.name, count);
                }
                Note::Received(count) => progress.advance(&self.job.name, count),
                Note::Blob(blob) => {
                    progress.phase(&self.job.name, "unpacking");
                    self.blob = Some(blob);
                }
                Note::Wrong(failure) => {
                    self.wrong = true;
                    self.blob = Some(Err(failure));
                }
                Note::Layer(layer) => self.layer = Some(layer),
            }
        }
        Ok(())
    }

    /// The pipe has ended, so all processes of the layer have. Answers the job if it has to be done again: what an
    /// earlier try had left was damaged, or a mirror gave something else than the blob.
    fn end(
        mut self,
        shared: &Shared<'_>,
        places: usize,
        fetched: &mut Fetched,
        progress: &dyn Progress,
    ) -> Result<Option<Job>, Error> {
        let status = self.child.wait().map_err(|source| host("wait for a layer's process", source))?;
        let died = || Failure::new(FailureKind::Died, format!("its process ended with code {}", status.code()));
        let (verified, failure) = match (&self.job.blob, self.blob.take(), self.layer.take()) {
            (Blob::Here(_), _, Some(Ok(unpacked))) => {
                self.done(Some(unpacked), fetched, progress);
                return Ok(None);
            }
            (_, Some(Ok(blob)), Some(Ok(unpacked))) => {
                fetched.blobs.push(blob);
                self.done(Some(unpacked), fetched, progress);
                return Ok(None);
            }
            (_, Some(Ok(blob)), None) if self.job.staged.is_none() => {
                fetched.blobs.push(blob);
                self.done(None, fetched, progress);
                return Ok(None);
            }
            // A download that broke off makes the unpacker fail too: its own reason is the one that counts.
            (_, Some(Err(failure)), _) => (!self.wrong, failure),
            (_, blob, layer) => {
                let failure = layer.and_then(Result::err).unwrap_or_else(died);
                self.wrong = !matches!(failure.kind, FailureKind::NoSpace | FailureKind::Died);
                (blob.is_some(), failure)
            }
        };
        if failure.kind == FailureKind::NoSpace {
            give_back(self.job.take_partial());
        }
        let error = self.failed(failure);
        if self.wrong
            && let Some(partial) = self.job.take_partial()
        {
            partial.discard()?;
            if verified {
                return Err(error);
            }
            if self.resumed {
                tracing::info!(%error, "what was left of an earlier pull is damaged, beginning anew");
            } else if self.job.passed_over + 1 < places {
                self.job.passed_over += 1;
                let chain = chain(&error);
                progress.warn(&format!("{chain}: a mirror gave something else, asking the next place"));
            } else {
                return Err(error);
            }
            if let Some(staged) = self.job.staged.take() {
                self.job.staged = Some(shared.lease.stage_layer(staged.key)?);
            }
            return Ok(Some(self.job));
        }
        Err(error)
    }

    fn done(self, unpacked: Option<Unpacked>, fetched: &mut Fetched, progress: &dyn Progress) {
        progress.advance(&self.job.name, self.job.layer.size);
        progress.phase(&self.job.name, "done");
        if let Blob::Partial(partial) = self.job.blob {
            fetched.held.push(partial);
        }
        if let (Some(staged), Some(unpacked)) = (self.job.staged, unpacked) {
            fetched.layers.push(StagedUnpack { index: self.job.index, staged, unpacked });
        }
    }

    fn failed(&self, source: Failure) -> Error {
        Error::Layer { digest: self.job.layer.blob.clone(), source }
    }
}

fn end(running: Vec<Running>) -> Result<(), Error> {
    notes::end(running.into_iter().map(|layer| (layer.child, layer.notes)))
}

fn host(what: &'static str, source: sys::Error) -> Error {
    Error::Host { what, source }
}
