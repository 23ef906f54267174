//! From a descriptor to chunks of uncompressed tar. With a core to spare a thread of its own reads, decompresses, counts
//! and hashes. The two ends can never wait for each other: when either goes, the channel closes and the other one ends
//! (case A24). Where other layers keep the cores busy, who reads the tar does it all: then the bytes that were just
//! decompressed are hashed and written while they are in the processor's own cache. When those layers are done, such a
//! stream goes on in a thread of its own from where it is.

use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::compression::Compression;
use super::confine::Caged;
use super::decode::{Counting, Decoding, Limits, Promise, Totals, decoder, peek};
use super::error::Error;
use super::source::Source;
use crate::sys;
use crate::sys::fs::File;
use crate::types::digest::DiffId;

/// Uncompressed bytes in one chunk.
const CHUNK: usize = 256 << 10;

/// Free bytes in front of a chunk's data: room for the rest of the chunk before, so that a header is in one piece.
const HEADROOM: usize = 8 << 10;

/// Chunks on their way: bounds memory.
const IN_FLIGHT: usize = 8;

/// Most memory that an xz stream may ask for, in KiB: what `xz -9` needs, twice.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// How a layer is decompressed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Threads<'a> {
    /// By the thread that unpacks it, which is the least work, until this pipe has lost its last writer: then by
    /// another one.
    OneUntil(BorrowedFd<'a>),
    /// By another one: sooner done, if there is a core for it.
    Two,
}

/// A chunk: data from `start` on; what is before is scratch.
struct Chunk {
    bytes: Vec<u8>,
    start: usize,
}

/// Where the chunks come from, and what became of it.
enum Producer<'a> {
    /// The pipe as in [`Threads::OneUntil`].
    Here(Decoding, BorrowedFd<'a>),
    Running(Thread),
    Finished(Totals),
    /// Its error was returned already.
    Failed,
}

/// The thread that decompresses.
struct Thread {
    chunks: Receiver<Chunk>,
    used: Sender<Vec<u8>>,
    handle: JoinHandle<Result<Totals, Error>>,
}

/// The receiving end: a window on the uncompressed stream.
pub(super) struct Stream<'a> {
    producer: Producer<'a>,
    bytes: Vec<u8>,
    start: usize,
    /// Uncompressed bytes before the window.
    offset: u64,
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// Begins to decompress `source`.
pub(super) fn start(source: Source, promise: Promise, threads: Threads<'_>) -> Result<Stream<'_>, Error> {
    let decoding = Decoding::open(source, promise)?;
    let producer = match threads {
        Threads::OneUntil(pipe) => Producer::Here(decoding, pipe),
        Threads::Two => Producer::Running(Thread::start(decoding)?),
    };
    Ok(Stream { producer, bytes: Vec::new(), start: 0, offset: 0 })
}

impl Thread {
    /// Goes on with `decoding` from where it is.
    fn start(decoding: Decoding) -> Result<Self, Error> {
        let (chunk_sender, chunks) = sync_channel(IN_FLIGHT);
        let (used, spare) = channel();
        let handle = std::thread::Builder::new()
            .name("decompress".to_owned())
            .spawn(move || produce(decoding, &chunk_sender, &spare))
            .map_err(Error::Thread)?;
        Ok(Self { chunks, used, handle })
    }
}

/// The body of the thread.
fn produce(mut decoding: Decoding, chunks: &SyncSender<Chunk>, spare: &Receiver<Vec<u8>>) -> Result<Totals, Error> {
    loop {
        let mut bytes = spare.try_recv().unwrap_or_default();
        bytes.resize(HEADROOM + CHUNK, 0);
        let filled = decoding.fill(&mut bytes[HEADROOM..])?;
        bytes.truncate(HEADROOM + filled);
        // A refused send means that the other end has found an error and gone.
        if filled == 0 || chunks.send(Chunk { bytes, start: HEADROOM }).is_err() {
            return Ok(decoding.finish());
        }
    }
}

/// A whole archive being read, whatever it is compressed with, without a thread of its own. It may expand as far as a
/// layer may (case A23).
pub(crate) struct Opened {
    inner: Box<dyn Read + Send>,
    /// None of the compressions.
    plain: bool,
    compressed: Arc<AtomicU64>,
    uncompressed: u64,
    limits: Limits,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("plain", &self.plain).finish_non_exhaustive()
    }
}

