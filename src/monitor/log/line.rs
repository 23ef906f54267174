//! One line of a k8s-file log: `<time> <stdout|stderr> <F|P> <text>`; `P` = the text goes on in the next line of the
//! same stream.

/// Which stream a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The parts of a line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// As written: RFC 3339.
    pub(crate) time: &'a str,
    pub(crate) stream: Stream,
    /// `F`: the program's line ends here.
    pub(crate) full: bool,
    pub(crate) text: &'a [u8],
}

/// Takes a line (without `\n`) apart; `None` if it is not one of ours (a crash or a foreign hand).
pub(crate) fn parse(line: &[u8]) -> Option<Parts<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok()?;
    let stream = match fields.next()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let full = match fields.next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    let looks_like_time = time.len() >= 20 && time.as_bytes()[0].is_ascii_digit();
    looks_like_time.then_some(Parts { time, stream, full, text: fields.next().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::{Parts, Stream, parse};

    #[test]
    fn takes_lines_apart() {
        let time = "2024-05-06T12:00:00.123456789+02:00";
        let parts = |stream, full, text| Some(Parts { time, stream, full, text });
        for (rest, expected) in [
            ("stdout F hello  world", parts(Stream::Stdout, true, &b"hello  world"[..])),
            ("stderr P ", parts(Stream::Stderr, false, b"")),
            ("stderr F", parts(Stream::Stderr, true, b"")),
            ("stdin F x", None),
            ("stdout X x", None),
        ] {
            assert_eq!(parse(format!("{time} {rest}").as_bytes()), expected, "{rest}");
        }
        for line in [&b""[..], b"garbage", b"\0\0\0\0", b"x stdout F text", b"\xff\xfe stdout F text"] {
            assert_eq!(parse(line), None);
        }
    }
}
