//! Sizes in bytes as users write them (`512m`, `1.5GiB`) and as tables print them (`77.4MB`, go-units' form).

/// Text that is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid size: {0:?}: a number and one of b, k, m, g, t (or nothing: bytes)")]
pub(crate) struct InvalidSize(pub(crate) String);

/// Parses a size in bytes, with binary units (`k` = 1024), as go-units' `RAMInBytes`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, InvalidSize> {
    parse(text, 1024)
}

/// Parses a size in bytes, with decimal units (`k` = 1000), as go-units' `FromHumanSize`.
pub(crate) fn parse_decimal_bytes(text: &str) -> Result<u64, InvalidSize> {
    parse(text, 1000)
}

fn parse(text: &str, base: u32) -> Result<u64, InvalidSize> {
    let invalid = || InvalidSize(text.to_owned());
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let (power, _) =
        (0_u32..).zip(["", "k", "m", "g", "t", "p"]).find(|(_, known)| *known == unit).ok_or_else(invalid)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(u64::from(base).pow(power)).ok_or_else(invalid);
    }
    let value: f64 = number.parse().ok().filter(|_| number.bytes().any(|b| b.is_ascii_digit())).ok_or_else(invalid)?;
    let bytes = value * f64::from(base).powi(power.cast_signed());
    #[expect(clippy::cast_precision_loss, reason = "a bound")]
    let too_big = bytes >= u64::MAX as f64;
    if too_big {
        return Err(invalid());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: positive and below 2^64")]
    Ok(bytes as u64)
}

/// Prints with decimal units and four significant digits: `77.4MB`, `1.024kB`.
pub(crate) fn human(bytes: u64) -> String {
    with_units(bytes, 4, "")
}

/// Prints with decimal units, a space and three significant digits, as lists of images do: `77.4 MB`, `1.02 kB`.
pub(crate) fn human_short(bytes: u64) -> String {
    with_units(bytes, 3, " ")
}

fn with_units(bytes: u64, digits: usize, space: &str) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    #[expect(clippy::cast_precision_loss, reason = "four digits are printed")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{}{space}{}", significant(value, digits), units[unit])
}

/// C's `%.4g` (or other digits) for values from 0 to 1000.
fn significant(value: f64, digits: usize) -> String {
    let before = if value >= 1000.0 {
        4
    } else if value >= 100.0 {
        3
    } else if value >= 10.0 {
        2
    } else {
        1
    };
    let text = format!("{value:.*}", digits.saturating_sub(before));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{human, human_short, parse_bytes, parse_decimal_bytes};

    #[test]
    fn parses_like_go_units() {
        for (text, bytes) in [
            ("0", 0),
            ("42", 42),
            ("32k", 32 << 10),
            ("512M", 512 << 20),
            ("1.5g", 3 << 29),
            ("2GiB", 2 << 30),
            ("10kb", 10240),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "-1", "1x", "1.2.3", "99999999999g", "."] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_like_go_units() {
        for (bytes, text) in [(0, "0B"), (999, "999B"), (1024, "1.024kB"), (77_400_000, "77.4MB"), (1_000_000, "1MB")] {
            assert_eq!(human(bytes), text);
        }
        for (bytes, text) in [(0, "0 B"), (1_987_673, "1.99 MB"), (14_336, "14.3 kB"), (2_000_001, "2 MB")] {
            assert_eq!(human_short(bytes), text);
        }
    }

    #[test]
    fn parses_decimal_units() {
        for (text, bytes) in [
            ("8000", 8000),
            ("10m", 10_000_000),
            ("1.5GB", 1_500_000_000),
            ("2kib", 2000),
            ("18p", 18 * 10_u64.pow(15)),
        ] {
            assert_eq!(parse_decimal_bytes(text), Ok(bytes), "{text}");
            assert_eq!(parse_decimal_bytes(&human(bytes)), Ok(bytes), "{text}");
        }
        assert!(parse_decimal_bytes("18447p").is_err());
    }
}
