//! Sending blobs and manifests (OCI distribution spec, "Push").
//!
//! ```text
//! HEAD blob ─200─► there already
//!    │404
//! POST uploads/?mount=…&from=… ─201─► mounted from another repository
//!    │202 Location
//! small: PUT Location?digest=… with the bytes
//! else:  PATCH Location with all the rest … PUT Location?digest=…
//!           │cut: GET Location ─Range─► go on there      │413: in chunks
//! ```
//!
//! One PATCH with everything is what all registries take; chunks with a `Content-Range` only serve after a cut, or
//! where a proxy limits the size of a request.

use serde::{Deserialize, Serialize};
use ureq::http::{Method, Uri};

use super::client::{Ask, Part, Payload};
use super::error::Error;
use super::reply::{Reply, printable};
use super::session::Session;
use super::url::{self, Origin};
use crate::sys::fs::File;
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;

/// Up to this size a blob is sent with one request less.
const SMALL: u64 = 1 << 20;
/// First size of a chunk after a 413; halved down to [`SMALL`].
const CHUNK: u64 = 32 << 20;

/// How a blob came to be in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Arrival {
    /// It was there.
    Exists,
    /// The registry took it from another of its repositories.
    Mounted,
    /// Its bytes went over the wire.
    Sent,
}

/// An upload that has begun.
struct Upload {
    url: Uri,
    /// Bytes that the registry has.
    offset: u64,
    /// Most bytes in one request; all the rest if none.
    chunk: Option<u64>,
    /// What the registry has must be asked.
    unsure: bool,
}

impl Session {
    /// Asks the registry who may write here, and logs in for that; `mounts` are repositories of the same registry that
    /// blobs may be taken from. False if they may not: some token servers refuse all where they would refuse one.
    pub(crate) fn open_for_push(&mut self, mounts: &[String]) -> Result<bool, Error> {
        let own = format!("repository:{}:pull,push", self.location.path);
        let others = mounts.iter().map(|repository| format!(" repository:{repository}:pull"));
        self.scope = std::iter::once(own.clone()).chain(others).collect();
        match self.retried(Self::greet) {
            Err(error) if error.is_denied() && !mounts.is_empty() => {
                tracing::debug!(%error, "asking without the repositories that have blobs already");
                self.scope = own;
                self.retried(Self::greet).map(|()| false)
            }
            other => other.map(|()| true),
        }
    }

    /// `GET /v2/`: finds the scheme, and answers the challenge if there is one.
    pub(super) fn greet(&mut self) -> Result<(), Error> {
        let reply = self.knock()?;
        match reply.status {
            // A token for one repository need not open this door; a registry without this door may have others.
            401 | 403 if self.authorization_is_token() => Ok(()),
            200..=299 | 404 => Ok(()),
            _ => Err(self.refusal(reply, "(the registry itself)")),
        }
    }

    /// The answer at the front door, after a login if it asks for one.
    fn knock(&mut self) -> Result<Reply, Error> {
        let reply = self.by_scheme(Self::ask_front_door)?;
        if reply.status != 401 {
            return Ok(reply);
        }
        self.log_in(&reply)?;
        self.by_scheme(Self::ask_front_door)
    }

    fn ask_front_door(&self, scheme: &str) -> Result<Reply, Error> {
        self.client.ask(&Ask { authorization: self.authorization.as_ref(), ..Ask::get(self.url(scheme, "")?) })
    }

    /// Asks the registry whether it takes the credentials; they may open no more than its front door.
    pub(crate) fn check_login(&mut self) -> Result<(), Error> {
        self.scope.clear();
        self.retried(|session| {
            let reply = session.knock()?;
            match reply.status {
                200..=299 => Ok(()),
                _ => Err(session.refusal(reply, "(the registry itself)")),
            }
        })
    }

    fn authorization_is_token(&self) -> bool {
        self.authorization.as_ref().is_some_and(|value| value.expose().starts_with("Bearer "))
    }

