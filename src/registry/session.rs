//! Talking to one repository of one registry: which scheme, logged in or not, again after a failure.

use std::time::Duration;

use ureq::http::Uri;

use super::auth::{self, Login};
use super::client::{Ask, Client};
use super::error::Error;
use super::manifest::accept;
use super::reply::Reply;
use super::url;
use crate::config::auth_file::Credentials;
use crate::config::certs::Certificates;
use crate::config::registries_conf::Location;
use crate::sys;
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::digest::Digest;
use crate::types::secret::Secret;

/// No server makes us wait longer than this (case B09).
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often, and after what delay, a failed request is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) count: u32,
    /// The same delay each time; doubling from one second on if not given.
    pub(crate) delay: Option<Duration>,
}

impl Default for Retry {
    /// Podman's: three.
    fn default() -> Self {
        Self { count: 3, delay: None }
    }
}

impl Retry {
    pub(super) fn wait(self, attempt: u32, retry_after: Option<Duration>) -> Duration {
        let own = self.delay.unwrap_or_else(|| Duration::from_secs(1 << attempt.min(5)));
        retry_after.unwrap_or(own).min(LONGEST_WAIT)
    }
}

/// Receives a blob, in order and without gaps, and checks its digest at the end: a cut transfer may have been mended
/// with other bytes.
pub(crate) trait BlobSink {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()>;
}

/// A repository that we talk to.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) client: Client,
    pub(super) location: Location,
    /// The scheme that worked.
    pub(super) scheme: Option<&'static str>,
    pub(super) credentials: Option<Credentials>,
    pub(super) authorization: Option<Secret>,
    /// What the token server is asked for.
    pub(super) scope: String,
    pub(super) retry: Retry,
    /// The server gave another part of a blob than it was asked for: it is asked for whole ones only.
    pub(super) without_ranges: bool,
    /// Passwords and tokens are in here.
    _cores: sys::process::NoCoreDump,
}

impl Session {
    pub(crate) fn new(location: Location, credentials: Option<Credentials>, retry: Retry) -> Self {
        let client = Client::new(api_host(&location.host), location.insecure);
        let scope = format!("repository:{}:pull", location.path);
        Self {
            client,
            location,
            scheme: None,
            credentials,
            authorization: None,
            scope,
            retry,
            without_ranges: false,
            _cores: sys::process::NoCoreDump::begin(),
        }
    }

    /// Trusts and shows these certificates, too.
    pub(crate) fn with_certificates(mut self, certificates: Certificates) -> Self {
        self.client.use_certificates(certificates);
        self
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// To be called in a forked process before the first request.
    pub(crate) fn after_fork(&mut self) {
        self.client.forget_connections();
    }

    /// A manifest by tag or digest: its bytes, the digest that they really have, the media type that was announced.
    pub(crate) fn manifest(&mut self, tag_or_digest: &str) -> Result<(Vec<u8>, Digest, Option<String>), Error> {
        let what = format!("manifest {}/{}:{tag_or_digest}", self.location.host, self.location.path);
        let (bytes, announced, media_type) = self.retried(|session| {
            let reply = session.get(&format!("manifests/{tag_or_digest}"), &accept(), 0)?;
            let announced = reply.header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok());
            let media_type = reply.header("content-type").map(str::to_owned);
            Ok((reply.bytes(&what, DOCUMENT_LIMIT)?, announced, media_type))
        })?;
        let actual = Digest::of(&bytes);
        // Only our own hash counts; a header that says otherwise tells of a broken or lying server (case B01).
        let wanted = tag_or_digest.parse::<Digest>().ok().or(announced);
        match wanted {
            Some(expected) if expected != actual => Err(Error::WrongDigest { what, expected, actual }),
            _ => Ok((bytes, actual, media_type)),
        }
    }

    /// A small blob, whole: a configuration.
    pub(crate) fn document(&mut self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let what = format!("config {}", descriptor.digest);
        if descriptor.size > DOCUMENT_LIMIT {
            return Err(Error::TooLarge { what, limit: DOCUMENT_LIMIT });
        }
        let bytes = self.retried(|session| {
            session.get(&format!("blobs/{}", descriptor.digest), "", 0)?.bytes(&what, DOCUMENT_LIMIT)
        })?;
        let actual = Digest::of(&bytes);
        if actual != descriptor.digest {
            return Err(Error::WrongDigest { what, expected: descriptor.digest.clone(), actual });
        }
        expect_size(descriptor, bytes.len() as u64)?;
        Ok(bytes)
    }

    /// GET below this repository, logged in if the registry wants that.
    pub(super) fn get(&mut self, what: &str, accept: &str, from: u64) -> Result<Reply, Error> {
        let mut reply = self.ask(what, accept, from)?;
        if reply.status == 401 {
            self.log_in(&reply)?;
            reply = self.ask(what, accept, from)?;
        }
        match reply.status {
            200 => Ok(reply),
            206 if from > 0 => Ok(reply),
            _ => Err(self.refusal(reply, what)),
        }
    }

    /// Why the registry did not do it.
    pub(super) fn refusal(&self, reply: Reply, what: &str) -> Error {
        let repository = format!("{}/{}", self.location.host, self.location.path);
        let name = match self.location.path.as_str() {
            "" => self.location.host.clone(),
            _ => format!("{repository} {what}"),
        };
        match reply.status {
            404 => Error::NotFound { repository, what: format!(" {what}"), detail: reply.detail() },
            status @ (401 | 403) => {
                let with_credentials = self.credentials.is_some();
                Error::Denied { name, status, detail: reply.detail(), with_credentials }
            }
            status => busy(name, status, reply),
        }
    }

