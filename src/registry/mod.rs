//! L3: registries over HTTP (OCI distribution spec). May import: types, config, sys.
//!
//! Everything that comes from outside is untrusted: sizes are capped, digests are computed here and nowhere believed,
//! credentials go to one origin only. Nothing is written to disk: a blob goes to a [`BlobSink`], which the engine
//! implements over the store.
#![forbid(unsafe_code)]

pub(crate) mod archive;
mod auth;
mod client;
mod download;
mod error;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod manifest;
mod pull;
mod push;
mod reply;
mod resolver;
mod search;
mod session;
pub(crate) mod signature;
mod source;
mod tags;
mod tls;
mod trust;
mod upload;
mod url;
mod web;

#[cfg(test)]
mod tests;

pub(crate) use archive::Archive;
pub(crate) use error::{Error, Obstacle};
pub(crate) use manifest::{Manifest, parse as parse_manifest};
pub(crate) use pull::{Access, RemoteImage};
pub(crate) use push::{
    KeptManifest, ManifestFormat, login_session, media_type, push_session, rewritten_list, session_at, target,
};
pub(crate) use search::Hit;
pub(crate) use session::{BlobSink, Retry, Session};
pub(crate) use source::Source;
pub(crate) use trust::TlsFault;
pub(crate) use upload::Arrival;
pub(crate) use web::download;
