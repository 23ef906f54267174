//! Reads a k8s-file log through its rotations, from the beginning or from the last N lines, and goes on when it grows.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::k8s_file::{number, numbered};
use super::line::{self, Parts};
use super::reverse;
use crate::sys::{self, Call, fs};

/// Bytes read at a time.
const BLOCK: usize = 64 << 10;
/// A line longer than this is not ours: it is cut.
const LONGEST: usize = 1 << 20;
/// Rotated files are looked for up to this number.
const MOST_FILES: u32 = 100;

/// Looks at the names of a log that is being rotated.
const LOOKS: u32 = 16;

/// Most rotated files that are kept open, and so on the disk, for a slow reader.
const MOST_HELD: usize = 16;

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Beginning,
    /// With the last so many lines.
    Tail(u64),
}

/// A reader of one log. It holds the files open, so that rotation and removal take nothing from it.
#[derive(Debug)]
pub(crate) struct LogReader {
    path: PathBuf,
    current: Option<File>,
    /// Files after the current one, oldest first.
    newer: VecDeque<File>,
    buffer: Vec<u8>,
    /// What of the buffer has not been given out.
    rest: Range<usize>,
    /// Files were rotated away unread.
    lost: bool,
    /// Bytes that may still be read; none: whatever comes.
    left: Option<u64>,
}

impl LogReader {
    /// Opens what is there; a log that does not exist is empty.
    pub(crate) fn open(path: &Path, start: Start) -> sys::Result<Self> {
        let mut newer = existing(path)?;
        if let Start::Tail(lines) = start {
            let files: Vec<_> = newer.iter().collect();
            let place = reverse::tail(&files, lines).call("read", || format!("{path:?}"))?;
            newer.drain(..place.file);
            if let Some(file) = newer.front_mut() {
                file.seek(SeekFrom::Start(place.offset)).call("lseek", || format!("{path:?}"))?;
            }
        }
        let current = newer.pop_front();
        Ok(Self { path: path.to_owned(), current, newer, buffer: Vec::new(), rest: 0..0, lost: false, left: None })
    }

    /// Ends with what is there now: a container may write faster than anybody reads.
    pub(crate) fn end_with_now(&mut self) -> sys::Result<()> {
        let mut left = 0;
        for file in self.current.iter_mut().chain(&mut self.newer) {
            let size = file.metadata().call("fstat", || format!("{:?}", self.path))?.len();
            let at = file.stream_position().call("lseek", || format!("{:?}", self.path))?;
            left += size.saturating_sub(at);
        }
        self.left = Some(left);
        Ok(())
    }

    /// Takes the next line; `None` if there is none yet.
    pub(crate) fn next(&mut self) -> sys::Result<Option<Parts<'_>>> {
        loop {
            let Some(range) = self.next_range()? else { return Ok(None) };
            // What a crash or a foreign hand left is passed over.
            if line::parse(&self.buffer[range.clone()]).is_some() {
                return Ok(line::parse(&self.buffer[range]));
            }
        }
    }

    /// True once after lines were rotated away before they could be read.
    pub(crate) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.lost)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn next_range(&mut self) -> sys::Result<Option<Range<usize>>> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.rest.clone()];
            if let Some(length) = rest[searched..].iter().position(|byte| *byte == b'\n').map(|found| found + searched)
            {
                let begin = self.rest.start;
                self.rest.start += length + 1;
                return Ok(Some(begin..begin + length));
            }
            searched = rest.len();
            if searched >= LONGEST {
                let cut = self.rest.clone();
                self.rest = cut.end..cut.end;
                return Ok(Some(cut));
            }
            if self.fill()? {
                self.keep_up()?;
            } else if !self.advance()? {
                return Ok(None);
            }
            searched = searched.min(self.rest.len());
        }
    }

    /// Reads more of the current file. False at its end.
    fn fill(&mut self) -> sys::Result<bool> {
        let Some(file) = &mut self.current else { return Ok(false) };
        let most = self.left.map_or(BLOCK, |left| usize::try_from(left).unwrap_or(BLOCK).min(BLOCK));
        self.buffer.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        self.buffer.resize(self.rest.end + most, 0);
        let count = loop {
            match file.read(&mut self.buffer[self.rest.end..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => break result.call("read", || format!("{:?}", self.path))?,
            }
        };
        self.rest.end += count;
        let is_cut = count == 0 && was_cut(file).call("lseek", || format!("{:?}", self.path))?;
        if is_cut {
            self.lost = true;
            // What was read of a line goes on nowhere.
            self.rest = 0..0;
        }
        self.left = self.left.map(|left| left.saturating_sub(count as u64));
        Ok(count > 0 || is_cut)
    }

    /// Goes to the next file if the current one is complete. True if there may be more to read now.
    fn advance(&mut self) -> sys::Result<bool> {
        if self.left == Some(0) {
            return Ok(false);
        }
        if self.newer.is_empty() {
            self.keep_up()?;
            if self.newer.is_empty() {
                return Ok(false);
            }
            // What was written between our read and the rotation is still ours.
            if self.fill()? {
                return Ok(true);
            }
        }
        self.current = self.newer.pop_front();
        // A line that was cut at the end of a file has no other half.
        self.rest = 0..0;
        Ok(self.current.is_some())
    }

    /// Opens the files that are newer than those that are known: who reads slower than the container writes shall not
    /// lose them to the next rotation.
    fn keep_up(&mut self) -> sys::Result<()> {
        let last = self.newer.back().or(self.current.as_ref());
        let newest = last.and_then(identity);
        let named = fs::lstat(&self.path)?.map(|metadata| (metadata.dev(), metadata.ino()));
        if named.is_none() || named == newest || self.newer.len() >= MOST_HELD {
            return Ok(());
        }
        // Rotated, perhaps more than once.
        let mut files = existing(&self.path)?;
        match files.iter().position(|file| identity(file) == newest) {
            Some(index) => drop(files.drain(..=index)),
            // Gone itself; the one after it may be the oldest that is left.
            None => {
                let is_next = |last: &File, next: &File| number(last).checked_add(1) == Some(number(next));
                self.lost |= last.is_some_and(|last| !files.front().is_some_and(|next| is_next(last, next)));
            }
        }
        self.newer.extend(files);
        Ok(())
    }
}

