//! Entry points of `fuzz/`.

use super::{options, ports};

/// Options of helper programs, and names of claimed ports.
pub(crate) fn options_and_claims(text: &str) {
    let items: Vec<String> = text.split(',').map(str::to_owned).collect();
    drop(options::SlirpOptions::parse(&items));
    ports::fuzzing(text);
}
