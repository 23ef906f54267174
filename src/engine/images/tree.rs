//! `image tree`: the layers of an image, or everything that stands on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Engine, Error};
use crate::storage::images::{Image, ImageRecord};
use crate::types::digest::ChainId;
use crate::types::id::ImageId;
use crate::types::reference::Reference;

/// The image, and its layers.
#[derive(Debug)]
pub(crate) struct ImageTree {
    pub(crate) id: ImageId,
    pub(crate) names: Vec<Reference>,
    pub(crate) size: u64,
    pub(crate) layers: Vec<TreeNode>,
}

/// A layer. Those that stand alone on the one before follow it in the same list; siblings have a list of their own each.
#[derive(Debug)]
pub(crate) struct TreeNode {
    pub(crate) chain: ChainId,
    /// Bytes of its files.
    pub(crate) size: u64,
    /// Names of the images whose last layer it is.
    pub(crate) tops: Vec<Reference>,
    pub(crate) above: Vec<TreeNode>,
}

/// All layers of all images, and who stands on whom.
#[derive(Default)]
struct Forest {
    sizes: BTreeMap<ChainId, u64>,
    tops: BTreeMap<ChainId, Vec<Reference>>,
    above: BTreeMap<Option<ChainId>, BTreeSet<ChainId>>,
}

impl Engine {
    /// The layers of an image, bottom first; with `requires`, its last layer and all that stand on it.
    pub(crate) fn image_tree(&self, text: &str, requires: bool) -> Result<ImageTree, Error> {
        let found = self.image_here(text)?;
        let names = self.store.whole_image(&found)?.names;
        let image = found.image;
        let mut forest = Forest::of(&self.store.images()?.0);
        if found.read_only.is_some() {
            forest.plant(&image.record, &names);
        }
        let chains = image.chains();
        let mut layers = Vec::new();
        match chains.split_last() {
            Some((top, below)) if requires => forest.grow(below.last(), top, &mut layers),
            _ => layers.extend(chains.iter().map(|chain| forest.node(chain))),
        }
        Ok(ImageTree { id: image.record.id, names, size: image.record.size, layers })
    }
}

impl Forest {
    fn of(images: &[Image]) -> Self {
        let mut forest = Self::default();
        for image in images {
            forest.plant(&image.record, &image.names);
        }
        forest
    }

    fn plant(&mut self, image: &ImageRecord, names: &[Reference]) {
        let mut below = None;
        for layer in &image.layers {
            self.sizes.insert(layer.chain.clone(), layer.unpacked);
            self.above.entry(below).or_default().insert(layer.chain.clone());
            below = Some(layer.chain.clone());
        }
        if let Some(top) = below {
            self.tops.entry(top).or_default().extend(names.iter().cloned());
        }
    }

    fn node(&self, chain: &ChainId) -> TreeNode {
        TreeNode {
            chain: chain.clone(),
            size: self.sizes.get(chain).copied().unwrap_or(0),
            tops: self.tops.get(chain).cloned().unwrap_or_default(),
            above: Vec::new(),
        }
    }

    /// Appends a layer to the list that it belongs to, and all that stand on it to that list or to one of its own.
    fn grow(&self, below: Option<&ChainId>, chain: &ChainId, list: &mut Vec<TreeNode>) {
        let siblings = self.above.get(&below.cloned()).map_or(0, BTreeSet::len);
        let children = || self.above.get(&Some(chain.clone())).into_iter().flatten();
        // The first layer has only itself for a sibling in this tree.
        if below.is_none() || siblings <= 1 {
            list.push(self.node(chain));
            children().for_each(|child| self.grow(Some(chain), child, list));
        } else {
            let mut node = self.node(chain);
            children().for_each(|child| self.grow(Some(chain), child, &mut node.above));
            list.push(node);
        }
    }
}