/// Goes back to the beginning of a file that has become shorter than what was read of it: the writer could not make another
/// one (a full disk).
fn was_cut(file: &mut File) -> std::io::Result<bool> {
    let is_cut = file.metadata()?.len() < file.stream_position()?;
    if is_cut {
        file.rewind()?;
    }
    Ok(is_cut)
}

/// The files of a log, oldest first.
fn existing(path: &Path) -> sys::Result<VecDeque<File>> {
    let mut files = named(path)?;
    for _ in 1..LOOKS {
        let newest = fs::lstat(path)?.map(|metadata| (metadata.dev(), metadata.ino()));
        if newest == files.back().and_then(identity) {
            break;
        }
        // Rotated meanwhile: the order may be wrong.
        files = named(path)?;
    }
    Ok(files)
}

/// A rotation meanwhile shifts names, so the newest is opened first: then no file is missed, and one that is met twice is
/// left out. It leaves one name open, from the oldest on.
fn named(path: &Path) -> sys::Result<VecDeque<File>> {
    let mut files: VecDeque<File> = VecDeque::new();
    let mut absent = 0;
    for number in 0..MOST_FILES {
        let name = if number == 0 { path.to_owned() } else { numbered(path, number) };
        let Some(file) = fs::absent_is_none(fs::open(&name))? else {
            absent += u32::from(number > 0);
            if absent > 1 {
                break;
            }
            continue;
        };
        if files.iter().all(|known| identity(known) != identity(&file)) {
            files.push_front(file);
        }
    }
    Ok(files)
}

