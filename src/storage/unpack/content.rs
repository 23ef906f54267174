//! The content of regular files: written as it comes, and hashed on the way.

use std::io::Write as _;

use super::error::{Error, shown};
use super::reader::{Entry, Segment, TarReader};
use crate::storage::layer_content::{Content, ContentHasher};
use crate::sys::contents;
use crate::sys::{self, Errno, fs::File};

/// Writes the content of an ordinary file; returns its digest.
pub(super) fn write_plain(mut file: &File, entry: &Entry, reader: &mut TarReader<'_>) -> Result<Content, Error> {
    let mut hash = ContentHasher::new();
    while let Some(piece) = reader.content()? {
        hash.update(piece);
        file.write_all(piece).map_err(|error| write_error(&entry.path, piece.len(), &error))?;
    }
    Ok(hash.finish())
}

/// Writes the runs of data of a sparse file; returns the digest of the whole, unless its holes are more than the `holes` that may
/// still be hashed.
pub(super) fn write_sparse(
    file: &File,
    entry: &Entry,
    reader: &mut TarReader<'_>,
    map: &[Segment],
    length: u64,
    holes: &mut u64,
) -> Result<Option<Content>, Error> {
    let mut hash = ContentHasher::new();
    let failed = |source| Error::Write { path: shown(&entry.path), source };
    let left = holes.checked_sub(length - entry.size);
    let hashed = left.is_some();
    *holes = left.unwrap_or(*holes);
    let mut end = 0;
    let mut piece: Vec<u8> = Vec::new();
    let mut used = 0;
    for segment in map {
        if hashed {
            hash_zeros(&mut hash, segment.offset - end);
        }
        end = segment.offset + segment.length;
        let (mut at, mut left) = (segment.offset, segment.length);
        while left > 0 {
            if used == piece.len() {
                // The map adds up to the content, as the reader has checked.
                let Some(next) = reader.content()? else { return Err(Error::Truncated(at)) };
                piece.clear();
                piece.extend_from_slice(next);
                used = 0;
            }
            let count = (piece.len() - used).min(usize::try_from(left).unwrap_or(usize::MAX));
            let data = &piece[used..used + count];
            if hashed {
                hash.update(data);
            }
            contents::write_all_at(file, data, at).map_err(failed)?;
            used += count;
            at += count as u64;
            left -= count as u64;
        }
    }
    contents::set_len(file, length).map_err(failed)?;
    if !hashed {
        return Ok(None);
    }
    hash_zeros(&mut hash, length - end);
    Ok(Some(hash.finish()))
}

fn hash_zeros(hash: &mut ContentHasher, mut count: u64) {
    const ZEROS: [u8; 4096] = [0; 4096];
    while count > 0 {
        let some = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
        hash.update(&ZEROS[..some]);
        count -= some as u64;
    }
}

fn write_error(path: &[u8], length: usize, error: &std::io::Error) -> Error {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    Error::Write { path: shown(path), source: sys::Error::new("write", format!("{length} bytes"), errno) }
}