    /// Answers the challenge of a 401.
    pub(super) fn log_in(&mut self, reply: &Reply) -> Result<(), Error> {
        let values = reply.headers.get_all("www-authenticate").iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let credentials = self.credentials.as_ref();
        let login = Login { registry: &self.location.host, scope: &self.scope, credentials };
        self.authorization = Some(auth::answer(&self.client, &values, &login)?);
        Ok(())
    }

    /// One request, by the scheme that is known to work, or else https and, if that is allowed, http.
    fn ask(&mut self, what: &str, accept: &str, from: u64) -> Result<Reply, Error> {
        let below = format!("{}/{what}", self.location.path);
        self.by_scheme(|session, scheme| {
            let url = session.url(scheme, &below)?;
            let authorization = session.authorization.as_ref();
            session.client.ask(&Ask { accept, authorization, from, ..Ask::get(url) })
        })
    }

    /// Does it by the scheme that is known to work, or else by https and, if that is allowed, http.
    pub(super) fn by_scheme(
        &mut self,
        act: impl Fn(&Self, &'static str) -> Result<Reply, Error>,
    ) -> Result<Reply, Error> {
        match act(self, self.scheme.unwrap_or("https")) {
            Ok(reply) => {
                self.scheme = self.scheme.or(Some("https"));
                Ok(reply)
            }
            Err(first) if self.scheme.is_none() && self.client.is_insecure() && self.may_be_plain_http(&first) => {
                tracing::debug!(host = self.location.host, error = %first, "no https here, going on with http");
                match act(self, "http") {
                    Ok(reply) => {
                        self.scheme = Some("http");
                        Ok(reply)
                    }
                    // The proxy knew the name.
                    Err(second) if matches!(first, Error::Resolve { .. }) => Err(second),
                    // Nobody there, either: what https came to says more, about the proxy for one.
                    Err(Error::Resolve { .. } | Error::Connect { .. } | Error::ByProxy { .. }) => Err(first),
                    Err(second) => Err(second),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// A proxy for http may know names that this host does not.
    fn may_be_plain_http(&self, error: &Error) -> bool {
        error.may_be_plain_http() || (matches!(error, Error::Resolve { .. }) && self.client.has_proxy_for_http())
    }

    /// Address of something below `/v2/`.
    pub(super) fn url(&self, scheme: &str, below: &str) -> Result<Uri, Error> {
        let text = format!("{scheme}://{}/v2/{below}", api_host(&self.location.host));
        url::parse(&text).map_err(|why| Error::Invalid { what: text, why: why.to_owned() })
    }

    pub(super) fn retried<T>(&mut self, mut act: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let mut attempt = 0;
        loop {
            match act(self) {
                Err(error) if error.is_transient() && attempt < self.retry.count => {
                    let wait = self.retry.wait(attempt, error.retry_after());
                    tracing::debug!(%error, attempt, ?wait, "asking again");
                    // A signal ends the process at once: nothing blocks it here (case B09).
                    std::thread::sleep(wait);
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}

/// What was asked cannot be had, at least not now; the reply may say when.
pub(super) fn busy(url: String, status: u16, reply: Reply) -> Error {
    match retry_after(reply.header("retry-after")) {
        Some(wait) => Error::Busy { url, status, wait, detail: reply.detail() },
        None => Error::Status { url, status, detail: reply.detail() },
    }
}

/// The name that the users of Docker's registry write is not the one of its API.
fn api_host(host: &str) -> &str {
    if host == "docker.io" { "registry-1.docker.io" } else { host }
}

pub(super) fn expect_size(descriptor: &Descriptor, actual: u64) -> Result<(), Error> {
    let (digest, expected) = (descriptor.digest.clone(), descriptor.size);
    if actual == expected { Ok(()) } else { Err(Error::WrongSize { digest, expected, actual }) }
}

/// Seconds of a `Retry-After` header, or seconds until its date; nonsense counts as not given (case B09).
pub(super) fn retry_after(value: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    // A date that is over means now.
    Some(Duration::try_from(date.duration_since(jiff::Timestamp::now())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Retry, retry_after};
    use std::time::Duration;

    #[test]
    fn b09_waits_are_bounded() {
        let retry = Retry::default();
        assert_eq!(retry.wait(0, None), Duration::from_secs(1));
        assert_eq!(retry.wait(2, None), Duration::from_secs(4));
        assert_eq!(retry.wait(99, None), Duration::from_secs(32));
        assert_eq!(retry.wait(0, retry_after(Some("1000000000"))), Duration::from_mins(1));
        assert_eq!(retry_after(Some("Wed, 21 Oct 2015 07:28:00 GMT")), Some(Duration::ZERO));
        let soon = jiff::Timestamp::now() + Duration::from_mins(10);
        let soon = soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let wait = retry_after(Some(&soon)).expect("a date");
        assert!((500..=600).contains(&wait.as_secs()), "{soon}: {wait:?}");
        assert_eq!(retry.wait(0, Some(wait)), Duration::from_mins(1));
        for nonsense in ["-1", "Wed, 41 Oct 2015 07:28:00 GMT", "x", "", "1e9"] {
            assert_eq!(retry_after(Some(nonsense)), None, "{nonsense}");
        }
    }
}
