//! Credentials for registries: `containers-auth.json(5)` and Docker's `config.json`, and the helpers that they name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde::Deserialize;

use super::config_file;
use super::credential_helper::Helper;
use super::environment;
use super::error::{At as _, Error};
use super::registries_conf::RegistriesConf;
use crate::sys;
use crate::types::null::null_is_default;
use crate::types::secret::{Secret, wipe};

/// What Docker calls its own registry in such files.
pub(super) const DOCKER_KEY: &str = "https://index.docker.io/v1/";

/// Who we are to a registry. Its `Debug` never shows the secret (case B15).
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token that the token server takes for a bearer token.
    IdentityToken {
        /// Empty if nobody said.
        user: String,
        token: Secret,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "Password({user:?}, …)"),
            Self::IdentityToken { user, .. } => write!(f, "IdentityToken({user:?}, …)"),
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

    /// Name of the user; empty if a token came without one.
    pub(crate) fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::IdentityToken { user, .. } => user,
        }
    }
}

/// One file.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AuthFile {
    /// `null` stands for nothing anywhere, as Go writes it.
    #[serde(deserialize_with = "null_is_default")]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(rename = "credHelpers", deserialize_with = "null_is_default")]
    pub(super) helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore", deserialize_with = "null_is_default")]
    pub(super) store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<Secret>,
}

/// The credentials for `host/path`, from `explicit` (`--authfile`, which must exist) or the usual files in Podman's
/// order. `None`: go without.
pub(crate) fn lookup(explicit: Option<&Path>, host: &str, path: &str) -> Result<Option<Credentials>, Error> {
    if let Some(file) = explicit {
        let Some(found) = read(file)? else {
            // An empty file is there, and holds nobody's.
            sys::fs::open(file).reading(file)?;
            return Ok(None);
        };
        return find(&found, host, path, file);
    }
    let mut failed = None;
    for keeper in Keeper::all()? {
        match keeper.get(host, path) {
            Ok(None) => {}
            Ok(found) => return Ok(found),
            // As in Podman: the next one may know.
            Err(error) => {
                tracing::debug!(%error, "asking the next who may keep credentials");
                failed = failed.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(None), Err)
}

/// Who keeps credentials, by `credential-helpers` of containers-registries.conf(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeper {
    /// The files of this module, called `containers-auth.json` there.
    Files,
    Helper(Helper),
}

impl Keeper {
    /// All, in the order in which they are asked; the files alone if nothing is configured.
    pub(super) fn all() -> Result<Vec<Self>, Error> {
        let names = RegistriesConf::load()?.credential_helpers;
        if names.is_empty() {
            return Ok(vec![Self::Files]);
        }
        let keeper = |name: &String| match name.as_str() {
            "containers-auth.json" => Ok(Self::Files),
            name => Helper::new(name).map(Self::Helper),
        };
        names.iter().map(keeper).collect()
    }

    fn get(&self, host: &str, path: &str) -> Result<Option<Credentials>, Error> {
        if let Self::Helper(helper) = self {
            return helper.get(canonical(host));
        }
        for file in usual_files() {
            if let Some(read) = read(&file)?
                && let Some(found) = find(&read, host, path, &file)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn usual_files() -> Vec<PathBuf> {
    if let Some(path) = environment::path("REGISTRY_AUTH_FILE") {
        return vec![path];
    }
    [runtime_file(), lasting_file(), docker_file()].into_iter().flatten().collect()
}

/// Where Podman writes: gone after a reboot.
pub(super) fn runtime_file() -> Option<PathBuf> {
    environment::path("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json"))
}

/// Where Sampan writes, and Podman reads.
pub(super) fn lasting_file() -> Option<PathBuf> {
    environment::config_home().map(|dir| dir.join("containers/auth.json"))
}

/// Docker's.
pub(super) fn docker_file() -> Option<PathBuf> {
    let dir = environment::path("DOCKER_CONFIG").or_else(|| environment::home().map(|home| home.join(".docker")));
    dir.map(|dir| dir.join("config.json"))
}

pub(super) fn read(path: &Path) -> Result<Option<AuthFile>, Error> {
    let Some(mut bytes) = read_bytes(path)? else { return Ok(None) };
    if let Ok(Some(meta)) = sys::fs::stat(path)
        && std::os::unix::fs::MetadataExt::mode(&meta) & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), "other users may read this file with registry passwords: chmod 600 it");
    }
    let parsed = parse(&bytes);
    wipe(&mut bytes);
    parsed.map(Some).map_err(|why| Error::Parse { path: path.to_owned(), why })
}

