//! Who takes what of the disk. Layers and blobs never change, so nothing is walked: a layer's size was noted when it was
//! unpacked, a blob is one file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::{At as _, Error};
use super::images::ImageRecord;
use super::layers::{LayerKey, MapKey};
use super::lists::ListRecord;
use super::refs;
use super::store::Store;
use super::usage;
use crate::sys;
use crate::types::digest::{ChainId, Digest};

/// Bytes on disk of everything that belongs to images.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts {
    layers: BTreeMap<LayerKey, u64>,
    blobs: BTreeMap<Digest, u64>,
    /// Records of images by manifest digest, with the names that lead to them.
    records: BTreeMap<Digest, u64>,
    /// Manifest lists, and the directories that everything lies in: they stay.
    fixed: u64,
    /// Downloads that have not come in full, and what waits to be deleted.
    unfinished: u64,
}

/// Parts of images that somebody needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    chains: BTreeSet<ChainId>,
    layers: BTreeSet<LayerKey>,
    blobs: BTreeSet<Digest>,
    records: BTreeSet<Digest>,
}

impl Held {
    /// Everything of an image, for every map.
    pub(crate) fn image(&mut self, record: &ImageRecord) {
        self.chains.extend(record.layers.iter().map(|layer| layer.chain.clone()));
        self.blobs.extend(blobs_of(record));
        self.records.insert(record.digest.clone());
    }

    /// Layers that stay for every map, whoever has images of them.
    pub(crate) fn chains(&mut self, chains: BTreeSet<ChainId>) {
        self.chains.extend(chains);
    }

    /// Everything of a manifest list: its images go out of the store only with it.
    pub(crate) fn list(&mut self, list: &ListRecord) {
        self.blobs.extend(list.entries.iter().flat_map(|entry| entry.blobs.iter().chain([&entry.digest]).cloned()));
    }

    /// The layers that a container is made of, and those of the images that it mounts.
    pub(crate) fn container(&mut self, config: &super::container_record::ContainerConfig) {
        let map = MapKey::from_text(&config.map);
        self.layers.extend(config.all_layers().map(|chain| LayerKey::new(chain, &map)));
    }

    fn has_layer(&self, key: &LayerKey) -> bool {
        self.chains.contains(&key.chain) || self.layers.contains(key)
    }
}

impl Accounts {
    /// Everything.
    pub(crate) fn total(&self) -> u64 {
        let images = [self.layers.values().sum::<u64>(), self.blobs.values().sum(), self.records.values().sum()];
        images.into_iter().sum::<u64>() + self.fixed + self.unfinished
    }

    /// What nobody of `held` needs.
    pub(crate) fn free(&self, held: &Held) -> u64 {
        let layers = self.layers.iter().filter(|(key, _)| !held.has_layer(key)).map(|(_, size)| size);
        let blobs = self.blobs.iter().filter(|(digest, _)| !held.blobs.contains(digest)).map(|(_, size)| size);
        let records = self.records.iter().filter(|(digest, _)| !held.records.contains(digest)).map(|(_, size)| size);
        layers.sum::<u64>() + blobs.sum::<u64>() + records.sum::<u64>() + self.unfinished
    }

    /// Bytes of one image: those that it shares with one of the others, and those that are its own. `manifests` are all
    /// of it, `others` all of the other images.
    pub(crate) fn image<'a>(
        &self,
        manifests: impl Iterator<Item = &'a ImageRecord>,
        others: impl Iterator<Item = &'a ImageRecord>,
    ) -> (u64, u64) {
        let (mut own, mut theirs) = (Held::default(), Held::default());
        manifests.for_each(|record| own.image(record));
        others.for_each(|record| theirs.image(record));
        let (mut shared, mut unique) = (0, 0);
        for (key, size) in self.layers.iter().filter(|(key, _)| own.chains.contains(&key.chain)) {
            *(if theirs.chains.contains(&key.chain) { &mut shared } else { &mut unique }) += size;
        }
        for (digest, size) in self.blobs.iter().filter(|(digest, _)| own.blobs.contains(digest)) {
            *(if theirs.blobs.contains(digest) { &mut shared } else { &mut unique }) += size;
        }
        (shared, unique)
    }
}

/// Every blob that an image refers to.
fn blobs_of(record: &ImageRecord) -> impl Iterator<Item = Digest> + '_ {
    let config = format!("sha256:{}", record.id).parse().ok();
    let layers = record.layers.iter().filter_map(|layer| layer.blob.clone());
    [Some(record.digest.clone()), record.index.clone(), config].into_iter().flatten().chain(layers)
}

impl Store {
    /// What the images take.
    pub(crate) fn accounts(&self) -> Result<Accounts, Error> {
        let layout = self.layout();
        let mut accounts = Accounts::default();
        for key in self.layer_keys()? {
            let noted = self.layer(&key).ok().flatten().map_or(0, |meta| meta.disk);
            let dir = self.layer_dir(&key);
            let size = if noted > 0 {
                let parts = [dir.clone(), self.layer_index(&key), dir.join("meta.json")];
                noted + parts.iter().map(|part| one(part)).sum::<Result<u64, Error>>()?
            } else {
                usage::on_disk(&dir)?
            };
            accounts.layers.insert(key, size);
        }
        for digest in self.blob_digests()? {
            let size = one(&layout.blob(&digest))?;
            accounts.blobs.insert(digest, size);
        }
        let lists = layout.lists();
        for name in sys::fs::names(&lists).reading(&lists)? {
            accounts.fixed += one(&lists.join(name))?;
        }
        for digest in self.image_digests()? {
            let size = one(&layout.image(&digest))?;
            accounts.records.insert(digest, size);
        }
        for reference in self.references()?.0 {
            let size = one(&layout.reference(&refs::file_name(&reference.name)))?;
            *accounts.records.entry(reference.digest).or_default() += size;
        }
        let root = layout.graphroot();
        let others = [root.to_owned(), root.join("blobs"), layout.asides(), layout.unsynced()];
        for path in layout.graph_dirs().chain(layout.old_dirs()).chain(layout.graph_files()).chain(others) {
            accounts.fixed += one(&path)?;
        }
        for dir in [layout.partials(), layout.staging(), layout.trash(), layout.asides()] {
            accounts.unfinished += usage::on_disk(&dir)?.saturating_sub(one(&dir)?);
        }
        Ok(accounts)
    }
}

/// Bytes of one file or directory; absent is zero.
fn one(path: &Path) -> Result<u64, Error> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(sys::fs::lstat(path).reading(path)?.map_or(0, |metadata| metadata.blocks() * 512))
}
