//! Entries of a tar, one after the other: `tar-core` does the formats (ustar, PAX, GNU, sparse), this file decides
//! what we believe. Where readers differ we follow Go's, which is what images are made and read with (case A18).

use tar_core::parse::{Limits as TarLimits, ParseError, ParseEvent, ParsedEntry, Parser};
use tar_core::{EntryType, SparseEntry};

use super::decode::Totals;
use super::error::{Error, shown};
use super::pax;
use super::stream::Stream;
use crate::sys::dir::Time;

/// Most bytes that headers of one entry may have together: the names, 1 MiB of xattrs, a sparse map.
const MAX_HEADERS: usize = 4 << 20;

/// Bytes of a page of every processor that this runs on, or a part of one.
const PAGE: usize = 4 << 10;

/// A run of real data in a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    /// A file with holes: where its content lies, and its length.
    Sparse {
        map: Vec<Segment>,
        length: u64,
    },
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Fifo,
    Device,
    /// A type that we do not know (case A13).
    Unknown(u8),
    /// Attributes for all entries that follow: POSIX has them, images do not use them.
    Global,
}

/// One entry of a tar, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As written, not yet normalised.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: EntryKind,
    /// Permission bits, set-id bits and sticky bit.
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) mtime: Time,
    /// Bytes of content in the tar.
    pub(crate) size: u64,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Reads a tar out of a stream of chunks.
#[derive(Debug)]
pub(crate) struct TarReader<'a> {
    stream: Stream<'a>,
    parser: Parser,
    /// Content of the current entry that is still to come, and the padding behind it.
    content: u64,
    padding: u64,
    /// Piece of content that the caller looks at.
    lent: usize,
    /// The end was marked by blocks of zeros.
    ended_well: bool,
}

impl<'a> TarReader<'a> {
    pub(super) fn new(stream: Stream<'a>) -> Self {
        let limits = TarLimits { max_path_len: Some(4095), ..TarLimits::default() };
        let mut parser = Parser::new(limits);
        // Times before 1970 are an error to tar-core; `pax::check` is the strict one.
        parser.set_ignore_pax_errors(true);
        Self { stream, parser, content: 0, padding: 0, lent: 0, ended_well: false }
    }

    /// The next entry; what is left of the current one's content is skipped. `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        while self.content()?.is_some() {}
        self.skip_padding()?;
        loop {
            let offset = self.stream.offset();
            let window = self.stream.window();
            let told = |why| match why {
                ParseError::Header(_) if offset == 0 => Error::NoTar,
                why => Error::Tar { offset, why },
            };
            match self.parser.parse(window).map_err(told)? {
                ParseEvent::NeedData { .. } => {
                    if window.len() > MAX_HEADERS {
                        return Err(Error::Header { offset, why: "headers of one entry exceed 4 MiB" });
                    }
                    if !self.stream.extend()? {
                        return self.end_without_mark().map(|()| None);
                    }
                }
                ParseEvent::End { consumed } => {
                    self.stream.consume(consumed);
                    self.ended_well = true;
                    return Ok(None);
                }
                ParseEvent::GlobalExtensions { consumed, pax_data } => {
                    pax::check(pax_data).map_err(|why| Error::Header { offset, why })?;
                    self.stream.consume(consumed);
                    return Ok(Some(global()));
                }
                ParseEvent::Entry { consumed, entry } => {
                    let entry =
                        convert(&window[..consumed], &entry, None).map_err(|why| Error::Header { offset, why })?;
                    return Ok(Some(self.enter(consumed, entry)));
                }
                ParseEvent::SparseEntry { consumed, entry, sparse_map, real_size } => {
                    let sparse = Some((sparse_map, real_size));
                    let entry =
                        convert(&window[..consumed], &entry, sparse).map_err(|why| Error::Header { offset, why })?;
                    return Ok(Some(self.enter(consumed, entry)));
                }
            }
        }
    }

    /// The next piece of the current entry's content, in whole pages but for the last one; `None` at its end.
    pub(crate) fn content(&mut self) -> Result<Option<&[u8]>, Error> {
        self.stream.consume(std::mem::take(&mut self.lent));
        if self.content == 0 {
            return Ok(None);
        }
        loop {
            let here = self.stream.window().len();
            let left = usize::try_from(self.content).unwrap_or(usize::MAX);
            // A write that begins amid a page has the kernel look that page up again.
            let length = if left <= here { left } else { here - here % PAGE };
            if length > 0 {
                self.content -= length as u64;
                self.lent = length;
                return Ok(Some(&self.stream.window()[..length]));
            }
            if !self.stream.extend()? {
                return Err(Error::Truncated(self.stream.offset() + here as u64));
            }
        }
    }

    /// True if the tar had its end mark: without one, only a digest can tell that nothing is missing.
    pub(super) fn ended_well(&self) -> bool {
        self.ended_well
    }

    /// Reads what follows the end mark, which counts for the digest (case A25).
    pub(super) fn finish(self) -> Result<Totals, Error> {
        self.stream.finish()
    }

    fn enter(&mut self, consumed: usize, entry: Entry) -> Entry {
        self.stream.consume(consumed);
        self.content = entry.size;
        self.padding = entry.size.next_multiple_of(512) - entry.size;
        entry
    }

    fn skip_padding(&mut self) -> Result<(), Error> {
        while self.padding > 0 {
            let here = self.stream.window().len().min(usize::try_from(self.padding).unwrap_or(usize::MAX));
            self.stream.consume(here);
            self.padding -= here as u64;
            if self.padding > 0 && !self.stream.extend()? {
                return Err(Error::Truncated(self.stream.offset()));
            }
        }
        Ok(())
    }

    /// The stream ended where a header should be: fine at a boundary (some writers leave the mark out, Go accepts
    /// it), in the middle it is not.
    fn end_without_mark(&mut self) -> Result<(), Error> {
        let rest = self.stream.window();
        if rest.is_empty() || (rest.len() < 1024 && rest.iter().all(|byte| *byte == 0)) {
            return Ok(());
        }
        Err(Error::Truncated(self.stream.offset() + rest.len() as u64))
    }
}

