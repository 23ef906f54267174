//! One image under several manifests.
//!
//! An image is what its configuration says, so the digest of the configuration is its id. The same configuration may come
//! under several manifests: imported and pulled, with layers in gzip and in zstd, as OCI and as schema 2. Each manifest
//! has its record, because a push must send the very bytes of the one that its name was pulled by; whoever lists, inspects
//! or removes images sees one image with all names (`docs/adr/0006-one-image-several-manifests.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::error::Error;
use super::gc;
use super::image_head::ImageHead;
use super::images::{BrokenImage, FoundImage, Image};
use super::store::{Exclusive, Store};
use crate::types::digest::Digest;
use crate::types::id::ImageId;
use crate::types::reference::Reference;

/// A further manifest of an image.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) digest: Digest,
    pub(crate) index: Option<Digest>,
    /// Those that lead to this manifest, sorted.
    pub(crate) names: Vec<Reference>,
}

impl ImageHead {
    /// Digest of the manifest that a name of the image leads to; without a name that of the first manifest.
    pub(crate) fn digest_of(&self, name: Option<&Reference>) -> &Digest {
        let leads = |twin: &&Twin| name.is_some_and(|name| twin.names.contains(name));
        self.twins.iter().find(leads).map_or(&self.digest, |twin| &twin.digest)
    }

    /// Digests of all manifests.
    pub(crate) fn digests(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.digest).chain(self.twins.iter().map(|twin| &twin.digest))
    }

    /// Digests that the image may be asked for by, each with that of its manifest: manifests, and the indexes that those
    /// were chosen from.
    pub(crate) fn all_digests(&self) -> impl Iterator<Item = (&Digest, &Digest)> {
        let twins = self.twins.iter().map(|twin| (&twin.digest, twin.index.as_ref()));
        std::iter::once((&self.digest, self.index.as_ref()))
            .chain(twins)
            .flat_map(|(digest, index)| std::iter::once(digest).chain(index).map(move |one| (one, digest)))
    }

    /// Every repository with every digest that it may be asked for by. A manifest without a name may be any repository's.
    pub(crate) fn repo_digests(&self) -> Vec<String> {
        let first = |name: &&Reference| !self.twins.iter().any(|twin| twin.names.contains(name));
        let own: Vec<&Reference> = self.names.iter().filter(first).collect();
        let twins = self.twins.iter().map(|twin| (&twin.digest, twin.index.as_ref(), twin.names.iter().collect()));
        let mut all = Vec::new();
        for (digest, index, names) in std::iter::once((&self.digest, self.index.as_ref(), own)).chain(twins) {
            let names: Vec<&Reference> = if names.is_empty() { self.names.iter().collect() } else { names };
            // They are sorted.
            let mut repositories: Vec<String> = names.into_iter().map(Reference::repository).collect();
            repositories.dedup();
            for repository in &repositories {
                all.extend([Some(digest), index].into_iter().flatten().map(|digest| format!("{repository}@{digest}")));
            }
        }
        all
    }
}

/// One head for each id, with the names of all its manifests. A manifest with a name comes first, and the one that came
/// last of those.
pub(super) fn by_id(mut heads: Vec<ImageHead>) -> Vec<ImageHead> {
    let order = |head: &ImageHead| (head.is_dangling(), std::cmp::Reverse::<Timestamp>(head.stored));
    heads.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| order(a).cmp(&order(b))).then_with(|| a.digest.cmp(&b.digest)));
    let mut whole: Vec<ImageHead> = Vec::with_capacity(heads.len());
    for head in heads {
        match whole.last_mut().filter(|first| first.id == head.id) {
            Some(first) => {
                first.names.extend(head.names.iter().cloned());
                first.names.sort();
                first.twins.push(Twin { digest: head.digest, index: head.index, names: head.names });
            }
            None => whole.push(head),
        }
    }
    whole
}

/// Whole images by id, for a command that looks at several: a store is read once, when the first image of it is asked for.
/// Who removes images asks [`Store::whole_image`] for each, because it must decide by what is there now.
#[derive(Debug, Default)]
pub(crate) struct WholeImages {
    /// By their graphroot.
    stores: BTreeMap<PathBuf, BTreeMap<ImageId, ImageHead>>,
}

impl WholeImages {
    /// The whole image that a found manifest belongs to, in the store where it was found.
    pub(crate) fn of(&mut self, store: &Store, found: &FoundImage) -> Result<&ImageHead, Error> {
        let (store, id) = (store.store_of(found), &found.image.record.id);
        let images = self.stores.entry(store.layout().graphroot().to_owned()).or_default();
        // It is not there before the first look, nor if it came after that.
        if !images.contains_key(id) {
            *images = images_by_id(store)?;
        }
        images.get(id).ok_or_else(|| Error::NoImage(id.to_string()))
    }

    /// All images of a store.
    pub(crate) fn all(&mut self, store: &Store) -> Result<impl Iterator<Item = &ImageHead>, Error> {
        let root = store.layout().graphroot();
        if !self.stores.contains_key(root) {
            self.stores.insert(root.to_owned(), images_by_id(store)?);
        }
        Ok(self.stores.get(root).into_iter().flat_map(BTreeMap::values))
    }
}

/// The image of this id. What cannot be read now may be it, so nobody can say then that it is gone.
fn among(heads: Vec<ImageHead>, broken: Vec<BrokenImage>, id: &ImageId) -> Result<ImageHead, Error> {
    let unread = || broken.into_iter().map(|image| image.error).find(|error| !error.is_damage());
    let found = heads.into_iter().find(|head| head.id == *id);
    found.ok_or_else(|| unread().unwrap_or_else(|| Error::NoImage(id.to_string())))
}

