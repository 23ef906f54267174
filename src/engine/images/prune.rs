//! `image prune`.

use super::filter::{ImageFilter, Sieve};
use crate::engine::{Engine, Error};
use crate::storage::image_head::ImageHead;
use crate::types::id::ImageId;
use crate::types::reference::Reference;

/// What was removed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImagePruneReport {
    pub(crate) images: Vec<ImageId>,
    pub(crate) untagged: Vec<Reference>,
    /// Bytes of the disk; layers that others share are still there.
    pub(crate) reclaimed: u64,
}

impl Engine {
    /// Removes the images that no container uses: those without a name, or `all`. While a name cannot be read, nobody
    /// knows which image is without one.
    pub(crate) fn prune_images(&self, all: bool, filters: &[ImageFilter]) -> Result<ImagePruneReport, Error> {
        let mut report = ImagePruneReport::default();
        if self.store.image_heads()?.0.iter().any(ImageHead::is_dangling) {
            self.nameless_may_go()?;
        }
        let before = self.store.accounts()?.total();
        // One that is gone may leave the nameless one that it was built on dangling.
        while self.prune_round(all, filters, &mut report)? {}
        self.sweep_images()?;
        report.reclaimed = before.saturating_sub(self.store.accounts()?.total());
        Ok(report)
    }

    /// Removes what may go now; true if that was anything.
    fn prune_round(&self, all: bool, filters: &[ImageFilter], report: &mut ImagePruneReport) -> Result<bool, Error> {
        let (images, _) = self.store.image_heads()?;
        let sieve = Sieve::new(self, filters, &images)?;
        let before = report.images.len();
        for image in &images {
            let candidate = all || (image.is_dangling() && !sieve.is_intermediate(image));
            if !candidate || image.is_read_only() || !sieve.passes(image, false) {
                continue;
            }
            // Somebody may be naming it, or removing it, at this moment.
            let may_go =
                |now: &ImageHead| Ok(if now.is_dangling() { self.store.unread_name()?.is_none() } else { all });
            if let Some(removed) = self.remove_unused(&image.id, may_go)? {
                report.images.extend(removed.deleted);
                report.untagged.extend(removed.untagged);
            }
        }
        Ok(report.images.len() > before)
    }
}
