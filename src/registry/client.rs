//! One HTTP exchange with a registry: TLS, timeouts, redirects followed by our own hand (case B05), bodies with a cap.

use std::cell::OnceCell;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Method, Request, Response, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::error::Error;
use super::resolver::{self, HostResolver};
use super::url::{self, Origin};

/// A peer that says nothing for so long is given up (case B10).
const IDLE: Duration = Duration::from_secs(30);
/// All of the response's header must be there by then, however slowly it drips in.
const HEADER: Duration = Duration::from_mins(1);
const MAX_REDIRECTS: usize = 5;
/// Size of the header of a response, all together (case B07).
const HEADER_LIMIT: usize = 64 << 10;

/// Makes exchanges. Holds the connections that are kept alive.
pub(super) struct Client {
    /// Certificates are not checked, and plain http is allowed.
    insecure: bool,
    /// Root certificates take 3–9 ms to load: only when the first https connection is made.
    roots: OnceCell<RootCerts>,
    agent: OnceCell<ureq::Agent>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("insecure", &self.insecure).finish_non_exhaustive()
    }
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) url: Uri,
    /// The `Accept` header.
    pub(super) accept: &'a str,
    /// The `Authorization` header; goes to the origin of `url` and to no other.
    pub(super) authorization: Option<&'a str>,
    /// Byte from which on the body is wanted.
    pub(super) from: u64,
    /// Makes this a POST of an HTML form.
    pub(super) form: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Host that answered in the end.
    pub(super) host: String,
    body: Body,
}

impl Client {
    pub(super) fn new(insecure: bool) -> Self {
        Self { insecure, roots: OnceCell::new(), agent: OnceCell::new() }
    }

    /// Forgets the open connections, so that two processes never talk on one: to be called after a fork.
    pub(super) fn forget_connections(&mut self) {
        self.agent = OnceCell::new();
    }

