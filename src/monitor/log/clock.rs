//! Time stamps of log lines: RFC 3339 with nanoseconds and the local offset, formatted once per second.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2024-05-06T12:00:00.123456789+02:00`.
pub(super) const STAMP: usize = 35;
/// Where the digits of the fraction begin.
const FRACTION: usize = 20;

/// Remembers the text of the current second.
#[derive(Debug)]
pub(super) struct Clock {
    second: Option<u64>,
    text: [u8; STAMP],
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { second: None, text: [b'0'; STAMP] }
    }

    /// The text for this moment.
    pub(super) fn stamp(&mut self, now: SystemTime) -> &[u8; STAMP] {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(since.as_secs()) {
            self.new_second(since.as_secs());
        }
        let mut fraction = since.subsec_nanos();
        for digit in self.text[FRACTION..FRACTION + 9].iter_mut().rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        &self.text
    }

    fn new_second(&mut self, second: u64) {
        let stamp = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
        let zoned = stamp.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
        let text = zoned.strftime("%Y-%m-%dT%H:%M:%S.000000000%:z").to_string();
        // A year beyond 9999 or an offset with seconds does not fit: then the old text with a new fraction stays.
        if text.len() == STAMP {
            self.text.copy_from_slice(text.as_bytes());
        }
        self.second = Some(second);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use jiff::Timestamp;

    use super::Clock;

    #[test]
    fn stamps_are_rfc3339_with_nanoseconds() {
        let mut clock = Clock::new();
        for (second, nanos) in [(0, 0), (1_700_000_000, 1), (1_700_000_000, 999_999_999), (4_102_444_800, 120)] {
            let text = *clock.stamp(UNIX_EPOCH + Duration::new(second, nanos));
            let text = std::str::from_utf8(&text).expect("ASCII");
            let parsed: Timestamp = text.parse().expect(text);
            let expected = i128::from(second) * 1_000_000_000 + i128::from(nanos);
            assert_eq!(parsed.as_nanosecond(), expected, "{text}");
        }
    }
}
