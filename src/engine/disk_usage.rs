//! `system df`: what images, containers and volumes take of the disk, so that the sum is what du(1) says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::error::failure;
use super::{Engine, Error};
use crate::rootless::worker;
use crate::storage::accounts::{Accounts, Held};
use crate::storage::container_record::ContainerRecord;
use crate::storage::images::{Image, ImageRecord};
use crate::storage::usage;
use crate::types::digest::Digest;
use crate::types::id::{ContainerId, ImageId};
use crate::types::mount::MountSource;
use crate::types::reference::Reference;
use crate::types::status::ContainerStatus;

/// The whole answer.
#[derive(Debug, Default)]
pub(crate) struct DiskUsage {
    /// Images, containers, volumes.
    pub(crate) kinds: [KindUsage; 3],
    pub(crate) images: Vec<ImageUsage>,
    pub(crate) containers: Vec<ContainerUsage>,
    pub(crate) volumes: Vec<VolumeUsage>,
}

/// One line of the summary.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KindUsage {
    pub(crate) name: &'static str,
    pub(crate) total: usize,
    /// In use.
    pub(crate) active: usize,
    pub(crate) size: u64,
    /// What the fitting prune would give back.
    pub(crate) reclaimable: u64,
}

#[derive(Debug)]
pub(crate) struct ImageUsage {
    pub(crate) id: ImageId,
    pub(crate) names: Vec<Reference>,
    pub(crate) created: Timestamp,
    /// With other images.
    pub(crate) shared: u64,
    pub(crate) unique: u64,
    pub(crate) containers: usize,
}

#[derive(Debug)]
pub(crate) struct ContainerUsage {
    pub(crate) id: ContainerId,
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
    pub(crate) volumes: usize,
    pub(crate) size: u64,
    pub(crate) created: Timestamp,
    pub(crate) status: ContainerStatus,
}

#[derive(Debug)]
pub(crate) struct VolumeUsage {
    pub(crate) name: String,
    /// Containers that mount it.
    pub(crate) links: usize,
    pub(crate) size: u64,
}

impl Engine {
    /// Counts. Containers and volumes are walked, in one worker in P; images are not.
    pub(crate) fn disk_usage(&self) -> Result<DiskUsage, Error> {
        let (images, _) = self.store.images()?;
        let (containers, _) = self.store.containers()?;
        let volumes = self.store.volume_names()?;
        let layout = self.store.layout();
        let trees: Vec<_> = containers.iter().map(|record| layout.container(record.id())).collect();
        let trees: Vec<_> = trees.into_iter().chain(volumes.iter().map(|name| layout.volume(name))).collect();
        let sizes = self.on_disk(&trees)?;
        let (container_sizes, volume_sizes) = sizes.split_at(containers.len());
        let accounts = self.store.accounts()?;
        let mut usage = DiskUsage::default();
        let spare = self.store.spare_manifests(&images)?;
        let mut held = Held::default();
        held.chains(self.store.read_only_chains()?);
        self.store.lists()?.0.iter().for_each(|list| held.list(list));
        usage.kinds[0] = image_kind(&accounts, held, (&images, &spare), &containers);
        usage.images = image_lines(&accounts, &images, &containers);
        usage.containers = containers.iter().zip(container_sizes).map(|(record, size)| line(record, *size)).collect();
        let idle = |record: &ContainerRecord| !record.status.is_alive();
        usage.kinds[1] = KindUsage {
            name: "Containers",
            total: containers.len(),
            active: containers.iter().filter(|record| !idle(record)).count(),
            size: container_sizes.iter().sum(),
            reclaimable: containers.iter().zip(container_sizes).filter(|(r, _)| idle(r)).map(|(_, size)| size).sum(),
        };
        for (name, size) in volumes.iter().zip(volume_sizes) {
            let mounts = |record: &&ContainerRecord| {
                record
                    .config
                    .spec
                    .mounts
                    .iter()
                    .any(|mount| matches!(&mount.source, MountSource::Volume { name: used, .. } if used == name))
            };
            let links = containers.iter().filter(mounts).count();
            usage.volumes.push(VolumeUsage { name: name.to_string(), links, size: *size });
        }
        usage.kinds[2] = KindUsage {
            name: "Local Volumes",
            total: volumes.len(),
            active: usage.volumes.iter().filter(|volume| volume.links > 0).count(),
            size: volume_sizes.iter().sum(),
            reclaimable: usage.volumes.iter().filter(|volume| volume.links == 0).map(|volume| volume.size).sum(),
        };
        Ok(usage)
    }

    /// Sizes of trees that may hold files of subordinate ids.
    pub(super) fn on_disk(&self, trees: &[std::path::PathBuf]) -> Result<Vec<u64>, Error> {
        if trees.is_empty() {
            return Ok(Vec::new());
        }
        Ok(worker::run(&self.outer()?, || {
            let counted: Result<Vec<u64>, _> = trees.iter().map(|tree| usage::on_disk(tree)).collect();
            counted.map_err(|error| failure(&error))
        })?)
    }
}

/// True if the image stays as long as the container does.
fn uses(record: &ContainerRecord, image: &ImageRecord) -> bool {
    record.config.uses_image(&image.digest, &image.id)
}

fn image_kind(
    accounts: &Accounts,
    mut held: Held,
    (images, spare): (&[Image], &BTreeSet<Digest>),
    containers: &[ContainerRecord],
) -> KindUsage {
    let (mut all, mut active) = (BTreeSet::new(), BTreeSet::new());
    for Image { record, .. } in images {
        all.insert(&record.id);
        if containers.iter().any(|container| uses(container, record)) {
            active.insert(&record.id);
            if !spare.contains(&record.digest) {
                held.image(record);
            }
        }
    }
    for record in containers {
        held.container(&record.config);
    }
    let (size, reclaimable) = (accounts.total(), accounts.free(&held));
    KindUsage { name: "Images", total: all.len(), active: active.len(), size, reclaimable }
}

/// One line for each image, whatever the number of its manifests.
fn image_lines(accounts: &Accounts, images: &[Image], containers: &[ContainerRecord]) -> Vec<ImageUsage> {
    let mut by_id: BTreeMap<&ImageId, Vec<&Image>> = BTreeMap::new();
    for image in images {
        by_id.entry(&image.record.id).or_default().push(image);
    }
    let lines = by_id.into_iter().map(|(id, manifests)| {
        let record = &manifests[0].record;
        let others = images.iter().map(|image| &image.record).filter(|other| other.id != *id);
        let (shared, unique) = accounts.image(manifests.iter().map(|image| &image.record), others);
        let mut names: Vec<Reference> = manifests.iter().flat_map(|image| image.names.iter().cloned()).collect();
        names.sort();
        ImageUsage {
            id: id.clone(),
            names,
            created: record.created.unwrap_or(record.stored),
            shared,
            unique,
            containers: containers.iter().filter(|container| uses(container, record)).count(),
        }
    });
    lines.collect()
}

fn line(record: &ContainerRecord, size: u64) -> ContainerUsage {
    let config = &record.config;
    let is_volume = |source: &MountSource| matches!(source, MountSource::Volume { .. });
    ContainerUsage {
        id: config.id.clone(),
        name: config.name.to_string(),
        image: config.image.as_ref().map(|image| image.id.short().to_owned()).unwrap_or_default(),
        command: super::containers::list::command(record),
        volumes: config.spec.mounts.iter().filter(|mount| is_volume(&mount.source)).count(),
        size,
        created: config.created,
        status: record.status,
    }
}
