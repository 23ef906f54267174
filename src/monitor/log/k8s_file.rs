//! The k8s-file log: written in batches, rotated by size, never a reason to stop reading the container.
//!
//! ```text
//! ctr.log      being written        ctr.log.1    the one before        ctr.log.2    the oldest (max-file = 3)
//! ```

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::clock::Clock;
use super::line::Stream;
use crate::sys::{self, Errno, fs, xattr};

/// Attribute of a file that was begun by a rotation: how many went before it.
const NUMBER: &str = "user.sampan.log_number";
/// A batch goes to the kernel when it is this long, at the latest.
const BATCH: usize = 32 << 10;

/// Writer of one container's log; there is only one.
#[derive(Debug)]
pub(crate) struct K8sFile {
    path: PathBuf,
    /// Bytes of one file; 0 = no bound.
    max_size: u64,
    /// Files kept, the current one included; at least one.
    max_files: u32,
    file: File,
    /// Bytes of whole lines in `file`.
    size: u64,
    batch: Vec<u8>,
    batch_lines: u64,
    clock: Clock,
    lost: Option<Lost>,
}

/// What could not be written since the last success.
#[derive(Debug, Clone, Copy)]
struct Lost {
    lines: u64,
    errno: Errno,
}

impl K8sFile {
    /// Opens or makes the log. A line that a crash has cut is ended first.
    pub(crate) fn open(path: &Path, max_size: u64, max_files: u32) -> sys::Result<Self> {
        let mut file = fs::open_append(path)?;
        let size = file_size(&file, path)?;
        if ends_in_the_middle(path, size) && file.write_all(b"\n").is_err() {
            tracing::debug!(path = %path.display(), "the cut line at the end of the log stays");
        }
        let size = file_size(&file, path).unwrap_or(size);
        let batch = Vec::new();
        let path = path.to_owned();
        let max_files = max_files.max(1);
        Ok(Self { path, max_size, max_files, file, size, batch, batch_lines: 0, clock: Clock::new(), lost: None })
    }

    /// Formats what was read; writes when a batch is full.
    pub(crate) fn append(&mut self, stream: Stream, bytes: &[u8]) {
        let stamp = *self.clock.stamp(SystemTime::now());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, full) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            self.push(&stamp, stream, full, text);
        }
    }

    /// Writes the batch.
    pub(crate) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let lost = self.lost;
        if let Some(lost) = lost {
            self.put_notice(lost);
        }
        match self.file.write_all(&self.batch) {
            Ok(()) => {
                self.size += self.batch.len() as u64;
                self.lost = None;
            }
            Err(error) => {
                // A part may have been written: cut it off, so that the file holds whole lines. Needs no space.
                if let Err(error) = self.file.set_len(self.size) {
                    tracing::debug!(%error, "a cut line stays in the log");
                }
                let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
                if lost.is_none() {
                    tracing::warn!(path = %self.path.display(), %errno, "log cannot be written: lines are dropped");
                }
                let before = lost.map_or(0, |lost| lost.lines);
                self.lost = Some(Lost { lines: before + self.batch_lines, errno });
            }
        }
        self.batch.clear();
        self.batch_lines = 0;
    }

    /// Lines dropped since the last line that was written.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn dropped(&self) -> u64 {
        self.lost.map_or(0, |lost| lost.lines)
    }

    fn push(&mut self, stamp: &[u8], stream: Stream, full: bool, text: &[u8]) {
        let length = stamp.len() + text.len() + 11;
        let filled = self.size + self.batch.len() as u64;
        if self.max_size > 0 && filled > 0 && filled + length as u64 > self.max_size {
            self.flush();
            self.rotate();
        } else if self.batch.len() + length > BATCH {
            self.flush();
        }
        self.batch.extend_from_slice(stamp);
        self.batch.push(b' ');
        self.batch.extend_from_slice(stream.as_str().as_bytes());
        self.batch.extend_from_slice(if full { b" F " } else { b" P " });
        self.batch.extend_from_slice(text);
        self.batch.push(b'\n');
        self.batch_lines += 1;
    }

    /// The gap must be visible to whoever reads the log: one line before what comes after it.
    fn put_notice(&mut self, lost: Lost) {
        let stamp = *self.clock.stamp(SystemTime::now());
        let mut notice = stamp.to_vec();
        notice.extend_from_slice(
            format!(" stderr F [sampan: {} lines could not be logged: {}]\n", lost.lines, lost.errno.desc()).as_bytes(),
        );
        self.batch.splice(0..0, notice);
    }

    /// Moves the files up by one and starts a new one; if that fails, the current one goes on from nothing.
    fn rotate(&mut self) {
        match self.shift() {
            Ok(file) => {
                self.file = file;
                self.size = 0;
            }
            Err(error) => {
                tracing::warn!(%error, "log cannot be rotated: it is cut");
                if self.file.set_len(0).is_ok() {
                    self.size = 0;
                }
            }
        }
    }

    fn shift(&self) -> sys::Result<File> {
        // The new file first: on a full disk nothing has been moved then.
        let fresh = numbered(&self.path, 0);
        fs::remove_file(&fresh)?;
        let file = fs::open_append(&fresh)?;
        // Without it a reader who comes late cannot tell whether it has missed a file.
        let number = number(&self.file).saturating_add(1).to_string();
        if let Err(error) = xattr::set(file.as_fd(), OsStr::new(NUMBER), number.as_bytes()) {
            tracing::debug!(%error, "log file without a number");
        }
        for number in (1..self.max_files - 1).rev() {
            sys::fs::absent_is_none(fs::rename(&numbered(&self.path, number), &numbered(&self.path, number + 1)))?;
        }
        if self.max_files > 1 {
            fs::rename(&self.path, &numbered(&self.path, 1))?;
        }
        fs::rename(&fresh, &self.path)?;
        Ok(file)
    }
}

