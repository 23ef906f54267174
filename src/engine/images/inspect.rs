//! `image inspect`: Podman's JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::parent::parent_of;
use crate::engine::{Engine, Error, WholeImages};
use crate::storage::image_head::ImageHead;
use crate::storage::images::{Image, ImageRecord};
use crate::types::image_config::{Healthcheck, History, ProcessDefaults};
use crate::types::reference::Reference;

/// One object of the answer, with Podman's names.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImageReport {
    pub(crate) id: String,
    pub(crate) digest: String,
    pub(crate) repo_tags: Vec<String>,
    pub(crate) repo_digests: Vec<String>,
    pub(crate) parent: String,
    pub(crate) comment: String,
    pub(crate) created: String,
    pub(crate) config: ProcessDefaults,
    pub(crate) version: String,
    pub(crate) author: String,
    pub(crate) architecture: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) variant: String,
    pub(crate) os: String,
    pub(crate) size: u64,
    pub(crate) virtual_size: u64,
    pub(crate) graph_driver: GraphDriver,
    #[serde(rename = "RootFS")]
    pub(crate) root_fs: RootFsReport,
    /// `null` if there are none, as Podman has it.
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) manifest_type: String,
    pub(crate) user: String,
    pub(crate) history: Vec<History>,
    pub(crate) names_history: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<Healthcheck>,
}

/// Where the layers are.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GraphDriver {
    pub(crate) name: &'static str,
    pub(crate) data: BTreeMap<&'static str, String>,
}

/// The diff ids.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RootFsReport {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    pub(crate) layers: Vec<String>,
}

impl Engine {
    /// Everything about an image. `images` serves all words of the command.
    pub(crate) fn inspect_image(&self, text: &str, images: &mut WholeImages) -> Result<ImageReport, Error> {
        let found = self.image_here(text)?;
        let parent = self.parent(&found.image.record, images)?.map(|parent| parent.id.to_string()).unwrap_or_default();
        let whole = images.of(&self.store, &found)?;
        let image = found.image;
        let record = &image.record;
        let config = &record.config;
        let last = config.history.last();
        Ok(ImageReport {
            id: record.id.to_string(),
            digest: record.digest.to_string(),
            repo_tags: tags(&whole.names),
            repo_digests: whole.repo_digests(),
            parent,
            comment: last.and_then(|step| step.comment.clone()).unwrap_or_default(),
            created: record.created.unwrap_or(record.stored).to_string(),
            config: config.config.clone(),
            version: String::new(),
            author: config.author.clone().unwrap_or_default(),
            architecture: config.architecture.clone(),
            variant: config.variant.clone().unwrap_or_default(),
            os: config.os.clone(),
            size: record.size,
            virtual_size: record.size,
            graph_driver: self.graph_driver(&image)?,
            root_fs: RootFsReport {
                kind: "layers".to_owned(),
                layers: record.layers.iter().map(|layer| layer.diff_id.0.to_string()).collect(),
            },
            labels: (!config.config.labels.is_empty()).then(|| config.config.labels.clone()),
            annotations: record.annotations.clone(),
            manifest_type: record.media_type.clone(),
            user: config.config.user.clone(),
            history: config.history.clone(),
            names_history: tags(&whole.names),
            healthcheck: config.config.healthcheck.clone(),
        })
    }

    /// The image that this one was made of, if it is here. Only those of its lowest layers are read whole.
    pub(super) fn parent(&self, child: &ImageRecord, images: &mut WholeImages) -> Result<Option<ImageRecord>, Error> {
        let is_below = |head: &&ImageHead| {
            let chains = head.chains();
            chains.len() <= child.layers.len() && chains.zip(&child.layers).all(|(chain, layer)| *chain == layer.chain)
        };
        let mut below = Vec::new();
        for head in images.all(&self.store)?.filter(is_below) {
            // A damaged one is nobody's parent, and `system check` tells of it.
            below.extend(self.store.image_record(&head.digest).ok().flatten());
        }
        Ok(parent_of(child, below.iter()).cloned())
    }

    fn graph_driver(&self, image: &Image) -> Result<GraphDriver, Error> {
        let keys = self.layer_keys(&image.chains())?;
        let mut dirs: Vec<String> =
            keys.iter().map(|key| self.store.layer_diff(key).to_string_lossy().into_owned()).collect();
        let mut data = BTreeMap::new();
        if let Some(top) = dirs.pop() {
            data.insert("UpperDir", top);
        }
        if !dirs.is_empty() {
            dirs.reverse();
            data.insert("LowerDir", dirs.join(":"));
        }
        Ok(GraphDriver { name: self.driver_name(), data })
    }
}

/// Names with a tag.
fn tags(names: &[Reference]) -> Vec<String> {
    names.iter().filter(|name| name.tag().is_some()).map(ToString::to_string).collect()
}
