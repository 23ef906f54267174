//! Images: one record for each manifest digest. Names point to it from `refs/`; an image without one is dangling.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::container_record::ImageSnapshot;
use super::error::{At as _, Error};
use super::image_head::ImageHead;
use super::record::{self, Rest};
use super::store::Store;
use crate::sys;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::id::{ContainerId, ImageId, is_id_prefix};
use crate::types::image_config::ImageConfig;
use crate::types::reference::{Reference, has_domain};

/// `images/<manifest digest>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImageRecord {
    pub(crate) version: u32,
    /// Of the manifest: the name of the record.
    pub(crate) digest: Digest,
    /// Of the configuration: what `images` prints as the id.
    pub(crate) id: ImageId,
    /// Media type of the manifest.
    pub(crate) media_type: String,
    /// Of the index that the manifest was chosen from; it may be named by it, too.
    #[serde(default)]
    pub(crate) index: Option<Digest>,
    /// Bottom first.
    pub(crate) layers: Vec<ImageLayer>,
    /// Parsed from the blob, whose bytes are what digests are computed of.
    pub(crate) config: ImageConfig,
    /// As the configuration says.
    #[serde(default)]
    pub(crate) created: Option<Timestamp>,
    /// When it came into this store.
    pub(crate) stored: Timestamp,
    /// Bytes of its files, unpacked.
    pub(crate) size: u64,
    /// Annotations of the manifest.
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    /// The registry that it was pulled from, if it was: what is not here of it can be had there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<ImageSource>,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

/// Where an image was pulled from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageSource {
    /// Repository and digest.
    pub(crate) reference: Reference,
    /// `--tls-verify`, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls_verify: Option<bool>,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageLayer {
    pub(crate) chain: ChainId,
    pub(crate) diff_id: DiffId,
    /// A blob of the store that holds it: the one that the manifest names, or the same layer in another compression,
    /// because a pull fetches no blob whose layer is here. None if there is none.
    pub(crate) blob: Option<Digest>,
    /// Of that blob.
    pub(crate) media_type: String,
    /// Bytes of that blob.
    pub(crate) size: u64,
    /// Bytes of its files.
    pub(crate) unpacked: u64,
}

record::record!(ImageRecord);

/// An image and its names, sorted.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) record: ImageRecord,
    pub(crate) names: Vec<Reference>,
}

impl Image {
    /// What a container made of it records; `name` as it was found.
    pub(crate) fn snapshot(&self, name: Option<&Reference>) -> ImageSnapshot {
        let name = name.or(self.names.first());
        let mut config = self.record.config.clone();
        // Long, and of no use to a container.
        config.history.clear();
        ImageSnapshot {
            id: self.record.id.clone(),
            name: name.map_or_else(|| self.record.id.to_string(), ToString::to_string),
            digest: self.record.digest.clone(),
            config,
        }
    }

    /// Chain ids, bottom first.
    pub(crate) fn chains(&self) -> Vec<ChainId> {
        self.record.layers.iter().map(|layer| layer.chain.clone()).collect()
    }
}

/// The answer of a look-up.
#[derive(Debug, Clone)]
pub(crate) struct FoundImage {
    pub(crate) image: Image,
    /// The name that the text stands for; none if it was an id.
    pub(crate) name: Option<Reference>,
    /// The additional store that it is in.
    pub(crate) read_only: Option<PathBuf>,
}

/// Why a record of another store is not taken.
enum Unverified {
    Error(Error),
    Forged(&'static str),
}

/// An image that cannot be read (case F07).
#[derive(Debug)]
pub(crate) struct BrokenImage {
    pub(crate) digest: Digest,
    pub(crate) error: Error,
}

/// The manifest digest of a record's file name.
pub(super) fn manifest_of(name: &OsStr) -> Option<Digest> {
    format!("sha256:{}", name.to_str()?.strip_suffix(".json")?).parse().ok()
}

impl Store {
    /// Records an image whose blobs and layers are published (rule R3). One that is there is replaced: the same manifest
    /// has the same content, only `stored` differs.
    pub(crate) fn put_image(&self, record: &ImageRecord) -> Result<(), Error> {
        let shared = self.lock_shared()?;
        record::write_durable(&self.layout().image(&record.digest), record)?;
        drop(shared);
        Ok(())
    }