    /// Makes sure that the repository has this blob. `mount`: another repository of the same registry that should have
    /// it. `sent` hears how many bytes have gone out so far.
    pub(crate) fn ensure_blob(
        &mut self,
        descriptor: &Descriptor,
        source: &File,
        mount: Option<&str>,
        sent: &dyn Fn(u64),
    ) -> Result<Arrival, Error> {
        if self.retried(|session| session.has_blob(descriptor))? {
            return Ok(Arrival::Exists);
        }
        let mut upload = None;
        if let Some(from) = mount
            // What cannot be mounted is uploaded: the reason does not matter.
            && matches!(self.mount(descriptor, from, &mut upload), Ok(true))
        {
            return Ok(Arrival::Mounted);
        }
        let result = self.retried(|session| session.send_blob(descriptor, source, &mut upload, sent));
        if result.is_err()
            && let Some(upload) = upload
        {
            // Nothing shall be left there; a registry that fails here, too, cleans up by itself some day.
            drop(self.send(Method::DELETE, &upload.url, Payload::None));
        }
        result.map(|()| Arrival::Sent)
    }

    /// True if the repository has the blob, or takes it from another one. Nothing is sent.
    pub(crate) fn obtain_blob(&mut self, descriptor: &Descriptor, mount: Option<&str>) -> Result<bool, Error> {
        if self.retried(|session| session.has_blob(descriptor))? {
            return Ok(true);
        }
        let Some(from) = mount else { return Ok(false) };
        let mut upload = None;
        let mounted = matches!(self.mount(descriptor, from, &mut upload), Ok(true));
        if let Some(upload) = upload {
            // Nothing will follow; a registry that fails here cleans up by itself some day.
            drop(self.send(Method::DELETE, &upload.url, Payload::None));
        }
        Ok(mounted)
    }

