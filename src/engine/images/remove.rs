//! `rmi`: names and images out of the store.

use crate::engine::{Engine, Error};
use crate::storage::images::Image;
use crate::types::id::{ContainerId, ImageId};
use crate::types::reference::Reference;

/// What to remove, and how hard.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemoveImageRequest {
    /// Name or id.
    pub(crate) text: String,
    /// Also if it has several names, or containers: those are removed with it.
    pub(crate) force: bool,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RemovedImage {
    pub(crate) untagged: Vec<Reference>,
    /// None: the image has other names and stays.
    pub(crate) deleted: Option<ImageId>,
    pub(crate) containers: Vec<ContainerId>,
}

impl Engine {
    /// Takes a name off an image, and the image away with its last name. By id it must have one name at most, or
    /// `force`. Layers stay until [`Engine::sweep_images`].
    pub(crate) fn remove_image(&self, request: &RemoveImageRequest) -> Result<RemovedImage, Error> {
        let found = self.store.find_image(&request.text)?;
        let image = found.image;
        let by_name = found.name.filter(|name| image.names.contains(name));
        if let Some(name) = by_name
            && image.names.len() > 1
        {
            self.store.untag(&name)?;
            return Ok(RemovedImage { untagged: vec![name], ..RemovedImage::default() });
        }
        if image.names.len() > 1 && !request.force {
            return Err(Error::SeveralNames {
                image: image.record.id.short().to_owned(),
                names: image.names.iter().map(ToString::to_string).collect(),
            });
        }
        self.remove_whole(&image, request.force)
    }

    /// Removes the image with all its names.
    pub(super) fn remove_whole(&self, image: &Image, force: bool) -> Result<RemovedImage, Error> {
        let record = &image.record;
        let mut containers = Vec::new();
        if force {
            for id in self.store.image_users(record)? {
                self.remove_container(&id, true, true)?;
                containers.push(id);
            }
        }
        let untagged = self.store.remove_image(&record.digest)?;
        Ok(RemovedImage { untagged, deleted: Some(record.id.clone()), containers })
    }

    /// Frees what no image and no container refers to any more.
    pub(crate) fn sweep_images(&self) -> Result<(), Error> {
        self.store.sweep()?;
        self.empty_trash()
    }
}
