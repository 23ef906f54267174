//! Finding an image: from a reference over mirrors, indexes and the manifest to its configuration and layers. The layers
//! themselves are fetched one by one with [`super::Source::blob`], by as many processes as the caller likes.

use std::path::PathBuf;

use super::error::Error;
use super::manifest::{self, ImageManifest, Manifest};
use super::push::KeptManifest;
use super::reply::printable;
use super::session::{Retry, Session};
use crate::config::auth_file::{self, Credentials};
use crate::config::certs::Certificates;
use crate::config::registries_conf::{Location, RegistriesConf};
use crate::sys;
use crate::types::descriptor::Descriptor;
use crate::types::digest::{DiffId, Digest};
use crate::types::image_config::ImageConfig;
use crate::types::media_type;
use crate::types::platform::Platform;
use crate::types::reference::Reference;

/// An index may point to an index, but not for ever (case B04).
pub(super) const DEEPEST: usize = 3;

/// How to reach registries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// `--tls-verify`; the configuration decides if not given.
    pub(crate) tls_verify: Option<bool>,
    /// `--creds`.
    pub(crate) credentials: Option<Credentials>,
    /// `--authfile`.
    pub(crate) auth_file: Option<PathBuf>,
    /// `--cert-dir`: certificates for the registry; the directories of containers-certs.d(5) if not given.
    pub(crate) cert_dir: Option<PathBuf>,
    pub(crate) retry: Retry,
    /// `--signature-policy`: the trust policy instead of the usual files. The engine's to ask.
    pub(crate) signature_policy: Option<PathBuf>,
}

/// An image as the registry describes it; its layers are still there.
#[derive(Debug)]
pub(crate) struct RemoteImage {
    /// The index that the reference named, if it was one, with its digest.
    pub(crate) index: Option<(Digest, Vec<u8>)>,
    pub(crate) manifest_digest: Digest,
    pub(crate) manifest_bytes: Vec<u8>,
    pub(crate) manifest: ImageManifest,
    pub(crate) config_bytes: Vec<u8>,
    pub(crate) config: ImageConfig,
}

impl RemoteImage {
    /// Layers, lowest first: the blob, and the digest of the tar in it.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&Descriptor, &DiffId)> {
        self.manifest.layers.iter().zip(&self.config.rootfs.diff_ids)
    }

    /// The image with plain layers that are called plain. containers-image writes them to a `dir:` as they are in its
    /// store, and calls every layer of schema 2 gzip (`podman save --format docker-dir`). A blob with the digest of
    /// the tar is that tar. The manifest becomes another one, which no index names.
    pub(crate) fn truly_labelled(mut self) -> Result<Self, Error> {
        if self.manifest.media_type != media_type::DOCKER_MANIFEST {
            return Ok(self);
        }
        let mut layers = self.manifest.layers.clone();
        for (layer, diff_id) in layers.iter_mut().zip(&self.config.rootfs.diff_ids) {
            if layer.digest == diff_id.0
                && let Some(plain) = layer.media_type.strip_suffix(".gzip")
            {
                layer.media_type = plain.to_owned();
            }
        }
        if layers == self.manifest.layers {
            return Ok(self);
        }
        let kept = KeptManifest::parse(&self.manifest_bytes, media_type::DOCKER_MANIFEST)?;
        self.manifest.layers = layers;
        (self.manifest_bytes, _) = kept.rewritten(kept.format, &self.manifest.layers);
        self.manifest_digest = Digest::of(&self.manifest_bytes);
        self.index = None;
        Ok(self)
    }
}

/// Places to ask for `reference`, in order: mirrors, then the registry itself.
pub(crate) fn sessions(
    reference: &Reference,
    access: &Access,
    configuration: &RegistriesConf,
) -> Result<Vec<Session>, Error> {
    let locations = configuration.route(reference.domain(), reference.path(), &reference.suffix());
    locations
        .map_err(|blocked| Error::blocked(reference, blocked))?
        .into_iter()
        .map(|location| session(location, access))
        .collect()
}

/// A session with one place, with the credentials and certificates that are there for it.
pub(super) fn session(mut location: Location, access: &Access) -> Result<Session, Error> {
    if let Some(verify) = access.tls_verify {
        location.insecure = !verify;
    }
    let _cores = sys::process::NoCoreDump::begin();
    let credentials = match &access.credentials {
        // What was given for the registry is not for where the configuration leads.
        Some(given) if location.named => Some(given.clone()),
        _ => auth_file::lookup(access.auth_file.as_deref(), &location.host, &location.path).map_err(Error::Config)?,
    };
    let cert_dir = access.cert_dir.as_deref().filter(|_| location.named);
    let certificates = Certificates::load(cert_dir, &location.host).map_err(Error::Config)?;
    Ok(Session::new(location, credentials, access.retry).with_certificates(certificates))
}

/// Digest of what the reference names now; for `--pull=newer`.
pub(super) fn current_digest(session: &mut Session, reference: &Reference) -> Result<Digest, Error> {
    session.manifest(&tag_or_digest(reference)).map(|(_, digest, _)| digest)
}

pub(super) fn tag_or_digest(reference: &Reference) -> String {
    match reference.digest() {
        Some(digest) => digest.to_string(),
        None => reference.tag().unwrap_or("latest").to_owned(),
    }
}

/// Follows a reference over indexes to one image.
pub(super) fn image(session: &mut Session, reference: &Reference, platform: &Platform) -> Result<RemoteImage, Error> {
    let invalid = |digest: &Digest, why| Error::Invalid { what: format!("manifest {digest} of {reference}"), why };
    let (mut bytes, mut digest, mut declared) = session.manifest(&tag_or_digest(reference))?;
    let mut top = None;
    for _ in 0..DEEPEST {
        match manifest::parse(&bytes, declared.as_deref()).map_err(|why| invalid(&digest, why))? {
            Manifest::Image(manifest) => {
                let config_bytes = session.document(&manifest.config)?;
                let config = config(&config_bytes, &manifest)
                    .map_err(|why| Error::Invalid { what: format!("config {}", manifest.config.digest), why })?;
                return Ok(RemoteImage {
                    index: top,
                    manifest_digest: digest,
                    manifest_bytes: bytes,
                    manifest,
                    config_bytes,
                    config,
                });
            }
            Manifest::Index(entries) => {
                let chosen = manifest::choose(&entries, platform).ok_or_else(|| Error::NoPlatform {
                    name: reference.to_string(),
                    wanted: platform.clone(),
                    available: manifest::available(&entries),
                })?;
                let chosen = chosen.descriptor.clone();
                let index = (digest, bytes);
                top = top.or(Some(index));
                (bytes, digest, _) = session.manifest(&chosen.digest.to_string())?;
                declared = Some(chosen.media_type);
                if bytes.len() as u64 != chosen.size {
                    let actual = bytes.len() as u64;
                    return Err(Error::WrongSize { digest: chosen.digest, expected: chosen.size, actual });
                }
            }
        }
    }
    Err(invalid(&digest, format!("indexes within indexes, more than {DEEPEST} deep")))
}

/// Reads a configuration and compares it with the manifest.
pub(super) fn config(bytes: &[u8], manifest: &ImageManifest) -> Result<ImageConfig, String> {
    let config: ImageConfig = serde_json::from_slice(bytes).map_err(|error| printable(&error.to_string(), 200))?;
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers != diff_ids {
        return Err(format!("it names {diff_ids} layers, the manifest {layers}"));
    }
    Ok(config)
}
