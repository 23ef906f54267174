//! Strict reading of what `tar-core` reads leniently: records of a PAX extended header, and base-256 numbers
//! (cases A16, A18, A19). A malformed record must refuse the layer: skipping one would give another tree than other
//! readers see.

use tar_core::{EntryType, HEADER_SIZE, Header};

use crate::sys::dir::Time;

/// What an extended header says beyond `tar-core`'s entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    /// Modification time with its fraction, also before 1970.
    pub(super) mtime: Option<Time>,
    /// There is a `size` record.
    pub(super) has_size: bool,
}

/// Checks all records of an extended header: `LENGTH KEY=VALUE\n`.
pub(super) fn check(mut data: &[u8]) -> Result<Pax, &'static str> {
    let mut pax = Pax::default();
    while !data.is_empty() {
        let (key, value, rest) = record(data)?;
        data = rest;
        let key = std::str::from_utf8(key).ok().ok_or("extended header with a key that is not UTF-8")?;
        match key {
            "size"
            | "uid"
            | "gid"
            | "GNU.sparse.size"
            | "GNU.sparse.realsize"
            | "GNU.sparse.major"
            | "GNU.sparse.minor"
            | "GNU.sparse.offset"
            | "GNU.sparse.numbytes"
            | "GNU.sparse.numblocks" => {
                digits(value).ok_or("extended header with a number that is none, or too large")?;
                pax.has_size |= key == "size";
            }
            "mtime" => pax.mtime = Some(time(value).ok_or("extended header with a time that is none")?),
            "path" | "linkpath" | "GNU.sparse.name" if value.contains(&0) => {
                return Err("name with a NUL byte");
            }
            "path" | "linkpath" if value.is_empty() => return Err("empty name in an extended header"),
            _ if key.is_empty() => return Err("extended header with an empty key"),
            _ => {}
        }
    }
    Ok(pax)
}

/// Key, value and what follows of a record.
type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn record(data: &[u8]) -> Result<Record<'_>, &'static str> {
    const MALFORMED: &str = "malformed record in an extended header";
    let space = data.iter().take(20).position(|byte| *byte == b' ').ok_or(MALFORMED)?;
    let length = digits(&data[..space]).and_then(|length| usize::try_from(length).ok()).ok_or(MALFORMED)?;
    let record = data.get(space + 1..length).ok_or(MALFORMED)?;
    let record = record.strip_suffix(b"\n").ok_or(MALFORMED)?;
    let equals = record.iter().position(|byte| *byte == b'=').ok_or(MALFORMED)?;
    Ok((&record[..equals], &record[equals + 1..], &data[length..]))
}

/// A decimal number without sign.
fn digits(text: &[u8]) -> Option<u64> {
    let ok = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if ok { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// `[-]SECONDS[.FRACTION]`.
fn time(text: &[u8]) -> Option<Time> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &b""[..]),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = i64::try_from(digits(whole)?).ok()?;
    let nanoseconds =
        (0..9).fold(0_u32, |sum, at| sum * 10 + fraction.get(at).map_or(0, |digit| u32::from(digit - b'0')));
    Some(match (negative, nanoseconds) {
        (false, _) => Time { seconds, nanoseconds },
        (true, 0) => Time { seconds: -seconds, nanoseconds: 0 },
        (true, _) => Time { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
    })
}

/// Checks the numbers of all headers of one entry: `headers` begins with the first (long name, extended header…) and
/// holds at least the entry's own. Returns the modification time if the entry's header has it in base 256.
pub(super) fn check_headers(headers: &[u8]) -> Result<Option<Time>, &'static str> {
    let mut rest = headers;
    while let Some(block) = rest.first_chunk::<HEADER_SIZE>() {
        if block.iter().all(|byte| *byte == 0) {
            rest = &rest[HEADER_SIZE..];
            continue;
        }
        let header = Header::from_bytes(block);
        let size = number(&block[124..136])?;
        let extension =
            matches!(header.entry_type(), EntryType::GnuLongName | EntryType::GnuLongLink | EntryType::XHeader)
                && (header.is_gnu() || header.is_ustar());
        if !extension {
            number(&block[100..108])?;
            number(&block[108..116])?;
            number(&block[116..124])?;
            let mtime = &block[136..148];
            return Ok(if mtime[0] & 0x80 != 0 { Some(signed(mtime).ok_or("time out of range")?) } else { None });
        }
        // tar-core returned an entry, so a small header with this size was complete.
        let size = size.and_then(|size| usize::try_from(size).ok()).map_or_else(|| octal(&block[124..136]), Some);
        let skip = size.and_then(|size| size.checked_next_multiple_of(HEADER_SIZE)).ok_or("size out of range")?;
        rest = rest.get(HEADER_SIZE + skip..).ok_or("size out of range")?;
    }
    Err("no header")
}

