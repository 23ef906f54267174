//! From compressed bytes to plain ones.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use zstd::zstd_safe::DParameter;

use super::compression::Compression;
use super::error::Error;
use super::source::Source;
use crate::types::digest::{DiffId, Digest};

/// `log2` of the largest window that a zstd frame may ask for: 128 MiB (case A23).
const ZSTD_WINDOW_LOG: u32 = 27;

/// What a stream may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Uncompressed bytes that are always allowed…
    pub(crate) base: u64,
    /// …and how many more for each compressed byte. Real layers stay below 100; deflate reaches 1032.
    pub(crate) ratio: u64,
    /// Zeros in the holes of all sparse files that are still worth hashing. A header of 512 bytes can promise any number, and
    /// hashing is the processor's time (case A17).
    pub(crate) holes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { base: 256 << 20, ratio: 200, holes: 1 << 30 }
    }
}

impl Limits {
    /// Refuses a stream that has become too long (case A23).
    pub(super) fn check(self, compressed: u64, uncompressed: u64) -> Result<(), Error> {
        let limit = self.base.saturating_add(compressed.saturating_mul(self.ratio));
        if uncompressed > limit { Err(Error::Bomb { compressed, limit }) } else { Ok(()) }
    }
}

/// What is known of a layer before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    /// What its media type says, if there is one.
    pub(super) label: Option<Compression>,
    /// It is a plain tar, whatever its first bytes, which are the name of a file, look like.
    pub(super) plain: bool,
    /// Somebody will compare the digest of the tar: then a checksum of the compression is not worth its time.
    pub(super) digest: bool,
    pub(super) limits: Limits,
}

/// What was found out about a whole stream.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) compression: Compression,
    pub(super) compressed: u64,
    pub(super) uncompressed: u64,
    pub(super) diff_id: DiffId,
}

/// A layer being decompressed, counted, and hashed.
pub(super) struct Decoding {
    reader: Box<dyn Read + Send>,
    compression: Compression,
    compressed: Arc<AtomicU64>,
    uncompressed: u64,
    limits: Limits,
    hash: Sha256,
}

impl std::fmt::Debug for Decoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoding").field("compression", &self.compression).finish_non_exhaustive()
    }
}

impl Decoding {
    /// Looks at the first bytes of `source`.
    pub(super) fn open(source: Source, promise: Promise) -> Result<Self, Error> {
        let Promise { label, plain, digest, limits } = promise;
        let compressed = Arc::new(AtomicU64::new(0));
        let counting = Counting { inner: source, count: Arc::clone(&compressed) };
        let (magic, input) = peek(counting).map_err(Error::Read)?;
        let compression = if plain { Compression::None } else { Compression::sniff(&magic)? };
        if let Some(label) = label.filter(|label| *label != compression) {
            return Err(Error::Label { label, found: compression });
        }
        let reader = decoder(compression, input, digest).map_err(|error| Error::Decompress(compression, error))?;
        Ok(Self { reader, compression, compressed, uncompressed: 0, limits, hash: Sha256::new() })
    }

    /// Fills the buffer, or as much of it as there is; 0 is the end.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let plain = self.compression == Compression::None;
        let count = read_full(&mut self.reader, buffer).map_err(|error| match self.compression {
            Compression::None => Error::Read(error),
            _ => Error::Decompress(self.compression, error),
        })?;
        self.hash.update(&buffer[..count]);
        self.uncompressed += count as u64;
        if !plain {
            self.limits.check(self.compressed.load(Ordering::Relaxed), self.uncompressed)?;
        }
        Ok(count)
    }

    /// What was found out so far.
    pub(super) fn finish(self) -> Totals {
        Totals {
            compression: self.compression,
            compressed: self.compressed.load(Ordering::Relaxed),
            uncompressed: self.uncompressed,
            diff_id: DiffId(Digest::from_bytes(self.hash.finalize().into())),
        }
    }
}

/// Reads through `R` and counts.
pub(super) struct Counting<R> {
    pub(super) inner: R,
    pub(super) count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A stream whose first bytes were looked at.
pub(super) type Peeked<R> = BufReader<io::Chain<io::Cursor<Vec<u8>>, R>>;

/// The first bytes of a stream (a pipe may give them one by one), and the whole stream.
pub(super) fn peek<R: Read>(mut input: R) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut magic = vec![0; Compression::MAGIC_LEN];
    let filled = read_full(&mut input, &mut magic)?;
    magic.truncate(filled);
    let whole = io::Cursor::new(magic.clone()).chain(input);
    Ok((magic, BufReader::with_capacity(128 << 10, whole)))
}

/// Reads the plain bytes of `input`. `digest`: see [`Promise`].
pub(super) fn decoder<R: Read + Send + 'static>(
    compression: Compression,
    input: Peeked<R>,
    digest: bool,
) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            decoder.set_parameter(DParameter::ForceIgnoreChecksum(digest))?;
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
