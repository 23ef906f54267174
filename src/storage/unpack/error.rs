//! Why a layer was refused, or could not be written.

use super::compression::Compression;
use crate::sys;
use crate::types::digest::DiffId;

/// A layer that did not become a directory. Names from the tar are escaped: they are hostile and get printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read layer")]
    Read(#[source] std::io::Error),
    #[error("decompress {0} layer")]
    Decompress(Compression, #[source] std::io::Error),
    #[error("decompress the archive")]
    DecompressArchive(#[source] std::io::Error),
    #[error("layer is compressed with {0}, which is not supported: use gzip, zstd or none")]
    UnsupportedCompression(&'static str),
    #[error("layer is labelled {label}, but its content is {found}")]
    Label { label: Compression, found: Compression },
    #[error("it expands from {compressed} to more than {limit} bytes: refused as a decompression bomb")]
    Bomb { compressed: u64, limit: u64 },
    #[error("start decompression thread")]
    Thread(#[source] std::io::Error),
    #[error("look whether a core is free")]
    Wait(#[source] sys::Error),
    #[error("decompression thread died")]
    ThreadDied,
    /// What the parser says has its own cause in it: told as a source, it would be told twice.
    #[error("malformed tar at byte {offset}: {why}")]
    Tar { offset: u64, why: tar_core::parse::ParseError },
    #[error("malformed tar at byte {offset}: {why}")]
    Header { offset: u64, why: &'static str },
    #[error("malformed tar at byte 0: it does not begin like one")]
    NoTar,
    #[error("the tar has no end mark: it may have been cut off")]
    NoEnd,
    #[error("tar ends in the middle, at byte {0}")]
    Truncated(u64),
    #[error("tar entry \"{path}\": {why}")]
    Entry { path: String, why: &'static str },
    #[error("hard link \"{path}\": its target \"{target}\" is not in this layer")]
    HardLink { path: String, target: String },
    #[error("write \"{path}\"")]
    Write {
        path: String,
        #[source]
        source: sys::Error,
    },
    #[error("write \"{path}\": {size} bytes are more than the {free} that are free")]
    NoSpace { path: String, size: u64, free: u64 },
    #[error("open directory to unpack into")]
    Target(#[source] sys::Error),
    #[error("confine the process that decompresses and unpacks")]
    Confine(#[source] sys::Error),
    #[error("write layer index")]
    Index(#[source] sys::Error),
    #[error("layer has diff id {}, its image says {}", .found.0, .expected.0)]
    DiffId { expected: DiffId, found: DiffId },
}

/// A hostile name, made printable.
pub(super) fn shown(path: &[u8]) -> String {
    const LONGEST: usize = 300;
    let text = match std::str::from_utf8(path) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => path.escape_ascii().to_string(),
    };
    if text.len() <= LONGEST {
        return text;
    }
    let cut = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..cut])
}
