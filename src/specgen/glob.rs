//! Shell patterns for `unmask=`, as Go's `path/filepath.Match`: no wildcard crosses a `/`.

/// True if the whole of `text` fits `pattern`. A malformed pattern (`[` without `]`) fits nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Positions after the last `*`, to go back to when the rest does not fit.
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            back = Some((p + 1, t));
            p += 1;
            continue;
        }
        if let Some(next) = one(&pattern, p, text[t]) {
            (p, t) = (next, t + 1);
            continue;
        }
        match back {
            Some((after, start)) if text[start] != '/' => {
                back = Some((after, start + 1));
                (p, t) = (after, start + 1);
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Position after the element at `p` if that element takes `c`.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern.get(p)? {
        '?' => (c != '/').then_some(p + 1),
        '[' => class(pattern, p + 1, c),
        '\\' => (pattern.get(p + 1) == Some(&c)).then_some(p + 2),
        plain => (*plain == c).then_some(p + 1),
    }
}

fn class(pattern: &[char], mut p: usize, c: char) -> Option<usize> {
    let negated = pattern.get(p) == Some(&'^');
    p += usize::from(negated);
    let mut found = false;
    let first = p;
    while p == first || *pattern.get(p)? != ']' {
        let low = *pattern.get(p)?;
        if pattern.get(p + 1) == Some(&'-') && pattern.get(p + 2).is_some_and(|high| *high != ']') {
            found |= (low..=*pattern.get(p + 2)?).contains(&c);
            p += 3;
        } else {
            found |= low == c;
            p += 1;
        }
    }
    (found != negated && c != '/').then_some(p + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

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
