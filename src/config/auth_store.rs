//! Writing credentials: `login` and `logout`. Other keys of a file stay as they are; a file is replaced whole, so that
//! nobody ever reads half of it.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::auth_file::{self, AuthFile, Credentials, DOCKER_KEY, Keeper};
use super::auth_key::AuthKey;
use super::credential_helper::Helper;
use super::environment;
use super::error::{At as _, Error};
use crate::sys;
use crate::sys::lock::DirLock;
use crate::types::secret::{Secret, wipe};

const WHOLE_REGISTRIES: &str = "a credential helper keeps credentials for whole registries only";

/// Which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthTarget {
    /// `$REGISTRY_AUTH_FILE`, or the one that lasts.
    Usual,
    /// `--authfile`.
    File(PathBuf),
    /// `--compat-auth-file`: in the way Docker writes it.
    Docker(PathBuf),
}

/// What became of a `logout`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    Removed,
    /// Nothing of ours, but this file has credentials.
    Elsewhere(PathBuf),
    NotLoggedIn,
}

impl AuthTarget {
    /// `--authfile` for looking credentials up.
    pub(crate) fn explicit(&self) -> Option<&Path> {
        match self {
            Self::Usual => None,
            Self::File(path) | Self::Docker(path) => Some(path),
        }
    }

    /// The file that a login is written to.
    fn file(&self) -> Result<PathBuf, Error> {
        match self {
            Self::File(path) | Self::Docker(path) => Ok(path.clone()),
            Self::Usual => {
                let given = environment::path("REGISTRY_AUTH_FILE");
                given.or_else(auth_file::lasting_file).ok_or(Error::NoHome)
            }
        }
    }

    /// Files that a logout cleans, and that must not contradict a login.
    fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let mut files = vec![self.file()?];
        if *self == Self::Usual && environment::path("REGISTRY_AUTH_FILE").is_none() {
            files.extend(auth_file::runtime_file());
        }
        Ok(files)
    }

    fn name_of(&self, key: &AuthKey) -> Result<String, Error> {
        match self {
            Self::Docker(_) if !key.path.is_empty() => Err(Error::AuthKey {
                text: key.to_string(),
                why: "Docker's file has credentials for whole registries only",
            }),
            Self::Docker(_) if key.host == "docker.io" => Ok(DOCKER_KEY.to_owned()),
            _ => Ok(key.to_string()),
        }
    }
}

/// Those of containers-registries.conf(5), which go with no explicit file.
fn helpers(target: &AuthTarget) -> Result<Vec<Helper>, Error> {
    if *target != AuthTarget::Usual {
        return Ok(Vec::new());
    }
    let only = |keeper| match keeper {
        Keeper::Helper(helper) => Some(helper),
        Keeper::Files => None,
    };
    Ok(Keeper::all()?.into_iter().filter_map(only).collect())
}

/// Keeps credentials; returns where: a file or a helper.
pub(crate) fn store(target: &AuthTarget, key: &AuthKey, credentials: &Credentials) -> Result<String, Error> {
    let name = target.name_of(key)?;
    if *target == AuthTarget::Usual {
        // The first that can keep it: a helper knows whole registries only.
        let can = |keeper: &Keeper| key.path.is_empty() || *keeper == Keeper::Files;
        match Keeper::all()?.into_iter().find(can) {
            Some(Keeper::Helper(helper)) => {
                helper.store(&server(key, target), credentials)?;
                return Ok(helper.program());
            }
            Some(Keeper::Files) => {}
            None => return Err(Error::AuthKey { text: key.to_string(), why: WHOLE_REGISTRIES }),
        }
    }
    let file = target.file()?;
    let mut place = file.display().to_string();
    change(&file, |document, parsed| {
        if let Some(helper) = helper_for(parsed, key)? {
            if !key.path.is_empty() {
                return Err(Error::AuthKey { text: key.to_string(), why: WHOLE_REGISTRIES });
            }
            helper.store(&server(key, target), credentials)?;
            // Docker notes which hosts its helper has something for.
            entries(document, &file)?.insert(name.clone(), json!({}));
            place = helper.program();
            return Ok(true);
        }
        entries(document, &file)?.insert(name.clone(), entry(credentials));
        Ok(true)
    })?;
    // Podman's file is read first, and file by file: what it has of old, be it for all of the registry, must not win over
    // what was just given.
    for other in target.files()?.into_iter().filter(|other| *other != file && sys::fs::exists(other)) {
        change(&other, |document, parsed| {
            if auth_file::find(parsed, &key.host, &key.path, &other)?.is_none() {
                return Ok(false);
            }
            entries(document, &other)?.insert(name.clone(), entry(credentials));
            Ok(true)
        })?;
    }
    Ok(place)
}

