//! `history`: how an image was made, newest step first.

use jiff::Timestamp;

use crate::engine::{Engine, Error, WholeImages};
use crate::storage::images::ImageRecord;

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct HistoryEntry {
    /// Of the image, for its last step; of a step before the image that it made, if that is here.
    pub(crate) id: Option<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) created_by: String,
    pub(crate) comment: String,
    /// Bytes of the files of its layer.
    pub(crate) size: u64,
    /// Names of that image.
    pub(crate) tags: Vec<String>,
}

impl Engine {
    /// The steps of an image. Layers that the history does not tell of come first in time, without a text.
    pub(crate) fn image_history(&self, text: &str) -> Result<Vec<HistoryEntry>, Error> {
        let found = self.image_here(text)?;
        let names = self.store.whole_image(&found)?.names;
        let record = &found.image.record;
        let steps = &record.config.history;
        let told = steps.iter().filter(|step| !step.empty_layer).count();
        let mut layers = record.layers.iter();
        let plain = |size| HistoryEntry {
            id: None,
            created: None,
            created_by: String::new(),
            comment: String::new(),
            size,
            tags: Vec::new(),
        };
        let untold = record.layers.len().saturating_sub(told);
        let mut entries: Vec<HistoryEntry> = layers.by_ref().take(untold).map(|l| plain(l.unpacked)).collect();
        for step in steps {
            let size = if step.empty_layer { 0 } else { layers.next().map_or(0, |layer| layer.unpacked) };
            entries.push(HistoryEntry {
                created: step.created.as_deref().and_then(|text| text.parse().ok()),
                created_by: step.created_by.clone().unwrap_or_default(),
                comment: step.comment.clone().unwrap_or_default(),
                ..plain(size)
            });
        }
        entries.reverse();
        if let Some(last) = entries.first_mut() {
            last.id = Some(record.id.to_string());
            last.tags = names.iter().map(ToString::to_string).collect();
        }
        self.name_parents(record, &mut entries)?;
        Ok(entries)
    }

    /// Each step made an image, newest first: those that are here are told with their names.
    fn name_parents(&self, record: &ImageRecord, entries: &mut [HistoryEntry]) -> Result<(), Error> {
        let mut images = WholeImages::default();
        let mut child = record.clone();
        for entry in entries.iter_mut().skip(1) {
            let Some(parent) = self.parent(&child, &mut images)? else { break };
            entry.id = Some(parent.id.to_string());
            let names = images.all(&self.store)?.find(|head| head.id == parent.id).map(|head| head.names.iter());
            entry.tags = names.into_iter().flatten().map(ToString::to_string).collect();
            child = parent;
        }
        Ok(())
    }
}
