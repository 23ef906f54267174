//! Unpacked layers, one directory for each pair of chain id and map.
//!
//! A layer is unpacked in a lease's staging directory (by a worker in P), and published with the others of its image by
//! [`Store::publish`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::container_record::ContainerConfig;
use super::error::{At as _, Error};
use super::lease::Lease;
use super::record::{self, Rest};
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::sys::Errno;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::idmap::IdMaps;

/// What ids the files of a layer have on disk: P's map, and the container's in it. Layers unpacked for one are of no
/// use under another (K-A4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct MapKey(String);

impl MapKey {
    /// Key of the containers whose ids are `inner` in P, and P's `outer` on the host. Two pairs that give every id of
    /// the container the same id of the host have one key.
    pub(crate) fn new(outer: &IdMaps, inner: &IdMaps) -> Self {
        if outer.is_single() {
            // Whatever the ids are called, all files belong to the caller.
            return Self("single".to_owned());
        }
        let mut text = String::new();
        for (outer, inner) in [(&outer.uid, &inner.uid), (&outer.gid, &inner.gid)] {
            // Lines of the composed map, joined where they touch, so that the way of writing does not count.
            let mut lines: Vec<(u32, u32, u32)> = Vec::new();
            let cut = inner.cut_at(outer).unwrap_or_else(|_| inner.clone());
            let mut extents = cut.extents().to_vec();
            extents.sort_by_key(|extent| extent.inside);
            for extent in extents {
                let host = outer.to_outside(extent.outside).unwrap_or(extent.outside);
                match lines.last_mut() {
                    Some((inside, outside, len)) if *inside + *len == extent.inside && *outside + *len == host => {
                        *len += extent.len;
                    }
                    _ => lines.push((extent.inside, host, extent.len)),
                }
            }
            for (inside, outside, len) in lines {
                text.extend([inside, outside, len].map(|number| format!("{number} ")));
                text.push('\n');
            }
            text.push('\n');
        }
        Self(Digest::of(text.as_bytes()).hex()[..16].to_owned())
    }

    /// The key with this text, as a container's configuration has it.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names a layer on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct LayerKey {
    pub(crate) chain: ChainId,
    pub(crate) map: MapKey,
}

impl LayerKey {
    pub(crate) fn new(chain: &ChainId, map: &MapKey) -> Self {
        Self { chain: chain.clone(), map: map.clone() }
    }

    /// Name of its directory: `<chain id>,<map>`.
    pub(crate) fn dir_name(&self) -> String {
        format!("{},{}", self.chain.0.hex(), self.map.0)
    }

    /// Reads the name of a directory.
    pub(crate) fn from_dir_name(name: &str) -> Option<Self> {
        let (chain, map) = name.split_once(',')?;
        let known = map == "single" || (map.len() == 16 && map.bytes().all(|b| b.is_ascii_hexdigit()));
        let chain = format!("sha256:{chain}").parse().ok()?;
        known.then(|| Self { chain: ChainId(chain), map: MapKey(map.to_owned()) })
    }
}

/// `meta.json` of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerMeta {
    pub(crate) version: u32,
    pub(crate) chain: ChainId,
    pub(crate) map: MapKey,
    pub(crate) diff_id: DiffId,
    /// Layer below; none for the first.
    pub(crate) parent: Option<ChainId>,
    /// The compressed blob that it was unpacked from, if that is kept.
    pub(crate) blob: Option<Digest>,
    /// Bytes of the regular files.
    pub(crate) size: u64,
    /// Bytes of the tar that it was unpacked from; `save` writes it again.
    #[serde(default)]
    pub(crate) tar_size: Option<u64>,
    /// Bytes that the tree takes on disk; zero if nobody has counted.
    #[serde(default)]
    pub(crate) disk: u64,
    /// Number of names.
    pub(crate) entries: u64,
    /// Ids of the image → ids of P: how it was unpacked.
    #[serde(default)]
    pub(crate) ids: Option<IdMaps>,
    /// The whiteouts could not be made on this file system and stand in `idx` only (K-B5).
    #[serde(default)]
    pub(crate) whiteouts_in_index: bool,
    /// Ids of the tar that the map lacks, so that their files belong to somebody else: a warning, once per image.
    #[serde(default)]
    pub(crate) clamped_ids: Vec<u32>,
    /// The additional store that the image is in: nothing here refers to it unless that store is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<PathBuf>,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

record::record!(LayerMeta);

/// A layer that is being unpacked. Plain paths, so that it travels to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedLayer {
    pub(crate) key: LayerKey,
    dir: PathBuf,
}

impl StagedLayer {
    /// Where to unpack; made, empty, owned by the caller.
    pub(crate) fn diff(&self) -> PathBuf {
        self.dir.join("diff")
    }

    /// Where to write the index (it does not exist yet).
    pub(crate) fn index(&self) -> PathBuf {
        self.dir.join("idx")
    }

    /// Its record.
    pub(super) fn meta(&self) -> PathBuf {
        self.dir.join("meta.json")
    }

    /// The directory that a worker may be confined to.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Lease {
    /// Makes an empty layer to unpack into.
    pub(crate) fn stage_layer(&self, key: LayerKey) -> Result<StagedLayer, Error> {
        let staged = StagedLayer { key, dir: self.new_path("layer") };
        sys::fs::mkdir(&staged.dir, DIR_MODE).writing(&staged.dir)?;
        // The root of a layer that does not say otherwise.
        sys::fs::mkdir(&staged.diff(), 0o755).writing(&staged.diff())?;
        sys::fs::set_mode(&staged.diff(), 0o755).writing(&staged.diff())?;
        Ok(staged)
    }
}

