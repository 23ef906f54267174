//! Credential helpers: programs `docker-credential-NAME` that keep passwords (docker/docker-credential-helpers).
//! A request goes to their standard input, so that no argument list shows it.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::PathBuf;

use serde::Deserialize;

use super::auth_file::Credentials;
use super::environment;
use super::error::Error;
use crate::sys;
use crate::sys::spawn::Spawn;
use crate::types::secret::{Secret, wipe};

/// Longest answer that is read.
const LIMIT: u64 = 1 << 20;
/// Where programs are looked for if the caller has no PATH.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// A request must fit into a pipe that nobody reads yet (`pipe(7)`).
const LONGEST_REQUEST: usize = 32 << 10;

/// A helper whose name is harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Helper {
    name: String,
}

/// What a helper answers to `get`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

impl Helper {
    /// The name comes from a file: it must not lead anywhere else in the file system (case B15).
    pub(super) fn new(name: &str) -> Result<Self, Error> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let name: String = name.chars().take(64).collect();
            return Err(Error::HelperName { name });
        }
        Ok(Self { name: name.to_owned() })
    }

    /// `docker-credential-NAME`.
    pub(crate) fn program(&self) -> String {
        format!("docker-credential-{}", self.name)
    }

    /// True if the program can be found.
    pub(super) fn is_there(&self) -> bool {
        self.path().is_some()
    }

    fn path(&self) -> Option<PathBuf> {
        let path = environment::text("PATH").unwrap_or_else(|| PATH.to_owned());
        sys::spawn::find_program(&self.program(), &path)
    }

    /// Credentials for a host.
    pub(super) fn get(&self, host: &str) -> Result<Option<Credentials>, Error> {
        for server in keys(host) {
            if let Some(found) = self.get_one(server)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn get_one(&self, server: &str) -> Result<Option<Credentials>, Error> {
        let Some(mut bytes) = self.run("get", &Secret::new(server))? else { return Ok(None) };
        let parsed = credentials_in(&bytes);
        wipe(&mut bytes);
        parsed.map_err(|error| self.failed("get", no_json(&error)))
    }

    pub(super) fn store(&self, server: &str, credentials: &Credentials) -> Result<(), Error> {
        let (user, secret) = match credentials {
            Credentials::Password { user, password } => (user.as_str(), password),
            Credentials::IdentityToken { token, .. } => ("<token>", token),
        };
        let document = serde_json::json!({"ServerURL": server, "Username": user, "Secret": secret.expose()});
        let request = Secret::new(document.to_string());
        self.run("store", &request).map(drop)
    }

    pub(super) fn erase(&self, server: &str) -> Result<(), Error> {
        self.run("erase", &Secret::new(server)).map(drop)
    }

    /// Erases all that [`Self::get`] answers with; false if that is nothing.
    pub(super) fn forget(&self, host: &str) -> Result<bool, Error> {
        let mut any = false;
        for server in keys(host) {
            if self.get_one(server)?.is_some() {
                self.erase(server)?;
                any = true;
            }
        }
        match self.get(host)? {
            Some(_) => Err(self.failed("erase", format!("it still has credentials for {host}"))),
            None => Ok(any),
        }
    }

    /// Servers it has something for, and the user's name there.
    pub(super) fn list(&self) -> Result<BTreeMap<String, String>, Error> {
        let Some(bytes) = self.run("list", &Secret::default())? else { return Ok(BTreeMap::new()) };
        let parsed = serde_json::from_slice::<Option<BTreeMap<String, String>>>(&bytes);
        parsed.map(Option::unwrap_or_default).map_err(|error| self.failed("list", no_json(&error)))
    }

    /// Its answer, or none if it has nothing under that name.
    fn run(&self, verb: &'static str, request: &Secret) -> Result<Option<Vec<u8>>, Error> {
        let program = self.path().ok_or_else(|| self.failed(verb, "the program is not in PATH".to_owned()))?;
        if request.expose().len() > LONGEST_REQUEST {
            return Err(self.failed(verb, "the secret is too long".to_owned()));
        }
        let host = |source: sys::Error| Error::RunHelper { program: self.program(), verb, source };
        let (reader, writer) = sys::descriptor::pipe().map_err(host)?;
        sys::descriptor::write_all(writer.as_fd(), request.expose().as_bytes()).map_err(host)?;
        drop(writer);
        let spawn = Spawn::new(program).arg(verb).environment(environment::all()).die_with_parent();
        let spawn = spawn.stream(0, reader.as_fd()).stream(2, sys::descriptor::standard_error());
        let (status, mut output) = spawn.output(LIMIT).map_err(host)?;
        if status.success() {
            return Ok(Some(output));
        }
        let text: String = String::from_utf8_lossy(&output).trim().chars().take(200).collect();
        wipe(&mut output);
        if text == "credentials not found in native keychain" {
            return Ok(None);
        }
        let code = format!("exit code {}", status.code());
        Err(self.failed(verb, if text.is_empty() { code } else { format!("{text} ({code})") }))
    }

    fn failed(&self, verb: &'static str, why: String) -> Error {
        Error::Helper { program: self.program(), verb, why }
    }
}

/// The message of serde could quote the answer: only the place is told.
fn no_json(error: &serde_json::Error) -> String {
    format!("its answer is not the JSON of a credential helper, at line {}, column {}", error.line(), error.column())
}

/// What a helper may keep the credentials of a host under: Docker has those of its own registry under an old address.
fn keys(host: &str) -> impl Iterator<Item = &str> {
    std::iter::once(host).chain((host == "docker.io").then_some(super::auth_file::DOCKER_KEY))
}

/// What a helper answers to `get`.
pub(super) fn credentials_in(bytes: &[u8]) -> serde_json::Result<Option<Credentials>> {
    let answer = serde_json::from_slice::<Answer>(bytes)?;
    let secret = Secret::from(answer.secret);
    if secret.is_empty() {
        return Ok(None);
    }
    Ok(Some(match answer.username.as_str() {
        "<token>" => Credentials::IdentityToken { user: String::new(), token: secret },
        _ => Credentials::Password { user: answer.username, password: secret },
    }))
}

#[cfg(test)]
mod tests {
    use super::Helper;

    #[test]
    fn b15_names() {
        for good in ["pass", "secretservice", "ecr-login", "a.b_c", "0"] {
            assert!(Helper::new(good).is_ok(), "{good}");
        }
        for bad in ["", "../../bin/sh", "a b", "A", "a/b", "a\0", "a\n", "ü", &"a".repeat(65)] {
            assert!(Helper::new(bad).is_err(), "{bad:?}");
        }
    }
}
