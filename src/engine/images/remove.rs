//! `rmi`: names and images out of the store.

use crate::engine::containers::remove::RemoveRequest;
use crate::engine::{Engine, Error};
use crate::storage;
use crate::storage::image_head::ImageHead;
use crate::storage::images::ImageRecord;
use crate::storage::lists::ListRecord;
use crate::storage::store::Exclusive;
use crate::types::failure::chain;
use crate::types::id::{ContainerId, ImageId};
use crate::types::reference::Reference;

use super::parent::{is_built_on, is_parent};

/// What to remove, and how hard.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemoveImageRequest {
    /// Name or id.
    pub(crate) text: String,
    /// With the containers that use it.
    pub(crate) force: bool,
    /// Also by its id if it has several names.
    pub(crate) several_names: bool,
    /// Nameless images that it was built on stay.
    pub(crate) keep_parents: bool,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RemovedImage {
    pub(crate) untagged: Vec<Reference>,
    /// The image, and nameless ones that it was built on; empty: the image has other names and stays.
    pub(crate) deleted: Vec<ImageId>,
    pub(crate) containers: Vec<ContainerId>,
}

impl RemoveImageRequest {
    /// An error if these are too many names to lose at once.
    fn may_take(&self, id: &ImageId, names: &[Reference]) -> Result<(), Error> {
        if names.len() < 2 || self.force || self.several_names {
            return Ok(());
        }
        let names = names.iter().map(ToString::to_string).collect();
        Err(Error::SeveralNames { image: id.short().to_owned(), names })
    }
}

/// What a try to remove came to.
enum Outcome {
    Removed(RemovedImage),
    /// These containers are to go first.
    UsedBy(Vec<ContainerId>),
}

impl Engine {
    /// Takes a name off an image, and the image away with its last name. By id it must have one name at most, or
    /// `force`. Layers stay until [`Engine::sweep_images`].
    pub(crate) fn remove_image(&self, request: &RemoveImageRequest) -> Result<RemovedImage, Error> {
        let mut containers = Vec::new();
        loop {
            match self.remove_now(request)? {
                Outcome::Removed(removed) => return Ok(RemovedImage { containers, ..removed }),
                // They may take seconds to end: not while others wait for the lock.
                Outcome::UsedBy(users) => {
                    self.remove_entirely(&users, &RemoveRequest::with_all())?;
                    containers.extend(users);
                }
            }
        }
    }

    /// Looks, decides and removes while nobody else gives or takes a name.
    fn remove_now(&self, request: &RemoveImageRequest) -> Result<Outcome, Error> {
        let lock = self.store.lock_exclusive()?;
        if let Some(list) = self.find_list(&request.text)? {
            return self.take_list(list, request, &lock).map(Outcome::Removed);
        }
        let found = self.find_own_image(&request.text)?;
        let image = self.store.image_to_remove(&found.image.record.id)?;
        let by_name = found.name.filter(|name| image.names.contains(name));
        if let Some(name) = by_name
            && image.names.len() > 1
        {
            self.store.untag(&name, &lock)?;
            return Ok(Outcome::Removed(RemovedImage { untagged: vec![name], ..RemovedImage::default() }));
        }
        request.may_take(&image.id, &image.names)?;
        if request.force {
            let users = self.store.image_users(&image.digest, &image.id)?;
            if !users.is_empty() {
                return Ok(Outcome::UsedBy(users));
            }
        }
        self.store.remove_image(&image, &lock)?;
        let mut deleted = vec![image.id];
        if !request.keep_parents {
            deleted.extend(self.remove_parents(&found.image.record, &lock)?);
        }
        Ok(Outcome::Removed(RemovedImage { untagged: image.names, deleted, ..RemovedImage::default() }))
    }

    /// Like [`Self::remove_image`], of a manifest list alone (`manifest rm`).
    pub(crate) fn remove_list(&self, text: &str) -> Result<RemovedImage, Error> {
        let lock = self.store.lock_exclusive()?;
        let request = RemoveImageRequest { text: text.to_owned(), ..RemoveImageRequest::default() };
        let list = match self.store.named_list(&self.image_word(text)?)? {
            Some(list) => list,
            None => self.known_list(text)?,
        };
        self.take_list(list, &request, &lock)
    }