    /// Notes that an image is used now: the time of its record.
    pub(crate) fn note_use(&self, digest: &Digest) {
        let path = self.layout().image(digest);
        if let Err(error) = sys::fs::touch(&path) {
            tracing::debug!(%error, "use of an image not noted");
        }
    }

    /// When an image was used last: made, named anew, or made a container of.
    pub(crate) fn last_used(&self, digest: &Digest) -> Result<Option<std::time::SystemTime>, Error> {
        let path = self.layout().image(digest);
        Ok(sys::fs::lstat(&path).reading(&path)?.and_then(|metadata| metadata.modified().ok()))
    }

    /// The record of a manifest digest.
    pub(crate) fn image_record(&self, digest: &Digest) -> Result<Option<ImageRecord>, Error> {
        let path = self.layout().image(digest);
        let broken = |source| Error::BrokenImage { digest: digest.clone(), source: Box::new(source) };
        match record::read_if_exists::<ImageRecord>(&path).map_err(broken)? {
            Some(record) if record.digest != *digest => {
                Err(broken(Error::WrongRecord { path, found: record.digest.to_string() }))
            }
            other => Ok(other),
        }
    }

    /// Image of a manifest digest, with its names.
    pub(crate) fn image(&self, digest: &Digest) -> Result<Image, Error> {
        let record = self.image_record(digest)?.ok_or_else(|| Error::NoImage(digest.to_string()))?;
        let (refs, _) = self.references()?;
        let names = refs.into_iter().filter(|r| r.digest == *digest).map(|r| r.name).collect();
        Ok(Image { record, names })
    }

    /// All images, and the damaged ones.
    pub(crate) fn images(&self) -> Result<(Vec<Image>, Vec<BrokenImage>), Error> {
        let mut names = self.names_by_image()?;
        let (mut whole, mut broken) = (Vec::new(), Vec::new());
        for digest in self.image_digests()? {
            match self.image_record(&digest) {
                Ok(Some(record)) => whole.push(Image { record, names: names.remove(&digest).unwrap_or_default() }),
                Ok(None) => {}
                Err(error) => broken.push(BrokenImage { digest, error }),
            }
        }
        Ok((whole, broken))
    }

    /// Manifest digests of all images; foreign entries are passed over.
    pub(crate) fn image_digests(&self) -> Result<Vec<Digest>, Error> {
        let dir = self.layout().images();
        let names = sys::fs::names(&dir).reading(&dir)?;
        Ok(names.iter().filter_map(|name| manifest_of(name)).collect())
    }

    /// Finds an image by name (Podman's order of candidates), by digest, by id or by a unique prefix of an id.
    pub(crate) fn find_image(&self, text: &str) -> Result<FoundImage, Error> {
        self.try_find_image(text)?.ok_or_else(|| Error::NoImage(text.to_owned()))
    }

    /// Like [`Self::find_image`], for who changes it: an image of an additional store is an error.
    pub(crate) fn find_own_image(&self, text: &str) -> Result<FoundImage, Error> {
        let found = self.find_image(text)?;
        match found.read_only {
            Some(store) => Err(Error::ReadOnlyImage { image: text.to_owned(), store }),
            None => Ok(found),
        }
    }

