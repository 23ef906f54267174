//! What a registry answers, and what of it a message may show.

use std::io::Read;

use ureq::Body;
use ureq::http::{HeaderMap, Uri};

use super::client::IDLE;
use super::download::Paced;
use super::error::Error;

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Host that answered in the end.
    pub(super) host: String,
    /// Address that answered in the end: what a `Location` is relative to.
    pub(super) url: Uri,
    pub(super) body: Body,
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
        let read = Paced::new(self.into_reader()).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| body_failure(error, &host))?;
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
    }

    pub(super) fn into_reader(self) -> impl Read {
        self.body.into_reader()
    }

    /// What the registry said about its refusal: the first error of its JSON document (OCI distribution spec), as
    /// `: CODE: message`, or nothing.
    pub(super) fn detail(self) -> String {
        self.bytes("an error document", 64 << 10).map_or_else(|_| String::new(), |bytes| detail_in(&bytes))
    }
}

/// See [`Reply::detail`].
pub(super) fn detail_in(bytes: &[u8]) -> String {
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
    let first = serde_json::from_slice::<Errors>(bytes).ok().and_then(|all| all.errors.into_iter().next());
    first.map_or_else(String::new, |one| printable(&format!(": {}: {}", one.code, one.message), 300))
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
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    if error.kind() == std::io::ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_))) {
        return Error::Timeout { host: host.to_owned(), seconds: IDLE.as_secs() };
    }
    Error::Body { host: host.to_owned(), source: error }
}
