//! Entry points of `fuzz/`.

use std::path::Path;

use super::log::line::{Parts, Stream};
use super::log::{K8sFile, LogReader, Start};

/// A line of a log: its stream, whether it is complete, its text.
type Line = (Stream, bool, Vec<u8>);

/// Output through the writer of a log to its readers; `dir` is empty. The first two bytes bound the files and their number.
/// Then each piece has a byte before it: its length, and what is done after it.
pub(crate) fn log(data: &[u8], dir: &Path) {
    let Some(([size, files], mut rest)) = data.split_first_chunk() else { return };
    let (max_size, max_files) = (u64::from(*size) * 16, u32::from(*files % 4));
    let path = dir.join("ctr.log");
    let open = || K8sFile::open(&path, max_size, max_files).expect("a directory of ours");
    let mut log = open();
    let mut follower = LogReader::open(&path, Start::Beginning).expect("a log of ours");
    let (mut written, mut followed) = (Vec::new(), Vec::new());
    while let Some((head, after)) = rest.split_first() {
        let (piece, after) = after.split_at(usize::from(head & 0x1f).min(after.len()));
        rest = after;
        let stream = if head & 0x80 == 0 { Stream::Stdout } else { Stream::Stderr };
        log.append(stream, piece);
        written.extend(piece.split_inclusive(|byte| *byte == b'\n').map(|text| match text.strip_suffix(b"\n") {
            Some(text) => (stream, true, text.to_vec()),
            None => (stream, false, text.to_vec()),
        }));
        match head & 0x60 {
            0x20 => log.flush(),
            0x40 => {
                log.flush();
                followed.extend(drained(&mut follower));
            }
            // Another monitor goes on with it.
            0x60 => {
                log.flush();
                log = open();
            }
            _ => {}
        }
    }
    log.flush();
    assert_eq!(log.dropped(), 0);
    followed.extend(drained(&mut follower));
    let lost = follower.take_lost();
    assert!(lost || followed == written, "{} of {} lines came", followed.len(), written.len());
    let kept = read(&path, Start::Beginning);
    assert!(written.ends_with(&kept), "what is kept is not the end of what was written");
    assert!(max_size > 0 || kept.len() == written.len(), "lines are missing");
    for lines in [0, 1, 2, u64::from(*size)] {
        let last = read(&path, Start::Tail(lines));
        assert!(kept.ends_with(&last), "the last {lines} lines are others");
        let ends = last.iter().filter(|(_, full, _)| *full).count() as u64;
        assert!(ends <= lines, "{ends} lines instead of {lines}");
    }
    assert_eq!(read(&path, Start::Tail(u64::MAX)), kept);
}

fn read(path: &Path, start: Start) -> Vec<Line> {
    drained(&mut LogReader::open(path, start).expect("a log of ours"))
}

fn drained(reader: &mut LogReader) -> Vec<Line> {
    let mut lines = Vec::new();
    while let Some(Parts { stream, full, text, .. }) = reader.next().expect("a log of ours") {
        lines.push((stream, full, text.to_vec()));
    }
    lines
}