/// None if there is no file, or nothing in it.
pub(super) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let bytes = config_file::read_if_exists(path)?;
    Ok(bytes.filter(|bytes| !bytes.iter().all(u8::is_ascii_whitespace)))
}

/// The message of serde could quote a value: only the place is told.
fn parse(bytes: &[u8]) -> Result<AuthFile, String> {
    // serde would also take an array for a struct.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err("it is not a JSON object".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let what = if error.is_data() {
            "another kind of value is wanted"
        } else if error.is_eof() {
            "it ends in the middle of its JSON"
        } else {
            "no JSON"
        };
        format!("{what} at line {}, column {}", error.line(), error.column())
    })
}

/// The helper that is named for this host; then the most specific key, `host/a/b`, `host/a`, `host`; then Docker's
/// ways to write a host; then the helper for all hosts.
pub(super) fn find(file: &AuthFile, host: &str, path: &str, name: &Path) -> Result<Option<Credentials>, Error> {
    let host = canonical(host);
    if let Some(helper) = file.helpers.iter().find(|(key, _)| bare_host(key) == Some(host)).map(|(_, helper)| helper)
        && let Some(found) = Helper::new(helper)?.get(host)?
    {
        return Ok(Some(found));
    }
    let read = |key: &str, entry: &Entry| {
        credentials(entry).map_err(|why| Error::Parse { path: name.to_owned(), why: format!("entry {key:?}: {why}") })
    };
    let mut key = if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") };
    loop {
        if let Some(Some(entry)) = file.auths.get(&key)
            && let Some(found) = read(&key, entry)?
        {
            return Ok(Some(found));
        }
        let Some(cut) = key.rfind('/') else { break };
        key.truncate(cut);
    }
    for (key, entry) in file.auths.iter().filter(|(key, _)| bare_host(key) == Some(host)) {
        if let Some(found) = entry.as_ref().map_or(Ok(None), |entry| read(key, entry))? {
            return Ok(Some(found));
        }
    }
    if file.store.is_empty() {
        return Ok(None);
    }
    let helper = Helper::new(&file.store)?;
    if helper.is_there() {
        return helper.get(host);
    }
    // Docker Desktop leaves such a line behind, and most images are there for anybody.
    let (path, program) = (name.display(), helper.program());
    tracing::warn!(%path, program, "its credsStore names a program that is not in PATH: going on without credentials");
    Ok(None)
}

/// Host of a key as Docker writes it: `https://index.docker.io/v1/`; none for a key of a repository.
pub(super) fn bare_host(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = match rest {
        Some(rest) => rest.split('/').next()?,
        None if key.contains('/') => return None,
        None => key,
    };
    Some(canonical(host))
}

pub(super) fn canonical(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

fn credentials(entry: &Entry) -> Result<Option<Credentials>, &'static str> {
    let pair = match entry.auth.as_ref().filter(|auth| !auth.is_empty()) {
        Some(auth) => Some(decoded(auth)?),
        None => None,
    };
    if let Some(token) = entry.identity_token.as_ref().filter(|token| !token.is_empty()) {
        let user = pair.map(|(user, _)| user).or(entry.username.clone()).unwrap_or_default();
        return Ok(Some(Credentials::IdentityToken { user, token: token.clone() }));
    }
    if let (Some(user), Some(password)) = (&entry.username, &entry.password) {
        return Ok(Some(Credentials::Password { user: user.clone(), password: password.clone() }));
    }
    Ok(pair.map(|(user, password)| Credentials::Password { user, password }))
}

