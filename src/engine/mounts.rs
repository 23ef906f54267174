//! `mount` and `image mount`, which work in the mount namespace of `sampan unshare`.
//!
//! All mounts lie on a tmpfs on `runroot/<epoch>/mnt` that only this namespace sees, so the kernel's table of mounts is the
//! record of what is mounted, and all of it goes with the namespace. Nothing is written anywhere else.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::runtime;
use crate::storage::container_record::{ContainerRecord, StorageDriver};
use crate::storage::images::Image;
use crate::storage::overlay::DriverTools;
use crate::storage::twins::WholeImages;
use crate::sys;
use crate::sys::mount::{self, Attributes, FsContext};
use crate::types::id::{ContainerId, ImageId};
use crate::types::reference::Reference;
use crate::types::rootfs_plan::RootfsPlan;

use super::error::Error;
use super::handle::Engine;
use super::mount_points;

/// A mounted image.
#[derive(Debug)]
pub(crate) struct MountedImage {
    pub(crate) id: ImageId,
    pub(crate) names: Vec<Reference>,
    /// Of its manifest.
    pub(crate) digest: String,
    pub(crate) path: PathBuf,
}

/// A mounted container.
#[derive(Debug)]
pub(crate) struct MountedContainer {
    pub(crate) id: ContainerId,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

const IMAGE: &str = "image-";
const CONTAINER: &str = "container-";

impl Engine {
    /// Mounts an image read-only, or finds it mounted. `images` serves all words of the command.
    pub(crate) fn mount_image(&self, text: &str, images: &mut WholeImages) -> Result<MountedImage, Error> {
        self.within_unshare("image mount")?;
        let found = self.image_here(text)?;
        let names = images.of(&self.store, &found)?.names.clone();
        let image = found.image;
        let path = self.mount_at(&format!("{IMAGE}{}", image.record.id), |engine| engine.image_tree_mount(&image))?;
        Ok(mounted_image(image, names, path))
    }

    /// Mounts the root of a container, to be written too; or finds it mounted.
    pub(crate) fn mount_container(&self, text: &str) -> Result<MountedContainer, Error> {
        self.within_unshare("mount")?;
        let record = self.container(text)?;
        let path =
            self.mount_at(&format!("{CONTAINER}{}", record.id()), |engine| engine.container_tree_mount(&record))?;
        Ok(MountedContainer { id: record.id().clone(), name: record.config.name.to_string(), path })
    }

    /// Ids of all images, for `--all`.
    pub(crate) fn all_images(&self) -> Result<Vec<String>, Error> {
        Ok(self.store.image_heads()?.0.into_iter().map(|head| head.id.to_string()).collect())
    }

    /// Ids of all containers, for `--all`.
    pub(crate) fn all_containers(&self) -> Result<Vec<String>, Error> {
        Ok(self.store.container_ids()?.iter().map(ToString::to_string).collect())
    }

    /// Images that are mounted in this namespace.
    pub(crate) fn mounted_images(&self) -> Result<Vec<MountedImage>, Error> {
        let (mut found, mut images) = (Vec::new(), WholeImages::default());
        for (name, path) in self.mounted()? {
            if let Some(id) = name.strip_prefix(IMAGE)
                && let Some(image) = self.try_find_image(id)?
            {
                let names = images.of(&self.store, &image)?.names.clone();
                found.push(mounted_image(image.image, names, path));
            }
        }
        Ok(found)
    }

    /// Containers that are mounted in this namespace.
    pub(crate) fn mounted_containers(&self) -> Result<Vec<MountedContainer>, Error> {
        let mut found = Vec::new();
        for (name, path) in self.mounted()? {
            if let Some(id) = name.strip_prefix(CONTAINER)
                && let Ok(record) = self.container(id)
            {
                found.push(MountedContainer { id: record.id().clone(), name: record.config.name.to_string(), path });
            }
        }
        Ok(found)
    }

    /// Takes the mount of an image away. Like Podman, no error if it is not mounted.
    pub(crate) fn unmount_image(&self, text: &str) -> Result<ImageId, Error> {
        let id = self.find_image(text)?.image.record.id;
        self.unmount(&format!("{IMAGE}{id}"))?;
        Ok(id)
    }

    /// Takes the mount of a container away.
    pub(crate) fn unmount_container(&self, text: &str) -> Result<String, Error> {
        let record = self.container(text)?;
        self.unmount(&format!("{CONTAINER}{}", record.id()))?;
        Ok(record.config.name.to_string())
    }

