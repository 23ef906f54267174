//! One HTTP exchange with a registry: TLS, timeouts, redirects followed by our own hand (case B05), bodies with a cap.

use std::cell::{Cell, OnceCell, RefCell};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Method, Request, Response, Uri, header};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, DefaultConnector, TcpConnector};
use ureq::{Body, SendBody};

use super::error::Error;
use super::reply::{Reply, printable};
use super::resolver::{self, HostResolver};
use super::tls::{self, TlsConnector, Verifier};
use super::trust;
use super::url::{self, Origin};
use crate::config::certs::Certificates;
use crate::config::proxy::Proxies;
use crate::sys::fs::File;
use crate::types::secret::Secret;

/// A peer that says nothing for so long is given up (case B10).
pub(super) const IDLE: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 30 });
/// All of the response's header must be there by then, however slowly it drips in.
const HEADER: Duration = Duration::from_secs(if cfg!(test) { 4 } else { 60 });
const MAX_REDIRECTS: usize = 5;
/// Size of the header of a response, all together (case B07).
const HEADER_LIMIT: usize = 64 << 10;

/// An upload is hashed and stored by the registry before it answers.
const UPLOAD_ANSWER: Duration = Duration::from_mins(5);

/// Makes exchanges. Holds the connections that are kept alive.
pub(super) struct Client {
    /// Registry host with its port: the only one that is shown the client certificate.
    host: String,
    /// Certificates are not checked, and plain http is allowed.
    insecure: bool,
    /// Addresses may be of http.
    http: bool,
    certificates: Certificates,
    /// Which of the client certificates the registry is shown.
    shown: Cell<usize>,
    proxies: Proxies,
    /// Root certificates take 3–9 ms to load: only when the first https connection is made.
    verifier: OnceCell<Arc<Verifier>>,
    agents: RefCell<Vec<(Way, ureq::Agent)>>,
}

/// What differs between connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    https: bool,
    /// To the registry itself, not to a token server or to where a redirect leads.
    own: bool,
    proxied: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("host", &self.host).field("insecure", &self.insecure).finish_non_exhaustive()
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) url: Uri,
    /// The `Accept` header.
    pub(super) accept: &'a str,
    /// The `Authorization` header; goes to the origin of `url` and to no other.
    pub(super) authorization: Option<&'a Secret>,
    /// Byte from which on the body is wanted.
    pub(super) from: u64,
    pub(super) payload: Payload<'a>,
}

impl Ask<'_> {
    /// A plain GET.
    pub(super) fn get(url: Uri) -> Self {
        Self { method: Method::GET, url, accept: "", authorization: None, from: 0, payload: Payload::None }
    }
}

/// What is sent along.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload<'a> {
    None,
    /// An HTML form with secrets: never sent on to where a redirect leads.
    Form(&'a Secret),
    /// A document of this media type.
    Document(&'a str, &'a [u8]),
    Part(Part<'a>),
}

/// A part of a file.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) file: &'a File,
    pub(super) from: u64,
    pub(super) length: u64,
    /// Say in a `Content-Range` which part it is.
    pub(super) ranged: bool,
    /// Hears how many bytes have gone out, counted from the beginning of the file.
    pub(super) sent: &'a dyn Fn(u64),
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({}+{})", self.from, self.length)
    }
}

/// Reads a part by offset: other processes may read the same open file.
struct PartReader<'a> {
    part: Part<'a>,
    done: u64,
}

impl Read for PartReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = usize::try_from(self.part.length - self.done).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.part.file.read_at(&mut buffer[..rest], self.part.from + self.done)?;
        if count == 0 && rest > 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the blob is shorter than its size"));
        }
        self.done += count as u64;
        (self.part.sent)(self.part.from + self.done);
        Ok(count)
    }
}

impl Client {
    /// For the registry `host`.
    pub(super) fn new(host: &str, insecure: bool) -> Self {
        Self {
            host: host.to_owned(),
            insecure,
            http: false,
            certificates: Certificates::default(),
            shown: Cell::new(0),
            proxies: Proxies::from_environment(),
            verifier: OnceCell::new(),
            agents: RefCell::default(),
        }
    }

    /// Trusts and shows these certificates, too.
    pub(super) fn use_certificates(&mut self, certificates: Certificates) {
        self.certificates = certificates;
    }

    /// Forgets the open connections, so that two processes never talk on one: to be called after a fork.
    pub(super) fn forget_connections(&mut self) {
        self.agents = RefCell::default();
    }

    /// Speaks http where an address says so; certificates of https are verified all the same.
    pub(super) fn allow_http(&mut self) {
        self.http = true;
    }

