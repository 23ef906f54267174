//! The processes of a push: one for each blob, a few at once, each with a connection of its own.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::notes::{self, Inbox, tell};
use crate::engine::Error;
use crate::engine::error::failure;
use crate::registry::{self, Arrival, Session};
use crate::sys::clone::{Forked, fork};
use crate::sys::fs::File;
use crate::sys::poll::{EventLoop, Interest};
use crate::sys::process::{self, PidFd};
use crate::sys::{self, descriptor};
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;
use crate::types::failure::{Failure, FailureKind};
use crate::types::progress::Progress;

/// Blobs at once.
const AT_ONCE: usize = 4;

/// A blob to send.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Beginning of its digest, for the user.
    pub(super) name: String,
    pub(super) descriptor: Descriptor,
    pub(super) source: File,
    /// Another repository of the same registry that should have it.
    pub(super) mount: Option<String>,
}

/// From the processes to the engine, one JSON document in a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Note {
    Sent(u64),
    Done(Result<Arrival, Failure>),
}

/// A blob under way.
struct Running {
    parcel: Parcel,
    token: u64,
    child: PidFd,
    notes: OwnedFd,
    inbox: Inbox,
    done: Option<Result<Arrival, Failure>>,
}

/// Sends one blob from this process.
pub(super) fn one(parcel: &Parcel, session: &mut Session, progress: &dyn Progress) -> Result<(), registry::Error> {
    progress.begin(&parcel.name, &parcel.name, Some(parcel.descriptor.size));
    let sent = |count| progress.advance(&parcel.name, count);
    let arrival = session.ensure_blob(&parcel.descriptor, &parcel.source, parcel.mount.as_deref(), &sent)?;
    progress.phase(&parcel.name, phase(arrival));
    Ok(())
}

/// Sends all, the largest first. After the first failure the others are ended.
pub(super) fn all(mut parcels: Vec<Parcel>, session: &mut Session, progress: &dyn Progress) -> Result<(), Error> {
    parcels.sort_by_key(|parcel| parcel.descriptor.size);
    let watch = EventLoop::new().map_err(|source| host("wait for uploads", source))?;
    let mut running: Vec<Running> = Vec::new();
    let mut token = 0;
    loop {
        while running.len() < AT_ONCE
            && let Some(parcel) = parcels.pop()
        {
            progress.begin(&parcel.name, &parcel.name, Some(parcel.descriptor.size));
            token += 1;
            match start(parcel, token, session, &watch) {
                Ok(started) => running.push(started),
                Err(error) => return end(running).and(Err(error)),
            }
        }
        if running.is_empty() {
            return Ok(());
        }
        if let Err(error) = step(&watch, &mut running, progress) {
            // The failure that came first is the one to tell.
            return end(running).and(Err(error));
        }
    }
}

/// Waits for notes and takes them in; a blob whose pipe has ended is taken out of `running`.
fn step(watch: &EventLoop, running: &mut Vec<Running>, progress: &dyn Progress) -> Result<(), Error> {
    let mut ready = Vec::new();
    watch.wait(&mut ready, None).map_err(|source| host("wait for uploads", source))?;
    for event in ready {
        let Some(at) = running.iter().position(|upload| upload.token == event.token) else { continue };
        let bytes = sys::descriptor::read_some(running[at].notes.as_fd(), notes::CHUNK);
        let bytes = bytes.map_err(|source| host("read the notes of an upload", source))?;
        if !bytes.is_empty() {
            running[at].take_notes(&bytes, progress)?;
            continue;
        }
        let upload = running.swap_remove(at);
        // Later children hold copies of the descriptor: closing ours would not take it out of the set.
        watch.remove(&upload.notes).map_err(|source| host("forget an upload", source))?;
        upload.end(progress)?;
    }
    Ok(())
}

impl Running {
    fn take_notes(&mut self, bytes: &[u8], progress: &dyn Progress) -> Result<(), Error> {
        for note in self.inbox.take(bytes).map_err(|failure| self.failed(failure))? {
            match note {
                Note::Sent(count) => progress.advance(&self.parcel.name, count),
                Note::Done(done) => self.done = Some(done),
            }
        }
        Ok(())
    }

    /// The pipe has ended, so the process has.
    fn end(mut self, progress: &dyn Progress) -> Result<(), Error> {
        let status = self.child.wait().map_err(|source| host("wait for an upload", source))?;
        match self.done.take() {
            Some(Ok(arrival)) => {
                progress.phase(&self.parcel.name, phase(arrival));
                Ok(())
            }
            Some(Err(failure)) => Err(self.failed(failure)),
            None => {
                Err(self
                    .failed(Failure::new(FailureKind::Died, format!("its process ended with code {}", status.code()))))
            }
        }
    }

    fn failed(&self, source: Failure) -> Error {
        Error::SendBlob { digest: self.parcel.descriptor.digest.clone(), source }
    }
}

fn end(running: Vec<Running>) -> Result<(), Error> {
    notes::end(running.into_iter().map(|upload| (upload.child, upload.notes)))
}

fn start(parcel: Parcel, token: u64, session: &mut Session, watch: &EventLoop) -> Result<Running, Error> {
    let forked = |source| host("start an upload", source);
    let (notes, writer) = descriptor::pipe().map_err(forked)?;
    let parent = process::Pid::this();
    match fork().map_err(forked)? {
        Forked::Child => {
            drop(notes);
            let done = sys::prctl::die_with(parent).map_err(|error| failure(&error));
            let done = done.and_then(|()| send(&parcel, session, writer.as_fd()));
            process::exit_now(i32::from(tell(writer.as_fd(), &Note::Done(done)).is_err()))
        }
        Forked::Parent(child) => {
            drop(writer);
            watch.add(&notes, token, Interest::READ).map_err(forked)?;
            Ok(Running { parcel, token, child, notes, inbox: Inbox::default(), done: None })
        }
    }
}

/// In the process of a blob.
fn send(parcel: &Parcel, session: &mut Session, notes: BorrowedFd<'_>) -> Result<Arrival, Failure> {
    session.after_fork();
    let told = std::cell::Cell::new(0);
    let sent = |count: u64| {
        if count.saturating_sub(told.get()) >= notes::EVERY {
            told.set(count);
            // Nobody listens any more: we shall be ended.
            drop(tell(notes, &Note::Sent(count)));
        }
    };
    let result = session.ensure_blob(&parcel.descriptor, &parcel.source, parcel.mount.as_deref(), &sent);
    result.map_err(|error| {
        if error.is_wrong_upload() && is_damaged(parcel) {
            return Failure::new(FailureKind::Other, "it is damaged in the store");
        }
        failure(&error)
    })
}

/// The registry says that the bytes are wrong: who is to blame?
pub(super) fn is_damaged(parcel: &Parcel) -> bool {
    use std::os::unix::fs::FileExt as _;
    let (mut hash, mut at, mut buffer) = (Sha256::new(), 0, vec![0; 256 << 10]);
    loop {
        match parcel.source.read_at(&mut buffer, at) {
            Ok(0) => return Digest::from_bytes(hash.finalize().into()) != parcel.descriptor.digest,
            Ok(count) => {
                hash.update(&buffer[..count]);
                at += count as u64;
            }
            Err(_) => return true,
        }
    }
}

fn phase(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Exists => "exists",
        Arrival::Mounted => "mounted",
        Arrival::Sent => "done",
    }
}

fn host(what: &'static str, source: sys::Error) -> Error {
    Error::Host { what, source }
}