/// `ctr.log.N`; 0 is the one that is about to become `ctr.log`.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// How many files of this log went before this one; 0 for the first, and where nobody knows.
pub(super) fn number(file: &File) -> u64 {
    let value = xattr::get(file.as_fd(), OsStr::new(NUMBER)).ok().flatten();
    value.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0)
}

fn file_size(file: &File, path: &Path) -> sys::Result<u64> {
    sys::Call::call(file.metadata(), "fstat", || format!("{path:?}")).map(|metadata| metadata.size())
}

fn ends_in_the_middle(path: &Path, size: u64) -> bool {
    let mut last = [b'\n'];
    let read = |last: &mut [u8; 1]| -> Option<()> {
        // Before the file is opened: a FIFO has none, and would have us wait.
        let end = size.checked_sub(1)?;
        let mut file = fs::open(path).ok()?;
        file.seek(SeekFrom::Start(end)).ok()?;
        file.read_exact(last).ok()
    };
    read(&mut last).is_some() && last != [b'\n']
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{K8sFile, numbered};
    use crate::monitor::log::line::{Stream, parse};
    use crate::sys::fs;

    fn texts(path: &Path) -> Vec<String> {
        let bytes = fs::read(path).expect("log");
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let show = |line: &[u8]| {
            let parts = parse(line).expect("a log line");
            let flag = if parts.full { 'F' } else { 'P' };
            format!("{} {flag} {}", parts.stream.as_str(), String::from_utf8_lossy(parts.text))
        };
        lines.map(show).collect()
    }

    #[test]
    fn g10_pieces_of_a_line_are_marked_and_bytes_kept() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        let mut log = K8sFile::open(&path, 0, 3).expect("open");
        log.append(Stream::Stdout, b"one\ntw");
        log.append(Stream::Stderr, b"err\n");
        log.append(Stream::Stdout, b"o\n\n");
        log.flush();
        assert_eq!(texts(&path), ["stdout F one", "stdout P tw", "stderr F err", "stdout F o", "stdout F "]);
        log.append(Stream::Stdout, b"\0\xff\r\n");
        log.flush();
        assert!(fs::read(&path).expect("log").ends_with(b" stdout F \0\xff\r\n"));
    }

    #[test]
    fn g10_rotation_keeps_whole_lines_and_three_files() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        let mut log = K8sFile::open(&path, 1000, 3).expect("open");
        for number in 0..100 {
            log.append(Stream::Stdout, format!("line {number:03}\n").as_bytes());
            log.flush();
        }
        let mut all = Vec::new();
        for file in [numbered(&path, 2), numbered(&path, 1), path.clone()] {
            assert!(fs::read(&file).expect("file").len() <= 1000);
            all.extend(texts(&file));
        }
        assert!(!fs::exists(&numbered(&path, 3)) && !fs::exists(&numbered(&path, 0)));
        let expected: Vec<_> = (100 - all.len()..100).map(|number| format!("stdout F line {number:03}")).collect();
        assert_eq!(all, expected);
        assert!(all.len() > 36, "{}", all.len());
    }

    #[test]
    fn g09_a_log_on_a_full_disk_drops_counts_and_resumes() {
        let mut log = K8sFile::open(Path::new("/dev/full"), 0, 3).expect("open");
        for _line in 0..3 {
            log.append(Stream::Stdout, b"lost\n");
            log.flush();
        }
        assert_eq!(log.dropped(), 3);
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        log.file = fs::open_append(&path).expect("open");
        log.append(Stream::Stdout, b"kept\n");
        log.flush();
        assert_eq!(log.dropped(), 0);
        let texts = texts(&path);
        assert!(texts[0].contains("3 lines could not be logged: No space left on device"), "{texts:?}");
        assert_eq!(texts[1], "stdout F kept");
    }

    #[test]
    fn a_line_cut_by_a_crash_is_ended_at_the_next_start() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        fs::write_new(&path, b"2024-05-06T12:00:00.123456789+02:00 stdout F cut").expect("write");
        let mut log = K8sFile::open(&path, 0, 3).expect("open");
        log.append(Stream::Stdout, b"next\n");
        log.flush();
        assert_eq!(texts(&path), ["stdout F cut", "stdout F next"]);
    }
}
