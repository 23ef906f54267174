//! What the documents of an image say of its record.
//!
//! Manifest, configuration and index are blobs, whose digests vouch for them; nothing vouches for a record. One wrong digit
//! in it must cost no blob: a sweep keeps what the manifest names, and frees nothing as long as a record says something
//! else; `system check` has such a record made anew.

use serde::Deserialize;

use super::error::{At as _, Error};
use super::images::{ImageLayer, ImageRecord};
use super::store::Store;
use super::unpack::Compression;
use crate::sys;
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::media_type;

/// What the store needs of a manifest. Which ones come in, `registry` decides.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    media_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// The same of an index.
#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

impl Manifest {
    /// Configuration and layers.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.config.digest).chain(self.layers())
    }

    /// Blobs of layers, bottom first.
    pub(super) fn layers(&self) -> impl Iterator<Item = &Digest> {
        self.layers.iter().map(|layer| &layer.digest)
    }
}

impl Index {
    fn names(&self, manifest: &Digest) -> bool {
        self.manifests.iter().any(|entry| entry.digest == *manifest)
    }

    /// It leads to manifests over indexes of its own, which are not kept.
    fn is_nested(&self) -> bool {
        self.manifests.iter().any(|entry| media_type::is_index(&entry.media_type))
    }
}

impl Store {
    /// The bytes of a document, if it is here and whole.
    pub(crate) fn whole_document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let path = self.layout().blob(digest);
        let bytes = sys::fs::absent_is_none(sys::fs::read_ordinary(&path, DOCUMENT_LIMIT)).reading(&path)?;
        Ok(bytes.filter(|bytes| Digest::of(bytes) == *digest))
    }

    /// The manifest of an image, if it is here and whole.
    pub(super) fn manifest(&self, digest: &Digest) -> Result<Option<Manifest>, Error> {
        Ok(self.whole_document(digest)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    fn index(&self, digest: &Digest) -> Result<Option<Index>, Error> {
        Ok(self.whole_document(digest)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// An index that names a manifest, if one is kept.
    pub(crate) fn index_of(&self, manifest: &Digest) -> Result<Option<Digest>, Error> {
        for digest in self.blob_digests()? {
            let is_document = self.blob_size(&digest)?.is_some_and(|size| size <= DOCUMENT_LIMIT);
            if is_document && self.index(&digest)?.is_some_and(|index| index.names(manifest)) {
                return Ok(Some(digest));
            }
        }
        Ok(None)
    }

    /// The index of a record, unless it has nothing to do with its manifest. One that is not here, or not whole, cannot be
    /// asked.
    pub(crate) fn credible_index(&self, record: &ImageRecord) -> Result<Option<Digest>, Error> {
        let Some(digest) = &record.index else { return Ok(None) };
        let Some(bytes) = self.whole_document(digest)? else { return Ok(Some(digest.clone())) };
        let index = serde_json::from_slice::<Index>(&bytes).ok();
        let leads = index.is_some_and(|index| index.names(&record.digest) || index.is_nested());
        Ok(leads.then(|| digest.clone()))
    }

    /// In what a record is not what its documents say, as far as they are here.
    pub(super) fn contradiction(
        &self,
        record: &ImageRecord,
        manifest: Option<&Manifest>,
    ) -> Result<Option<&'static str>, Error> {
        let diffs: Vec<DiffId> = record.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let chains: Vec<ChainId> = record.layers.iter().map(|layer| layer.chain.clone()).collect();
        if record.config.rootfs.diff_ids != diffs || ChainId::of_stack(&diffs) != chains {
            return Ok(Some("its layers are not those of its configuration"));
        }
        let Some(manifest) = manifest else { return Ok(None) };
        if manifest.config.digest.hex() != record.id.as_str() {
            return Ok(Some("its manifest has another configuration"));
        }
        let is_of_type = match &manifest.media_type {
            Some(media_type) => *media_type == record.media_type,
            // What it may have been announced as.
            None => media_type::is_manifest(&record.media_type),
        };
        if !is_of_type {
            return Ok(Some("its manifest is of another type"));
        }
        if manifest.layers.len() != record.layers.len() {
            return Ok(Some("its manifest has another number of layers"));
        }
        for (layer, named) in record.layers.iter().zip(&manifest.layers) {
            let agrees = match &layer.blob {
                // What it had for that layer is lost.
                None => true,
                Some(blob) if *blob == named.digest => layer.size == named.size && layer.media_type == named.media_type,
                Some(twin) => self.may_be_twin(twin, layer)?,
            };
            if !agrees {
                return Ok(Some("its manifest has other layers"));
            }
        }
        Ok((self.credible_index(record)? != record.index).then_some("its index does not name it"))
    }

    /// True if a blob that the manifest does not name may be the same layer in another compression, as far as its first
    /// bytes tell.
    fn may_be_twin(&self, blob: &Digest, layer: &ImageLayer) -> Result<bool, Error> {
        let path = self.find_blob(blob);
        let Some(file) = sys::fs::absent_is_none(sys::fs::open_ordinary(&path)).reading(&path)? else {
            return Ok(false);
        };
        let mut magic = [0; Compression::MAGIC_LEN];
        let count = sys::contents::read_at(&file, &mut magic, 0).reading(&path)?;
        Ok(match Compression::sniff(&magic[..count]) {
            // A plain tar is its own diff.
            Ok(Compression::None) => *blob == layer.diff_id.0,
            Ok(other) => Compression::of_media_type(&layer.media_type) == Some(other),
            Err(_) => false,
        })
    }

    /// Why a record cannot be believed when it is asked what may be thrown away. Without its manifest it is, if all that it
    /// names is here.
    pub(super) fn doubt(
        &self,
        record: &ImageRecord,
        manifest: Option<&Manifest>,
    ) -> Result<Option<&'static str>, Error> {
        if let Some(why) = self.contradiction(record, manifest)? {
            return Ok(Some(why));
        }
        let mut blobs = record.layers.iter().filter_map(|layer| layer.blob.as_ref());
        let is_lost = manifest.is_none() && blobs.any(|blob| !sys::fs::exists(&self.find_blob(blob)));
        Ok(is_lost.then_some("its manifest is missing, and a layer"))
    }
}
