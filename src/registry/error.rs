//! What can go wrong between us and a registry.

use std::path::PathBuf;
use std::time::Duration;

use crate::config;
use crate::config::registries_conf::Blocked;
use crate::sys;
use crate::types::digest::Digest;
use crate::types::platform::Platform;

use super::trust::TlsFault;

/// How [`Error::NotFound`] names the list of a repository's tags, with what follows.
const LIST: &str = " tags/list";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read the registry configuration")]
    Config(#[source] config::Error),
    #[error("{reference}: the registry configuration blocks everything under {prefix:?}")]
    Blocked { reference: String, prefix: String },
    #[error("load the root certificates of this host (package ca-certificates)")]
    RootCertificates(#[source] Option<sys::Error>),
    #[error("use certificate {path:?}: {why}")]
    Certificate { path: PathBuf, why: &'static str },
    #[error("use the proxy that HTTP_PROXY or HTTPS_PROXY names: it is not http://[USER:PASSWORD@]HOST[:PORT]")]
    Proxy,
    #[error("by the proxy {proxy}")]
    ByProxy {
        proxy: String,
        #[source]
        source: Box<Error>,
    },
    #[error("find the address of registry host {host:?}: {why}")]
    Resolve { host: String, why: String },
    #[error("connect to registry {host}")]
    Connect {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("establish TLS with registry {host}")]
    Tls {
        host: String,
        /// The one that was asked: its certificates count for those, too, that it leads to.
        registry: String,
        #[source]
        source: Box<rustls::Error>,
    },
    #[error("registry {host} does not speak TLS")]
    NoTls { host: String },
    #[error("registry {host} sent nothing for {seconds} s")]
    Timeout { host: String, seconds: u64 },
    #[error("talk to registry {host}")]
    Http {
        host: String,
        #[source]
        source: Box<ureq::Error>,
    },
    #[error("read from registry {host}")]
    Body {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{url}: status {status}{detail}")]
    Status { url: String, status: u16, detail: String },
    /// A status that comes with a `Retry-After`.
    #[error("{url}: status {status}{detail}")]
    Busy { url: String, status: u16, wait: Duration, detail: String },
    /// `what`: a tag, a digest, or a part of the repository, as it is written behind its name.
    #[error("{repository}{what}: not found in the registry{detail}")]
    NotFound { repository: String, what: String, detail: String },
    #[error("{name}: access denied by the registry (status {status}){detail}")]
    Denied { name: String, status: u16, detail: String, with_credentials: bool },
    #[error("registry {host} redirects to {target:?}: {why}")]
    Redirect { host: String, target: String, why: &'static str },
    #[error("registry {host} asks for a login that cannot be given: {why}")]
    Challenge { host: String, why: String },
    #[error("log in at {host}")]
    Login {
        host: String,
        #[source]
        source: Box<Error>,
    },
    #[error("{what} is larger than {limit} bytes")]
    TooLarge { what: String, limit: u64 },
    #[error("{what}: the registry sent other content than {expected}: {actual}")]
    WrongDigest { what: String, expected: Digest, actual: Digest },
    #[error("blob {digest}: the registry sent {actual} bytes, the manifest says {expected}")]
    WrongSize { digest: Digest, expected: u64, actual: u64 },
    #[error("{what} is not valid: {why}")]
    Invalid { what: String, why: String },
    #[error("archive {0:?} is not valid: neither manifest.json (docker save) nor index.json (OCI) is in it")]
    NoImagesInside(String),
    #[error("{name} has no image for {wanted}; it has: {available}")]
    NoPlatform { name: String, wanted: Platform, available: String },
    #[error("read archive {name:?}")]
    Archive {
        name: String,
        #[source]
        source: sys::Error,
    },
    #[error("write {name:?}")]
    WriteArchive {
        name: String,
        #[source]
        source: sys::Error,
    },
    #[error("read blob {digest}")]
    ReadBlob {
        digest: Digest,
        #[source]
        source: std::io::Error,
    },
    #[error("blob {0} is damaged in the store")]
    Damaged(Digest),
    #[error("store what the registry sent")]
    Sink(#[source] sys::Error),
}

/// What stands between us and an image in a registry, as far as the user can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle<'a> {
    /// Nobody answers there.
    Unreachable { host: &'a str },
    /// The proxy that the environment names does not answer, or does not let us through.
    Proxy,
    /// It answers that it has no such thing.
    Missing { repository: &'a str },
    /// It has no such repository at all.
    NoRepository,
    /// It has the image, for other machines.
    OtherPlatform,
    /// registries.conf forbids it.
    Blocked { prefix: &'a str },
    /// It wants fewer questions.
    TooMany,
    /// What it sent is not what it promised.
    WrongContent,
    /// No TLS, or none that can be trusted; `host` is the registry's name in `certs.d`.
    Untrusted { host: &'a str, fault: TlsFault },
}

impl Error {
    /// The configuration closes what this names.
    pub(crate) fn blocked(reference: &impl ToString, blocked: Blocked) -> Self {
        Self::Blocked { reference: reference.to_string(), prefix: blocked.prefix }
    }

    /// What stands in the way, if it is something that the user can change.
    pub(crate) fn obstacle(&self) -> Option<Obstacle<'_>> {
        match self {
            Self::Resolve { host, .. } | Self::Connect { host, .. } | Self::Timeout { host, .. } => {
                Some(Obstacle::Unreachable { host })
            }
            Self::ByProxy { .. } | Self::Proxy => Some(Obstacle::Proxy),
            Self::NotFound { what, .. } if what.starts_with(LIST) => Some(Obstacle::NoRepository),
            Self::NotFound { repository, .. } => Some(Obstacle::Missing { repository }),
            Self::NoPlatform { .. } => Some(Obstacle::OtherPlatform),
            Self::Blocked { prefix, .. } => Some(Obstacle::Blocked { prefix }),
            Self::Status { status: 429, .. } | Self::Busy { status: 429, .. } => Some(Obstacle::TooMany),
            Self::WrongDigest { .. } | Self::WrongSize { .. } => Some(Obstacle::WrongContent),
            Self::NoTls { host } => Some(Obstacle::Untrusted { host, fault: TlsFault::Absent }),
            Self::Tls { registry, source, .. } => {
                Some(Obstacle::Untrusted { host: registry, fault: TlsFault::of(source) })
            }
            Self::Login { source, .. } => source.obstacle(),
            _ => None,
        }
    }

    /// Worth another try after a while.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Body { .. } => true,
            // Nobody listens there: asking again at once helps nobody.
            Self::Connect { source, .. } => source.kind() != std::io::ErrorKind::ConnectionRefused,
            Self::Http { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Busy { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Login { source, .. } | Self::ByProxy { source, .. } => source.is_transient(),
            _ => false,
        }
    }

    /// The peer ended the TLS handshake: it may want another client certificate.
    pub(super) fn is_alert(&self) -> bool {
        matches!(self, Self::Tls { source, .. } if matches!(**source, rustls::Error::AlertReceived(_)))
    }

    /// Perhaps the peer speaks no TLS. One that refuses us by TLS does.
    pub(super) fn may_be_plain_http(&self) -> bool {
        match self {
            Self::Tls { .. } => !self.is_alert(),
            Self::NoTls { .. } | Self::Connect { .. } | Self::ByProxy { .. } | Self::Http { .. } => true,
            _ => false,
        }
    }

    /// The peer closed the connection before it answered.
    pub(super) fn is_hang_up(&self) -> bool {
        if let Self::ByProxy { source, .. } = self {
            return source.is_hang_up();
        }
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(self, Self::Connect { source, .. }
            if matches!(source.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof))
    }

    /// The registry does not know who came with these credentials (RFC 9110, 401).
    pub(crate) fn is_refused_login(&self) -> bool {
        match self {
            Self::Denied { status: 401, with_credentials, .. } => *with_credentials,
            Self::Login { source, .. } => source.is_refused_login(),
            _ => false,
        }
    }

    /// They are not enough for what was asked.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Self::Denied { .. } => true,
            Self::Login { source, .. } => source.is_denied(),
            _ => false,
        }
    }

    /// Credentials are missing or wrong.
    pub(crate) fn wants_login(&self) -> bool {
        match self {
            Self::Denied { .. } | Self::Challenge { .. } => true,
            Self::Login { source, .. } => source.wants_login(),
            _ => false,
        }
    }

    /// The registry found that the bytes it got are not what their digest says.
    pub(crate) fn is_wrong_upload(&self) -> bool {
        matches!(self, Self::Status { detail, .. } if detail.contains("DIGEST_INVALID"))
    }

    /// The registry does not take manifests of this kind.
    pub(crate) fn is_wrong_kind(&self) -> bool {
        matches!(self, Self::Status { status: 415, .. })
            || matches!(self, Self::Status { status: 400 | 404 | 405, detail, .. }
                if detail.contains("MANIFEST_INVALID") || detail.contains("UNSUPPORTED"))
    }

    /// What the registry asked us to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { wait, .. } => Some(*wait),
            Self::Login { source, .. } | Self::ByProxy { source, .. } => source.retry_after(),
            _ => None,
        }
    }
}
