//! `-e`, `--env-file`, `--env-host`, `--http-proxy`, and the files of labels.

use std::path::Path;

use super::super::context::Invocation;
use super::super::error::Error;
use super::super::flags::ContainerFlags;
use super::invalid::{FlagError, wrong};
use super::surroundings::Surroundings;

/// Proxy variables that containers get unless `--http-proxy=false`.
const PROXIES: [&str; 8] =
    ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"];

const NOT_UTF8: &str = "its value here is not UTF-8, which an OCI configuration cannot hold";

/// The container's variables without the image's, by Podman's precedence: proxies, `--env-host`, `--env-file` in
/// order, `-e` in order (and containers.conf(5) below them all); of two with one name the later is kept, in the place of the first.
pub(super) fn environment(flags: &ContainerFlags, around: &Surroundings<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut env = Variables::default();
    let defaults = &around.defaults.containers;
    env.add(defaults.env.as_deref().unwrap_or_default(), &[], around.at, around.read)?;
    if flags.http_proxy.unwrap_or(true) {
        for name in PROXIES {
            env.of_host(name, around.at).map_err(|why| wrong("http-proxy", name, why))?;
        }
    }
    if flags.env_host.unwrap_or(false) {
        env.all_of_host("", around.at).map_err(|(name, why)| wrong("env-host", name, why))?;
    }
    env.add(&flags.env, &flags.env_file, around.at, around.read)?;
    Ok(env.0)
}

/// `-e` and `--env-file` alone, for `exec`.
pub(crate) fn variables(
    words: &[String],
    files: &[std::path::PathBuf],
    at: &Invocation,
    read: &dyn Fn(&Path) -> Result<Vec<u8>, Error>,
) -> Result<Vec<(String, String)>, Error> {
    let mut env = Variables::default();
    env.add(words, files, at, read)?;
    Ok(env.0)
}

#[derive(Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    fn add(
        &mut self,
        words: &[String],
        files: &[std::path::PathBuf],
        at: &Invocation,
        read: &dyn Fn(&Path) -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error> {
        for path in files {
            for (number, line) in lines("env-file", path, &read(path)?)? {
                let bad =
                    |why| FlagError::Line { flag: "--env-file", path: path.display().to_string(), line: number, why };
                let name = line.split_once('=').map_or(line.as_str(), |(name, _)| name);
                if name.contains(char::is_whitespace) {
                    return Err(bad("the name has a blank in it").into());
                }
                self.word(&line, at).map_err(bad)?;
            }
        }
        for word in words {
            self.word(word, at).map_err(|why| wrong("env", word, why))?;
        }
        Ok(())
    }

    /// `NAME=VALUE`, `NAME` (the caller's value, nothing if there is none), `PREFIX*` (all of the caller's).
    fn word(&mut self, word: &str, at: &Invocation) -> Result<(), &'static str> {
        if word.contains('\0') {
            return Err("there is a NUL in it");
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        match (name, value) {
            ("", _) => return Err("the name is missing"),
            (name, Some(value)) => self.set(name, value),
            (name, None) => match name.strip_suffix('*') {
                Some(prefix) => self.all_of_host(prefix, at).map_err(|(_, why)| why)?,
                None => self.of_host(name, at)?,
            },
        }
        Ok(())
    }

    /// The caller's variable, if there is one.
    fn of_host(&mut self, name: &str, at: &Invocation) -> Result<(), &'static str> {
        if at.env_not_utf8.contains(name) {
            return Err(NOT_UTF8);
        }
        if let Some(value) = at.env.get(name) {
            self.set(name, value);
        }
        Ok(())
    }

    /// All of the caller's that begin so; or the name of one that cannot be had.
    fn all_of_host<'a>(&mut self, prefix: &str, at: &'a Invocation) -> Result<(), (&'a str, &'static str)> {
        let begins = |name: &&String| name.starts_with(prefix);
        if let Some(name) = at.env_not_utf8.range(prefix.to_owned()..).next().filter(begins) {
            return Err((name, NOT_UTF8));
        }
        for (name, value) in at.env.range(prefix.to_owned()..).take_while(|(name, _)| begins(name)) {
            self.set(name, value);
        }
        Ok(())
    }
}

/// Lines of a file of variables or labels that are not empty and no comment, with their numbers (case F05).
pub(super) fn lines(flag: &'static str, path: &Path, bytes: &[u8]) -> Result<Vec<(usize, String)>, FlagError> {
    let shown = match flag {
        "label-file" => "--label-file",
        _ => "--env-file",
    };
    let mut found = Vec::new();
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let bad = |why| FlagError::Line { flag: shown, path: path.display().to_string(), line: index + 1, why };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A byte order mark is what some editors put in front.
        let line = if index == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let line = std::str::from_utf8(line).ok().ok_or_else(|| bad("it is not UTF-8"))?.trim_start();
        if line.contains('\0') {
            return Err(bad("there is a NUL in it"));
        }
        if line.starts_with('=') {
            return Err(bad("the name is missing"));
        }
        if !line.is_empty() && !line.starts_with('#') {
            found.push((index + 1, line.to_owned()));
        }
    }
    Ok(found)
}
