//! `system prune`: containers that do not run, volumes and images that nobody uses; images by age and by a budget.

use std::time::{Duration, SystemTime};

use super::images::ImageFilter;
use super::{Engine, Error};
use crate::storage::image_head::ImageHead;
use crate::types::id::{ContainerId, ImageId};
use crate::types::name::VolumeName;

/// What is to go.
#[derive(Debug, Default)]
pub(crate) struct SystemPruneRequest {
    /// Images with a name, too.
    pub(crate) all: bool,
    pub(crate) volumes: bool,
    /// `label=`, `label!=`, `until=`, as the user wrote them.
    pub(crate) filters: Vec<String>,
    /// Images that no container uses and nobody has used for so long.
    pub(crate) unused_for: Option<Duration>,
    /// Images that no container uses go, longest unused first, until all images take at most so many bytes.
    pub(crate) keep_size: Option<u64>,
}

/// What went.
#[derive(Debug, Default)]
pub(crate) struct SystemPruneReport {
    pub(crate) containers: Vec<ContainerId>,
    pub(crate) volumes: Vec<VolumeName>,
    pub(crate) images: Vec<ImageId>,
    pub(crate) failed: Vec<Error>,
    /// Bytes of the disk.
    pub(crate) reclaimed: u64,
}

impl Engine {
    /// Prunes. Containers go first, so that what only they used goes as well.
    pub(crate) fn system_prune(&self, request: &SystemPruneRequest) -> Result<SystemPruneReport, Error> {
        let now = jiff::Timestamp::now();
        let filters = request.filters.iter().map(|text| ImageFilter::parse(text, now));
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        let mut report = SystemPruneReport::default();
        let before = self.store.accounts()?.total();
        let trees = |engine: &Self| -> Result<u64, Error> {
            let layout = engine.store.layout();
            let mut trees: Vec<_> = engine.store.container_ids()?.iter().map(|id| layout.container(id)).collect();
            if request.volumes {
                trees.extend(engine.store.volume_names()?.iter().map(|name| layout.volume(name)));
            }
            Ok(engine.on_disk(&trees)?.iter().sum())
        };
        let trees_before = trees(self)?;
        let pruned = self.prune_containers(&request.filters)?;
        report.containers = pruned.removed;
        report.failed.extend(pruned.failed.into_iter().map(|(_, error)| error));
        if request.volumes {
            let pruned = self.prune_volumes(&request.filters)?;
            report.volumes = pruned.removed;
            report.failed.extend(pruned.failed.into_iter().map(|(_, error)| error));
        }
        report.images = self.prune_images(request.all, &filters)?.images;
        self.prune_unused(request, &mut report)?;
        self.sweep_images()?;
        // After the leases of killed pulls, which count on theirs.
        if request.all {
            self.store.sweep_partials(Duration::ZERO, &self.store.lock_exclusive()?)?;
        }
        let after = self.store.accounts()?.total() + trees(self)?;
        report.reclaimed = (before + trees_before).saturating_sub(after);
        Ok(report)
    }

    /// `gc`: images by age and by the budget, and what nothing refers to. Containers and volumes stay.
    pub(crate) fn collect_garbage(
        &self,
        unused_for: Option<Duration>,
        keep_size: Option<u64>,
    ) -> Result<SystemPruneReport, Error> {
        let mut report = SystemPruneReport::default();
        let before = self.store.accounts()?.total();
        let request = SystemPruneRequest { unused_for, keep_size, ..SystemPruneRequest::default() };
        self.prune_unused(&request, &mut report)?;
        self.sweep_images()?;
        report.reclaimed = before.saturating_sub(self.store.accounts()?.total());
        Ok(report)
    }

    /// Images by age and by the budget.
    fn prune_unused(&self, request: &SystemPruneRequest, report: &mut SystemPruneReport) -> Result<(), Error> {
        if request.unused_for.is_none() && request.keep_size.is_none() {
            return Ok(());
        }
        for (id, used) in self.unused_images()? {
            let idle = used.elapsed().unwrap_or_default();
            let old = request.unused_for.is_some_and(|age| idle >= age);
            let large = match request.keep_size {
                Some(budget) if !old => self.store.accounts()?.total() > budget,
                _ => false,
            };
            if !old && !large {
                continue;
            }
            // Used or named anew meanwhile, it stays.
            match self.remove_unused(&id, |now| Ok(self.last_use(now)? <= used)) {
                Ok(removed) => report.images.extend(removed.into_iter().flat_map(|removed| removed.deleted)),
                Err(error) => report.failed.push(error),
            }
            // What others share is still there: the budget is looked at with what really went. Age needs no sweep for each.
            if request.keep_size.is_some() {
                self.sweep_images()?;
            }
        }
        Ok(())
    }

    /// Images that no container uses, longest unused first.
    fn unused_images(&self) -> Result<Vec<(ImageId, SystemTime)>, Error> {
        let users = self.containers_by_image()?;
        let mut unused = Vec::new();
        for image in self.store.image_heads()?.0 {
            if !users.contains_key(image.id.as_str()) {
                let used = self.last_use(&image)?;
                unused.push((image.id, used));
            }
        }
        unused.sort_by_key(|(_, used)| *used);
        Ok(unused)
    }

    fn last_use(&self, image: &ImageHead) -> Result<SystemTime, Error> {
        let mut used = SystemTime::UNIX_EPOCH;
        for digest in image.digests() {
            used = used.max(self.store.last_used(digest)?.unwrap_or(used));
        }
        Ok(used)
    }
}
