//! An image on its way out of the store: its documents and where its blobs are.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::absent::{Absent, Pulled};
use super::caged;
use super::outgoing_list::Given;
use super::recode::Staged;
use super::save::{LayerForm, SavedNames};
use crate::engine::{Engine, Error};
use crate::registry::{self, KeptManifest, ManifestFormat};
use crate::storage::images::{ImageRecord, ImageSource};
use crate::storage::layers::{LayerKey, MapKey};
use crate::storage::lease::Lease;
use crate::storage::unpack::Compression;
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::platform::Platform;
use crate::types::progress::Progress;

/// What one name stands for: an image, or a list with images.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Of the manifest, or of the list.
    pub(super) digest: Digest,
    pub(super) names: Vec<String>,
    pub(super) list: Option<OutgoingList>,
    pub(super) instances: Vec<Instance>,
}

/// The document of a list.
#[derive(Debug)]
pub(super) struct OutgoingList {
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

impl OutgoingList {
    /// It is a manifest list, not an index.
    pub(super) fn is_docker(&self) -> bool {
        self.media_type.contains("docker")
    }
}

/// One image for one platform.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) digest: Digest,
    pub(super) media_type: String,
    /// Of the manifest.
    pub(super) bytes: Vec<u8>,
    pub(super) config: Descriptor,
    /// Bottom first.
    pub(super) layers: Vec<Descriptor>,
    pub(super) diff_ids: Vec<DiffId>,
    pub(super) platform: Option<Platform>,
    /// Blobs that were made for this purpose and are not in the store.
    pub(super) staged: Staged,
    /// As it came, if some of its layers are here in another compression only.
    pub(super) pulled: Option<Pulled>,
    /// Blobs that are where it goes already.
    pub(super) there: Vec<Digest>,
    /// The registry that it was pulled from.
    pub(super) source: Option<ImageSource>,
}

impl Outgoing {
    /// Media type and size of the document that the name stands for.
    pub(super) fn top(&self) -> (String, u64) {
        match (&self.list, self.instances.first()) {
            (Some(list), _) => (list.media_type.clone(), list.bytes.len() as u64),
            (None, Some(one)) => (one.media_type.clone(), one.bytes.len() as u64),
            (None, None) => (String::new(), 0),
        }
    }
}

