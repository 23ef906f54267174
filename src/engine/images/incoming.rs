//! What pull, load and import share: which layers are missing, unpacking one in P, publishing the whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::engine::error::failure;
use crate::engine::{Engine, Error};
use crate::rootless::{Outer, worker};
use crate::storage::blobs::StagedBlob;
use crate::storage::images::{Image, ImageLayer, ImageRecord, ImageSource};
use crate::storage::layer_index::{self, IndexWriter};
use crate::storage::layers::{LayerKey, LayerMeta, MapKey, StagedLayer};
use crate::storage::lease::Lease;
use crate::storage::publish::{NewImage, Staged};
use crate::storage::record::{Record as _, Rest};
use crate::storage::unpack::{self, Compression, Plan, Remarks, Threads, Unpacked};
use crate::sys;
use crate::sys::root::RootDir;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::failure::chain;
use crate::types::id::ImageId;
use crate::types::idmap::{Extent, IdMap, IdMaps};
use crate::types::image_config::ImageConfig;
use crate::types::progress::Progress;
use crate::types::reference::Reference;

/// An image on its way into the store: everything but the content of its layers.
#[derive(Debug)]
pub(crate) struct IncomingImage {
    pub(crate) manifest_digest: Digest,
    pub(crate) manifest: Vec<u8>,
    pub(crate) media_type: String,
    /// The index that it was chosen from.
    pub(crate) index: Option<(Digest, Vec<u8>)>,
    pub(crate) config_digest: Digest,
    pub(crate) config_bytes: Vec<u8>,
    pub(crate) config: ImageConfig,
    pub(crate) annotations: BTreeMap<String, String>,
    /// Bottom first, one for each diff id of the configuration.
    pub(crate) layers: Vec<IncomingLayer>,
    /// The registry that it comes from.
    pub(crate) source: Option<ImageSource>,
}

/// One layer of it.
#[derive(Debug, Clone)]
pub(crate) struct IncomingLayer {
    pub(crate) diff_id: DiffId,
    /// The compressed blob, as the manifest names it.
    pub(crate) blob: Digest,
    pub(crate) size: u64,
    pub(crate) media_type: String,
    /// A blob of the store that holds the same layer in another compression: this one is not fetched.
    pub(crate) twin: Option<Digest>,
}

/// What a layer can be unpacked from again.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The blob, if it is in the store.
    pub(super) blob: Option<Digest>,
    /// The additional store that has it.
    pub(super) origin: Option<PathBuf>,
}

/// All layers of an image, bottom first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stack<'a> {
    pub(super) keys: &'a [LayerKey],
    pub(super) kept: &'a [Kept],
    /// How they are unpacked.
    pub(super) maps: &'a IdMaps,
}

/// A layer that was unpacked into a lease.
#[derive(Debug)]
pub(crate) struct StagedUnpack {
    /// Its place in the image.
    pub(crate) index: usize,
    pub(crate) staged: StagedLayer,
    pub(crate) unpacked: Unpacked,
}

impl IncomingImage {
    /// Chain ids, bottom first.
    pub(crate) fn chains(&self) -> Vec<ChainId> {
        let diffs: Vec<DiffId> = self.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        ChainId::of_stack(&diffs)
    }
}

impl Engine {
    /// Ids of a layer's tar ↔ ids of P, as the containers of the default map have them: the same numbers.
    pub(crate) fn layer_maps(&self) -> Result<IdMaps, Error> {
        let same = |map: &IdMap| {
            let extents = map.extents().iter().map(|e| Extent { outside: e.inside, ..*e }).collect();
            IdMap::new(extents).map_err(Error::IdMap)
        };
        let outer = &self.wish()?.maps;
        Ok(IdMaps { uid: same(&outer.uid)?, gid: same(&outer.gid)? })
    }

    /// Keys of an image's layers under the default map.
    pub(crate) fn layer_keys(&self, chains: &[ChainId]) -> Result<Vec<LayerKey>, Error> {
        let map = MapKey::new(&self.wish()?.maps, &self.layer_maps()?);
        Ok(chains.iter().map(|chain| LayerKey::new(chain, &map)).collect())
    }