fn images_by_id(store: &Store) -> Result<BTreeMap<ImageId, ImageHead>, Error> {
    Ok(store.image_heads()?.0.into_iter().map(|head| (head.id.clone(), head)).collect())
}

impl Store {
    /// The whole image that a found manifest belongs to, in the store where it was found, as it is now.
    pub(crate) fn whole_image(&self, found: &FoundImage) -> Result<ImageHead, Error> {
        self.store_of(found).image_of(&found.image.record.id)
    }

    /// The store where an image was found: this one, or an additional one.
    fn store_of(&self, found: &FoundImage) -> &Self {
        let additional =
            self.additional.iter().find(|store| found.read_only.as_deref() == Some(store.layout().graphroot()));
        additional.unwrap_or(self)
    }

    /// The image of an id, with all its names.
    fn image_of(&self, id: &ImageId) -> Result<ImageHead, Error> {
        let (heads, broken) = self.image_heads()?;
        among(heads, broken, id)
    }

    /// Like [`Self::image_of`], for who removes it: a name that cannot be read now may be one of its names, and an image
    /// with a name more is not the same.
    pub(crate) fn image_to_remove(&self, id: &ImageId) -> Result<ImageHead, Error> {
        let (names, unread) = self.names_by_image()?;
        if let Some(error) = unread.into_iter().find(|error| !error.is_damage()) {
            return Err(error);
        }
        let (manifests, broken) = self.manifest_heads(names)?;
        among(by_id(manifests), broken, id)
    }

    /// Manifests that nobody can mean any more: without a name, while their image has names that lead to another, and
    /// neither a container nor a manifest list was made of them, nor has one mounted them. `images` are all of the store.
    pub(crate) fn spare_manifests(&self, images: &[Image]) -> Result<BTreeSet<Digest>, Error> {
        let mut named: BTreeMap<&ImageId, bool> = BTreeMap::new();
        for image in images {
            *named.entry(&image.record.id).or_default() |= !image.names.is_empty();
        }
        let spare = |image: &&Image| image.names.is_empty() && named.get(&image.record.id) == Some(&true);
        let mut spare: BTreeSet<Digest> =
            images.iter().filter(spare).map(|image| image.record.digest.clone()).collect();
        if spare.is_empty() {
            return Ok(spare);
        }
        for id in self.container_ids()? {
            // One that cannot be read may be made of any of them.
            match self.definition(&id) {
                Ok(config) => spare.retain(|digest| config.iter().all(|config| !config.uses_manifest(digest))),
                Err(_) => return Ok(BTreeSet::new()),
            }
        }
        let (lists, broken) = self.lists()?;
        if !broken.is_empty() {
            return Ok(BTreeSet::new());
        }
        for entry in lists.iter().flat_map(|list| &list.entries) {
            spare.remove(&entry.digest);
        }
        Ok(spare)
    }

    /// Takes spare manifests out of the store. The leases of the dead are gone.
    pub(super) fn sweep_manifests(&self, lock: &Exclusive) -> Result<(), Error> {
        let (images, broken) = self.images()?;
        let (_, unread) = self.references()?;
        // One of those may be its name.
        if !broken.is_empty() || !unread.is_empty() {
            return Ok(());
        }
        let spare = self.spare_manifests(&images)?;
        if spare.is_empty() {
            return Ok(());
        }
        let wanted = gc::promised_images(self)?;
        for digest in spare.difference(&wanted) {
            self.discard_image(digest, lock)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::by_id;
    use crate::storage::image_head::ImageHead;
    use crate::types::digest::Digest;

    fn head(manifest: &str, config: &str, stored: &str, names: &[&str]) -> ImageHead {
        let id = Digest::of(config.as_bytes());
        let json = serde_json::json!({
            "version": 1, "digest": Digest::of(manifest.as_bytes()), "id": id.hex(), "layers": [], "size": 0, "stored": stored,
        });
        let mut head: ImageHead = serde_json::from_value(json).expect("valid");
        head.names = names.iter().map(|name| name.parse().expect("valid")).collect();
        head
    }

    #[test]
    fn manifests_of_one_configuration_are_one_image() {
        let heads = vec![
            head("m1", "a", "2026-01-01T00:00:00Z", &["localhost/a:1"]),
            head("m2", "b", "2026-01-01T00:00:00Z", &[]),
            head("m3", "a", "2026-01-03T00:00:00Z", &[]),
            head("m4", "a", "2026-01-02T00:00:00Z", &["example.com/a:1", "example.com/a:2"]),
        ];
        let merged = by_id(heads);
        assert_eq!(merged.len(), 2);
        let a = merged.iter().find(|head| !head.is_dangling()).expect("has names");
        let of = |text: &str| Digest::of(text.as_bytes());
        assert_eq!(a.digests().cloned().collect::<Vec<_>>(), [of("m4"), of("m1"), of("m3")]);
        assert_eq!(a.names.len(), 3);
        assert_eq!(*a.digest_of(a.names.iter().find(|name| name.domain() == "localhost")), of("m1"));
        assert_eq!(*a.digest_of(None), of("m4"));
        let mut digests = a.repo_digests();
        digests.sort();
        let mut expected = vec![
            format!("example.com/a@{}", of("m4")),
            format!("localhost/a@{}", of("m1")),
            // Nobody knows where that came from.
            format!("example.com/a@{}", of("m3")),
            format!("localhost/a@{}", of("m3")),
        ];
        expected.sort();
        assert_eq!(digests, expected);
    }
}