    pub(super) fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// The registry would be asked by http through a proxy.
    pub(super) fn has_proxy_for_http(&self) -> bool {
        let origin = url::parse(&format!("http://{}/", self.host)).ok().and_then(|url| Origin::of(&url));
        origin.is_some_and(|origin| self.proxies.for_peer(false, origin.host(), origin.port()).is_some())
    }

    /// Asks, and follows redirects. Any status that is not a redirect is a reply, not an error.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Reply, Error> {
        let mut url = ask.url.clone();
        let mut authorization = ask.authorization;
        let reads = ask.method == Method::GET || ask.method == Method::HEAD;
        for _ in 0..=MAX_REDIRECTS {
            let origin = Origin::of(&url).ok_or_else(|| invalid_url(&url))?;
            let response = loop {
                match self.exchange(ask, &url, authorization, &origin) {
                    // A peer may close a kept connection just as we ask on it again (RFC 9110, section 9.2.2).
                    Err(error) if reads && error.is_hang_up() => {
                        break self.exchange(ask, &url, authorization, &origin)?;
                    }
                    Err(error) if error.is_alert() && self.shows_another_certificate(&origin) => {
                        tracing::debug!(%error, "the registry does not take this client certificate");
                    }
                    other => break other?,
                }
            };
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                let (parts, body) = response.into_parts();
                return Ok(Reply { status, headers: parts.headers, host: origin.name(), url, body });
            }
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.unwrap_or_default().to_owned();
            let refused = |why| Error::Redirect { host: origin.name(), target: printable(&target, 200), why };
            if matches!(ask.payload, Payload::Form(_)) {
                return Err(refused("a login is not sent on"));
            }
            // The older ones would turn it into a GET (RFC 9110, section 15.4).
            if !reads && !matches!(status, 307 | 308) {
                return Err(refused("an upload cannot follow this kind of redirect"));
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
        authorization: Option<&Secret>,
        origin: &Origin,
    ) -> Result<Response<Body>, Error> {
        let mut request = Request::builder().method(&ask.method).uri(url.clone());
        if !ask.accept.is_empty() {
            request = request.header(header::ACCEPT, ask.accept);
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization.expose());
        }
        if ask.from > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", ask.from));
        }
        let failed = |error| {
            let proxy = self.proxies.name_for_peer(origin.is_https(), origin.host(), origin.port());
            match proxy {
                Some(proxy) => by_proxy(error, origin, &self.host, proxy),
                None => failure(error, origin, &self.host),
            }
        };
        let agent = self.agent(origin)?;
        let run = |request: Result<Request<SendBody<'_>>, ureq::http::Error>| {
            let request = request.map_err(|error| failed(error.into()))?;
            let patience = Some(UPLOAD_ANSWER);
            let request = agent.configure_request(request).timeout_per_read(patience).timeout_recv_response(patience);
            agent.run(request.build()).map_err(failed)
        };
        match &ask.payload {
            Payload::None if matches!(ask.method, Method::POST | Method::PUT | Method::PATCH) => {
                run(request.header(header::CONTENT_LENGTH, 0).body(SendBody::none()))
            }
            Payload::None => agent.run(request.body(()).map_err(|error| failed(error.into()))?).map_err(failed),
            Payload::Form(form) => {
                let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                let request = request.body(form.expose()).map_err(|error| failed(error.into()))?;
                agent.run(request).map_err(failed)
            }
            Payload::Document(kind, bytes) => {
                let request = request.header(header::CONTENT_TYPE, *kind).header(header::CONTENT_LENGTH, bytes.len());
                let mut reader = *bytes;
                run(request.body(SendBody::from_reader(&mut reader)))
            }
            Payload::Part(part) => {
                let mut request = request
                    .header(header::CONTENT_TYPE, "application/octet-stream")
                    .header(header::CONTENT_LENGTH, part.length);
                if part.ranged && part.length > 0 {
                    let range = format!("{}-{}", part.from, part.from + part.length - 1);
                    request = request.header(header::CONTENT_RANGE, range);
                }
                let mut reader = PartReader { part: *part, done: 0 };
                run(request.body(SendBody::from_reader(&mut reader)))
            }
        }
    }

    /// The connections of this way; made at the first call.
    fn agent(&self, origin: &Origin) -> Result<ureq::Agent, Error> {
        let proxy = self.proxies.for_peer(origin.is_https(), origin.host(), origin.port());
        let own = origin.name().eq_ignore_ascii_case(&self.host);
        let way = Way { https: origin.is_https(), own, proxied: proxy.is_some() };
        if let Some((_, agent)) = self.agents.borrow().iter().find(|(known, _)| *known == way) {
            return Ok(agent.clone());
        }
        // The address may hold a password: the error says nothing of it.
        let proxy = match proxy {
            // The HTTP library takes addresses of more kinds than it is built with, and panics at the first request.
            Some(address) if !is_http_proxy(address.expose()) => return Err(Error::Proxy),
            Some(address) => Some(ureq::Proxy::new(address.expose()).ok().ok_or(Error::Proxy)?),
            None => None,
        };
        let client =
            if way.https && own { trust::client_certificate(&self.certificates, self.shown.get())? } else { None };
        let verifying = if way.https && !self.insecure {
            let connector = TlsConnector::new(self.verifier()?, client.as_ref());
            Some(connector.map_err(|source| no_tls(origin.name(), &self.host, source))?)
        } else {
            None
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(tls::provider())
            .root_certs(RootCerts::new_with_certs(&[]))
            .client_cert(client)
            .disable_verification(self.insecure)
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .https_only(!self.insecure && !self.http)
            .proxy(proxy)
            .user_agent(concat!("sampan/", env!("CARGO_PKG_VERSION")))
            // A blob is hashed as it is stored there: no encoding on the way.
            .accept_encoding("identity")
            .max_response_header_size(HEADER_LIMIT)
            .input_buffer_size(256 << 10)
            .output_buffer_size(256 << 10)
            .timeout_connect(Some(IDLE))
            .timeout_per_read(Some(IDLE))
            .timeout_per_write(Some(IDLE))
            .timeout_recv_response(Some(HEADER))
            .tls_config(tls)
            .build();
        let agent = match verifying {
            Some(tls) => {
                let connector = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(tls);
                ureq::Agent::with_parts(config, connector, HostResolver)
            }
            None => ureq::Agent::with_parts(config, DefaultConnector::default(), HostResolver),
        };
        self.agents.borrow_mut().push((way, agent.clone()));
        Ok(agent)
    }

    fn verifier(&self) -> Result<Arc<Verifier>, Error> {
        if let Some(verifier) = self.verifier.get() {
            return Ok(Arc::clone(verifier));
        }
        let verifier = Arc::new(trust::verifier(&self.certificates)?);
        Ok(Arc::clone(self.verifier.get_or_init(|| verifier)))
    }

    /// Goes on to the next client certificate, if the peer is the one that is shown them and there is one more.
    fn shows_another_certificate(&self, origin: &Origin) -> bool {
        let next = self.shown.get() + 1;
        let own = origin.is_https() && origin.name().eq_ignore_ascii_case(&self.host);
        if !own || next >= self.certificates.clients.len() {
            return false;
        }
        self.shown.set(next);
        self.agents.borrow_mut().retain(|(way, _)| !way.own);
        true
    }
}