fn global() -> Entry {
    Entry {
        path: Vec::new(),
        kind: EntryKind::Global,
        mode: 0,
        uid: 0,
        gid: 0,
        mtime: Time::default(),
        size: 0,
        xattrs: Vec::new(),
    }
}

fn convert(
    headers: &[u8],
    entry: &ParsedEntry<'_>,
    sparse: Option<(Vec<SparseEntry>, u64)>,
) -> Result<Entry, &'static str> {
    let header_time = pax::check_headers(headers)?;
    let pax = pax::check(entry.pax.unwrap_or_default())?;
    let mtime = match pax.mtime.or(header_time) {
        Some(time) => time,
        None => Time { seconds: i64::try_from(entry.mtime).ok().ok_or("time out of range")?, nanoseconds: 0 },
    };
    // A V7 tar marks a directory by a slash at the end of a name with type NUL only.
    let old_directory = entry.header.as_bytes()[156] == 0 && entry.path.ends_with(b"/");
    let link = || entry.link_target.as_deref().map(<[u8]>::to_vec).ok_or("link without a target");
    let kind = match (entry.entry_type, sparse) {
        (_, Some((map, length))) => {
            if pax.has_size {
                // tar-core would count the map as content.
                return Err("sparse file with a size record");
            }
            EntryKind::Sparse { map: check_map(&map, length, entry.size)?, length }
        }
        (EntryType::Regular, None) if old_directory => EntryKind::Directory,
        (EntryType::Regular | EntryType::Continuous, None) => EntryKind::File,
        (EntryType::Directory, None) => EntryKind::Directory,
        (EntryType::Symlink, None) => EntryKind::Symlink(link()?),
        (EntryType::Link, None) => EntryKind::HardLink(link()?),
        (EntryType::Fifo, None) => EntryKind::Fifo,
        (EntryType::Char | EntryType::Block, None) => EntryKind::Device,
        (other, None) => EntryKind::Unknown(other.to_byte()),
    };
    // These have no content whatever their size field says (Go: isHeaderOnly).
    let size = match kind {
        EntryKind::File | EntryKind::Sparse { .. } | EntryKind::Unknown(_) => entry.size,
        _ => 0,
    };
    if size > i64::MAX as u64 - 511 {
        return Err("size out of range");
    }
    let xattrs: Vec<_> = entry.xattrs.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    if xattrs.iter().any(|(name, _)| name.contains(&0) || name.is_empty() || name.len() > 255) {
        return Err("extended attribute with an impossible name");
    }
    let mode = entry.mode & 0o7777;
    Ok(Entry { path: entry.path.to_vec(), kind, mode, uid: entry.uid, gid: entry.gid, mtime, size, xattrs })
}

/// A sparse map must be in order, inside the file, and add up to the content (case A17).
fn check_map(map: &[SparseEntry], length: u64, content: u64) -> Result<Vec<Segment>, &'static str> {
    if length > i64::MAX as u64 {
        return Err("size out of range");
    }
    let mut segments = Vec::with_capacity(map.len());
    let (mut end, mut sum) = (0_u64, 0_u64);
    for run in map {
        let run_end = run.offset.checked_add(run.length).ok_or("sparse map out of range")?;
        if run.offset < end || run_end > length {
            return Err("sparse map out of order");
        }
        (end, sum) = (run_end, sum + run.length);
        if run.length > 0 {
            segments.push(Segment { offset: run.offset, length: run.length });
        }
    }
    if sum == content { Ok(segments) } else { Err("sparse map does not match the content") }
}

/// Components of a name from a tar, joined by single slashes, without a leading one; empty for the root. `..` is
/// refused wherever it stands (case A02).
pub(super) fn normalise(path: &[u8]) -> Result<Vec<u8>, Error> {
    let refused = |why| Error::Entry { path: shown(path), why };
    let mut clean = Vec::with_capacity(path.len());
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return Err(refused("a name with \"..\" leads out of the layer")),
            _ if component.contains(&0) => return Err(refused("name with a NUL byte")),
            _ if component.len() > 255 => return Err(refused("a part of the name has more than 255 bytes")),
            _ => {}
        }
        if !clean.is_empty() {
            clean.push(b'/');
        }
        clean.extend_from_slice(component);
    }
    Ok(clean)
}