/// `USER:PASSWORD` in base64.
fn decoded(auth: &Secret) -> Result<(String, Secret), &'static str> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(auth.expose().trim());
    let text = String::from_utf8(bytes.ok().ok_or("\"auth\" is not base64")?);
    let text = Secret::from(text.ok().ok_or("\"auth\" is not UTF-8")?);
    let (user, password) = text.expose().split_once(':').ok_or("\"auth\" is not USER:PASSWORD in base64")?;
    Ok((user.to_owned(), Secret::new(password.trim_end_matches('\0'))))
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Secret, find, parse};
    use std::path::Path;

    fn user(json: &str, host: &str, path: &str) -> Option<String> {
        let file = parse(json.as_bytes()).expect("valid");
        match find(&file, host, path, Path::new("auth.json")).expect("valid") {
            Some(Credentials::Password { user, .. }) => Some(user),
            Some(Credentials::IdentityToken { user, token }) => Some(format!("{user}/{}", token.expose())),
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
            "tokens.example.org": {"auth": "YTpw", "identitytoken": "t"},
            "empty.example.org": {},
            "null.example.org": null
        }, "credHelpers": null, "credsStore": null}"#;
        assert_eq!(user(json, "r.example.org", "x").as_deref(), Some("a"));
        assert_eq!(user(json, "r.example.org", "team/x").as_deref(), Some("b"));
        assert_eq!(user(json, "docker.io", "library/x").as_deref(), Some("c"));
        assert_eq!(user(json, "localhost:5000", "").as_deref(), Some("d"));
        assert_eq!(user(json, "tokens.example.org", "x").as_deref(), Some("a/t"));
        assert_eq!(user(json, "empty.example.org", "x"), None);
        assert_eq!(user(json, "null.example.org", "x"), None);
        assert_eq!(user(json, "other.example.org", "x"), None);
        assert_eq!(user(r#"{"auths": null}"#, "other.example.org", "x"), None);
    }

    #[test]
    fn b15_corrupt_file_is_refused_and_says_no_secret() {
        let file = parse(br#"{"auths": {"h": {"auth": "!secret!"}}}"#).expect("JSON");
        let error = find(&file, "h", "x", Path::new("auth.json")).expect_err("not base64");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(parse(b"{\"auths\": 3").is_err());
        for (array, why) in
            [("[]", "object"), (r#"[{"h": {"auth": "YTpw"}}]"#, "object"), ("null", "object"), ("{", "ends")]
        {
            let refused = parse(array.as_bytes()).err();
            assert!(refused.as_ref().is_some_and(|told| told.contains(why)), "{array}: {refused:?}");
        }
        let shown = format!("{:?}", Credentials::Password { user: "u".into(), password: Secret::new("secret") });
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_store_for_all_hosts_that_is_gone_has_nothing() {
        assert_eq!(user(r#"{"credsStore": "gone.exe"}"#, "h", "x"), None);
        // One for this very host is meant.
        let file = parse(br#"{"credHelpers": {"h": "gone.exe"}}"#).expect("JSON");
        assert!(find(&file, "h", "x", Path::new("config.json")).is_err());
    }

    #[test]
    fn b15_helpers_with_hostile_names_are_not_run() {
        for name in ["../../bin/sh", "a b", "A"] {
            for json in [format!(r#"{{"credHelpers": {{"h": {name:?}}}}}"#), format!(r#"{{"credsStore": {name:?}}}"#)] {
                let file = parse(json.as_bytes()).expect("JSON");
                assert!(find(&file, "h", "x", Path::new("auth.json")).is_err(), "{json}");
            }
        }
    }
}
