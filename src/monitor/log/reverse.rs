//! Finds where the last N lines of a log begin, without reading what comes before.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::line;

/// Bytes read at a time, from the end.
const BLOCK: u64 = 32 << 10;
/// Enough for the time, the stream and the flag of a line.
const HEAD: usize = 64;

/// A place in a series of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the file.
    pub(super) file: usize,
    pub(super) offset: u64,
}

/// Where the last `wanted` lines of `files` (oldest first) begin. Pieces of a line count as one with its end; a last
/// line that has not ended counts too.
pub(super) fn tail(files: &[&File], wanted: u64) -> io::Result<Place> {
    let newest = files.len().saturating_sub(1);
    let Some(last) = files.last() else { return Ok(Place { file: 0, offset: 0 }) };
    let mut begin = Place { file: newest, offset: last.metadata()?.size() };
    if wanted == 0 {
        return Ok(begin);
    }
    let (mut seen, mut first) = (0, true);
    for (index, file) in files.iter().enumerate().rev() {
        let mut starts = LineStarts::new(file)?;
        while let Some(offset) = starts.next()? {
            let Some(full) = flag(file, offset)? else { continue };
            if full || first {
                if seen == wanted {
                    return Ok(begin);
                }
                seen += 1;
            }
            first = false;
            begin = Place { file: index, offset };
        }
    }
    Ok(Place { file: 0, offset: 0 })
}

/// Whether the line at `offset` ends a line of the program; `None` if it is not one of ours.
fn flag(file: &File, offset: u64) -> io::Result<Option<bool>> {
    let mut head = [0; HEAD];
    let count = file.read_at(&mut head, offset)?;
    let head = head[..count].split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line::parse(head).map(|parts| parts.full))
}

/// Offsets where lines begin, last line first.
struct LineStarts<'a> {
    file: &'a File,
    block: Vec<u8>,
    /// Offset of the block in the file.
    at: u64,
    /// Bytes of the block that are not looked at yet.
    left: usize,
    done: bool,
}

impl<'a> LineStarts<'a> {
    fn new(file: &'a File) -> io::Result<Self> {
        let size = file.metadata()?.size();
        // The newline that ends the last line begins nothing.
        Ok(Self { file, block: Vec::new(), at: size.saturating_sub(1), left: 0, done: size == 0 })
    }

    fn next(&mut self) -> io::Result<Option<u64>> {
        while !self.done {
            if let Some(position) = self.block[..self.left].iter().rposition(|byte| *byte == b'\n') {
                self.left = position;
                return Ok(Some(self.at + position as u64 + 1));
            }
            if self.at == 0 {
                self.done = true;
                return Ok(Some(0));
            }
            let size = self.at.min(BLOCK);
            self.at -= size;
            self.left = usize::try_from(size).unwrap_or(0);
            self.block.resize(self.left, 0);
            self.file.read_exact_at(&mut self.block, self.at)?;
        }
        Ok(None)
    }
}
