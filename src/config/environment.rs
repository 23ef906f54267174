//! The few environment variables that name configuration files.
#![expect(clippy::disallowed_methods, reason = "this layer may read the environment")]

use std::ffi::OsString;
use std::path::PathBuf;

/// The path in this variable, if there is one.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The text of this variable, if there is one and it is UTF-8.
pub(super) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// All of it, for a program that acts for the user.
pub(super) fn all() -> Vec<OsString> {
    let joined = |(name, value): (OsString, OsString)| {
        let mut pair = name;
        pair.push("=");
        pair.push(value);
        pair
    };
    std::env::vars_os().map(joined).collect()
}

/// `$HOME`.
pub(crate) fn home() -> Option<PathBuf> {
    path("HOME").filter(|path| path.is_absolute())
}

/// `$XDG_CONFIG_HOME`, or `~/.config`. The XDG specification has relative paths ignored.
pub(crate) fn config_home() -> Option<PathBuf> {
    let given = path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    given.or_else(|| home().map(|home| home.join(".config")))
}

/// `$XDG_CACHE_HOME`, or `~/.cache`.
pub(crate) fn cache_home() -> Option<PathBuf> {
    let given = path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    given.or_else(|| home().map(|home| home.join(".cache")))
}
