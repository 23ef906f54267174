//! `image prune`.

use super::filter::{ImageFilter, Sieve};
use crate::engine::{Engine, Error};
use crate::types::id::ImageId;
use crate::types::reference::Reference;

/// What was removed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImagePruneReport {
    pub(crate) images: Vec<ImageId>,
    pub(crate) untagged: Vec<Reference>,
    /// Bytes of the files of the images; layers that others share are still there.
    pub(crate) reclaimed: u64,
}

impl Engine {
    /// Removes the images that no container uses: those without a name, or `all`.
    pub(crate) fn prune_images(&self, all: bool, filters: &[ImageFilter]) -> Result<ImagePruneReport, Error> {
        let (images, _) = self.store.images()?;
        let sieve = Sieve::new(self, filters, &images)?;
        let mut report = ImagePruneReport::default();
        for image in &images {
            let candidate = all || image.is_dangling();
            if !candidate || !self.store.image_users(&image.record)?.is_empty() || !sieve.passes(image, false) {
                continue;
            }
            let removed = self.remove_whole(image, false)?;
            report.images.extend(removed.deleted);
            report.untagged.extend(removed.untagged);
            report.reclaimed += image.record.size;
        }
        self.sweep_images()?;
        Ok(report)
    }
}
