//! `login` and `logout`.

use std::os::fd::BorrowedFd;

use crate::config::auth_file::Credentials;
use crate::config::auth_key::AuthKey;
use crate::config::auth_store::{self, AuthTarget, Removal};
use crate::config::registries_conf::RegistriesConf;
use crate::engine::Error;
use crate::registry::{self, Access};
use crate::sys;
use crate::types::secret::Secret;

/// Where to log in, and how to reach it.
#[derive(Debug)]
pub(crate) struct LoginRequest {
    pub(crate) key: AuthKey,
    pub(crate) target: AuthTarget,
    pub(crate) access: Access,
}

/// The registry that is meant where none is named: the first one that short names are searched in.
pub(crate) fn default_host() -> Result<String, Error> {
    let configuration = RegistriesConf::load().map_err(Error::Config)?;
    Ok(configuration.unqualified_search.first().cloned().unwrap_or_else(|| "docker.io".to_owned()))
}

/// While it lives, a crash leaves no core file with a password in it.
pub(crate) fn hide_secrets() -> sys::process::NoCoreDump {
    sys::process::NoCoreDump::begin()
}

/// The credentials that are kept.
pub(crate) fn current(request: &LoginRequest) -> Result<Option<Credentials>, Error> {
    auth_store::current(&request.target, &request.key).map_err(Error::Config)
}

/// Asks the registry whether it takes these credentials.
pub(crate) fn check(request: &LoginRequest, credentials: &Credentials) -> Result<(), Error> {
    let configuration = RegistriesConf::load().map_err(Error::Config)?;
    let key = &request.key;
    let failed = |source: registry::Error| {
        if source.is_refused_login() {
            Error::WrongLogin(key.to_string())
        } else {
            Error::LogIn { name: key.to_string(), source: Box::new(source) }
        }
    };
    let session = registry::login_session(key.host(), key.path(), &request.access, credentials.clone(), &configuration);
    session.and_then(|mut session| session.check_login()).map_err(failed)
}

/// Keeps credentials; returns the file or the helper that has them now.
pub(crate) fn keep(request: &LoginRequest, credentials: &Credentials) -> Result<String, Error> {
    let kept = auth_store::store(&request.target, &request.key, credentials);
    kept.map_err(|source| Error::KeepLogin { name: request.key.to_string(), source })
}

/// Forgets the credentials of one registry.
pub(crate) fn forget(target: &AuthTarget, key: &AuthKey) -> Result<Removal, Error> {
    match auth_store::remove(target, key) {
        Ok(Removal::NotLoggedIn) => Err(Error::NotLoggedIn(key.to_string())),
        other => other.map_err(|source| Error::KeepLogin { name: key.to_string(), source }),
    }
}

/// Forgets those of all.
pub(crate) fn forget_all(target: &AuthTarget) -> Result<(), Error> {
    auth_store::remove_all(target).map_err(Error::Config)
}

/// A line that the terminal does not show; none if the user gave up. `ask` is called when the terminal is silent: a fast
/// answer to a question that came before would be shown.
pub(crate) fn ask_hidden(terminal: BorrowedFd<'_>, ask: impl FnOnce()) -> Result<Option<Secret>, Error> {
    let failed = |source| Error::Host { what: "read a password from the terminal", source };
    let Some(line) = sys::pty::read_hidden(terminal, ask).map_err(failed)? else { return Ok(None) };
    let text = String::from_utf8(line).map_err(|error| {
        crate::types::secret::wipe(&mut error.into_bytes());
        failed(sys::Error::new("read", "not UTF-8", sys::Errno::EILSEQ))
    })?;
    Ok(Some(Secret::from(text)))
}