/// Forgets credentials.
pub(crate) fn remove(target: &AuthTarget, key: &AuthKey) -> Result<Removal, Error> {
    let mut removed = false;
    for helper in helpers(target)?.iter().filter(|_| key.path.is_empty()) {
        removed |= helper.forget(&key.host)?;
    }
    for file in target.files()?.into_iter().filter(|file| sys::fs::exists(file)) {
        removed |= change(&file, |document, parsed| {
            let mut any = false;
            if let Some(helper) = helper_for(parsed, key)?.filter(|_| key.path.is_empty()) {
                any = helper.forget(&key.host)?;
            }
            let entries = entries(document, &file)?;
            let before = entries.len();
            entries.retain(|name, _| *name != key.to_string() && !same_host(name, key));
            Ok(any || entries.len() != before)
        })?;
    }
    if removed {
        return Ok(Removal::Removed);
    }
    if *target == AuthTarget::Usual
        && let Some(docker) = auth_file::docker_file()
        && let Some(parsed) = auth_file::read(&docker)?
        && auth_file::find(&parsed, &key.host, &key.path, &docker)?.is_some()
    {
        return Ok(Removal::Elsewhere(docker));
    }
    Ok(Removal::NotLoggedIn)
}

/// Forgets everything.
pub(crate) fn remove_all(target: &AuthTarget) -> Result<(), Error> {
    for helper in helpers(target)? {
        for server in helper.list()?.keys() {
            helper.erase(server)?;
        }
    }
    for file in target.files()?.into_iter().filter(|file| sys::fs::exists(file)) {
        change(&file, |document, parsed| {
            for (host, helper) in &parsed.helpers {
                Helper::new(helper)?.forget(auth_file::bare_host(host).unwrap_or(host))?;
            }
            if !parsed.store.is_empty() {
                let helper = Helper::new(&parsed.store)?;
                for server in helper.list()?.keys() {
                    helper.erase(server)?;
                }
            }
            entries(document, &file)?.clear();
            Ok(true)
        })?;
    }
    Ok(())
}

/// The user's name at `key`, if we are logged in there.
pub(crate) fn current(target: &AuthTarget, key: &AuthKey) -> Result<Option<Credentials>, Error> {
    if let Some(path) = target.explicit()
        && !sys::fs::exists(path)
    {
        return Ok(None);
    }
    auth_file::lookup(target.explicit(), &key.host, &key.path)
}

fn same_host(name: &str, key: &AuthKey) -> bool {
    key.path.is_empty() && auth_file::bare_host(name) == Some(key.host.as_str())
}

fn helper_for(parsed: &AuthFile, key: &AuthKey) -> Result<Option<Helper>, Error> {
    let own = parsed.helpers.iter().find(|(name, _)| same_host(name, key) || **name == key.host);
    match own {
        Some((_, helper)) => Helper::new(helper).map(Some),
        // The one for all hosts does not take part in the logins of single repositories.
        None if !parsed.store.is_empty() && key.path.is_empty() => Helper::new(&parsed.store).map(Some),
        None => Ok(None),
    }
}

fn server(key: &AuthKey, target: &AuthTarget) -> String {
    let docker = matches!(target, AuthTarget::Docker(_)) && key.host == "docker.io";
    if docker { DOCKER_KEY.to_owned() } else { key.host.clone() }
}

fn entry(credentials: &Credentials) -> Value {
    let encode = |user: &str, password: &str| {
        let plain = Secret::new(format!("{user}:{password}"));
        base64::engine::general_purpose::STANDARD.encode(plain.expose())
    };
    match credentials {
        Credentials::Password { user, password } => json!({"auth": encode(user, password.expose())}),
        Credentials::IdentityToken { user, token } => {
            json!({"auth": encode(user, ""), "identitytoken": token.expose()})
        }
    }
}