    pub(super) fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// Asks, and follows redirects. Any status that is not a redirect is a reply, not an error.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Reply, Error> {
        let mut url = ask.url.clone();
        let mut authorization = ask.authorization;
        for _ in 0..=MAX_REDIRECTS {
            let origin = Origin::of(&url).ok_or_else(|| invalid_url(&url))?;
            let response = self.exchange(ask, &url, authorization, &origin)?;
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                let (parts, body) = response.into_parts();
                return Ok(Reply { status, headers: parts.headers, host: origin.name(), body });
            }
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.unwrap_or_default().to_owned();
            let refused = |why| Error::Redirect { host: origin.name(), target: printable(&target, 200), why };
            if ask.form.is_some() {
                return Err(refused("a login is not sent on"));
            }
            let next = url::join(&url, &target).map_err(refused)?;
            let next_origin = Origin::of(&next).ok_or_else(|| invalid_url(&next))?;
            if origin.is_https() && !next_origin.is_https() {
                return Err(refused("that leads from https to http"));
            }
            // Once dropped, the credentials stay dropped, even if the chain leads back (case B05).
            if next_origin != origin {
                authorization = None;
            }
            url = next;
        }
        Err(Error::Redirect {
            host: Origin::of(&ask.url).map_or_else(String::new, |origin| origin.name()),
            target: printable(&url.to_string(), 200),
            why: "these are more than 5 redirects in a row",
        })
    }

    fn exchange(
        &self,
        ask: &Ask<'_>,
        url: &Uri,
        authorization: Option<&str>,
        origin: &Origin,
    ) -> Result<Response<Body>, Error> {
        let method = if ask.form.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder().method(method).uri(url.clone());
        if !ask.accept.is_empty() {
            request = request.header(header::ACCEPT, ask.accept);
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if ask.from > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", ask.from));
        }
        let failed = |error| failure(error, origin);
        let agent = self.agent(origin.is_https())?;
        match &ask.form {
            Some(form) => {
                let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                let request = request.body(form.as_str()).map_err(|error| failed(error.into()))?;
                agent.run(request).map_err(failed)
            }
            None => agent.run(request.body(()).map_err(|error| failed(error.into()))?).map_err(failed),
        }
    }

    fn agent(&self, https: bool) -> Result<&ureq::Agent, Error> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let roots = if https && !self.insecure { self.roots()? } else { RootCerts::new_with_certs(&[]) };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(roots)
            .disable_verification(self.insecure)
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .https_only(!self.insecure)
            .user_agent(concat!("sampan/", env!("CARGO_PKG_VERSION")))
            // A blob is hashed as it is stored there: no encoding on the way.
            .accept_encoding("identity")
            .max_response_header_size(HEADER_LIMIT)
            .input_buffer_size(256 << 10)
            .timeout_connect(Some(IDLE))
            .timeout_per_read(Some(IDLE))
            .timeout_per_write(Some(IDLE))
            .timeout_recv_response(Some(HEADER))
            .tls_config(tls)
            .build();
        let connector = ureq::unversioned::transport::DefaultConnector::default();
        Ok(self.agent.get_or_init(|| ureq::Agent::with_parts(config, connector, HostResolver)))
    }

    fn roots(&self) -> Result<RootCerts, Error> {
        if let Some(roots) = self.roots.get() {
            return Ok(roots.clone());
        }
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "root certificate left out");
        }
        if found.certs.is_empty() {
            return Err(Error::RootCertificates(None));
        }
        let certificates: RootCerts = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).into();
        Ok(self.roots.get_or_init(|| certificates).clone())
    }
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn content_length(&self) -> Option<u64> {
        self.header("content-length").and_then(|text| text.parse().ok())
    }

    /// The whole body, if it is not longer than `limit` (case B11).
    pub(super) fn bytes(self, what: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let too_large = || Error::TooLarge { what: what.to_owned(), limit };
        if self.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let host = self.host.clone();
        let mut bytes = Vec::new();
        let read = self.into_reader().take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| body_failure(error, &host))?;
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
    }

    pub(super) fn into_reader(self) -> impl Read {
        self.body.into_reader()
    }

    /// What the registry said about its refusal: the first error of its JSON document (OCI distribution spec), as
    /// `: CODE: message`, or nothing.
    pub(super) fn detail(self) -> String {
        #[derive(serde::Deserialize)]
        struct Errors {
            errors: Vec<One>,
        }
        #[derive(serde::Deserialize)]
        struct One {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let Ok(bytes) = self.bytes("an error document", 64 << 10) else { return String::new() };
        let first = serde_json::from_slice::<Errors>(&bytes).ok().and_then(|all| all.errors.into_iter().next());
        first.map_or_else(String::new, |one| printable(&format!(": {}: {}", one.code, one.message), 300))
    }
}

/// Text of a stranger for a message of ours: no control characters, not too long (case B13).
pub(super) fn printable(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().take(limit) {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// An error while the body comes in.
pub(super) fn body_failure(error: std::io::Error, host: &str) -> Error {
    if error.kind() == std::io::ErrorKind::TimedOut {
        return Error::Timeout { host: host.to_owned(), seconds: IDLE.as_secs() };
    }
    Error::Body { host: host.to_owned(), source: error }
}

fn failure(error: ureq::Error, origin: &Origin) -> Error {
    let host = origin.name();
    match error {
        ureq::Error::Timeout(_) => Error::Timeout { host, seconds: IDLE.as_secs() },
        ureq::Error::HostNotFound => {
            // Asked again for the reason, which the trait of ureq's resolver cannot carry.
            let why = resolver::addresses(origin.host()).err().unwrap_or_else(|| "the proxy has no address".to_owned());
            Error::Resolve { host, why }
        }
        ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => {
            Error::Timeout { host, seconds: IDLE.as_secs() }
        }
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => Error::Tls { host, source: Box::new(error) },
        ureq::Error::Io(ref io) if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            Error::Tls { host, source: Box::new(error) }
        }
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed => Error::Connect { host, source: Box::new(error) },
        error => Error::Http { host, source: Box::new(error) },
    }
}

fn invalid_url(url: &Uri) -> Error {
    Error::Invalid { what: format!("address {:?}", printable(&url.to_string(), 200)), why: "no http host".to_owned() }
}
