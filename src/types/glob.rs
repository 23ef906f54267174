//! Shell patterns as Go's `path.Match` reads them: no wildcard crosses a `/`.

/// One step of a pattern.
#[derive(Debug)]
enum Piece {
    /// `*`: any characters but a slash.
    Star,
    /// `?`: one character that is no slash.
    Any,
    One(char),
    /// `[a-z]`, or `[^a-z]` if `not`.
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => c != '/',
            Self::One(wanted) => *wanted == c,
            Self::Class { not, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *not,
        }
    }
}

/// True if the whole text fits. A pattern that is none (a bracket that is not closed) fits nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some(pattern) = pieces(pattern) else { return false };
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t, mut star): (usize, usize, Option<(usize, usize)>) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(Piece::Star) => {
                star = Some((p, t));
                p += 1;
            }
            Some(piece) if piece.takes(text[t]) => (p, t) = (p + 1, t + 1),
            // The last star takes one more.
            _ => match star {
                Some((at, from)) if text[from] != '/' => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|piece| matches!(piece, Piece::Star))
}

fn pieces(pattern: &str) -> Option<Vec<Piece>> {
    let mut characters = pattern.chars().peekable();
    let mut pieces = Vec::new();
    while let Some(c) = characters.next() {
        pieces.push(match c {
            '*' => Piece::Star,
            '?' => Piece::Any,
            '\\' => Piece::One(characters.next()?),
            '[' => class(&mut characters)?,
            c => Piece::One(c),
        });
    }
    Some(pieces)
}

/// What stands in brackets, from behind the first one to behind the last.
fn class(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Piece> {
    let not = characters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match characters.next()? {
            // Not at once: a class has at least one.
            ']' if !ranges.is_empty() => return Some(Piece::Class { not, ranges }),
            ']' | '-' => return None,
            '\\' => characters.next()?,
            c => c,
        };
        let high = match characters.next_if_eq(&'-') {
            Some(_) => match characters.next()? {
                ']' | '-' => return None,
                '\\' => characters.next()?,
                c => c,
            },
            None => low,
        };
        ranges.push((low, high));
    }
}

/// Entry point of `fuzz/`: a slow reading of the pattern. Like Go's, the fast one never gives a star more than it needed: where a
/// class takes a slash it may miss what fits, but nothing fits it that does not fit the pattern.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing(pattern: &str, text: &str) {
    fn fits(pattern: &[Piece], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((Piece::Star, rest)) => {
                let within = (0..=text.len()).take_while(|taken| *taken == 0 || text[taken - 1] != '/');
                within.into_iter().any(|taken| fits(rest, &text[taken..]))
            }
            Some((piece, rest)) => text.first().is_some_and(|c| piece.takes(*c)) && fits(rest, &text[1..]),
        }
    }
    let fast = matches(pattern, text);
    let Some(pieces) = pieces(pattern) else { return assert!(!fast, "{pattern:?} is no pattern") };
    let text: Vec<char> = text.chars().collect();
    if pieces.len() <= 10 && text.len() <= 16 {
        let slow = fits(&pieces, &text);
        let has_class = pieces.iter().any(|piece| matches!(piece, Piece::Class { .. }));
        assert!(fast == slow || slow && has_class, "{pattern:?} {text:?}: {fast} {slow}");
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_those_of_go() {
        for (pattern, text) in [
            ("a*b*c", "axxbyyc"),
            ("**", ""),
            ("v[12]", "v1"),
            ("v[^12]", "v3"),
            ("v[a-c][0-9]", "vb7"),
            ("v\\*", "v*"),
            ("[\\]]", "]"),
            ("team/?", "team/a"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a*b*c", "axxbyy"),
            ("", "x"),
            ("v[12]", "v3"),
            ("v[^12]", "v1"),
            ("v[12", "v1"),
            ("v[]", "v"),
            ("*", "a/b"),
            ("a?b", "a/b"),
            ("v\\", "v"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn like_filepath_match() {
        for (pattern, text, fits) in [
            ("/proc/kcore", "/proc/kcore", true),
            ("/proc/*", "/proc/kcore", true),
            ("/proc/*", "/proc/a/b", false),
            ("/proc/*/b", "/proc/a/b", true),
            ("/*/*re", "/proc/kcore", true),
            ("/proc/k?ore", "/proc/kcore", true),
            ("/proc/[a-k]core", "/proc/kcore", true),
            ("/proc/[^k]core", "/proc/kcore", false),
            ("/proc/[kcore", "/proc/kcore", false),
            ("/proc", "/proc/kcore", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
