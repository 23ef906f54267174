//! L3: registries over HTTP (OCI distribution spec). May import: types, config, sys.
//!
//! Everything that comes from outside is untrusted: sizes are capped, digests are computed here and nowhere believed,
//! credentials go to one origin only. Nothing is written to disk: a blob goes to a [`BlobSink`], which the engine
//! implements over the store.
#![forbid(unsafe_code)]

pub(crate) mod archive;
mod auth;
mod client;
mod error;
mod manifest;
mod pull;
mod push;
mod resolver;
mod session;
mod upload;
mod url;

#[cfg(test)]
mod tests;

pub(crate) use archive::Archive;
pub(crate) use error::Error;
pub(crate) use manifest::Descriptor;
#[cfg(test)]
pub(crate) use manifest::parse as parse_manifest;
pub(crate) use pull::{Access, RemoteImage, current_digest, find, sessions};
pub(crate) use push::login_session;
pub(crate) use push::{KeptManifest, ManifestFormat, media_type, push_session, target};
pub(crate) use session::{BlobSink, Retry, Session};
pub(crate) use upload::Arrival;
