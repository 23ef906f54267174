//! Images: one record for each manifest digest. Names point to it from `refs/`; an image without one is dangling.
//! Several manifests may be of one image: [`super::twins`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::container_record::ImageSnapshot;
use super::error::{At as _, Error};
use super::image_head::ImageHead;
use super::record::{self, Rest};
use super::store::{Exclusive, Store};
use crate::sys;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::id::{ContainerId, ImageId};
use crate::types::image_config::ImageConfig;
use crate::types::reference::Reference;

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

/// A manifest of an image, and the names that lead to it, sorted.
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
    /// Records an image whose blobs and layers are published ([`Store::publish`] does all of it). One that is there is
    /// replaced: the same manifest has the same content, only `stored` differs.
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
        self.with_names(self.image_record(digest)?.ok_or_else(|| Error::NoImage(digest.to_string()))?)
    }

    /// An image of this record, with the names that it has now.
    pub(crate) fn with_names(&self, record: ImageRecord) -> Result<Image, Error> {
        let (refs, _) = self.references()?;
        let names = refs.into_iter().filter(|r| r.digest == record.digest).map(|r| r.name).collect();
        Ok(Image { record, names })
    }

    /// All manifests of all images, and the damaged ones.
    pub(crate) fn images(&self) -> Result<(Vec<Image>, Vec<BrokenImage>), Error> {
        let (mut names, _) = self.names_by_image()?;
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

    /// Containers made of an image, whatever its manifest was.
    pub(crate) fn image_users(&self, digest: &Digest, image_id: &ImageId) -> Result<Vec<ContainerId>, Error> {
        let mut users = Vec::new();
        for id in self.container_ids()? {
            // A damaged container may use any image, but it must not keep all of them.
            let Some(config) = self.definition(&id)? else { continue };
            if config.uses_image(digest, image_id) {
                users.push(id);
            }
        }
        Ok(users)
    }

    /// Takes an image, as it was read under the lock, out of the store: the records of all its manifests, and its names.
    /// Blobs and layers that nobody else refers to are the next sweep's ([`Store::sweep`]). Refused while containers use
    /// it: the caller removes those first.
    pub(crate) fn remove_image(&self, image: &ImageHead, lock: &Exclusive) -> Result<(), Error> {
        let users = self.image_users(&image.digest, &image.id)?;
        if !users.is_empty() {
            let users = users.iter().map(|id| id.short().to_owned()).collect();
            return Err(Error::ImageInUse { image: image.id.short().to_owned(), users });
        }
        for digest in image.digests() {
            self.discard_image(digest, lock)?;
        }
        Ok(())
    }

    /// Removes record and names whatever they hold, also of a damaged image. The record goes first: a name without an
    /// image is nobody's and is swept, but an image without a name would stay until somebody prunes.
    pub(crate) fn discard_image(&self, digest: &Digest, lock: &Exclusive) -> Result<(), Error> {
        let names = self.references()?.0;
        let path = self.layout().image(digest);
        sys::fs::remove_file(&path).removing(&path)?;
        sys::fs::sync_dir(&self.layout().images()).writing(&path)?;
        for reference in names {
            if reference.digest == *digest {
                self.untag(&reference.name, lock)?;
            }
        }
        Ok(())
    }
}
