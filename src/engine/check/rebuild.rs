//! Layers and image records made anew from the blobs that are kept: no network is needed.

use std::collections::BTreeSet;

use crate::engine::images::{IncomingImage, IncomingLayer, StagedUnpack, measure_layer, unpack_layer};
use crate::engine::{Engine, Error};
use crate::registry::{self, Manifest};
use crate::storage::check;
use crate::storage::images::{ImageLayer, ImageRecord};
use crate::storage::layers::{LayerKey, MapKey};
use crate::storage::unpack::Threads;
use crate::sys;
use crate::types::digest::{DiffId, Digest};
use crate::types::failure::FailureKind;
use crate::types::id::ContainerId;
use crate::types::idmap::IdMaps;
use crate::types::image_config::ImageConfig;

impl Engine {
    /// Unpacks what is missing of an image.
    pub(super) fn unpack_image(&self, digest: &Digest) -> Result<(), Error> {
        let Some(record) = self.store.image_record(digest)? else { return Ok(()) };
        self.ensure_layers(&record, &self.layer_maps()?)
    }

    /// Unpacks what a container misses of its image.
    pub(super) fn unpack_for(&self, id: &ContainerId) -> Result<(), Error> {
        let config = self.store.container_config(id)?;
        let Some(image) = &config.image else { return Ok(()) };
        let record = self.find_image(&image.digest.to_string())?.image.record;
        self.ensure_layers(&record, &self.maps_of(&config)?)
    }

    /// Unpacks a damaged layer again and puts it in the place of the old one. Without a whole blob the old one stays: most
    /// of it may be as it was, and it may be all that is left. A pull or load brings the blob, and has the layer mended
    /// ([`Engine::mend_layers`]). It goes if nothing is in it, or if it comes back at its next use.
    pub(super) fn rebuild_layer(&self, key: &LayerKey) -> Result<(), Error> {
        self.unused(key)?;
        let found = self.image_of_layer(key)?;
        let unpacked = match &found {
            Some((record, index)) => self.unpack_again(key, record, *index)?,
            None => false,
        };
        if unpacked {
            return Ok(());
        }
        let is_meant = |layer: &ImageLayer| layer.chain == key.chain;
        if sys::fs::exists(&self.store.layer_diff(key)) && !check::has_blob(&self.store, is_meant, true)? {
            return Err(Error::LayerLost(check::lost(&self.store, &key.chain)?));
        }
        let lock = self.store.lock_exclusive()?;
        self.unused(key)?;
        self.store.move_to_trash(&self.store.layer_dir(key))?;
        drop(lock);
        Ok(())
    }

    /// False: there is nothing to unpack it from, or nobody knows for which ids.
    fn unpack_again(&self, key: &LayerKey, record: &ImageRecord, index: usize) -> Result<bool, Error> {
        let layer = &record.layers[index];
        let Some(blob) = layer.blob.clone() else { return Ok(false) };
        let Some(file) = self.store.open_blob(&blob)? else { return Ok(false) };
        let Some(maps) = self.maps_of_layer(key)? else { return Ok(false) };
        let incoming = IncomingLayer {
            diff_id: layer.diff_id.clone(),
            blob: blob.clone(),
            size: layer.size,
            media_type: layer.media_type.clone(),
            twin: None,
        };
        let outer = self.outer()?;
        let lease = self.store.lease()?;
        let done = lease.stage_layer(key.clone()).map_err(Error::Storage).and_then(|staged| {
            let unpacked = unpack_layer(&outer, &maps, file.into(), &staged, &incoming, Threads::Two)?;
            let keys: Vec<LayerKey> = record.layers.iter().map(|l| LayerKey::new(&l.chain, &key.map)).collect();
            // Somebody may have started a container on it meanwhile.
            let layer = StagedUnpack { index, staged, unpacked };
            let meta = self.complete_layer(&keys, &layer, blob, &maps)?;
            self.store.replace_layer(&lease, &layer.staged, &meta, || self.unused(key))
        });
        self.end_lease(lease, done.map(|()| true))
    }

    /// An error if a container runs on a layer: its files must stay where they are.
    fn unused(&self, key: &LayerKey) -> Result<(), Error> {
        let (containers, broken) = self.store.containers()?;
        // One that cannot be read now may run on it.
        if let Some(unknown) = broken.into_iter().find(|broken| !broken.error.is_damage()) {
            return Err(unknown.error.into());
        }
        let uses = containers.into_iter().find(|record| {
            let map = MapKey::from_text(&record.config.map);
            record.status.is_alive() && map == key.map && record.config.all_layers().any(|chain| *chain == key.chain)
        });
        uses.map_or(Ok(()), |record| Err(Error::LayerRuns(record.config.name.to_string())))
    }