/// Without a scheme it is one, too (Go's `net/http`).
fn is_http_proxy(address: &str) -> bool {
    address.split_once("://").is_none_or(|(scheme, _)| scheme.eq_ignore_ascii_case("http"))
}

/// The same failure, where it is the proxy's that no connection came to be.
fn by_proxy(error: ureq::Error, origin: &Origin, registry: &str, proxy: String) -> Error {
    let of_proxy = matches!(error, ureq::Error::ConnectProxyFailed(_));
    let source = match failure(error, origin, registry) {
        Error::Resolve { why, .. } => Error::Resolve { host: proxy.clone(), why },
        error if of_proxy || matches!(error, Error::Connect { .. }) => error,
        error => return error,
    };
    Error::ByProxy { proxy, source: Box::new(source) }
}

fn failure(error: ureq::Error, origin: &Origin, registry: &str) -> Error {
    let host = origin.name();
    let no_tls = |source| no_tls(origin.name(), registry, source);
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
        ureq::Error::Rustls(source) => no_tls(source),
        ureq::Error::Tls(why) => no_tls(rustls::Error::General(why.to_owned())),
        ureq::Error::Io(source) => match source.downcast::<rustls::Error>() {
            Ok(source) => no_tls(source),
            Err(source) => Error::Connect { host, source },
        },
        error @ ureq::Error::ConnectionFailed => Error::Connect { host, source: std::io::Error::other(error) },
        error => Error::Http { host, source: Box::new(error) },
    }
}

/// The handshake did not come to its end; a registry of plain http answers with the letters of its status line.
fn no_tls(host: String, registry: &str, source: rustls::Error) -> Error {
    match source {
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => Error::NoTls { host },
        source => Error::Tls { host, registry: registry.to_owned(), source: Box::new(source) },
    }
}

fn invalid_url(url: &Uri) -> Error {
    Error::Invalid { what: format!("address {:?}", printable(&url.to_string(), 200)), why: "no http host".to_owned() }
}
