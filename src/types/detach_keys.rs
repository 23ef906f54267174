//! The keys that detach a client from a container (`--detach-keys`).

use std::str::FromStr;

/// A sequence of bytes to type; empty = no way to detach by keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetachKeys(Vec<u8>);

/// Text that is not a key sequence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid detach keys {0:?}: characters and ctrl-<a-z @ [ \\ ] ^ _>, separated by commas")]
pub(crate) struct InvalidDetachKeys(String);

impl Default for DetachKeys {
    /// Ctrl-P Ctrl-Q.
    fn default() -> Self {
        Self(vec![16, 17])
    }
}

impl FromStr for DetachKeys {
    type Err = InvalidDetachKeys;

    fn from_str(text: &str) -> Result<Self, InvalidDetachKeys> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let keys = text.split(',').map(key).collect::<Option<_>>();
        keys.map(Self).ok_or_else(|| InvalidDetachKeys(text.to_owned()))
    }
}

fn key(text: &str) -> Option<u8> {
    let single = |text: &str| match text.as_bytes() {
        [byte] if byte.is_ascii_graphic() => Some(*byte),
        _ => None,
    };
    match text.strip_prefix("ctrl-") {
        Some(name) => match single(name)?.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => Some(letter - b'a' + 1),
            b'@' => Some(0),
            other @ (b'[' | b'\\' | b']' | b'^' | b'_') => Some(other - b'@'),
            _ => None,
        },
        None => single(text),
    }
}

/// Looks for the keys in what is typed; a beginning of them is held back until it is clear what it becomes.
#[derive(Debug)]
pub(crate) struct DetachScanner {
    keys: Vec<u8>,
    held: Vec<u8>,
}

impl DetachScanner {
    pub(crate) fn new(keys: &DetachKeys) -> Self {
        Self { keys: keys.0.clone(), held: Vec::new() }
    }

    /// Appends to `passed` what goes on to the container. True when the keys were typed: what follows them is dropped.
    pub(crate) fn scan(&mut self, typed: &[u8], passed: &mut Vec<u8>) -> bool {
        if self.keys.is_empty() {
            passed.extend_from_slice(typed);
            return false;
        }
        for byte in typed {
            self.held.push(*byte);
            while !self.keys.starts_with(&self.held) {
                passed.push(self.held.remove(0));
            }
            if self.held == self.keys {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{DetachKeys, DetachScanner};

    #[test]
    fn parses_keys() {
        for (text, keys) in [
            ("ctrl-p,ctrl-q", &[16, 17][..]),
            ("", &[]),
            ("a", b"a"),
            ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,Z", &[0, 27, 28, 29, 30, 31, b'Z']),
            ("ctrl-A", &[1]),
        ] {
            assert_eq!(text.parse::<DetachKeys>().map(|keys| keys.0), Ok(keys.to_vec()), "{text}");
        }
        for text in ["ctrl-", "ctrl-1", "ab", "a,,b", ",", "ctrl-pq", "é"] {
            assert!(text.parse::<DetachKeys>().is_err(), "{text}");
        }
    }

    #[test]
    fn finds_keys_wherever_reads_cut() {
        let keys: DetachKeys = "a,a,b".parse().expect("keys");
        for (typed, passed, detached) in [
            ("xaab!", "x", true),
            ("aaab", "a", true),
            ("axaaxab", "axaaxab", false),
            ("aa", "", false),
            ("abaab", "ab", true),
        ] {
            for size in 1..=typed.len() {
                let (mut scanner, mut out) = (DetachScanner::new(&keys), Vec::new());
                let found = typed.as_bytes().chunks(size).any(|chunk| scanner.scan(chunk, &mut out));
                assert_eq!((String::from_utf8_lossy(&out).as_ref(), found), (passed, detached), "{typed} by {size}");
            }
        }
        let mut out = Vec::new();
        assert!(!DetachScanner::new(&DetachKeys(Vec::new())).scan(&[16, 17], &mut out));
        assert_eq!(out, [16, 17]);
    }
}
