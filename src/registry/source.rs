//! The places that may serve a repository: mirrors, then the registry itself. Whoever fails is passed over.

use super::error::Error;
use super::manifest;
use super::pull::{self, Access, RemoteImage};
use super::session::{BlobSink, Session};
use super::signature::{self, Attachment};
use crate::config::registries_conf::RegistriesConf;
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;
use crate::types::failure::chain;
use crate::types::platform::Platform;
use crate::types::reference::Reference;

/// Places to ask, the best first.
#[derive(Debug)]
pub(crate) struct Source {
    reference: Reference,
    sessions: Vec<Session>,
}

impl Source {
    /// All places that the configuration names for `reference`. Nobody is asked yet.
    pub(crate) fn open(reference: &Reference, access: &Access, configuration: &RegistriesConf) -> Result<Self, Error> {
        let sessions = pull::sessions(reference, access, configuration)?;
        Ok(Self { reference: reference.clone(), sessions })
    }

    /// To be called in a forked process before the first request.
    pub(crate) fn after_fork(&mut self) {
        self.sessions.iter_mut().for_each(Session::after_fork);
    }

    /// How many places a blob can be asked for at.
    pub(crate) fn places(&self) -> usize {
        self.sessions.len()
    }

    /// Forgets the first places, but not the last of all.
    pub(crate) fn pass_over(&mut self, places: usize) {
        self.sessions.drain(..places.min(self.sessions.len().saturating_sub(1)));
    }

    /// Finds the image. Its layers are asked for at the place that has it, and at those that come after that.
    pub(crate) fn find(&mut self, platform: &Platform) -> Result<RemoteImage, Error> {
        self.first(|session, reference| pull::image(session, reference, platform))
    }

    /// What the reference names: bytes, digest and media type.
    pub(crate) fn document(&mut self) -> Result<(Vec<u8>, Digest, Option<String>), Error> {
        self.first(|session, reference| session.manifest(&pull::tag_or_digest(reference)))
    }

    /// The images of an index, with their platforms; nothing if it is an image.
    pub(crate) fn platforms(&mut self) -> Result<Vec<(Digest, Option<Platform>)>, Error> {
        let (bytes, digest, declared) = self.document()?;
        let parsed = manifest::parse(&bytes, declared.as_deref());
        let parsed =
            parsed.map_err(|why| Error::Invalid { what: format!("manifest {digest} of {}", self.reference), why })?;
        Ok(match parsed {
            manifest::Manifest::Image(_) => Vec::new(),
            manifest::Manifest::Index(entries) => {
                entries.iter().map(|entry| (entry.descriptor.digest.clone(), entry.platform())).collect()
            }
        })
    }

    /// Digest of what the reference names now; for `--pull=newer`.
    pub(crate) fn current_digest(&mut self) -> Result<Digest, Error> {
        self.first(pull::current_digest)
    }

    /// `HOST/PATH` of the place that is asked first: after [`Source::find`] the one that has the image.
    pub(crate) fn place(&self) -> Option<String> {
        self.sessions.first().map(|session| format!("{}/{}", session.location().host, session.location().path))
    }

    /// What is attached to `image` as a signature, at the place that has the image.
    pub(crate) fn signatures(&mut self, image: &Digest) -> Result<Vec<Attachment>, Error> {
        let session = self.sessions.first_mut().ok_or_else(|| nowhere(&self.reference))?;
        signature::fetch(session, image)
    }

    /// All tags of the repository.
    pub(crate) fn tags(&mut self) -> Result<Vec<String>, Error> {
        self.first(|session, _| session.tags())
    }

    /// Streams a blob from byte `from` on; see [`Session::blob`]. The next place goes on where one fails.
    pub(crate) fn blob(&mut self, descriptor: &Descriptor, from: u64, sink: &mut dyn BlobSink) -> Result<(), Error> {
        let mut arrived = from;
        let last = self.sessions.len().saturating_sub(1);
        for (index, session) in self.sessions.iter_mut().enumerate() {
            match session.blob(descriptor, &mut arrived, sink) {
                Err(error) if index < last && !matches!(error, Error::Sink(_)) => passed_over(&error, session),
                result => return result,
            }
        }
        Err(nowhere(&self.reference))
    }

    /// The answer of the first place that has one; those before it are forgotten. Where none has, the error is of the registry
    /// itself, and of the mirrors is told: one that lacks a certificate or a login may be the only place that can be reached.
    fn first<T>(&mut self, mut ask: impl FnMut(&mut Session, &Reference) -> Result<T, Error>) -> Result<T, Error> {
        let last = self.sessions.len().saturating_sub(1);
        let mut passed = Vec::new();
        for index in 0..self.sessions.len() {
            match ask(&mut self.sessions[index], &self.reference) {
                Ok(answer) => {
                    self.sessions.drain(..index);
                    return Ok(answer);
                }
                Err(error) if index < last => {
                    passed_over(&error, &self.sessions[index]);
                    passed.push(error);
                }
                Err(error) => {
                    for (mirror, error) in self.sessions.iter().zip(&passed) {
                        tracing::warn!(mirror = mirror.location().host, "mirror failed, too: {}", chain(error));
                    }
                    return Err(error);
                }
            }
        }
        Err(nowhere(&self.reference))
    }
}

fn passed_over(error: &Error, session: &Session) {
    tracing::debug!(%error, host = session.location().host, "mirror passed over");
}

fn nowhere(reference: &Reference) -> Error {
    Error::NotFound {
        repository: reference.repository(),
        what: reference.suffix(),
        detail: ": no place to ask is configured".to_owned(),
    }
}
