//! The process that brings an imported tar: into a staged blob, and at the same time down a pipe to the unpacker.
//!
//! ```text
//! file, stream or web ─► feeder ─┬─► staging/…/blob (sha256)
//!                                └─► pipe ─► unpack (worker in P) ─► staged layer
//! ```

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use super::incoming::failure;
use crate::engine::Error;
use crate::registry::{self, BlobSink};
use crate::storage::blobs::{BlobWriter, StagedBlob};
use crate::storage::lease::Lease;
use crate::storage::unpack::{self, Compression, Limits};
use crate::sys;
use crate::sys::clone::{Forked, fork};
use crate::sys::fs::File;
use crate::sys::process::{self, PidFd};
use crate::types::failure::{Failure, FailureKind};

/// Room in the pipe.
const PIPE: usize = 1 << 20;
/// How long a feeder may take to tell why it broke off.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Where a tar comes from.
#[derive(Debug)]
pub(super) enum Feed {
    File(File),
    Web(String),
}

/// A feeder at work.
pub(super) struct Feeder {
    child: PidFd,
    answer: OwnedFd,
}

/// Starts a feeder; what it brings comes out of the file.
pub(super) fn start(feed: Feed, lease: &Lease) -> Result<(Feeder, File), Error> {
    let failed = |source| Error::Host { what: "start the process that brings the archive", source };
    let (reader, writer) = process::pipe().map_err(failed)?;
    process::set_pipe_size(writer.as_fd(), PIPE);
    let (answer, tell) = process::pipe().map_err(failed)?;
    let parent = process::Pid::this();
    match fork().map_err(failed)? {
        Forked::Child => {
            drop((reader, answer));
            let done = sys::prctl::set_parent_death_signal(sys::signal::SIGKILL).map_err(|error| failure(&error));
            let done = done.and_then(|()| {
                if process::Pid::parent() == parent.as_raw() {
                    bring(feed, lease, writer)
                } else {
                    Err(Failure::new(FailureKind::Died, "the process that wanted the archive is gone"))
                }
            });
            let told = serde_json::to_vec(&done).map(|bytes| sys::fs::write_all(tell.as_fd(), &bytes));
            process::exit_now(i32::from(!matches!(told, Ok(Ok(())))))
        }
        Forked::Parent(child) => Ok((Feeder { child, answer }, reader.into())),
    }
}

impl Feeder {
    /// The blob, when everything has been read.
    pub(super) fn finish(self) -> Result<StagedBlob, Error> {
        match self.answer(None)? {
            Some(answer) => answer.map_err(Error::Failure),
            None => Err(Error::Failure(Failure::new(FailureKind::Died, "the process that brings the archive died"))),
        }
    }

    /// The reader has broken off with `error`: if that was because the feeder had, the feeder's reason is the one.
    pub(super) fn abandon(self, error: Error) -> Error {
        match self.answer(Some(LAST_WORD)) {
            // EPIPE: nobody reads any more, which is what we know.
            Ok(Some(Err(failure))) if failure.kind != FailureKind::Died => Error::Failure(failure),
            _ => error,
        }
    }

    fn answer(self, patience: Option<Duration>) -> Result<Option<Result<StagedBlob, Failure>>, Error> {
        let failed = |source| Error::Host { what: "wait for the archive", source };
        let answered = sys::wait_readable(self.answer.as_fd(), patience).map_err(failed)?;
        if !answered {
            // It may be waiting for a stream that never ends.
            self.child.signal(sys::signal::SIGKILL).map_err(failed)?;
        }
        let bytes = sys::fs::read_to_end(self.answer.as_fd(), 1 << 20).map_err(failed)?;
        self.child.wait().map_err(failed)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&bytes).map(Some).map_err(Error::Encode)
    }
}

/// In the feeder.
fn bring(feed: Feed, lease: &Lease, pipe: OwnedFd) -> Result<StagedBlob, Failure> {
    let stored = |error: crate::storage::Error| Failure::from_error(FailureKind::Other, &error);
    let mut tee = Tee { blob: lease.stage_blob(None, None).map_err(stored)?, pipe };
    match feed {
        Feed::Web(address) => registry::download(&address, &mut tee).map_err(|error| match &error {
            registry::Error::Sink(source) => broken(source),
            error => Failure::from_error(FailureKind::Other, error),
        })?,
        Feed::File(file) => copy(file, &mut tee)?,
    }
    tee.blob.finish().map_err(stored)
}

fn copy(mut file: File, tee: &mut Tee) -> Result<(), Failure> {
    let mut buffer = vec![0; 256 << 10];
    let mut magic = Vec::with_capacity(Compression::MAGIC_LEN);
    let limit = Compression::MAGIC_LEN as u64;
    let unreadable =
        |error: &std::io::Error| Failure::from_error(FailureKind::Other, error).context("read the archive");
    (&mut file).take(limit).read_to_end(&mut magic).map_err(|error| unreadable(&error))?;
    if Compression::is_xz(&magic) {
        // No layer may be xz: what is stored is the plain tar.
        let whole = std::io::Cursor::new(magic).chain(file);
        let mut reader = unpack::open_archive(whole, Limits::default())
            .map_err(|error| Failure::from_error(error.kind(), &error))?;
        loop {
            match reader.next(&mut buffer).map_err(|error| Failure::from_error(error.kind(), &error))? {
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

/// One stream, two destinations.
struct Tee {
    blob: BlobWriter,
    pipe: OwnedFd,
}

impl BlobSink for Tee {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        self.blob.write_chunk(bytes).map_err(|error| match error {
            crate::storage::Error::Write { source, .. } => source,
            error => sys::Error::new("write", error.to_string(), sys::Errno::EIO),
        })?;
        sys::fs::write_all(self.pipe.as_fd(), bytes)
    }
}
