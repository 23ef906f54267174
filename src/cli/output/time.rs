//! Times for people: go-units' "2 hours", Go's `Time.String`, RFC 3339.

use jiff::Timestamp;

/// go-units' `HumanDuration`.
pub(crate) fn human_duration(seconds: i64) -> String {
    let minutes = seconds / 60;
    // Rounded, as in go-units.
    let hours = (seconds + 1800) / 3600;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    }
}

/// `2 hours ago`; a time in the future (the clock was set back) counts as now.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", human_duration(now.as_second() - then.as_second()))
}

/// Go's `Time.String()` in UTC: `2026-11-21 02:03:04.123456789 +0000 UTC`.
pub(crate) fn go(then: Timestamp) -> String {
    let text = then.to_string();
    let bare = text.trim_end_matches('Z');
    format!("{} +0000 UTC", bare.replacen('T', " ", 1))
}

/// Like [`go`], without the fraction of the second.
pub(crate) fn go_seconds(then: Timestamp) -> String {
    go(whole(then))
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn rfc3339(then: Timestamp) -> String {
    whole(then).to_string()
}

fn whole(then: Timestamp) -> Timestamp {
    // Seconds of a timestamp are within its range.
    Timestamp::from_second(then.as_second()).unwrap_or(then)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{ago, go, human_duration};

    #[test]
    fn durations_as_go_units_prints_them() {
        for (seconds, text) in [
            (-5, "Less than a second"),
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (120, "2 minutes"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (7200, "2 hours"),
            (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"),
            (15 * 86400, "2 weeks"),
            (70 * 86400, "2 months"),
            (800 * 86400, "2 years"),
        ] {
            assert_eq!(human_duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn go_time() {
        let then: Timestamp = "2026-11-21T02:03:04.5Z".parse().expect("a time");
        assert_eq!(go(then), "2026-11-21 02:03:04.5 +0000 UTC");
        assert_eq!(ago(then, then), "Less than a second ago");
    }
}
