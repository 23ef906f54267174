//! Layers for another id map: unpacked again from the kept blobs, because the kernel has no way to shift the owners of
//! an overlay's layers without root (K-A4). Done once for each map; the default map's layers are not touched.

use crate::engine::{Engine, Error};
use crate::storage::images::ImageRecord;
use crate::storage::layers::{LayerKey, MapKey};
use crate::storage::lease::Lease;
use crate::storage::unpack::Threads;
use crate::sys;
use crate::types::idmap::IdMaps;

use super::incoming::{IncomingLayer, Kept, Stack, StagedUnpack, unpack_layer};

impl Engine {
    /// Makes sure that every layer of an image is there for containers with `maps` (C ← P).
    pub(crate) fn ensure_layers(&self, image: &ImageRecord, maps: &IdMaps) -> Result<(), Error> {
        let map = MapKey::new(&self.wish()?.maps, maps);
        let keys: Vec<LayerKey> = image.layers.iter().map(|layer| LayerKey::new(&layer.chain, &map)).collect();
        if keys.iter().all(|key| self.store.has_layer(key)) {
            return Ok(());
        }
        let lease = self.store.lease()?;
        let done = self.unpack_missing(image, maps, &keys, &lease);
        self.end_lease(lease, done)
    }

    /// Unpacks what is missing of the layers, and publishes it.
    fn unpack_missing(
        &self,
        image: &ImageRecord,
        maps: &IdMaps,
        keys: &[LayerKey],
        lease: &Lease,
    ) -> Result<(), Error> {
        let outer = self.outer()?;
        let mut unpacked = Vec::new();
        for (index, (layer, key)) in image.layers.iter().zip(keys).enumerate() {
            if lease.rely_on_layer(&self.store, key)? {
                continue;
            }
            let gone = || Error::NoBlob { layer: layer.diff_id.0.to_string() };
            let blob = layer.blob.clone().ok_or_else(gone)?;
            let path = self.store.find_blob(&blob);
            let file = sys::fs::absent_is_none(sys::fs::open_ordinary(&path))
                .map_err(|source| Error::Path { what: "open layer", path, source })?
                .ok_or_else(gone)?;
            let incoming = IncomingLayer {
                diff_id: layer.diff_id.clone(),
                blob,
                size: layer.size,
                media_type: layer.media_type.clone(),
                twin: None,
            };
            let staged = lease.stage_layer(key.clone())?;
            let done = unpack_layer(&outer, maps, file.into(), &staged, &incoming, Threads::Two)?;
            unpacked.push(StagedUnpack { index, staged, unpacked: done });
        }
        // A blob of an additional store is not kept here.
        let kept = image.layers.iter().map(|layer| {
            let origin = layer.blob.as_ref().and_then(|blob| self.store.additional_with(blob));
            Kept { blob: layer.blob.clone().filter(|_| origin.is_none()), origin }
        });
        let kept: Vec<Kept> = kept.collect();
        self.publish_layers(lease, Stack { keys, kept: &kept, maps }, &[], unpacked, None)?;
        Ok(())
    }
}
