//! From a descriptor to chunks of uncompressed tar: a thread of its own reads, decompresses, counts and hashes, so
//! that both halves of the work have a core. The two ends can never wait for each other: when either goes, the
//! channel closes and the other one ends (case A24).

use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};

use super::compression::Compression;
use super::error::Error;
use super::source::Source;
use crate::sys::fs::File;
use crate::types::digest::{DiffId, Digest};

/// Uncompressed bytes in one chunk.
const CHUNK: usize = 256 << 10;

/// Free bytes in front of a chunk's data: room for the rest of the chunk before, so that a header is in one piece.
const HEADROOM: usize = 8 << 10;

/// Chunks on their way: bounds memory.
const IN_FLIGHT: usize = 8;

/// `log2` of the largest window that a zstd frame may ask for: 128 MiB (case A23).
const ZSTD_WINDOW_LOG: u32 = 27;

/// Most memory that an xz stream may ask for, in KiB: what `xz -9` needs, twice.
const XZ_MEMORY_KIB: u32 = 128 << 10;

/// What a stream may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Uncompressed bytes that are always allowed…
    pub(crate) base: u64,
    /// …and how many more for each compressed byte. Real layers stay below 100; deflate reaches 1032.
    pub(crate) ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { base: 256 << 20, ratio: 200 }
    }
}

/// What was found out about a whole stream.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) compression: Compression,
    pub(super) compressed: u64,
    pub(super) uncompressed: u64,
    pub(super) diff_id: DiffId,
}

/// A chunk: data from `start` on; what is before is scratch.
struct Chunk {
    bytes: Vec<u8>,
    start: usize,
}

/// The thread, and what became of it.
enum Producer {
    Running(JoinHandle<Result<Totals, Error>>),
    Finished(Totals),
    /// Its error was returned already.
    Failed,
}

/// The receiving end: a window on the uncompressed stream.
pub(super) struct Stream {
    chunks: Receiver<Chunk>,
    used: Sender<Vec<u8>>,
    producer: Producer,
    bytes: Vec<u8>,
    start: usize,
    /// Uncompressed bytes before the window.
    offset: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// Begins to decompress `source`; `label` is what its media type promises, if there is one.
pub(super) fn start(source: Source, label: Option<Compression>, limits: Limits) -> Result<Stream, Error> {
    let (chunk_sender, chunks) = sync_channel(IN_FLIGHT);
    let (used, spare) = channel();
    let thread = std::thread::Builder::new()
        .name("decompress".to_owned())
        .spawn(move || produce(source, label, limits, &chunk_sender, &spare))
        .map_err(Error::Thread)?;
    Ok(Stream { chunks, used, producer: Producer::Running(thread), bytes: Vec::new(), start: 0, offset: 0 })
}

/// A whole archive being read, whatever it is compressed with, without a thread of its own. It may expand as far as a
/// layer may (case A23).
pub(crate) struct Opened {
    inner: Box<dyn Read + Send>,
    /// None of the compressions.
    plain: bool,
    compressed: std::sync::Arc<std::sync::atomic::AtomicU64>,
    uncompressed: u64,
    limits: Limits,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("plain", &self.plain).finish_non_exhaustive()
    }
}

/// Opens an archive. Other than a layer, it may be compressed with xz or bzip2, too.
pub(crate) fn open_archive(source: impl Read + Send + 'static, limits: Limits) -> Result<Opened, Error> {
    let compressed = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let (magic, input) =
        peek(Counting { inner: source, count: std::sync::Arc::clone(&compressed) }).map_err(Error::Read)?;
    let (inner, plain): (Box<dyn Read + Send>, bool) = if Compression::is_xz(&magic) {
        (Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB)), false)
    } else if Compression::is_bzip2(&magic) {
        (Box::new(bzip2::bufread::MultiBzDecoder::new(input)), false)
    } else {
        let compression = Compression::sniff(&magic)?;
        let reader = decoder(compression, input).map_err(|error| Error::Decompress(compression, error))?;
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
        let compressed = self.compressed.load(std::sync::atomic::Ordering::Relaxed);
        let limit = self.limits.base.saturating_add(compressed.saturating_mul(self.limits.ratio));
        if !self.plain && self.uncompressed > limit {
            return Err(Error::Bomb { compressed, limit });
        }
        Ok(count)
    }
}

