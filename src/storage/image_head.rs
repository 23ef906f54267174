//! What listings need of an image: its record without the configuration.
//!
//! The record holds the whole configuration, some kilobytes with its history. Those who list a thousand images step over
//! it while reading, and build nothing of it but the labels.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{At as _, Error};
use super::images::{BrokenImage, ImageRecord, manifest_of};
use super::lists::ListRecord;
use super::record::{self, Record as _};
use super::store::Store;
use super::twins::{self, Twin};
use crate::sys::small_files::SmallFiles;
use crate::types::digest::{ChainId, Digest};
use crate::types::id::ImageId;
use crate::types::reference::Reference;

/// The head of an [`ImageRecord`]; in listings that of an image's first manifest, for all of them.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ImageHead {
    version: u32,
    /// Of the manifest.
    pub(crate) digest: Digest,
    /// Of the configuration.
    pub(crate) id: ImageId,
    #[serde(default)]
    pub(crate) index: Option<Digest>,
    layers: Vec<HeadLayer>,
    #[serde(default)]
    config: HeadConfig,
    #[serde(default)]
    created: Option<Timestamp>,
    pub(crate) stored: Timestamp,
    pub(crate) size: u64,
    /// Of all manifests, sorted.
    #[serde(skip)]
    pub(crate) names: Vec<Reference>,
    /// Its further manifests.
    #[serde(skip)]
    pub(crate) twins: Vec<Twin>,
    #[serde(skip)]
    read_only: bool,
    /// It stands for a manifest list.
    #[serde(skip)]
    pub(crate) is_list: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct HeadLayer {
    chain: ChainId,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct HeadConfig {
    config: HeadDefaults,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HeadDefaults {
    labels: BTreeMap<String, String>,
}

/// The names of each manifest.
pub(super) type NamesByImage = BTreeMap<Digest, Vec<Reference>>;

impl ImageHead {
    /// A manifest list, as listings show it.
    pub(crate) fn of_list(list: &ListRecord) -> Self {
        let (document, _) = list.document();
        let digest = Digest::of(&document);
        Self {
            version: ImageRecord::VERSION,
            id: ImageId::from_bytes(digest.bytes()),
            digest,
            index: None,
            layers: Vec::new(),
            config: HeadConfig::default(),
            created: Some(list.created),
            stored: list.created,
            size: document.len() as u64,
            names: vec![list.name.clone()],
            twins: Vec::new(),
            read_only: false,
            is_list: true,
        }
    }

    pub(crate) fn is_dangling(&self) -> bool {
        self.names.is_empty()
    }

    /// True for an image of an additional store.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub(crate) fn labels(&self) -> &BTreeMap<String, String> {
        &self.config.config.labels
    }

    /// As the configuration says, or when it came here.
    pub(crate) fn created(&self) -> Timestamp {
        self.created.unwrap_or(self.stored)
    }

    /// Chain ids, bottom first.
    pub(crate) fn chains(&self) -> impl ExactSizeIterator<Item = &ChainId> {
        self.layers.iter().map(|layer| &layer.chain)
    }
}

impl Store {
    /// Like [`Self::image_heads`], and after them those of the additional stores: of an image that is here too, the names
    /// that are not. With the errors of records and of names: an image without a name may have one of those.
    pub(crate) fn all_image_heads(&self) -> Result<(Vec<ImageHead>, Vec<Error>), Error> {
        let (mut whole, mut broken) = self.heads_and_errors()?;
        for store in &self.additional {
            let (others, damaged) = store.heads_and_errors()?;
            let known: BTreeMap<&ImageId, usize> = whole.iter().zip(0..).map(|(head, at)| (&head.id, at)).collect();
            let mut more = Vec::new();
            for mut head in others {
                if let Some(first) = known.get(&head.id).map(|at| &whole[*at]) {
                    head.names.retain(|name| !first.names.contains(name));
                    if head.names.is_empty() {
                        continue;
                    }
                }
                head.read_only = true;
                more.push(head);
            }
            whole.extend(more);
            broken.extend(damaged);
        }
        Ok((whole, broken))
    }

    fn heads_and_errors(&self) -> Result<(Vec<ImageHead>, Vec<Error>), Error> {
        let (names, mut errors) = self.names_by_image()?;
        let (manifests, broken) = self.manifest_heads(names)?;
        errors.extend(broken.into_iter().map(|image| image.error));
        Ok((twins::by_id(manifests), errors))
    }

    /// The layers of the images of additional stores: what was unpacked of them here stays as long as those are used.
    pub(crate) fn read_only_chains(&self) -> Result<BTreeSet<ChainId>, Error> {
        let mut chains = BTreeSet::new();
        for store in &self.additional {
            chains.extend(store.image_heads()?.0.iter().flat_map(ImageHead::chains).cloned());
        }
        Ok(chains)
    }

    /// The heads of all images of this store, one for each id, and the damaged ones.
    pub(crate) fn image_heads(&self) -> Result<(Vec<ImageHead>, Vec<BrokenImage>), Error> {
        let (manifests, broken) = self.manifest_heads(self.names_by_image()?.0)?;
        Ok((twins::by_id(manifests), broken))
    }

    /// The heads of all manifests of this store with these names, and the damaged ones.
    pub(super) fn manifest_heads(&self, mut names: NamesByImage) -> Result<(Vec<ImageHead>, Vec<BrokenImage>), Error> {
        let dir = self.layout().images();
        let (mut whole, mut broken) = (Vec::new(), Vec::new());
        let Some(mut files) = SmallFiles::open(&dir).reading(&dir)? else { return Ok((whole, broken)) };
        for name in files.names().reading(&dir)? {
            let Some(digest) = manifest_of(&name) else { continue };
            let path = dir.join(&name);
            let read = files.read(&name, record::LIMIT).reading(&path);
            match read.and_then(|found| found.map(|bytes| parse(&path, bytes, &digest)).transpose()) {
                Ok(Some(mut head)) => {
                    head.names = names.remove(&digest).unwrap_or_default();
                    whole.push(head);
                }
                // Removed since the directory was read.
                Ok(None) => {}
                Err(error) => {
                    let error = Error::BrokenImage { digest: digest.clone(), source: Box::new(error) };
                    broken.push(BrokenImage { digest, error });
                }
            }
        }
        Ok((whole, broken))
    }

    /// Names of each image, sorted, and the errors of names that could not be read.
    pub(super) fn names_by_image(&self) -> Result<(NamesByImage, Vec<Error>), Error> {
        let mut names = NamesByImage::new();
        let (references, unread) = self.references()?;
        for reference in references {
            names.entry(reference.digest).or_default().push(reference.name);
        }
        Ok((names, unread))
    }
}

fn parse(path: &std::path::Path, bytes: &[u8], digest: &Digest) -> Result<ImageHead, Error> {
    match serde_json::from_slice::<ImageHead>(bytes) {
        Ok(head) if head.version <= ImageRecord::VERSION && head.digest == *digest => Ok(head),
        // The record knows best what is wrong with it.
        head => {
            let record = record::parse::<ImageRecord>(path, bytes)?;
            let found = head.map_or(record.digest, |head| head.digest).to_string();
            Err(Error::WrongRecord { path: path.to_owned(), found })
        }
    }
}