    /// Takes a name off a manifest list, and the list away with its last name; by id all of them.
    fn take_list(
        &self,
        list: ListRecord,
        request: &RemoveImageRequest,
        lock: &Exclusive,
    ) -> Result<RemovedImage, Error> {
        let digest = list.digest();
        let id = ImageId::from_bytes(digest.bytes());
        let same = self.store.lists()?.0.into_iter().filter(|other| other.digest() == digest);
        let all: Vec<Reference> = same.map(|other| other.name).collect();
        let by_name = self.image_word(&request.text)?.has(&list.name);
        let untagged = if by_name { vec![list.name] } else { all.clone() };
        request.may_take(&id, &untagged)?;
        for name in &untagged {
            self.store.remove_list(name, lock)?;
        }
        let deleted = if untagged.len() == all.len() { vec![id] } else { Vec::new() };
        Ok(RemovedImage { untagged, deleted, ..RemovedImage::default() })
    }

    /// Removes an image that was found to be removable, unless that is not so any more: somebody has removed, named or used
    /// it meanwhile, or `still` says so.
    pub(crate) fn remove_unused(
        &self,
        id: &ImageId,
        still: impl FnOnce(&ImageHead) -> Result<bool, Error>,
    ) -> Result<Option<RemovedImage>, Error> {
        let lock = self.store.lock_exclusive()?;
        let image = match self.store.image_to_remove(id) {
            Err(storage::Error::NoImage(_)) => return Ok(None),
            other => other?,
        };
        if !still(&image)? || !self.store.image_users(&image.digest, id)?.is_empty() {
            return Ok(None);
        }
        self.store.remove_image(&image, &lock)?;
        Ok(Some(RemovedImage { untagged: image.names, deleted: vec![image.id], ..RemovedImage::default() }))
    }

    /// Removes the nameless images that a removed one was built on, if nothing else is built on them or made of them:
    /// the intermediate images of a build go with its result. The youngest goes first. None goes while a name cannot be
    /// read, which may be theirs.
    fn remove_parents(&self, child: &ImageRecord, lock: &Exclusive) -> Result<Vec<ImageId>, Error> {
        let (images, _) = self.store.image_heads()?;
        let mut parents = Vec::new();
        for head in images.iter().filter(|head| head.is_dangling() && !head.is_read_only()) {
            if let Ok(Some(record)) = self.store.image_record(&head.digest)
                && is_built_on(child, &record)
            {
                parents.push(record);
            }
        }
        if parents.is_empty() || !self.nameless_may_go()? {
            return Ok(Vec::new());
        }
        parents.sort_by_key(|parent| std::cmp::Reverse((parent.layers.len(), parent.config.history.len())));
        let mut gone: Vec<ImageId> = vec![child.id.clone()];
        let (mut deleted, mut child) = (Vec::new(), child.clone());
        for parent in parents {
            // One that is further below is seen by `images`, and somebody else's.
            if !is_parent(&parent, &child) {
                continue;
            }
            let needed = images.iter().any(|other| self.needs(other, &parent, &gone));
            if needed || !self.store.image_users(&parent.digest, &parent.id)?.is_empty() {
                break;
            }
            self.store.remove_image(&self.store.image_to_remove(&parent.id)?, lock)?;
            gone.push(parent.id.clone());
            deleted.push(parent.id.clone());
            child = parent;
        }
        Ok(deleted)
    }

    /// False, with a warning, while a name cannot be read: it may be that of any image which seems to have none.
    pub(super) fn nameless_may_go(&self) -> Result<bool, Error> {
        let unread = self.store.unread_name()?;
        if let Some(why) = &unread {
            let why = chain(why);
            tracing::warn!("no image without a name is removed, because nobody knows whose name this is: {why}");
        }
        Ok(unread.is_none())
    }

    /// True if an image that stays was built on `parent`.
    fn needs(&self, other: &ImageHead, parent: &ImageRecord, gone: &[ImageId]) -> bool {
        if other.id == parent.id || gone.contains(&other.id) || other.chains().len() < parent.layers.len() {
            return false;
        }
        // One that cannot be read may need it.
        let record = self.store.image_record(&other.digest);
        record.map_or(true, |record| record.is_some_and(|record| is_built_on(&record, parent)))
    }

    /// Frees what no image and no container refers to any more.
    pub(crate) fn sweep_images(&self) -> Result<(), Error> {
        if let Some(why) = self.store.sweep()?.cautious {
            tracing::warn!("no layer is freed, because nobody knows what it may be of: {why}");
        }
        self.empty_trash()
    }
}
