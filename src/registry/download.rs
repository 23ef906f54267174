//! One blob, streamed: from any byte on, on after a cut, whole again from a server that cannot give parts (case B08).

use std::io::Read;
use std::time::{Duration, Instant};

use super::client::IDLE;
use super::error::Error;
use super::reply::{Reply, body_failure};
use super::session::{BlobSink, Session, expect_size};
use crate::types::descriptor::Descriptor;

/// So much progress makes up for a failed try: a long download over a bad line ends, an endless one does not.
const MAKES_UP: u64 = 1 << 20;

/// A peer that sends less than [`LEAST`] bytes in this time might as well be silent (case B10).
const PATIENCE: Duration = IDLE;
const LEAST: usize = 1 << 10;

impl Session {
    /// Streams a blob from byte `arrived` on, which counts what the sink has. After a cut it goes on where it was. The
    /// size is checked here; the digest is the sink's to check, over all that it got, so that the bytes are hashed once.
    pub(crate) fn blob(
        &mut self,
        descriptor: &Descriptor,
        arrived: &mut u64,
        sink: &mut dyn BlobSink,
    ) -> Result<(), Error> {
        let (mut attempt, mut mark) = (0, *arrived);
        loop {
            let error = match self.part(descriptor, arrived, sink) {
                Err(error) if error.is_transient() => error,
                result => return result,
            };
            if *arrived - mark >= MAKES_UP {
                (attempt, mark) = (0, *arrived);
            }
            if attempt >= self.retry.count {
                return Err(error);
            }
            let wait = self.retry.wait(attempt, error.retry_after());
            tracing::debug!(%error, attempt, ?wait, arrived, "going on with the blob");
            // A signal ends the process at once: nothing blocks it here (case B09).
            std::thread::sleep(wait);
            attempt += 1;
        }
    }

    /// One request, and its body as far as it comes.
    fn part(&mut self, descriptor: &Descriptor, arrived: &mut u64, sink: &mut dyn BlobSink) -> Result<(), Error> {
        if *arrived == descriptor.size && *arrived > 0 {
            return Ok(());
        }
        let (reply, first) = self.body_from(descriptor, *arrived)?;
        if let Some(length) = reply.content_length() {
            expect_size(descriptor, length.saturating_add(first))?;
        }
        // What is there already is skipped; the hash at the end tells whether it was the same.
        let mut skip = *arrived - first;
        let host = reply.host.clone();
        let mut reader = Paced::new(reply.into_reader());
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(body_failure(error, &host)),
            };
            let drop = usize::try_from(skip).map_or(count, |skip| skip.min(count));
            skip -= drop as u64;
            let bytes = &buffer[drop..count];
            let after = *arrived + bytes.len() as u64;
            if after > descriptor.size {
                return expect_size(descriptor, after);
            }
            sink.write(bytes).map_err(Error::Sink)?;
            *arrived = after;
        }
        if *arrived < descriptor.size {
            // A body that ends early without an error: chunked or until close.
            let ended = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the body ended early");
            return Err(Error::Body { host, source: ended });
        }
        expect_size(descriptor, *arrived)
    }

    /// A reply, and the byte of the blob that its body begins with: `from`, or 0 if the server gives no parts, or
    /// others than it was asked for.
    fn body_from(&mut self, descriptor: &Descriptor, from: u64) -> Result<(Reply, u64), Error> {
        let what = format!("blobs/{}", descriptor.digest);
        if from > 0 && !self.without_ranges {
            match self.get(&what, "", from) {
                Ok(reply) if reply.status != 206 => return Ok((reply, 0)),
                Ok(reply) if is_asked_for(reply.header("content-range"), from, descriptor.size) => {
                    return Ok((reply, from));
                }
                Ok(reply) => {
                    tracing::debug!(range = reply.header("content-range"), from, "not the part that was asked for");
                }
                Err(Error::Status { status: 416, .. }) => tracing::debug!(from, "the server has no such part"),
                Err(error) => return Err(error),
            }
            self.without_ranges = true;
        }
        Ok((self.get(&what, "", 0)?, 0))
    }
}

/// True if a `Content-Range` says: from this byte to the end of a blob of this size, `bytes FIRST-LAST/SIZE`.
pub(super) fn is_asked_for(value: Option<&str>, from: u64, size: u64) -> bool {
    let parts = || {
        let (range, whole) = value?.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let whole = if whole == "*" { size } else { whole.parse().ok()? };
        Some((first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?, whole))
    };
    parts().is_some_and(|(first, last, whole)| first == from && last.checked_add(1) == Some(size) && whole == size)
}

/// Ends with a timeout if the bytes drip in too slowly. Only the time spent in reading counts.
pub(super) struct Paced<R> {
    inner: R,
    patience: Duration,
    waited: Duration,
    came: usize,
}

impl<R: Read> Paced<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, patience: PATIENCE, waited: Duration::ZERO, came: 0 }
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let asked = Instant::now();
        let count = self.inner.read(buffer)?;
        self.waited += asked.elapsed();
        self.came += count;
        if self.came >= LEAST {
            (self.waited, self.came) = (Duration::ZERO, 0);
        } else if self.waited > self.patience && count > 0 {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::time::Duration;

    use super::{Paced, is_asked_for};

    #[test]
    fn b08_content_range() {
        assert!(is_asked_for(Some("bytes 5-9/10"), 5, 10));
        assert!(is_asked_for(Some("bytes 5-9/*"), 5, 10));
        for other in
            ["bytes */10", "5-9/10", "bytes x-9/10", "", "bytes 4-9/10", "bytes 5-8/10", "bytes 5-9/11", "bytes 5-9"]
        {
            assert!(!is_asked_for(Some(other), 5, 10), "{other}");
        }
        assert!(!is_asked_for(None, 5, 10));
        assert!(!is_asked_for(Some("bytes 5-18446744073709551615/10"), 5, 10));
    }

    #[test]
    fn b10_drops_that_come_too_slowly_end() {
        struct Drip;
        impl std::io::Read for Drip {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                std::thread::sleep(Duration::from_millis(2));
                buffer[0] = 0;
                Ok(1)
            }
        }
        let mut slow = Paced { patience: Duration::from_millis(20), ..Paced::new(Drip) };
        let error = slow.read_to_end(&mut Vec::new()).expect_err("endless");
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        let mut steady = Paced { patience: Duration::from_secs(1), ..Paced::new(&[7_u8; 4096][..]) };
        assert_eq!(steady.read_to_end(&mut Vec::new()).expect("quick"), 4096);
    }
}
