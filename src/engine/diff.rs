//! `diff`: what a container or an image changed.

use crate::rootless::worker;
use crate::storage::changes::{LayerPaths, Stack, Writable};
use crate::storage::container_record::{ContainerConfig, StorageDriver};
use crate::storage::layers::{LayerKey, MapKey};

use super::error::{Error, failure};
use super::handle::Engine;

pub(crate) use crate::storage::changes::{Change, ChangeKind};

/// What a name may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiffKind {
    /// A container, else an image.
    Any,
    Container,
    Image,
}

/// Where a runtime mounts something into every container: no change of the container's.
const MOUNTED: [&str; 12] = [
    "/dev",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/proc",
    "/run",
    "/run/.containerenv",
    "/run/init",
    "/run/notify",
    "/run/secrets",
    "/sys",
];

impl Engine {
    /// What `text` changed of what it was made of, or of `other`.
    pub(crate) fn diff(&self, text: &str, other: Option<&str>, kind: DiffKind) -> Result<Vec<Change>, Error> {
        let (stack, container) = self.stack(text, kind)?;
        let other = other.map(|other| self.stack(other, kind)).transpose()?.map(|(stack, _)| stack);
        // To compare two of them may mean to compare their files.
        let files = stack.writable.is_some() || other.is_some();
        let look = || match &other {
            Some(other) => stack.changes_since(other),
            None => stack.own_changes(),
        };
        let mut changes =
            if files { worker::run(&self.outer()?, || look().map_err(|error| failure(&error)))? } else { look()? };
        if let Some(config) = container {
            let mounts: Vec<String> =
                config.spec.mounts.iter().map(|mount| mount.target.display().to_string()).collect();
            changes.retain(|change| !MOUNTED.contains(&change.path.as_str()) && !mounts.contains(&change.path));
        }
        Ok(changes)
    }

    fn stack(&self, text: &str, kind: DiffKind) -> Result<(Stack, Option<Box<ContainerConfig>>), Error> {
        if kind != DiffKind::Image {
            match self.container(text) {
                Ok(record) => return Ok((self.container_stack(&record.config)?, Some(Box::new(record.config)))),
                Err(error) if kind == DiffKind::Any && error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        let image = self.image_here(text)?.image;
        // An image of an additional store has its layers here from its first use on.
        self.ensure_layers(&image.record, &self.layer_maps()?)?;
        let keys = self.layer_keys(&image.chains())?;
        Ok((Stack { layers: self.layer_paths(&keys), writable: None }, None))
    }

    fn container_stack(&self, config: &ContainerConfig) -> Result<Stack, Error> {
        if config.spec.rootfs.is_some() {
            return Err(Error::NoLayers { id: config.id.short().to_owned() });
        }
        let layout = self.store.layout();
        let map = MapKey::from_text(&config.map);
        let keys: Vec<LayerKey> = config.layers.iter().map(|chain| LayerKey::new(chain, &map)).collect();
        let writable = match config.driver {
            StorageDriver::Overlay => Writable::Overlay(layout.container_upper(&config.id)),
            StorageDriver::FuseOverlayfs => Writable::Fuse(layout.container_upper(&config.id)),
            // The copy is made at the first start: before, nothing is changed.
            StorageDriver::Copy if self.store.needs_copy(config) => {
                Writable::Overlay(layout.container_upper(&config.id))
            }
            StorageDriver::Copy => Writable::Copy(layout.container_rootfs(&config.id)),
        };
        Ok(Stack { layers: self.layer_paths(&keys), writable: Some(writable) })
    }

    fn layer_paths(&self, keys: &[LayerKey]) -> Vec<LayerPaths> {
        let paths = |key| LayerPaths { index: self.store.layer_index(key), diff: self.store.layer_diff(key) };
        keys.iter().map(paths).collect()
    }
}