/// A layer being read as the plain tar that it is, decompressed by a thread of its own.
#[derive(Debug)]
pub(crate) struct PlainLayer {
    stream: Stream,
    ended: bool,
}

impl PlainLayer {
    /// Begins to read `source`. Not for a process that forks meanwhile.
    pub(crate) fn open(source: File) -> Result<Self, Error> {
        Ok(Self { stream: start(source.into(), None, Limits::default())?, ended: false })
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

impl Stream {
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
        let Ok(next) = self.chunks.recv() else {
            // The thread has ended: well, or with an error, which is ours to return.
            self.producer = match std::mem::replace(&mut self.producer, Producer::Failed) {
                Producer::Running(thread) => Producer::Finished(thread.join().unwrap_or(Err(Error::ThreadDied))?),
                other => other,
            };
            return Ok(false);
        };
        let rest = self.bytes.len() - self.start;
        let mut bytes = next.bytes;
        let mut start = next.start;
        if rest > start {
            // A header longer than the headroom: rare, so it may cost a copy.
            let mut joined = Vec::with_capacity(rest + bytes.len() - start);
            joined.extend_from_slice(&self.bytes[self.start..]);
            joined.extend_from_slice(&bytes[start..]);
            (bytes, start) = (joined, 0);
        } else {
            start -= rest;
            bytes[start..start + rest].copy_from_slice(&self.bytes[self.start..]);
        }
        let used = std::mem::replace(&mut self.bytes, bytes);
        self.start = start;
        if used.capacity() >= HEADROOM + CHUNK && self.used.send(used).is_err() {
            tracing::trace!("the decompressing thread has ended");
        }
        Ok(true)
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
            Producer::Running(_) | Producer::Failed => Err(Error::ThreadDied),
        }
    }
}

/// Reads through `R` and counts.
struct Counting<R> {
    inner: R,
    count: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

/// The body of the thread.
fn produce(
    source: Source,
    label: Option<Compression>,
    limits: Limits,
    chunks: &SyncSender<Chunk>,
    spare: &Receiver<Vec<u8>>,
) -> Result<Totals, Error> {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counting = Counting { inner: source, count: std::sync::Arc::clone(&count) };
    let (magic, input) = peek(counting).map_err(Error::Read)?;
    let compression = Compression::sniff(&magic)?;
    if let Some(label) = label.filter(|label| *label != compression) {
        return Err(Error::Label { label, found: compression });
    }
    let mut reader = decoder(compression, input).map_err(|error| Error::Decompress(compression, error))?;
    let mut hash = Sha256::new();
    let mut uncompressed = 0_u64;
    loop {
        let mut bytes = spare.try_recv().unwrap_or_default();
        bytes.resize(HEADROOM + CHUNK, 0);
        let filled = read_full(&mut reader, &mut bytes[HEADROOM..]).map_err(|error| match compression {
            Compression::None => Error::Read(error),
            _ => Error::Decompress(compression, error),
        })?;
        bytes.truncate(HEADROOM + filled);
        hash.update(&bytes[HEADROOM..]);
        uncompressed += filled as u64;
        let compressed = count.load(std::sync::atomic::Ordering::Relaxed);
        let limit = limits.base.saturating_add(compressed.saturating_mul(limits.ratio));
        if compression != Compression::None && uncompressed > limit {
            return Err(Error::Bomb { compressed, limit });
        }
        // A refused send means that the other end has found an error and gone.
        if filled == 0 || chunks.send(Chunk { bytes, start: HEADROOM }).is_err() {
            let diff_id = DiffId(Digest::from_bytes(hash.finalize().into()));
            return Ok(Totals { compression, compressed, uncompressed, diff_id });
        }
    }
}

/// A stream whose first bytes were looked at.
type Peeked<R> = BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>;

/// The first bytes of a stream (a pipe may give them one by one), and the whole stream.
fn peek<R: Read>(mut input: R) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut magic = vec![0; Compression::MAGIC_LEN];
    let filled = read_full(&mut input, &mut magic)?;
    magic.truncate(filled);
    let whole = io::Cursor::new(magic.clone()).chain(input);
    Ok((magic, BufReader::with_capacity(128 << 10, whole)))
}

fn decoder<R: Read + Send + 'static>(compression: Compression, input: Peeked<R>) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}

/// Reads until the buffer is full or the stream ends.
fn read_full(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