/// Opens an archive. Other than a layer, it may be compressed with xz or bzip2, too.
pub(crate) fn open_archive(
    source: impl Read + Send + 'static,
    limits: Limits,
    _caged: &Caged,
) -> Result<Opened, Error> {
    let compressed = Arc::new(AtomicU64::new(0));
    let (magic, input) = peek(Counting { inner: source, count: Arc::clone(&compressed) }).map_err(Error::Read)?;
    let (inner, plain): (Box<dyn Read + Send>, bool) = if Compression::is_xz(&magic) {
        (Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB)), false)
    } else if Compression::is_bzip2(&magic) {
        (Box::new(bzip2::bufread::MultiBzDecoder::new(input)), false)
    } else {
        let compression = Compression::sniff(&magic)?;
        let reader = decoder(compression, input, false).map_err(|error| Error::Decompress(compression, error))?;
        (reader, compression == Compression::None)
    };
    Ok(Opened { inner, plain, compressed, uncompressed: 0, limits })
}

impl Opened {
    /// Reads at least one byte; 0 is the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = loop {
            match self.inner.read(buffer) {
                Ok(count) => break count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.plain => return Err(Error::Read(error)),
                Err(error) => return Err(Error::DecompressArchive(error)),
            }
        };
        self.uncompressed += count as u64;
        if !self.plain {
            self.limits.check(self.compressed.load(Ordering::Relaxed), self.uncompressed)?;
        }
        Ok(count)
    }
}

/// A layer being read as the plain tar that it is, decompressed by a thread of its own.
#[derive(Debug)]
pub(crate) struct PlainLayer {
    stream: Stream<'static>,
    ended: bool,
}

impl PlainLayer {
    /// Begins to read `source`. Not for a process that forks meanwhile.
    pub(crate) fn open(source: File, _caged: &Caged) -> Result<Self, Error> {
        // Of a blob of the store, whose digest says what it is.
        let promise = Promise { label: None, plain: false, digest: true, limits: Limits::default() };
        Ok(Self { stream: start(source.into(), promise, Threads::Two)?, ended: false })
    }

    /// Reads what is left; bytes of the tar, and their digest.
    pub(crate) fn finish(self) -> Result<(u64, DiffId), Error> {
        let totals = self.stream.finish()?;
        Ok((totals.uncompressed, totals.diff_id))
    }
}

impl Read for PlainLayer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.stream.window().is_empty() {
            if self.ended || !self.stream.extend().map_err(io::Error::other)? {
                self.ended = true;
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.stream.window().len());
        buffer[..count].copy_from_slice(&self.stream.window()[..count]);
        self.stream.consume(count);
        Ok(count)
    }
}