    /// Publishes an image whose missing layers are unpacked, and names it (rule R3).
    #[expect(clippy::too_many_arguments, reason = "everything that an image consists of")]
    pub(crate) fn publish_image(
        &self,
        lease: Lease,
        image: &IncomingImage,
        blobs: Vec<StagedBlob>,
        layers: Vec<StagedUnpack>,
        names: &[Reference],
        progress: &dyn Progress,
    ) -> Result<Image, Error> {
        let wanting = self.layers_without_blob(image, &blobs)?;
        let (record, remarks) = match self.put_in_place(&lease, image, blobs, layers, names) {
            Ok(placed) => placed,
            Err(error) => {
                // The disk may be full: what nobody will name gives its space back.
                drop(lease);
                if let Err(left) = self.store.sweep().map_err(Error::from).and_then(|_| self.empty_trash()) {
                    tracing::debug!(error = %left, "an image without a name stays for the next sweep");
                }
                return Err(error);
            }
        };
        for line in remarks.lines() {
            progress.warn(&line);
        }
        let passed = lease.finish(&self.store)?;
        // Before, nothing could be done about a damaged one.
        if let Err(error) = self.mend_layers(&wanting) {
            progress.warn(&format!("a layer that is damaged here stays as it is: {}", chain(&error)));
        }
        // The image is there, whatever becomes of the empty staging directory.
        if let Err(error) = self.clean_up(passed) {
            tracing::debug!(%error, "trash stays");
        }
        // Not what the store has by now: another command may have taken its name for itself, and a prune the image. It was
        // there.
        Ok(self.store.with_names(record)?)
    }

    /// Layers that are here, and whose blobs come only now: the store had lost them.
    fn layers_without_blob(&self, image: &IncomingImage, blobs: &[StagedBlob]) -> Result<Vec<LayerKey>, Error> {
        let mut wanting = Vec::new();
        for (layer, key) in image.layers.iter().zip(self.layer_keys(&image.chains())?) {
            let comes = blobs.iter().any(|blob| blob.digest == layer.blob);
            if comes && self.store.has_layer(&key) && self.store.blob_size(&layer.blob)?.is_none() {
                wanting.push(key);
            }
        }
        Ok(wanting)
    }

    /// All of [`Engine::publish_image`] that fails before the image is there.
    fn put_in_place(
        &self,
        lease: &Lease,
        image: &IncomingImage,
        mut blobs: Vec<StagedBlob>,
        layers: Vec<StagedUnpack>,
        names: &[Reference],
    ) -> Result<(ImageRecord, Remarks), Error> {
        let keys = self.layer_keys(&image.chains())?;
        let documents = [&image.manifest, &image.config_bytes].into_iter();
        for bytes in documents.chain(image.index.as_ref().map(|(_, bytes)| bytes)) {
            if !lease.rely_on_blob(&self.store, &Digest::of(bytes))? {
                blobs.push(lease.stage_bytes(bytes)?);
            }
        }
        let mut kept = Vec::with_capacity(image.layers.len());
        for layer in &image.layers {
            let there = self.size_of_blob(&layer.blob, &blobs)?.is_some();
            let blob = if there { Some(layer.blob.clone()) } else { layer.twin.clone() };
            kept.push(Kept { blob, origin: None });
        }
        let record = self.image_record(image, &keys, &blobs, &layers)?;
        if !names.is_empty() {
            lease.promise(&self.store, &record.digest)?;
        }
        let stack = Stack { keys: &keys, kept: &kept, maps: &self.layer_maps()? };
        let remarks = self.publish_layers(lease, stack, &blobs, layers, Some(NewImage { record: &record, names }))?;
        Ok((record, remarks))
    }

    /// Publishes blobs, unpacked layers of the stack, and the image.
    pub(super) fn publish_layers(
        &self,
        lease: &Lease,
        stack: Stack<'_>,
        blobs: &[StagedBlob],
        mut layers: Vec<StagedUnpack>,
        image: Option<NewImage<'_>>,
    ) -> Result<Remarks, Error> {
        let Stack { keys, kept, maps } = stack;
        layers.sort_by_key(|layer| layer.index);
        self.inherit(keys, &layers, maps)?;
        let mut remarks = Remarks::default();
        let mut publish = Vec::with_capacity(layers.len());
        for layer in layers {
            remarks.merge(&layer.unpacked.remarks);
            let parent = layer.index.checked_sub(1).map(|below| keys[below].chain.clone());
            let meta = layer_meta(&layer, parent, kept[layer.index].clone(), maps);
            publish.push((layer.staged, meta));
        }
        self.store.publish(lease, &Staged { blobs, layers: &publish, image })?;
        Ok(remarks)
    }

