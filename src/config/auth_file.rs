//! Credentials for registries: `containers-auth.json(5)` and Docker's `config.json`. Read only, here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde::Deserialize;

use super::environment;
use super::error::Error;
use crate::sys;
use crate::types::secret::Secret;

const LIMIT: u64 = 1 << 20;

/// Who we are to a registry. Its `Debug` never shows the secret (case B15).
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token that the token server takes for a bearer token.
    IdentityToken(Secret),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "Password({user:?}, …)"),
            Self::IdentityToken(_) => f.write_str("IdentityToken(…)"),
        }
    }
}

impl Credentials {
    /// `USER[:PASSWORD]` of `--creds`.
    pub(crate) fn from_flag(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let whole = !user.is_empty();
        whole.then(|| Self::Password { user: user.to_owned(), password: Secret::new(password) })
    }
}

/// One file.
#[derive(Deserialize, Default)]
#[serde(default)]
struct AuthFile {
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
}

/// The credentials for `host/path`, from `explicit` (`--authfile`, which must exist) or the usual files in Podman's
/// order. `None`: go without.
pub(crate) fn lookup(explicit: Option<&Path>, host: &str, path: &str) -> Result<Option<Credentials>, Error> {
    if let Some(file) = explicit {
        let found = read(file)?.ok_or_else(|| Error::Read {
            path: file.to_owned(),
            source: sys::Error::new("open", format!("{file:?}"), sys::Errno::ENOENT),
        })?;
        return find(&found, host, path, file);
    }
    for file in usual_files() {
        if let Some(found) = read(&file)?
            && let Some(credentials) = find(&found, host, path, &file)?
        {
            return Ok(Some(credentials));
        }
    }
    Ok(None)
}

fn usual_files() -> Vec<PathBuf> {
    if let Some(path) = environment::path("REGISTRY_AUTH_FILE") {
        return vec![path];
    }
    let docker = environment::path("DOCKER_CONFIG").or_else(|| environment::home().map(|home| home.join(".docker")));
    [
        environment::path("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")),
        environment::config_home().map(|dir| dir.join("containers/auth.json")),
        docker.map(|dir| dir.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn read(path: &Path) -> Result<Option<AuthFile>, Error> {
    let bytes = sys::fs::absent_is_none(sys::fs::read_limited(path, LIMIT))
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let Some(bytes) = bytes.filter(|bytes| !bytes.iter().all(u8::is_ascii_whitespace)) else { return Ok(None) };
    if let Ok(Some(meta)) = sys::fs::stat(path)
        && std::os::unix::fs::MetadataExt::mode(&meta) & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), "other users may read this file with registry passwords: chmod 600 it");
    }
    parse(&bytes).map(Some).map_err(|why| Error::Parse { path: path.to_owned(), why })
}

/// The message of serde names places, never values of strings that matched the type.
fn parse(bytes: &[u8]) -> Result<AuthFile, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("line {}, column {}", error.line(), error.column()))
}

/// Most specific key first: `host/a/b`, `host/a`, `host`; then Docker's ways to write a host.
fn find(file: &AuthFile, host: &str, path: &str, name: &Path) -> Result<Option<Credentials>, Error> {
    let mut key = format!("{host}/{path}");
    loop {
        if let Some(entry) = file.auths.get(&key) {
            return credentials(entry)
                .map_err(|why| Error::Parse { path: name.to_owned(), why: format!("entry {key:?}: {why}") });
        }
        let Some(cut) = key.rfind('/') else { break };
        key.truncate(cut);
    }
    for (key, entry) in &file.auths {
        if bare_host(key) == Some(canonical(host)) {
            return credentials(entry)
                .map_err(|why| Error::Parse { path: name.to_owned(), why: format!("entry {key:?}: {why}") });
        }
    }
    if file.helpers.contains_key(host) || !file.store.is_empty() {
        tracing::warn!(path = %name.display(), host, "credential helpers are not asked; going on without credentials");
    }
    Ok(None)
}

/// Host of a key as Docker writes it: `https://index.docker.io/v1/`.
fn bare_host(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = match rest {
        Some(rest) => rest.split('/').next()?,
        None if key.contains('/') => return None,
        None => key,
    };
    Some(canonical(host))
}

fn canonical(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

fn credentials(entry: &Entry) -> Result<Option<Credentials>, &'static str> {
    if let Some(token) = entry.identity_token.as_ref().filter(|token| !token.is_empty()) {
        return Ok(Some(Credentials::IdentityToken(Secret::new(token.as_str()))));
    }
    if let (Some(user), Some(password)) = (&entry.username, &entry.password) {
        return Ok(Some(Credentials::Password { user: user.clone(), password: Secret::new(password.as_str()) }));
    }
    let Some(auth) = entry.auth.as_ref().filter(|auth| !auth.is_empty()) else { return Ok(None) };
    let bytes = base64::engine::general_purpose::STANDARD.decode(auth.trim()).ok().ok_or("\"auth\" is not base64")?;
    let text = String::from_utf8(bytes).ok().ok_or("\"auth\" is not UTF-8")?;
    let (user, password) = text.split_once(':').ok_or("\"auth\" is not USER:PASSWORD in base64")?;
    Ok(Some(Credentials::Password { user: user.to_owned(), password: Secret::new(password.trim_end_matches('\0')) }))
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Secret, find, parse};
    use std::path::Path;

    fn user(json: &str, host: &str, path: &str) -> Option<String> {
        let file = parse(json.as_bytes()).expect("valid");
        match find(&file, host, path, Path::new("auth.json")).expect("valid") {
            Some(Credentials::Password { user, .. }) => Some(user),
            Some(Credentials::IdentityToken(token)) => Some(token.expose().to_owned()),
            None => None,
        }
    }

    #[test]
    fn most_specific_key_wins() {
        // "a:p", "b:p", "c:p", "d:p"
        let json = r#"{"auths": {
            "r.example.org": {"auth": "YTpw"},
            "r.example.org/team": {"auth": "Yjpw"},
            "https://index.docker.io/v1/": {"auth": "Yzpw"},
            "localhost:5000": {"username": "d", "password": "p"},
            "tokens.example.org": {"auth": "", "identitytoken": "t"}
        }}"#;
        assert_eq!(user(json, "r.example.org", "x").as_deref(), Some("a"));
        assert_eq!(user(json, "r.example.org", "team/x").as_deref(), Some("b"));
        assert_eq!(user(json, "docker.io", "library/x").as_deref(), Some("c"));
        assert_eq!(user(json, "localhost:5000", "x").as_deref(), Some("d"));
        assert_eq!(user(json, "tokens.example.org", "x").as_deref(), Some("t"));
        assert_eq!(user(json, "other.example.org", "x"), None);
    }

    #[test]
    fn b15_corrupt_file_is_refused_and_says_no_secret() {
        let file = parse(br#"{"auths": {"h": {"auth": "!secret!"}}}"#).expect("JSON");
        let error = find(&file, "h", "x", Path::new("auth.json")).expect_err("not base64");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(parse(b"{\"auths\": 3").is_err());
        let shown = format!("{:?}", Credentials::Password { user: "u".into(), password: Secret::new("secret") });
        assert!(!shown.contains("secret"), "{shown}");
    }
}