impl Stream<'_> {
    /// What is in the window now.
    pub(super) fn window(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Uncompressed bytes before the window.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes `count` bytes off the window's front.
    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.window().len());
        self.start += count;
        self.offset += count as u64;
    }

    /// Adds the next chunk to the window; false at the end of the stream.
    pub(super) fn extend(&mut self) -> Result<bool, Error> {
        self.move_out()?;
        let more = match &mut self.producer {
            Producer::Here(decoding, _) => {
                // What is left is part of a header, and short.
                let rest = self.bytes.len() - self.start;
                self.bytes.copy_within(self.start.., 0);
                self.bytes.resize(rest + CHUNK, 0);
                self.start = 0;
                let filled = decoding.fill(&mut self.bytes[rest..]);
                self.bytes.truncate(rest + filled.as_ref().copied().unwrap_or_default());
                filled? > 0
            }
            Producer::Running(thread) => match thread.chunks.recv() {
                Ok(next) => {
                    let used = join(&mut self.bytes, &mut self.start, next);
                    if used.capacity() >= HEADROOM + CHUNK && thread.used.send(used).is_err() {
                        tracing::trace!("the decompressing thread has ended");
                    }
                    true
                }
                Err(_) => false,
            },
            Producer::Finished(_) | Producer::Failed => return Ok(false),
        };
        if !more {
            self.producer = match std::mem::replace(&mut self.producer, Producer::Failed) {
                Producer::Here(decoding, _) => Producer::Finished(decoding.finish()),
                // It has ended: well, or with an error, which is ours to return.
                Producer::Running(thread) => {
                    Producer::Finished(thread.handle.join().unwrap_or(Err(Error::ThreadDied))?)
                }
                other => other,
            };
        }
        Ok(more)
    }

    /// Reads what is left and returns the totals.
    pub(super) fn finish(mut self) -> Result<Totals, Error> {
        loop {
            let left = self.window().len();
            self.consume(left);
            if !self.extend()? {
                break;
            }
        }
        match self.producer {
            Producer::Finished(totals) => Ok(totals),
            Producer::Here(..) | Producer::Running(_) | Producer::Failed => Err(Error::ThreadDied),
        }
    }

    /// Gives what is left to a thread of its own, if there is a core for it now.
    fn move_out(&mut self) -> Result<(), Error> {
        let Producer::Here(_, pipe) = &self.producer else { return Ok(()) };
        if sys::wait_readable(*pipe, Some(Duration::ZERO)).map_err(Error::Wait)?
            && let Producer::Here(decoding, _) = std::mem::replace(&mut self.producer, Producer::Failed)
        {
            self.producer = Producer::Running(Thread::start(decoding)?);
        }
        Ok(())
    }
}

/// Puts what is left of the window `bytes[*start..]` in front of the next chunk; answers the buffer that is free now.
fn join(bytes: &mut Vec<u8>, start: &mut usize, next: Chunk) -> Vec<u8> {
    let rest = bytes.len() - *start;
    let mut new = next.bytes;
    let mut new_start = next.start;
    if rest > new_start {
        // A header longer than the headroom: rare, so it may cost a copy.
        let mut joined = Vec::with_capacity(rest + new.len() - new_start);
        joined.extend_from_slice(&bytes[*start..]);
        joined.extend_from_slice(&new[new_start..]);
        (new, new_start) = (joined, 0);
    } else {
        new_start -= rest;
        new[new_start..new_start + rest].copy_from_slice(&bytes[*start..]);
    }
    *start = new_start;
    std::mem::replace(bytes, new)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};
    use std::os::fd::AsFd as _;

    use super::{CHUNK, Limits, Producer, Promise, Threads, start};
    use crate::sys::descriptor;
    use crate::types::digest::{DiffId, Digest};

    #[test]
    fn a_decompression_under_way_moves_to_a_thread_and_nothing_is_lost() {
        let plain: Vec<u8> = (0..CHUNK).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).expect("compress");
        let zstd = zstd::encode_all(&plain[..], 1).expect("compress");
        for bytes in [plain.clone(), gzip.finish().expect("compress"), zstd] {
            let mut file = tempfile::tempfile().expect("file");
            file.write_all(&bytes).expect("write");
            file.rewind().expect("rewind");
            let (pipe, filled) = descriptor::pipe().expect("pipe");
            let promise = Promise { label: None, plain: false, digest: true, limits: Limits::default() };
            let mut stream = start(file.into(), promise, Threads::OneUntil(pipe.as_fd())).expect("start");
            assert!(stream.extend().expect("first chunk") && stream.extend().expect("second chunk"));
            assert!(matches!(stream.producer, Producer::Here(..)));
            // Something of the window is left, as of a header that is not whole.
            let mut seen = stream.window()[..CHUNK - 100].to_vec();
            stream.consume(CHUNK - 100);
            drop(filled);
            assert!(stream.extend().expect("third chunk"));
            assert!(matches!(stream.producer, Producer::Running(_)));
            loop {
                seen.extend_from_slice(stream.window());
                stream.consume(stream.window().len());
                if !stream.extend().expect("chunk") {
                    break;
                }
            }
            assert!(seen == plain, "the same bytes");
            let totals = stream.finish().expect("totals");
            let expected = (bytes.len() as u64, plain.len() as u64, DiffId(Digest::of(&plain)));
            assert_eq!((totals.compressed, totals.uncompressed, totals.diff_id), expected);
        }
    }
}