/// A number in base 256 that is not negative; `None` for an octal field, which `tar-core` checks itself.
fn number(field: &[u8]) -> Result<Option<u64>, &'static str> {
    if field[0] & 0x80 == 0 {
        return Ok(None);
    }
    let time = signed(field).ok_or("number out of range")?;
    u64::try_from(time.seconds).ok().map(Some).ok_or("negative number")
}

/// A two's complement number of 8·n − 1 bits.
fn signed(field: &[u8]) -> Option<Time> {
    let negative = field[0] & 0x40 != 0;
    let first = if negative { field[0] | 0x80 } else { field[0] & 0x7f };
    let fill = if negative { 0xff } else { 0 };
    let (head, tail) = field.split_at(field.len().checked_sub(8)?);
    let mut bytes: [u8; 8] = tail.try_into().ok()?;
    if head.is_empty() {
        bytes[0] = first;
    } else if first != fill || head[1..].iter().any(|byte| *byte != fill) || (bytes[0] ^ fill) & 0x80 != 0 {
        return None;
    }
    Some(Time { seconds: i64::from_be_bytes(bytes), nanoseconds: 0 })
}

fn octal(field: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(field.split(|byte| *byte == 0).next()?).ok()?.trim();
    if text.is_empty() { Some(0) } else { usize::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
mod tests {
    use super::{Time, check, signed, time};

    #[test]
    fn a19_records_are_checked() {
        assert!(check(b"11 path=ab\n").expect("good").mtime.is_none());
        for bad in [
            &b"10 path=ab\n"[..],
            b"99 path=ab\n",
            b"x path=ab\n",
            b"0 path=ab\n",
            b"11 path=ab\n\0\0",
            b"+11 path=ab\n",
            b"18446744073709551616 path=a\n",
            b"11 path=a\0\n",
            b"9 path=\n",
            b"11 pathxab\n",
            b"8 \xff=ab\n",
            b"10 uid=-1\n",
            b"27 size=99999999999999999999\n",
        ] {
            assert!(check(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn times_keep_their_fraction() {
        let at = |seconds, nanoseconds| Some(Time { seconds, nanoseconds });
        assert_eq!(time(b"12.5"), at(12, 500_000_000));
        assert_eq!(time(b"-1.25"), at(-2, 750_000_000));
        assert_eq!(time(b"-3"), at(-3, 0));
        assert_eq!(time(b"1.1234567891"), at(1, 123_456_789));
        assert_eq!((time(b""), time(b"1.x"), time(b"--1")), (None, None, None));
    }

    #[test]
    fn a16_numbers_in_base_256() {
        assert_eq!(signed(&[0x80, 0, 0, 0, 0, 0, 0, 7]).map(|t| t.seconds), Some(7));
        assert_eq!(signed(&[0xff; 12]).map(|t| t.seconds), Some(-1));
        let beyond = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0];
        assert_eq!(signed(&beyond), None);
        assert_eq!(signed(&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