    /// An image with the layer, one that has its blob first, and the place of the layer in it.
    fn image_of_layer(&self, key: &LayerKey) -> Result<Option<(ImageRecord, usize)>, Error> {
        let mut found = None;
        for image in self.store.images()?.0 {
            if let Some(index) = image.record.layers.iter().position(|layer| layer.chain == key.chain) {
                let blob = image.record.layers[index].blob.as_ref();
                let kept = blob.is_some_and(|blob| sys::fs::exists(&self.store.layout().blob(blob)));
                if kept || found.is_none() {
                    found = Some((image.record, index));
                }
                if kept {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Ids of the image → ids of P of the layers with this key: the default, what the layer itself has noted, or what a
    /// container of it wants. None: nobody of today's P does.
    fn maps_of_layer(&self, key: &LayerKey) -> Result<Option<IdMaps>, Error> {
        let outer = self.wish()?.maps.clone();
        let fits = |maps: &IdMaps| MapKey::new(&outer, maps) == key.map;
        let default = self.layer_maps()?;
        if fits(&default) {
            return Ok(Some(default));
        }
        if let Some(ids) = self.store.layer(key).ok().flatten().and_then(|meta| meta.ids).filter(fits) {
            return Ok(Some(ids));
        }
        for record in self.store.containers()?.0 {
            if record.config.map == key.map.as_str()
                && let Ok(maps) = self.maps_of(&record.config)
                && fits(&maps)
            {
                return Ok(Some(maps));
            }
        }
        Ok(None)
    }

    /// Makes the record of an image from its manifest and its configuration. Where nothing but a name is left of it, that may
    /// be a removal that was cut off: what would not be whole is not brought back.
    pub(super) fn rebuild_image(&self, digest: &Digest) -> Result<(), Error> {
        let is_gone = || matches!(self.store.image_record(digest), Ok(None));
        match self.image_of_documents(digest) {
            Ok(image) if !is_gone() || self.has_all(&image.layers)? => return self.record_image(&image),
            Err(Error::NotAnImage { .. } | Error::Decode(_)) if is_gone() => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let lock = self.store.lock_exclusive()?;
        // Nobody has brought it meanwhile.
        if is_gone() { Ok(self.store.discard_image(digest, &lock)?) } else { Ok(()) }
    }

    /// True if each layer can be unpacked from a blob that is here, and whole.
    fn has_all(&self, layers: &[IncomingLayer]) -> Result<bool, Error> {
        for IncomingLayer { blob, twin, .. } in layers {
            // A twin has been unpacked and compared.
            let is_here = twin.is_some() || self.store.blob_size(blob)?.is_some() && self.store.verify_blob(blob)?;
            if !is_here {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn image_of_documents(&self, digest: &Digest) -> Result<IncomingImage, Error> {
        let damaged = |why: &'static str| Error::NotAnImage { digest: digest.clone(), why };
        let manifest = self.store.whole_document(digest)?.ok_or_else(|| damaged("its manifest is missing"))?;
        let Ok(Manifest::Image(parsed)) = registry::parse_manifest(&manifest, None) else {
            return Err(damaged("its manifest cannot be read"));
        };
        let config_bytes =
            self.store.whole_document(&parsed.config.digest)?.ok_or_else(|| damaged("its configuration is missing"))?;
        let config: ImageConfig = serde_json::from_slice(&config_bytes).map_err(Error::Decode)?;
        if config.rootfs.diff_ids.len() != parsed.layers.len() {
            return Err(damaged("its configuration has another number of layers"));
        }
        let mut layers = Vec::with_capacity(parsed.layers.len());
        for (layer, diff_id) in parsed.layers.iter().zip(&config.rootfs.diff_ids) {
            let is_here = self.store.blob_size(&layer.digest)?.is_some();
            layers.push(IncomingLayer {
                diff_id: diff_id.clone(),
                blob: layer.digest.clone(),
                size: layer.size,
                media_type: layer.media_type.clone(),
                twin: if is_here { None } else { self.find_twin(diff_id)? },
            });
        }
        // What cannot be found, and may have been right, stays to be missed.
        let index = match self.store.index_of(digest)? {
            None => self.store.image_record(digest).ok().flatten().map(|record| self.store.credible_index(&record)),
            found => Some(Ok(found)),
        };
        Ok(IncomingImage {
            layers,
            manifest_digest: digest.clone(),
            manifest,
            media_type: parsed.media_type.clone(),
            // Its bytes are kept already.
            index: index.transpose()?.flatten().map(|index| (index, Vec::new())),
            config_digest: parsed.config.digest.clone(),
            config_bytes,
            config,
            annotations: parsed.annotations.clone(),
            source: None,
        })
    }

    /// A blob that holds this layer in whatever compression, as a record says that may be wrong: it is unpacked and compared.
    fn find_twin(&self, diff_id: &DiffId) -> Result<Option<Digest>, Error> {
        let layers = self.store.images()?.0.into_iter().flat_map(|image| image.record.layers);
        let named = layers.filter(|layer| layer.diff_id == *diff_id).filter_map(|layer| layer.blob);
        let candidates: BTreeSet<Digest> = named.chain(self.store.blobs_by_diff_id()?.remove(diff_id)).collect();
        for blob in candidates {
            let Some(file) = self.store.open_blob(&blob)? else { continue };
            match measure_layer(&blob, file) {
                Ok((_, found)) if found == *diff_id => return Ok(Some(blob)),
                // Who could not look does not know.
                Err(error) if !matches!(&error, Error::Layer { source, .. } if source.kind != FailureKind::Died) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(None)
    }
}
