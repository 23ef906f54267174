//! Puts the root file system of a container together from its layers: the plan that the runtime mounts.

use std::path::PathBuf;

use super::container_record::{ContainerConfig, StorageDriver};
use super::error::Error;
use super::layers::{LayerKey, MapKey};
use super::store::Store;
use crate::types::digest::ChainId;
use crate::types::rootfs_plan::{FuseMapping, RootfsPlan};

/// What the host gives the drivers.
#[derive(Debug, Clone, Default)]
pub(crate) struct DriverTools {
    /// Path of `fuse-overlayfs`, for its driver.
    pub(crate) fuse_overlayfs: Option<PathBuf>,
    /// For layers that were unpacked under another map than the container's.
    pub(crate) fuse_mapping: Option<FuseMapping>,
}

impl Store {
    /// The plan of a container's root. Looks whether every layer is there, so that a missing one has its own message.
    pub(crate) fn rootfs_plan(&self, config: &ContainerConfig, tools: &DriverTools) -> Result<RootfsPlan, Error> {
        let layout = self.layout();
        if let Some(path) = &config.spec.rootfs {
            return Ok(RootfsPlan::Path { path: path.clone() });
        }
        let map = MapKey::from_text(&config.map);
        let lower = config.layers.iter().rev().map(|chain| {
            let diff = self.layer_diff(&LayerKey::new(chain, &map));
            let there = crate::sys::fs::exists(&diff);
            there.then_some(diff).ok_or_else(|| Error::NoLayer { id: config.id.clone(), chain: chain.0.to_string() })
        });
        match config.driver {
            StorageDriver::Overlay => Ok(RootfsPlan::Overlay {
                lower: lower.collect::<Result<_, _>>()?,
                upper: layout.container_upper(&config.id),
                work: layout.container_work(&config.id),
                // Nothing of it is read after the container is gone; and the kernel mounts such a root only once.
                volatile: config.spec.remove && !config.spec.may_restart(),
            }),
            StorageDriver::FuseOverlayfs => Ok(RootfsPlan::Fuse {
                program: tools.fuse_overlayfs.clone().ok_or(Error::NoFuseOverlayfs)?,
                lower: lower.collect::<Result<_, _>>()?,
                upper: layout.container_upper(&config.id),
                work: layout.container_work(&config.id),
                mapping: tools.fuse_mapping.clone(),
            }),
            StorageDriver::Copy => Ok(RootfsPlan::Path { path: layout.container_rootfs(&config.id) }),
        }
    }

    /// The layers of a container that is being made must be there: the store lock is held, so that they stay.
    pub(super) fn check_layers(&self, config: &ContainerConfig) -> Result<(), Error> {
        let map = MapKey::from_text(&config.map);
        let missing = config.all_layers().find(|chain| !self.has_layer(&LayerKey::new(chain, &map)));
        let error = |chain: &ChainId| Error::NoLayer { id: config.id.clone(), chain: chain.0.to_string() };
        missing.map_or(Ok(()), |chain| Err(error(chain)))
    }

    /// True if the copy of the layers has still to be made (`storage::copy_root`, in a worker in P).
    pub(crate) fn needs_copy(&self, config: &ContainerConfig) -> bool {
        config.driver == StorageDriver::Copy
            && config.spec.rootfs.is_none()
            && !crate::sys::fs::exists(&self.layout().container_rootfs(&config.id))
    }
}