fn identity(file: &File) -> Option<(u64, u64)> {
    file.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use super::{LogReader, Start};
    use crate::monitor::log::K8sFile;
    use crate::monitor::log::line::Stream;
    use crate::sys::fs;

    /// About the bytes that a short line takes in the file.
    const LINE: u32 = 50;

    fn all(reader: &mut LogReader) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(parts) = reader.next().expect("read") {
            texts.push(format!("{}{}", String::from_utf8_lossy(parts.text), if parts.full { "" } else { "…" }));
        }
        texts
    }

    fn write(log: &mut K8sFile, numbers: std::ops::Range<u32>) {
        for number in numbers {
            log.append(Stream::Stdout, format!("{number}\n").as_bytes());
            log.flush();
        }
    }

    fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    fn log_in(dir: &Path) -> (K8sFile, std::path::PathBuf) {
        let path = dir.join("ctr.log");
        (K8sFile::open(&path, 2000, 3).expect("log"), path)
    }

    #[test]
    fn follows_one_file_that_is_replaced_and_one_that_is_cut() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        let mut log = K8sFile::open(&path, 500, 1).expect("log");
        let mut reader = LogReader::open(&path, Start::Beginning).expect("open");
        for number in 0..100 {
            write(&mut log, number..number + 1);
            assert_eq!(all(&mut reader), numbers(number..number + 1));
        }
        assert!(!reader.take_lost());
        assert!(!fs::exists(&dir.path().join("ctr.log.1")) && fs::read(&path).expect("read").len() <= 500);
        // As on a disk that has no room for another file.
        log.append(Stream::Stdout, b"no end");
        log.flush();
        assert_eq!(all(&mut reader), ["no end…"]);
        fs::open_append(&path).expect("open").set_len(0).expect("cut");
        write(&mut log, 0..1);
        assert_eq!(all(&mut reader), ["0"]);
        assert!(reader.take_lost());
    }

    #[test]
    fn follows_through_rotation_and_removal() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        let mut reader = LogReader::open(&path, Start::Beginning).expect("open");
        assert!(all(&mut reader).is_empty());
        let (mut log, _) = log_in(dir.path());
        for round in 0..30 {
            write(&mut log, round * 60..(round + 1) * 60);
            assert_eq!(all(&mut reader), numbers(round * 60..(round + 1) * 60), "round {round}");
        }
        write(&mut log, 0..3);
        for name in fs::names(dir.path()).expect("names") {
            fs::remove_file(&dir.path().join(name)).expect("remove");
        }
        assert_eq!(all(&mut reader), numbers(0..3));
    }

    #[test]
    fn a_slow_reader_loses_nothing_or_is_told() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (mut log, path) = log_in(dir.path());
        let file = 2000 / LINE;
        write(&mut log, 0..1);
        let mut reader = LogReader::open(&path, Start::Beginning).expect("open");
        let next = |reader: &mut LogReader| reader.next().expect("read").map(|parts| parts.text.to_vec());
        assert_eq!(next(&mut reader), Some(b"0".to_vec()));
        // Two files more than there is room for, but it saw each of them coming.
        let (mut written, mut read) = (1, vec![]);
        for _ in 0..8 {
            write(&mut log, written..written + file);
            written += file;
            read.extend(next(&mut reader));
            reader.keep_up().expect("look");
        }
        read.extend(std::iter::from_fn(|| next(&mut reader)));
        assert_eq!(read, (1..written).map(|number| number.to_string().into_bytes()).collect::<Vec<_>>());
        assert!(!reader.take_lost());
        write(&mut log, 0..6 * file);
        assert!(all(&mut reader).len() < 6 * file as usize);
        assert!(reader.take_lost() && !reader.take_lost());
    }

    /// Its file is gone, but all that came after it is there.
    #[test]
    fn a_reader_that_comes_just_in_time_is_told_of_no_loss() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (mut log, path) = log_in(dir.path());
        let file = 2000 / LINE;
        let mut reader = LogReader::open(&path, Start::Beginning).expect("open");
        let (mut written, mut rotations) = (0, 0);
        // Of three files the third rotation takes the first.
        while rotations < 3 {
            let inode = || fs::lstat(&path).expect("stat").map(|metadata| metadata.ino());
            let before = inode();
            write(&mut log, written..written + 1);
            written += 1;
            rotations += u32::from(inode() != before);
        }
        assert!(written > 2 * file, "{written}");
        assert_eq!(all(&mut reader), numbers(0..written));
        assert!(!reader.take_lost());
    }

    /// A rotation has moved `.1` away and nothing into its place yet.
    #[test]
    fn an_open_name_is_not_the_end() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (mut log, path) = log_in(dir.path());
        write(&mut log, 0..60);
        fs::rename(&dir.path().join("ctr.log.1"), &dir.path().join("ctr.log.2")).expect("renamed");
        let mut reader = LogReader::open(&path, Start::Beginning).expect("open");
        assert_eq!(all(&mut reader), numbers(0..60));
    }

    #[test]
    fn begins_with_the_last_lines_across_files() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (mut log, path) = log_in(dir.path());
        write(&mut log, 0..100);
        for (lines, first) in [(0, 100), (1, 99), (7, 93), (50, 50), (90, 10)] {
            let mut reader = LogReader::open(&path, Start::Tail(lines)).expect("open");
            assert_eq!(all(&mut reader), numbers(first..100), "tail {lines}");
        }
        let mut everything = LogReader::open(&path, Start::Beginning).expect("open");
        let mut more_than_there_is = LogReader::open(&path, Start::Tail(1000)).expect("open");
        assert_eq!(all(&mut everything), all(&mut more_than_there_is));
        log.append(Stream::Stdout, b"a");
        log.append(Stream::Stdout, b"b");
        log.flush();
        let mut reader = LogReader::open(&path, Start::Tail(1)).expect("open");
        assert_eq!(all(&mut reader), ["a…", "b…"]);
        log.append(Stream::Stdout, b"c\n");
        log.flush();
        let mut reader = LogReader::open(&path, Start::Tail(2)).expect("open");
        assert_eq!(all(&mut reader), ["99", "a…", "b…", "c"]);
    }

    #[test]
    fn f07_foreign_lines_are_passed_over() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (mut log, path) = log_in(dir.path());
        write(&mut log, 0..1);
        let junk = [b"junk\n\0\0\0\n\n".to_vec(), vec![b'x'; 3 << 20], b"\n".to_vec()].concat();
        crate::sys::stream::write_all(fs::open_append(&path).expect("open"), &junk).expect("write");
        let (mut log, _) = log_in(dir.path());
        write(&mut log, 1..3);
        assert_eq!(all(&mut LogReader::open(&path, Start::Beginning).expect("open")), numbers(0..3));
        assert_eq!(all(&mut LogReader::open(&path, Start::Tail(2)).expect("open")), numbers(1..3));
    }

    #[test]
    fn who_does_not_follow_ends_with_what_is_there() {
        for (start, first) in [(Start::Beginning, 0), (Start::Tail(50), 10)] {
            let dir = tempfile::tempdir().expect("temporary directory");
            let (mut log, path) = log_in(dir.path());
            write(&mut log, 0..60);
            let mut reader = LogReader::open(&path, start).expect("opened");
            reader.end_with_now().expect("looks");
            // Rotated meanwhile, and written on.
            write(&mut log, 60..150);
            assert_eq!(all(&mut reader), numbers(first..60));
        }
    }
}