impl Engine {
    /// Looks the images up and holds their blobs until the lease ends. One image under two names is one.
    pub(super) fn outgoing(
        &self,
        lease: &Lease,
        texts: &[String],
        names: &SavedNames,
        all: bool,
        given: &Given<'_>,
    ) -> Result<Vec<Outgoing>, Error> {
        let mut images: Vec<Outgoing> = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.strip_prefix("docker://").unwrap_or(text);
            if let Some(list) = self.find_list(text)? {
                let mut one = self.outgoing_list(lease, &list, all, given)?;
                one.names = match names {
                    SavedNames::AsAsked(more) => {
                        std::iter::once(&list.name).chain(more).map(ToString::to_string).collect()
                    }
                    SavedNames::Only(name) => name.iter().cloned().collect(),
                };
                images.push(one);
                continue;
            }
            let found = self.find_image(text)?;
            let mut given: Vec<String> = match names {
                // A reference by digest is none that an archive could give.
                SavedNames::AsAsked(_) => {
                    found.name.iter().filter(|name| name.digest().is_none()).map(ToString::to_string).collect()
                }
                SavedNames::Only(name) => name.iter().cloned().collect(),
            };
            if let SavedNames::AsAsked(more) = names {
                given.extend(more.iter().map(ToString::to_string));
            }
            match images.iter_mut().find(|image| image.digest == found.image.record.digest) {
                Some(image) => image.names.extend(given),
                None => {
                    let instance = self.instance(lease, &found.image.record)?;
                    let digest = instance.digest.clone();
                    images.push(Outgoing { digest, names: given, list: None, instances: vec![instance] });
                }
            }
        }
        for image in &mut images {
            let mut seen = std::collections::BTreeSet::new();
            image.names.retain(|name| seen.insert(name.clone()));
        }
        Ok(images)
    }

    /// An image of the store, as it came.
    pub(super) fn instance(&self, lease: &Lease, record: &ImageRecord) -> Result<Instance, Error> {
        let bytes = self.document(&record.digest)?;
        let kept = KeptManifest::parse(&bytes, &record.media_type)
            .map_err(|source| Error::SaveTo { name: record.id.short().to_owned(), source: Box::new(source) })?;
        if !self.relies_on(lease, &kept.config.digest)? {
            return Err(Error::BlobGone(kept.config.digest));
        }
        let (mut layers, mut absent) = (kept.layers.clone(), Vec::new());
        for (layer, diff_id) in layers.iter_mut().zip(&record.config.rootfs.diff_ids) {
            if self.relies_on(lease, &layer.digest)? {
                continue;
            }
            let twin = self.same_layer(lease, record, diff_id, kept.format)?;
            absent.push(Absent { layer: layer.clone(), diff_id: diff_id.clone(), twin: twin.clone() });
            *layer = twin.unwrap_or_else(|| layer.clone());
        }
        let config = &record.config;
        let platform = (!config.os.is_empty() && !config.architecture.is_empty())
            .then(|| Platform::new(&config.os, &config.architecture, config.variant.as_deref()));
        let pulled = (!absent.is_empty()).then(|| Pulled {
            digest: record.digest.clone(),
            bytes: bytes.clone(),
            layers: kept.layers.clone(),
            absent,
        });
        let bytes = if pulled.is_some() { kept.rewritten(kept.format, &layers).0 } else { bytes };
        Ok(Instance {
            digest: Digest::of(&bytes),
            media_type: record.media_type.clone(),
            bytes,
            config: kept.config,
            layers,
            diff_ids: config.rootfs.diff_ids.clone(),
            platform,
            staged: BTreeMap::new(),
            pulled,
            there: Vec::new(),
            source: record.source.clone(),
        })
    }

    /// A manifest or a configuration of the store, checked.
    pub(super) fn document(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = self.kept_blob(digest)?.take(DOCUMENT_LIMIT).read_to_end(&mut bytes);
        match read {
            Ok(_) if Digest::of(&bytes) == *digest => Ok(bytes),
            _ => Err(Error::DamagedBlob(digest.clone())),
        }
    }

    /// Gives an image another manifest format and its layers another compression, as far as it is wanted or needed.
    pub(super) fn rewrite(
        &self,
        lease: &Lease,
        image: &mut Outgoing,
        format: Option<ManifestFormat>,
        layers: LayerForm,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        if image.list.is_some() && format.is_none() && !matches!(layers, LayerForm::Compressed(..)) {
            // Its digests are what a list is for.
            return Ok(());
        }
        let mut changed = BTreeMap::new();
        for instance in &mut image.instances {
            let before = instance.digest.clone();
            self.rewrite_instance(lease, instance, format, layers, progress)?;
            let now = Descriptor {
                media_type: instance.media_type.clone(),
                digest: instance.digest.clone(),
                size: instance.bytes.len() as u64,
            };
            changed.insert(before, now);
            if image.list.is_none() {
                image.digest = instance.digest.clone();
            }
        }
        if let Some(list) = &mut image.list {
            let name = image.digest.to_string();
            let (bytes, media_type) = registry::rewritten_list(&list.bytes, format, &changed)
                .map_err(|source| Error::SaveTo { name, source: Box::new(source) })?;
            image.digest = Digest::of(&bytes);
            *list = OutgoingList { media_type, bytes };
        }
        Ok(())
    }

    fn rewrite_instance(
        &self,
        lease: &Lease,
        instance: &mut Instance,
        format: Option<ManifestFormat>,
        form: LayerForm,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let kept = KeptManifest::parse(&instance.bytes, &instance.media_type)
            .map_err(|source| Error::SaveTo { name: instance.digest.to_string(), source: Box::new(source) })?;
        let format = format.unwrap_or(kept.format);
        let mut changed = format != kept.format;
        // What was pulled goes back as it came, even what is not compressed; not what only stands in for another.
        let came = instance.pulled.as_ref().map_or_else(|| instance.layers.clone(), |pulled| pulled.layers.clone());
        let plain = |layer: &Descriptor| Compression::of_media_type(&layer.media_type) == Some(Compression::None);
        for ((layer, came), diff_id) in instance.layers.iter_mut().zip(&came).zip(&instance.diff_ids) {
            let kept = form == LayerForm::Squeezed && instance.source.is_some() && plain(came);
            let form = if kept { LayerForm::Kept } else { form };
            let Some((to, level)) = target_of(&layer.media_type, format, form) else { continue };
            let id = &layer.digest.hex()[..12];
            progress.begin(id, id, Some(layer.size));
            progress.phase(id, "compressing");
            let staged = self.recode(lease, (layer, &instance.staged), diff_id, level, to)?;
            *layer = Descriptor {
                media_type: registry::media_type(format, to.media_type()),
                digest: staged.digest.clone(),
                size: staged.size,
            };
            instance.staged.insert(staged.digest.clone(), staged);
            changed = true;
        }
        if changed {
            let (bytes, media_type) = kept.rewritten(format, &instance.layers);
            instance.digest = Digest::of(&bytes);
            (instance.bytes, instance.media_type) = (bytes, media_type.to_owned());
        }
        Ok(())
    }

    /// Bytes of a layer's plain tar: known since it was unpacked, or counted.
    pub(super) fn plain_size(&self, layer: &Descriptor, staged: &Staged, chain: &ChainId) -> Result<u64, Error> {
        if Compression::of_media_type(&layer.media_type) == Some(Compression::None) {
            return Ok(layer.size);
        }
        let map = MapKey::new(&self.wish()?.maps, &self.layer_maps()?);
        if let Some(size) = self.store.layer(&LayerKey::new(chain, &map))?.and_then(|meta| meta.tar_size) {
            return Ok(size);
        }
        Ok(caged::measure_layer(&layer.digest, self.layer_blob(&layer.digest, staged)?)?.0)
    }
}

/// What a layer is to be made of; `None` if it stays as it is.
fn target_of(media_type: &str, format: ManifestFormat, form: LayerForm) -> Option<(Compression, Option<i32>)> {
    let now = Compression::of_media_type(media_type)?;
    let wanted = match form {
        LayerForm::Kept => (now, None),
        LayerForm::Plain => (Compression::None, None),
        LayerForm::Squeezed if now == Compression::None => (Compression::Gzip, None),
        LayerForm::Squeezed => (now, None),
        LayerForm::Compressed(to, level) => (to, level),
    };
    // Readers of schema 2 know no zstd.
    let wanted = match (format, wanted.0) {
        (ManifestFormat::Docker, Compression::Zstd) => (Compression::Gzip, None),
        _ => wanted,
    };
    (wanted.0 != now || wanted.1.is_some()).then_some(wanted)
}