    /// Makes a layer that was unpacked again ready to take the place of a damaged one.
    pub(in crate::engine) fn complete_layer(
        &self,
        keys: &[LayerKey],
        layer: &StagedUnpack,
        blob: Digest,
        maps: &IdMaps,
    ) -> Result<LayerMeta, Error> {
        self.inherit(keys, std::slice::from_ref(layer), maps)?;
        let parent = layer.index.checked_sub(1).map(|below| keys[below].chain.clone());
        Ok(layer_meta(layer, parent, Kept { blob: Some(blob), origin: None }, maps))
    }

    /// Records an image whose blobs are here; its names stay as they are.
    pub(in crate::engine) fn record_image(&self, image: &IncomingImage) -> Result<(), Error> {
        let record = self.image_record(image, &self.layer_keys(&image.chains())?, &[], &[])?;
        Ok(self.store.put_image(&record)?)
    }

    /// Gives the directories that a layer only fills the owner and mode that the layers below have for them.
    fn inherit(&self, keys: &[LayerKey], layers: &[StagedUnpack], maps: &IdMaps) -> Result<(), Error> {
        let wanting: Vec<&StagedUnpack> =
            layers.iter().filter(|layer| layer.index > 0 && !layer.unpacked.implicit.is_empty()).collect();
        if wanting.is_empty() {
            return Ok(());
        }
        let diff = |index: usize| {
            let staged = layers.iter().find(|layer| layer.index == index);
            staged.map_or_else(|| self.store.layer_diff(&keys[index]), |layer| layer.staged.diff())
        };
        let diffs: Vec<_> = (0..keys.len()).map(diff).collect();
        let inherited: usize = worker::run(&self.outer()?, || {
            let open = |path: &std::path::PathBuf| RootDir::open(path).map_err(|error| failure(&error));
            let mut count = 0;
            for layer in &wanting {
                // An opaque root hides everything below.
                let below = if layer.unpacked.opaque_root { &diffs[..0] } else { &diffs[..layer.index] };
                let lowers = below.iter().rev().map(open).collect::<Result<Vec<_>, _>>()?;
                let root = open(&diffs[layer.index])?;
                let done = unpack::inherit_parents(&root, &layer.unpacked.implicit, &lowers, maps);
                let done = done.map_err(|error| failure(&error))?;
                layer_index::amend(&layer.staged.index(), &done).map_err(|error| failure(&error))?;
                count += done.len();
            }
            Ok(count)
        })?;
        tracing::debug!(count = inherited, "directories inherited from the layers below");
        Ok(())
    }

    /// The record of an image whose blobs and layers are in the store, or staged.
    fn image_record(
        &self,
        image: &IncomingImage,
        keys: &[LayerKey],
        blobs: &[StagedBlob],
        unpacked: &[StagedUnpack],
    ) -> Result<ImageRecord, Error> {
        let mut layers = Vec::with_capacity(keys.len());
        for (index, (layer, key)) in image.layers.iter().zip(keys).enumerate() {
            let mut kept = (None, layer.media_type.clone(), layer.size);
            for blob in std::iter::once(&layer.blob).chain(&layer.twin) {
                let Some(size) = self.size_of_blob(blob, blobs)? else { continue };
                if *blob == layer.blob {
                    kept.0 = Some(blob.clone());
                } else if let Some(compression) = self.compression_of(blob)? {
                    kept = (Some(blob.clone()), compression.media_type().to_owned(), size);
                }
                break;
            }
            let (blob, media_type, size) = kept;
            let unpacked = match unpacked.iter().find(|layer| layer.index == index) {
                Some(layer) => layer.unpacked.size,
                // A damaged one is mended when its blob is here.
                None => self.store.layer(key).ok().flatten().map_or(0, |meta| meta.size),
            };
            layers.push(ImageLayer {
                chain: key.chain.clone(),
                diff_id: layer.diff_id.clone(),
                blob,
                media_type,
                size,
                unpacked,
            });
        }
        let source = match &image.source {
            Some(source) => Some(source.clone()),
            // The same image, come in another way.
            None => self.store.image_record(&image.manifest_digest).ok().flatten().and_then(|record| record.source),
        };
        Ok(ImageRecord {
            version: ImageRecord::VERSION,
            digest: image.manifest_digest.clone(),
            id: ImageId::from_bytes(image.config_digest.bytes()),
            media_type: image.media_type.clone(),
            index: image.index.as_ref().map(|(digest, _)| digest.clone()),
            size: layers.iter().map(|layer| layer.unpacked).sum(),
            layers,
            config: image.config.clone(),
            created: image.config.created.as_deref().and_then(|text| text.parse().ok()),
            stored: jiff::Timestamp::now(),
            annotations: image.annotations.clone(),
            source,
            rest: Rest::new(),
        })
    }
}

