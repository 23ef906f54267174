//! Where the bytes of a layer are read: a pipe, a file, or a file that another process is still writing.

use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;

use crate::sys;
use crate::sys::descriptor;
use crate::sys::fs::File;

/// Bytes of one mark.
const MARK: usize = 8;

/// Compressed or plain bytes of a layer.
#[derive(Debug)]
pub(crate) enum Source {
    /// From its offset to its end.
    File(File),
    Growing(Growing),
}

/// A file from its beginning, as far as its writer says that it has come. The bytes go from the writer to us by way of
/// the page cache, where they are anyway, and only marks through a pipe: to send them along would copy each twice more.
#[derive(Debug)]
pub(crate) struct Growing {
    file: File,
    /// Each mark is the length that the file has now; at the end of the pipe the writer is done, or dead.
    marks: File,
    at: u64,
    there: u64,
}

/// The writer's end of the marks.
#[derive(Debug)]
pub(crate) struct Marks(OwnedFd);

impl Growing {
    /// A file open for reading that somebody else appends to, and the pipe that its marks come out of.
    pub(crate) fn new(file: File, marks: OwnedFd) -> Self {
        Self { file, marks: marks.into(), at: 0, there: 0 }
    }

    /// Waits for the next mark; false at the end.
    fn wait(&mut self) -> io::Result<bool> {
        // Marks are written whole (`pipe(7)`: PIPE_BUF), so that whole ones are read. The last one counts.
        let mut marks = [0; 64 * MARK];
        let count = self.marks.read(&mut marks)?;
        let Some(mark) = marks[..count].as_chunks::<MARK>().0.last() else { return Ok(false) };
        self.there = self.there.max(u64::from_le_bytes(*mark));
        Ok(true)
    }
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.there {
            if !self.wait()? {
                return Ok(0);
            }
        }
        let most = usize::try_from(self.there - self.at).unwrap_or(usize::MAX).min(buffer.len());
        // By offset: the writer may use the same open file.
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        if count == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Marks {
    /// The other end of the pipe.
    pub(crate) fn new(pipe: OwnedFd) -> Self {
        Self(pipe)
    }

    /// Says that the file has so many bytes now. `EPIPE`: nobody reads any more.
    pub(crate) fn tell(&self, length: u64) -> sys::Result<()> {
        descriptor::write_all(self.0.as_fd(), &length.to_le_bytes())
    }
}

impl<F: Into<File>> From<F> for Source {
    fn from(file: F) -> Self {
        Self::File(file.into())
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Growing(growing) => growing.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::{Growing, Marks};
    use crate::sys::{descriptor, fs::File};

    fn growing(file: File) -> (Growing, Marks) {
        let (reader, writer) = descriptor::pipe().expect("pipe");
        (Growing::new(file, reader), Marks::new(writer))
    }

    #[test]
    fn what_is_marked_is_read_and_no_more() {
        let mut writer = tempfile::NamedTempFile::new().expect("file");
        let (mut growing, marks) = growing(writer.reopen().expect("open"));
        let reader = std::thread::spawn(move || {
            let mut first = [0; 5];
            growing.read_exact(&mut first).expect("five bytes");
            let mut rest = Vec::new();
            growing.read_to_end(&mut rest).expect("the rest");
            (first, rest)
        });
        writer.write_all(b"0123456789").expect("written");
        for mark in [3, 5, 6, 7] {
            marks.tell(mark).expect("somebody reads");
        }
        drop(marks);
        assert_eq!(reader.join().expect("reader"), (*b"01234", b"56".to_vec()));
    }

    #[test]
    fn a_writer_hears_of_the_readers_end_and_a_reader_of_a_lie() {
        let (mut growing, marks) = growing(tempfile::tempfile().expect("file"));
        marks.tell(1).expect("somebody reads");
        let error = growing.read(&mut [0]).expect_err("nothing is there");
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        drop(growing);
        assert!(marks.tell(2).expect_err("nobody reads").is(crate::sys::Errno::EPIPE));
    }
}
