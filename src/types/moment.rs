//! Moments as `--since` and `--until` take them: absolute, or so long before or after now.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::duration::parse_duration;

/// Text that is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid time {0:?}: Unix seconds, 2006-01-02[T15:04:05][zone], or a duration such as 10m")]
pub(crate) struct InvalidMoment(String);

/// Parses Unix seconds with a fraction, RFC 3339, a local date with or without time, or a duration before `now`.
pub(crate) fn parse_moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, InvalidMoment> {
    parse_with(text, zone, |duration| now.checked_sub(duration).ok())
}

/// The same, with a duration after `now`.
pub(crate) fn parse_moment_ahead(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, InvalidMoment> {
    parse_with(text, zone, |duration| now.checked_add(duration).ok())
}

fn parse_with(
    text: &str,
    zone: &TimeZone,
    away: impl FnOnce(SignedDuration) -> Option<Timestamp>,
) -> Result<Timestamp, InvalidMoment> {
    let invalid = || InvalidMoment(text.to_owned());
    if let Some(moment) = unix(text).or_else(|| text.parse().ok()) {
        return Ok(moment);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return local.to_zoned(zone.clone()).map(|zoned| zoned.timestamp()).ok().ok_or_else(invalid);
    }
    // Go's durations have a sign: a negative one leads the other way.
    let (sign, length) = text.strip_prefix('-').map_or((1, text), |length| (-1, length));
    let duration = parse_duration(length).ok().and_then(|duration| SignedDuration::try_from(duration).ok());
    duration.and_then(|duration| away(duration * sign)).ok_or_else(invalid)
}

fn unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanos).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::{parse_moment, parse_moment_ahead};

    #[test]
    fn moments_of_every_form() {
        let now: Timestamp = "2024-05-06T12:00:00Z".parse().expect("now");
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, expected) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("1700000000.25", "2023-11-14T22:13:20.25Z"),
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
            ("2024-01-02T03:04:05.123456789+01:00", "2024-01-02T02:04:05.123456789Z"),
            ("2024-01-02T03:04:05", "2024-01-02T01:04:05Z"),
            ("2024-01-02", "2024-01-01T22:00:00Z"),
            ("10m", "2024-05-06T11:50:00Z"),
            ("-5m", "2024-05-06T12:05:00Z"),
            ("1h30m0.5s", "2024-05-06T10:29:59.5Z"),
        ] {
            let expected: Timestamp = expected.parse().expect("expected");
            assert_eq!(parse_moment(text, now, &zone), Ok(expected), "{text}");
        }
        let ahead: Timestamp = "2024-05-06T12:10:00Z".parse().expect("expected");
        assert_eq!(parse_moment_ahead("10m", now, &zone), Ok(ahead));
        for text in ["", "yesterday", "--5m", "-", "2024-13-01", "1.2.3", "12:00"] {
            assert!(parse_moment(text, now, &zone).is_err(), "{text}");
        }
    }
}