    /// Stores a manifest or an index under a tag, or under its digest.
    pub(crate) fn put_manifest(
        &mut self,
        tag_or_digest: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Digest, Error> {
        let what = format!("manifest {tag_or_digest}");
        let actual = Digest::of(bytes);
        let announced = self.retried(|session| {
            let url = session.here(&format!("manifests/{tag_or_digest}"))?;
            let reply = session.send(Method::PUT, &url, Payload::Document(media_type, bytes))?;
            match reply.status {
                200..=204 => Ok(reply.header("docker-content-digest").and_then(|text| text.parse::<Digest>().ok())),
                _ => Err(session.refusal(reply, &what)),
            }
        })?;
        match announced {
            Some(found) if found != actual => Err(Error::WrongDigest { what, expected: actual, actual: found }),
            _ => Ok(actual),
        }
    }

    /// True if the repository has the blob, in its size.
    fn has_blob(&mut self, descriptor: &Descriptor) -> Result<bool, Error> {
        let url = self.here(&format!("blobs/{}", descriptor.digest))?;
        let reply = self.send(Method::HEAD, &url, Payload::None)?;
        match reply.status {
            200..=299 => Ok(reply.content_length().is_none_or(|length| length == descriptor.size)),
            404 => Ok(false),
            // Some registries answer so where a repository does not exist yet.
            403 if self.authorization.is_some() => Ok(false),
            _ => Err(self.refusal(reply, &format!("blob {}", descriptor.digest))),
        }
    }

    /// Asks for the blob of another repository; a registry that will not do that begins an upload instead.
    fn mount(&mut self, descriptor: &Descriptor, from: &str, upload: &mut Option<Upload>) -> Result<bool, Error> {
        let url = self.here(&format!("blobs/uploads/?mount={}&from={from}", descriptor.digest))?;
        let reply = self.send(Method::POST, &url, Payload::None)?;
        match reply.status {
            // Its word is not enough (case B16).
            201 => self.has_blob(descriptor),
            202 => {
                *upload = Some(self.begun(&reply, descriptor)?);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// One try; what it has got done stays in `upload` for the next one.
    fn send_blob(
        &mut self,
        descriptor: &Descriptor,
        source: &File,
        upload: &mut Option<Upload>,
        sent: &dyn Fn(u64),
    ) -> Result<(), Error> {
        let mut at = match upload.take() {
            Some(before) => match self.resumed(before, descriptor, upload)? {
                Some(at) => at,
                None => self.begin(descriptor)?,
            },
            None => self.begin(descriptor)?,
        };
        if at.offset == 0 && at.chunk.is_none() && descriptor.size <= SMALL {
            let part = Part { file: source, from: 0, length: descriptor.size, ranged: false, sent };
            return self.finish(&at.url, descriptor, Payload::Part(part));
        }
        while at.offset < descriptor.size {
            let rest = descriptor.size - at.offset;
            let length = at.chunk.map_or(rest, |chunk| chunk.min(rest));
            let ranged = at.offset > 0 || at.chunk.is_some();
            let part = Part { file: source, from: at.offset, length, ranged, sent };
            let reply = match self.send(Method::PATCH, &at.url, Payload::Part(part)) {
                Ok(reply) => reply,
                Err(error) => {
                    at.unsure = true;
                    *upload = Some(at);
                    return Err(error);
                }
            };
            match reply.status {
                200..=204 => at = self.advanced(&at, length, &reply, descriptor)?,
                413 if length > SMALL => {
                    let chunk = at.chunk.map_or(CHUNK, |chunk| chunk / 2).min(length / 2).max(SMALL);
                    tracing::debug!(chunk, host = self.location.host, "too large for one request: in chunks");
                    at = Upload { chunk: Some(chunk), ..self.begin(descriptor)? };
                }
                _ => {
                    let error = self.refusal(reply, &format!("upload of {}", descriptor.digest));
                    // Its offset and ours differ, or it is out of order: from the beginning.
                    let error = if let Error::Status { url, status: 416, detail } = error {
                        Error::Status { url, status: 503, detail }
                    } else {
                        at.unsure = true;
                        *upload = Some(at);
                        error
                    };
                    return Err(error);
                }
            }
        }
        let result = self.finish(&at.url, descriptor, Payload::None);
        if result.as_ref().is_err_and(Error::is_transient) && matches!(self.has_blob(descriptor), Ok(true)) {
            return Ok(());
        }
        result
    }

    fn begin(&mut self, descriptor: &Descriptor) -> Result<Upload, Error> {
        let url = self.here("blobs/uploads/")?;
        let reply = self.send(Method::POST, &url, Payload::None)?;
        match reply.status {
            202 => self.begun(&reply, descriptor),
            _ => Err(self.refusal(reply, &format!("upload of {}", descriptor.digest))),
        }
    }

    fn begun(&self, reply: &Reply, descriptor: &Descriptor) -> Result<Upload, Error> {
        let invalid = |why: &str| invalid(descriptor, why);
        let location = reply.header("location").ok_or_else(|| invalid("the registry names no place for it"))?;
        Ok(Upload { url: self.next_url(&reply.url, location)?, offset: 0, chunk: None, unsure: false })
    }

    /// What the registry has of an upload that broke off; none if it must begin again.
    fn resumed(
        &mut self,
        mut before: Upload,
        descriptor: &Descriptor,
        keep: &mut Option<Upload>,
    ) -> Result<Option<Upload>, Error> {
        if !before.unsure {
            return Ok(Some(before));
        }
        let reply = match self.send(Method::GET, &before.url, Payload::None) {
            Ok(reply) => reply,
            Err(error) if error.is_transient() => {
                *keep = Some(before);
                return Err(error);
            }
            Err(_) => return Ok(None),
        };
        let offset = reply.header("range").and_then(range_end);
        match (reply.status, offset) {
            (200..=204, Some(offset)) if offset <= descriptor.size => {
                if let Some(location) = reply.header("location") {
                    before.url = self.next_url(&reply.url, location)?;
                }
                tracing::debug!(offset, digest = %descriptor.digest, "going on with an upload");
                // A server that turns a large request down may hang up before its answer is read.
                let chunk = before.chunk.or((offset == before.offset).then_some(CHUNK));
                Ok(Some(Upload { offset, unsure: false, chunk, ..before }))
            }
            _ => Ok(None),
        }
    }

    /// After a part was taken.
    fn advanced(&self, at: &Upload, length: u64, reply: &Reply, descriptor: &Descriptor) -> Result<Upload, Error> {
        let url = match reply.header("location") {
            Some(location) => self.next_url(&reply.url, location)?,
            None => at.url.clone(),
        };
        let expected = at.offset + length;
        let offset = match reply.header("range").and_then(range_end) {
            // Fewer than we sent: the rest is sent again. None at all would go on for ever.
            Some(taken) if taken > at.offset && taken < expected => taken,
            Some(taken) if taken > expected => {
                return Err(invalid(descriptor, "the registry says that it has more of it than it was sent"));
            }
            _ => expected,
        };
        Ok(Upload { url, offset, chunk: at.chunk, unsure: false })
    }

    /// Ends an upload: the registry hashes what it has.
    fn finish(&mut self, url: &Uri, descriptor: &Descriptor, payload: Payload<'_>) -> Result<(), Error> {
        let text = url.to_string();
        let joint = if text.contains('?') { '&' } else { '?' };
        let url = url::parse(&format!("{text}{joint}digest={}", descriptor.digest));
        let url = url.map_err(|why| invalid(descriptor, why))?;
        let reply = self.send(Method::PUT, &url, payload)?;
        match reply.status {
            200..=204 => Ok(()),
            _ => Err(self.refusal(reply, &format!("upload of {}", descriptor.digest))),
        }
    }

    /// One exchange; logged in anew once, since a token may run out on the way. Credentials go to the registry's own
    /// origin only, wherever it sends us (case B16).
    pub(super) fn send(&mut self, method: Method, url: &Uri, payload: Payload<'_>) -> Result<Reply, Error> {
        let own = Origin::of(url) == Origin::of(&self.here("")?);
        let ask = Ask { method, payload, ..Ask::get(url.clone()) };
        let reply =
            self.client.ask(&Ask { authorization: self.authorization.as_ref().filter(|_| own), ..ask.clone() })?;
        if reply.status != 401 || !own {
            return Ok(reply);
        }
        self.log_in(&reply)?;
        self.client.ask(&Ask { authorization: self.authorization.as_ref(), ..ask })
    }

    fn next_url(&self, base: &Uri, location: &str) -> Result<Uri, Error> {
        let refused = |why| Error::Redirect { host: self.location.host.clone(), target: printable(location, 200), why };
        let next = url::join(base, location).map_err(refused)?;
        let is_https = |url: &Uri| Origin::of(url).is_some_and(|origin| origin.is_https());
        if is_https(base) && !is_https(&next) {
            return Err(refused("that leads from https to http"));
        }
        Ok(next)
    }

    /// Address of something in this repository, by the scheme that [`Self::greet`] found.
    fn here(&self, what: &str) -> Result<Uri, Error> {
        self.url(self.scheme.unwrap_or("https"), &format!("{}/{what}", self.location.path))
    }
}

fn invalid(descriptor: &Descriptor, why: &str) -> Error {
    Error::Invalid { what: format!("upload of {}", descriptor.digest), why: why.to_owned() }
}

/// Number of bytes that `0-LAST` tells of. `0-0` is what a registry with nothing says, too, and counts as nothing.
pub(super) fn range_end(value: &str) -> Option<u64> {
    let last: u64 = value.trim().trim_start_matches("bytes=").strip_prefix("0-")?.parse().ok()?;
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

#[cfg(test)]
mod tests {
    use super::range_end;

    #[test]
    fn b16_ranges() {
        assert_eq!(range_end("0-99"), Some(100));
        assert_eq!(range_end("bytes=0-1"), Some(2));
        assert_eq!(range_end("0-0"), Some(0));
        for nonsense in ["", "1-9", "0--1", "0-18446744073709551615", "x"] {
            assert_eq!(range_end(nonsense), None, "{nonsense}");
        }
    }
}