fn entries<'a>(document: &'a mut Map<String, Value>, path: &Path) -> Result<&'a mut Map<String, Value>, Error> {
    let auths = document.entry("auths").or_insert_with(|| json!({}));
    if auths.is_null() {
        *auths = json!({});
    }
    let wrong = || Error::Parse { path: path.to_owned(), why: "\"auths\" is not an object".to_owned() };
    auths.as_object_mut().ok_or_else(wrong)
}

/// Changes a file, one process at a time; it is written if `act` says so.
fn change(
    path: &Path,
    act: impl FnOnce(&mut Map<String, Value>, &AuthFile) -> Result<bool, Error>,
) -> Result<bool, Error> {
    // A link to somewhere else stays a link.
    let path = if sys::fs::exists(path) { sys::fs::canonical(path).reading(path)? } else { path.to_owned() };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sys::fs::mkdir_all(dir, 0o700).writing(&path)?;
    let handle = sys::fs::open(dir).writing(&path)?;
    let lock = DirLock::exclusive(handle.as_fd()).writing(&path)?;
    let parsed = auth_file::read(&path)?.unwrap_or_default();
    let mut document = match auth_file::read_bytes(&path)? {
        Some(mut bytes) => {
            let read = serde_json::from_slice::<Map<String, Value>>(&bytes);
            wipe(&mut bytes);
            read.map_err(|error| Error::Parse {
                path: path.clone(),
                why: format!("no JSON object at line {}", error.line()),
            })?
        }
        None => Map::new(),
    };
    let changed = act(&mut document, &parsed)?;
    if changed {
        let text = serde_json::to_string_pretty(&Value::Object(document));
        let text = text.map(|text| Secret::new(text + "\n"));
        let text = text.map_err(|error| Error::Parse { path: path.clone(), why: error.to_string() })?;
        sys::fs::replace_durable(&path, text.expose().as_bytes()).writing(&path)?;
    }
    drop(lock);
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::{AuthKey, AuthTarget, Removal, current, remove, remove_all, store};
    use crate::config::auth_file::Credentials;
    use crate::sys;
    use crate::types::secret::Secret;

    #[test]
    fn entries_come_and_go_and_the_rest_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("sub/auth.json");
        let target = AuthTarget::File(path.clone());
        let key = |text: &str| AuthKey::parse(text).expect(text);
        let login = |text: &str, user: &str| {
            let credentials = Credentials::Password { user: user.to_owned(), password: Secret::new("p:w") };
            store(&target, &key(text), &credentials).expect("stored")
        };
        let user = |text: &str| current(&target, &key(text)).expect("readable").map(|found| found.user().to_owned());
        assert_eq!(user("r.example.org"), None);
        login("r.example.org", "a");
        sys::fs::replace_durable(&path, br#"{"x": {"y": 1}, "auths": {"r.example.org": {"auth": "YTpw"}}}"#)
            .expect("w");
        login("r.example.org/team", "b");
        assert_eq!(user("r.example.org").as_deref(), Some("a"));
        assert_eq!(user("r.example.org/team/x").as_deref(), Some("b"));
        let text = sys::fs::read_to_string(&path).expect("text");
        assert!(text.contains("\"x\"") && !text.contains("p:w"), "{text}");
        let mode = std::os::unix::fs::MetadataExt::mode(&sys::fs::stat(&path).expect("stat").expect("there"));
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(remove(&target, &key("r.example.org")).expect("removed"), Removal::Removed);
        assert_eq!(remove(&target, &key("r.example.org")).expect("gone"), Removal::NotLoggedIn);
        assert_eq!(user("r.example.org/team").as_deref(), Some("b"));
        remove_all(&target).expect("all");
        assert_eq!(user("r.example.org/team"), None);
        assert!(sys::fs::read_to_string(&path).expect("text").contains("\"x\""));
        // Docker's own way to name its registry.
        let docker = AuthTarget::Docker(dir.path().join("config.json"));
        let credentials = Credentials::Password { user: "d".to_owned(), password: Secret::new("p") };
        store(&docker, &key("docker.io"), &credentials).expect("stored");
        let text = sys::fs::read_to_string(&dir.path().join("config.json")).expect("text");
        assert!(text.contains("https://index.docker.io/v1/"), "{text}");
        assert!(store(&docker, &key("docker.io/team"), &credentials).is_err());
        assert_eq!(remove(&docker, &key("docker.io")).expect("removed"), Removal::Removed);
    }
}