impl Engine {
    /// Bytes of a blob that is staged, or in the store.
    fn size_of_blob(&self, blob: &Digest, staged: &[StagedBlob]) -> Result<Option<u64>, Error> {
        match staged.iter().find(|staged| staged.digest == *blob) {
            Some(staged) => Ok(Some(staged.size)),
            None => Ok(self.store.blob_size(blob)?),
        }
    }

    /// How a blob of the store is compressed, as its first bytes tell; none if they tell nothing that a layer may be.
    fn compression_of(&self, blob: &Digest) -> Result<Option<Compression>, Error> {
        let Some(file) = self.store.open_blob(blob)? else { return Ok(None) };
        let mut magic = [0; Compression::MAGIC_LEN];
        let read = sys::contents::read_at(&file, &mut magic, 0);
        let count =
            read.map_err(|source| Error::Path { what: "read", path: self.store.layout().blob(blob), source })?;
        Ok(Compression::sniff(&magic[..count]).ok())
    }
}

fn layer_meta(layer: &StagedUnpack, parent: Option<ChainId>, kept: Kept, maps: &IdMaps) -> LayerMeta {
    let unpacked = &layer.unpacked;
    let clamped = unpacked.remarks.unmapped_ids.iter();
    LayerMeta {
        version: LayerMeta::VERSION,
        chain: layer.staged.key.chain.clone(),
        map: layer.staged.key.map.clone(),
        diff_id: unpacked.diff_id.clone(),
        parent,
        blob: kept.blob,
        origin: kept.origin,
        size: unpacked.size,
        tar_size: Some(unpacked.uncompressed),
        disk: unpacked.disk,
        ids: Some(maps.clone()),
        entries: unpacked.entries,
        whiteouts_in_index: unpacked.whiteouts_in_index,
        clamped_ids: clamped.filter_map(|id| u32::try_from(*id).ok()).collect(),
        rest: Rest::new(),
    }
}

/// Unpacks one layer of an image.
pub(crate) fn unpack_layer(
    outer: &Outer,
    maps: &IdMaps,
    source: unpack::Source,
    staged: &StagedLayer,
    layer: &IncomingLayer,
    threads: Threads<'_>,
) -> Result<Unpacked, crate::rootless::Error> {
    let plan = Plan {
        threads,
        diff_id: Some(&layer.diff_id),
        label: Compression::of_media_type(&layer.media_type),
        ..Plan::layer(maps)
    };
    unpack_staged(outer, source, staged, &plan)
}

/// Unpacks a tar in a worker in P that can reach nothing else.
pub(super) fn unpack_staged(
    outer: &Outer,
    source: unpack::Source,
    staged: &StagedLayer,
    plan: &Plan<'_>,
) -> Result<Unpacked, crate::rootless::Error> {
    worker::run_bound(outer, || {
        sys::process::umask(0);
        let root = RootDir::open(&staged.diff()).map_err(|error| failure(&error))?;
        let index = IndexWriter::create(&staged.index()).map_err(|error| failure(&error))?;
        let done = unpack::confine(&[&root]).and_then(|_caged| unpack::unpack(source, &root, Some(index), plan));
        done.map_err(|error| failure(&error))
    })
}