impl Store {
    /// Blobs of unpacked layers by what is in them.
    pub(crate) fn blobs_by_diff_id(&self) -> Result<std::collections::BTreeMap<DiffId, Digest>, Error> {
        let mut blobs = std::collections::BTreeMap::new();
        for key in self.layer_keys()? {
            // A damaged one is the business of `system check`.
            if let Ok(Some(LayerMeta { diff_id, blob: Some(blob), .. })) = self.layer(&key) {
                blobs.insert(diff_id, blob);
            }
        }
        Ok(blobs)
    }

    /// A layer, if it is there.
    pub(crate) fn layer(&self, key: &LayerKey) -> Result<Option<LayerMeta>, Error> {
        record::read_if_exists(&self.layer_dir(key).join("meta.json"))
    }

    /// True if the layer is there.
    pub(crate) fn has_layer(&self, key: &LayerKey) -> bool {
        sys::fs::exists(&self.layer_dir(key))
    }

    pub(crate) fn layer_dir(&self, key: &LayerKey) -> PathBuf {
        self.layout().layer(&key.dir_name())
    }

    /// The unpacked tree.
    pub(crate) fn layer_diff(&self, key: &LayerKey) -> PathBuf {
        self.layer_dir(key).join("diff")
    }

    /// The index of the tree.
    pub(crate) fn layer_index(&self, key: &LayerKey) -> PathBuf {
        self.layer_dir(key).join("idx")
    }

    /// All layers, sorted; foreign entries are passed over.
    pub(crate) fn layer_keys(&self) -> Result<Vec<LayerKey>, Error> {
        let dir = self.layout().layers();
        let names = sys::fs::names(&dir).reading(&dir)?;
        Ok(names.iter().filter_map(|name| LayerKey::from_dir_name(name.to_str()?)).collect())
    }

    /// Mode of the root of a container's image.
    pub(super) fn root_mode(&self, config: &ContainerConfig) -> Option<u32> {
        use std::os::unix::fs::MetadataExt as _;
        let key = LayerKey::new(config.layers.last()?, &MapKey::from_text(&config.map));
        let metadata = sys::fs::lstat(&self.layer_diff(&key)).ok()??;
        Some(metadata.mode() & 0o7777)
    }

    /// Puts a staged layer in the place of the one that is there, unless that is `used`: its files must stay where they
    /// are. Killed between the two renames it leaves a layer that is missing, which the checker unpacks as well.
    pub(crate) fn replace_layer<E: From<Error>>(
        &self,
        lease: &Lease,
        staged: &StagedLayer,
        meta: &LayerMeta,
        used: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        record::write_new(&staged.meta(), meta, false)?;
        lease.sync_filesystem()?;
        let lock = self.lock_exclusive()?;
        used()?;
        self.move_to_trash(&self.layer_dir(&staged.key))?;
        self.publish_layer(staged)?;
        drop(lock);
        let layers = self.layout().layers();
        Ok(sys::fs::sync_dir(&layers).writing(&layers)?)
    }

    /// Publishes a staged layer by its rename. The caller has synced the file system. `false`: somebody else has
    /// published the same layer meanwhile, and that one is as good.
    pub(super) fn publish_layer(&self, staged: &StagedLayer) -> Result<bool, Error> {
        let target = self.layer_dir(&staged.key);
        match sys::fs::rename_new(&staged.dir, &target) {
            Err(error) if error.is(Errno::EEXIST) || error.is(Errno::ENOTEMPTY) => Ok(false),
            other => other.writing(&target).map(|()| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LayerKey, MapKey};
    use crate::types::digest::{ChainId, Digest};
    use crate::types::idmap::{Extent, IdMap, IdMaps};

    fn maps(lines: &[(u32, u32, u32)]) -> IdMaps {
        let extents = lines.iter().map(|&(inside, outside, len)| Extent { inside, outside, len }).collect();
        let map = IdMap::new(extents).expect("valid");
        IdMaps { uid: map.clone(), gid: map }
    }

    #[test]
    fn map_key_is_of_the_ids_on_disk() {
        let outer = maps(&[(0, 1000, 1), (1, 100_000, 65536)]);
        let default = MapKey::new(&outer, &maps(&[(0, 0, 65537)]));
        assert_eq!(default, MapKey::new(&outer, &maps(&[(0, 0, 1), (1, 1, 65536)])));
        assert_ne!(default, MapKey::new(&outer, &maps(&[(0, 1, 1000), (1000, 0, 1), (1001, 1001, 64536)])));
        // Another subordinate range: other ids on disk.
        assert_ne!(default, MapKey::new(&maps(&[(0, 1000, 1), (1, 200_000, 65536)]), &maps(&[(0, 0, 65537)])));
        let single = maps(&[(0, 1000, 1)]);
        assert_eq!(MapKey::new(&single, &maps(&[(0, 0, 1)])), MapKey::new(&single, &maps(&[(999, 0, 1)])));
    }

    #[test]
    fn directory_name_comes_back() {
        let key = LayerKey { chain: ChainId(Digest::of(b"x")), map: MapKey("single".to_owned()) };
        assert_eq!(LayerKey::from_dir_name(&key.dir_name()), Some(key));
        assert_eq!(LayerKey::from_dir_name("lost+found"), None);
    }
}
