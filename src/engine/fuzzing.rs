//! Entry points of `fuzz/` into filters and options.

use super::patterns;
use super::volume_options::Wanted;

/// Lines: a pattern, and what it is compared with.
pub(crate) fn patterns(text: &str) {
    let mut lines = text.lines();
    if let (Some(pattern), Some(text)) = (lines.next(), lines.next()) {
        patterns::fuzzing(pattern, text);
    }
}

/// Lines: the options of a volume. What they want is kept where it is found again.
pub(crate) fn volume_options(text: &str) {
    let given = text.lines().take(8).map(|line| line.split_once('=').unwrap_or((line, "")));
    let mut options = given.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if let Ok(wanted) = Wanted::of(&mut options) {
        assert_eq!(Wanted::of(&mut options).expect("what was understood"), wanted);
    }
}