    fn within_unshare(&self, verb: &'static str) -> Result<(), Error> {
        if self.config.in_unshare { Ok(()) } else { Err(Error::NeedsUnshare { verb }) }
    }

    /// Name and path of every mount on our tmpfs, in the order in which they were made.
    fn mounted(&self) -> Result<Vec<(String, PathBuf)>, Error> {
        let dir = self.store.layout().mounts();
        let points =
            mount_points::current().map_err(|source| Error::Host { what: "read the table of mounts", source })?;
        let below = points.into_iter().filter(|path| path.parent() == Some(&dir));
        Ok(below.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path))).collect())
    }

    fn mount_at(&self, name: &str, make: impl FnOnce(&Self) -> Result<OwnedFd, Error>) -> Result<PathBuf, Error> {
        let dir = self.store.layout().mounts();
        let path = dir.join(name);
        let failed = |source| Error::Path { what: "mount on", path: path.clone(), source };
        let points = mount_points::current().map_err(failed)?;
        if points.contains(&path) {
            return Ok(path);
        }
        if !points.contains(&dir) {
            cover(&dir).map_err(failed)?;
        }
        let tree = make(self)?;
        let attach = || {
            sys::fs::mkdir_all(&path, 0o700)?;
            mount::attach(tree.as_fd(), sys::fs::open_path(&path)?.as_fd())
        };
        attach().map_err(failed)?;
        Ok(path)
    }

    fn unmount(&self, name: &str) -> Result<(), Error> {
        let Some((_, path)) = self.mounted()?.into_iter().find(|(other, _)| other == name) else { return Ok(()) };
        let gone = mount::detach(&path).and_then(|()| sys::fs::remove_dir(&path).map(drop));
        gone.map_err(|source| Error::Path { what: "unmount", path: path.clone(), source })
    }

    /// The layers of an image as one read-only tree.
    fn image_tree_mount(&self, image: &Image) -> Result<OwnedFd, Error> {
        self.needs_kernel_overlay(self.driver()?)?;
        self.ensure_layers(&image.record, &self.layer_maps()?)?;
        let keys = self.layer_keys(&image.chains())?;
        let mut lower: Vec<PathBuf> = keys.iter().rev().map(|key| self.store.layer_diff(key)).collect();
        // An overlay has two layers at least: the last one may be empty.
        let empty = self.store.layout().mounts().join("empty");
        let failed = |source| Error::Path { what: "make", path: empty.clone(), source };
        sys::fs::mkdir_all(&empty, 0o755).map_err(failed)?;
        if lower.len() < 2 {
            lower.push(empty.clone());
        }
        if lower.len() < 2 {
            return mount::clone_tree(sys::fs::current_dir(), &empty).map_err(failed);
        }
        runtime::mount_layers(&lower).map_err(Error::MountRoot)
    }

    /// What a container sees if it runs; else what it will see.
    fn container_tree_mount(&self, record: &ContainerRecord) -> Result<OwnedFd, Error> {
        if let Some(init) = record.init() {
            let host = |source| Error::Host { what: "mount", source };
            let tree = runtime::container_tree(&PathBuf::from(format!("/proc/{}/ns/mnt", init.pid)));
            // If it lives now, the number was its own until now.
            if init.is_alive().map_err(host)? {
                return tree.map_err(host);
            }
        }
        let plan = self.store.rootfs_plan(&record.config, &DriverTools::default());
        if !matches!(plan, Ok(RootfsPlan::Path { .. })) {
            self.needs_kernel_overlay(record.config.driver)?;
        }
        let (tree, _) = runtime::mount_rootfs_at_rest(&plan?, (0, 0)).map_err(Error::MountRoot)?;
        Ok(tree)
    }

    fn needs_kernel_overlay(&self, driver: StorageDriver) -> Result<(), Error> {
        match driver {
            StorageDriver::Overlay => Ok(()),
            other => Err(Error::MountDriver { driver: other.name() }),
        }
    }
}

fn mounted_image(image: Image, names: Vec<Reference>, path: PathBuf) -> MountedImage {
    MountedImage { id: image.record.id, names, digest: image.record.digest.to_string(), path }
}

/// Covers the directory with a tmpfs: what is mounted on it and made in it is seen by this namespace alone.
fn cover(dir: &Path) -> sys::Result<()> {
    sys::fs::mkdir_all(dir, 0o700)?;
    let context = FsContext::open("tmpfs")?;
    context.set("mode", "0700")?.set("size", "1m")?;
    let tree = context.mount(Attributes { nosuid: true, nodev: true, ..Attributes::default() })?;
    mount::attach(tree.as_fd(), sys::fs::open_path(dir)?.as_fd())
}
