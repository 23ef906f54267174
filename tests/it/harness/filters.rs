//! Replaces what differs from run to run, so that output can be compared with a snapshot.

use super::env::Env;

/// The replacements of one [`Env`].
#[derive(Debug, Clone)]
pub(crate) struct Filters {
    paths: Vec<(String, &'static str)>,
}

impl Filters {
    pub(super) fn new(env: &Env) -> Self {
        let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
        Self {
            paths: vec![
                (text(env.graphroot()), "[graphroot]"),
                (text(env.runroot()), "[runroot]"),
                (text(env.home()), "[home]"),
                (text(env.root().join("work")), "[work]"),
                (text(env.root().to_owned()), "[root]"),
            ],
        }
    }

    /// Replaces paths, then hexadecimal words of 12 or 64 digits, then times.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in &self.paths {
            text = text.replace(path, name);
        }
        words(&text)
    }
}

fn words(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        result.push_str(replace(&word));
        word.clear();
        result.push(c);
    }
    result.pop();
    times(&result)
}

fn replace(word: &str) -> &str {
    let hex = word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    match (hex, word.len()) {
        (true, 64) => "[id]",
        (true, 12) => "[short-id]",
        _ => word,
    }
}

/// `3 seconds ago`, `Less than a second ago`, `About a minute ago` → `[ago]`.
fn times(text: &str) -> String {
    let mut result = text.replace("Less than a second", "[time]").replace("About a minute", "[time]");
    for unit in ["seconds", "second", "minutes", "minute"] {
        while let Some(at) = result.find(&format!(" {unit} ago")) {
            let start = result[..at].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |index| index + 1);
            result.replace_range(start..=at + unit.len(), "[time]");
        }
    }
    result
}