    /// Like [`Self::find_image`], with `None` where there is none such. This store comes first, then the additional ones.
    pub(crate) fn try_find_image(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        if let Some(found) = self.try_find_here(text)? {
            return Ok(Some(found));
        }
        for store in &self.additional {
            if let Some(mut found) = store.try_find_here(text)? {
                let path = store.layout().graphroot();
                store.verify(&found.image.record).map_err(|why| match why {
                    Unverified::Error(error) => error,
                    Unverified::Forged(why) => {
                        Error::ForgedImage { image: text.to_owned(), store: path.to_owned(), why }
                    }
                })?;
                found.read_only = Some(path.to_owned());
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Holds a record of somebody else's against the documents that its digests name: whoever wrote it must not be able
    /// to give another content a digest that is trusted. The layers are verified when they are unpacked.
    fn verify(&self, record: &ImageRecord) -> Result<(), Unverified> {
        let document = |digest: &Digest| {
            let path = self.layout().blob(digest);
            let bytes = sys::fs::read_limited(&path, record::LIMIT).reading(&path).map_err(Unverified::Error)?;
            if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(Unverified::Forged("a document has changed")) }
        };
        let manifest = document(&record.digest)?;
        let id: Digest =
            format!("sha256:{}", record.id).parse().ok().ok_or(Unverified::Forged("the id is no digest"))?;
        let config = document(&id)?;
        if !String::from_utf8_lossy(&manifest).contains(&id.to_string()) {
            return Err(Unverified::Forged("the manifest has another configuration"));
        }
        let config: Option<ImageConfig> = serde_json::from_slice(&config).ok();
        let config = config.ok_or(Unverified::Forged("the configuration cannot be parsed"))?;
        let diffs: Vec<DiffId> = record.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let chains: Vec<ChainId> = record.layers.iter().map(|layer| layer.chain.clone()).collect();
        if config != record.config || diffs != config.rootfs.diff_ids || chains != ChainId::of_stack(&diffs) {
            return Err(Unverified::Forged("the record differs from the configuration"));
        }
        Ok(())
    }

    /// Where a blob is: here, or in an additional store. Its content is not verified.
    pub(crate) fn find_blob(&self, digest: &Digest) -> PathBuf {
        let stores = std::iter::once(self).chain(&self.additional);
        let paths = stores.map(|store| store.layout().blob(digest));
        paths.into_iter().find(|path| sys::fs::exists(path)).unwrap_or_else(|| self.layout().blob(digest))
    }

    /// The additional store that has a blob which is not here.
    pub(crate) fn additional_with(&self, digest: &Digest) -> Option<PathBuf> {
        if sys::fs::exists(&self.layout().blob(digest)) {
            return None;
        }
        let store = self.additional.iter().find(|store| sys::fs::exists(&store.layout().blob(digest)));
        store.map(|store| store.layout().graphroot().to_owned())
    }

    /// The record of an image, here or in an additional store, where it is not verified.
    pub(crate) fn any_image_record(&self, digest: &Digest) -> Result<Option<ImageRecord>, Error> {
        for store in std::iter::once(self).chain(&self.additional) {
            if let Some(record) = store.image_record(digest)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn try_find_here(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        if let Some(hex) = text.strip_prefix("sha256:") {
            return self.image_by_prefix(text, hex);
        }
        let candidates = Reference::candidates(text);
        for name in candidates.iter().flatten() {
            if let Some(digest) = self.resolve_reference(name)?
                && let Some(record) = self.image_record(&digest)?
            {
                return Ok(Some(self.found(record, Some(name.clone()))?));
            }
            if let Some(found) = self.image_by_digest_of(name)? {
                return Ok(Some(found));
            }
        }
        if let Some(found) = self.image_by_prefix(text, text)? {
            return Ok(Some(found));
        }
        // The last resort of Podman: the end of a name that was pulled from some other registry.
        match candidates {
            Ok(_) if !has_domain(text) => self.image_by_suffix(text),
            Ok(_) => Ok(None),
            Err(error) => Err(Error::ImageName(error)),
        }
    }

    fn found(&self, record: ImageRecord, name: Option<Reference>) -> Result<FoundImage, Error> {
        Ok(FoundImage { image: self.image(&record.digest)?, name, read_only: None })
    }

    /// `repository@sha256:…`: the image itself or the index it was chosen from, if it has a name in that repository.
    fn image_by_digest_of(&self, name: &Reference) -> Result<Option<FoundImage>, Error> {
        let Some(digest) = name.digest() else { return Ok(None) };
        let (images, _) = self.image_heads()?;
        let image = images.into_iter().find(|image| {
            (image.digest == *digest || image.index.as_ref() == Some(digest))
                && image.names.iter().any(|other| other.repository() == name.repository())
        });
        image
            .map(|image| {
                Ok(FoundImage { image: self.image(&image.digest)?, name: Some(name.clone()), read_only: None })
            })
            .transpose()
    }

    fn image_by_prefix(&self, text: &str, prefix: &str) -> Result<Option<FoundImage>, Error> {
        if !is_id_prefix(prefix) {
            return Ok(None);
        }
        let (mut images, _) = self.image_heads()?;
        images.retain(|image| {
            image.id.as_str().starts_with(prefix)
                || (text.starts_with("sha256:") && image.digest.hex().starts_with(prefix))
        });
        let mut ids: Vec<String> = images.iter().map(|image| image.id.short().to_owned()).collect();
        ids.sort();
        ids.dedup();
        if ids.len() > 1 {
            return Err(Error::AmbiguousImage { text: text.to_owned(), candidates: ids });
        }
        // Two manifests may have one configuration: prefer the one with a name.
        images.sort_by_key(ImageHead::is_dangling);
        let found = images.into_iter().next();
        found.map(|image| Ok(FoundImage { image: self.image(&image.digest)?, name: None, read_only: None })).transpose()
    }

    fn image_by_suffix(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        let wanted = if text.contains([':', '@']) { text.to_owned() } else { format!("{text}:latest") };
        let suffix = format!("/{wanted}");
        let (refs, _) = self.references()?;
        let mut matches = refs.into_iter().filter(|r| r.name.to_string().ends_with(&suffix)).collect::<Vec<_>>();
        let candidates = || matches.iter().map(|r| r.name.to_string()).collect::<Vec<_>>();
        if matches.windows(2).any(|pair| pair[0].digest != pair[1].digest) {
            return Err(Error::AmbiguousImage { text: text.to_owned(), candidates: candidates() });
        }
        let Some(reference) = matches.pop() else { return Ok(None) };
        let record = self.image_record(&reference.digest)?;
        record.map(|record| self.found(record, Some(reference.name))).transpose()
    }

    /// Containers made of an image.
    pub(crate) fn image_users(&self, digest: &Digest, image_id: &ImageId) -> Result<Vec<ContainerId>, Error> {
        let mut users = Vec::new();
        for id in self.container_ids()? {
            // A damaged container may use any image, but it must not keep all of them.
            let Ok(config) = self.container_config(&id) else { continue };
            if config.image.is_some_and(|image| image.digest == *digest || image.id == *image_id) {
                users.push(id);
            }
        }
        Ok(users)
    }

    /// Takes an image out of the store: its record, then its names. Blobs and layers that nobody else refers to are the
    /// next sweep's ([`Store::sweep`]). Refused while containers use it: the caller removes those first.
    pub(crate) fn remove_image(&self, digest: &Digest) -> Result<Vec<Reference>, Error> {
        let image = self.image(digest)?;
        let users = self.image_users(digest, &image.record.id)?;
        let twins = self.image_heads()?.0.iter().filter(|other| other.id == image.record.id).count();
        if !users.is_empty() && twins < 2 {
            let users = users.iter().map(|id| id.short().to_owned()).collect();
            return Err(Error::ImageInUse { image: image.record.id.short().to_owned(), users });
        }
        self.discard_image(digest)?;
        Ok(image.names)
    }

    /// Removes record and names whatever they hold, also of a damaged image. The record goes first: a name without an
    /// image is nobody's and is swept, but an image without a name would stay until somebody prunes.
    pub(crate) fn discard_image(&self, digest: &Digest) -> Result<(), Error> {
        let names = self.references()?.0;
        let path = self.layout().image(digest);
        sys::fs::remove_file(&path).removing(&path)?;
        sys::fs::sync_dir(&self.layout().images()).writing(&path)?;
        for reference in names {
            if reference.digest == *digest {
                self.untag(&reference.name)?;
            }
        }
        Ok(())
    }
}
