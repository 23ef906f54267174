//! Which image a word means, here and in the additional stores, whose records are verified before they are believed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::{At as _, Error};
use super::image_head::ImageHead;
use super::images::{FoundImage, ImageRecord};
use super::record;
use super::store::Store;
use crate::sys;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::id::{ImageId, is_id_prefix};
use crate::types::image_config::ImageConfig;
use crate::types::reference::{ImageWord, Reference, has_domain};

/// Why a record of another store is not taken.
enum Unverified {
    Error(Error),
    Forged(&'static str),
}

/// False for a name with a digest that is not the image's: whoever asks for a digest gets what has it, whatever a file says.
fn is_truly(name: &Reference, record: &ImageRecord) -> bool {
    name.digest().is_none_or(|digest| *digest == record.digest || record.index.as_ref() == Some(digest))
}

impl Store {
    /// Finds an image by name (the first of the word's that is here), by digest, by id or by a unique prefix of an id.
    pub(crate) fn find_image(&self, word: &ImageWord) -> Result<FoundImage, Error> {
        self.try_find_image(word)?.ok_or_else(|| Error::NoImage(word.text.clone()))
    }

    /// Like [`Self::find_image`], for who changes it: an image of an additional store is an error.
    pub(crate) fn find_own_image(&self, word: &ImageWord) -> Result<FoundImage, Error> {
        let found = self.find_image(word)?;
        match found.read_only {
            Some(store) => Err(Error::ReadOnlyImage { image: word.text.clone(), store }),
            None => Ok(found),
        }
    }

    /// Like [`Self::find_image`], with `None` where there is none such. This store comes first, then the additional ones.
    pub(crate) fn try_find_image(&self, word: &ImageWord) -> Result<Option<FoundImage>, Error> {
        let here = match self.try_find_here(word) {
            // What is no name may be an id of another store.
            Err(error @ Error::ImageName(_)) => Err(error),
            other => Ok(other?),
        };
        if let Ok(Some(found)) = here {
            return Ok(Some(found));
        }
        for store in &self.additional {
            let found = match store.try_find_here(word) {
                Err(Error::ImageName(_)) => None,
                other => other?,
            };
            if let Some(mut found) = found {
                let path = store.layout().graphroot();
                store.verify(&found.image.record).map_err(|why| match why {
                    Unverified::Error(error) => error,
                    Unverified::Forged(why) => {
                        Error::ForgedImage { image: word.text.clone(), store: path.to_owned(), why }
                    }
                })?;
                found.read_only = Some(path.to_owned());
                return Ok(Some(found));
            }
        }
        here
    }

    fn try_find_here(&self, word: &ImageWord) -> Result<Option<FoundImage>, Error> {
        let text = word.text.as_str();
        if let Some(hex) = text.strip_prefix("sha256:") {
            return self.image_by_prefix(text, hex);
        }
        for name in word.names() {
            if let Some(digest) = self.resolve_reference(name)?
                && let Some(record) = self.image_record(&digest)?
                && is_truly(name, &record)
            {
                return Ok(Some(self.found(record, Some(name.clone()))?));
            }
            if let Some(found) = self.image_by_digest_of(name)? {
                return Ok(Some(found));
            }
        }
        if let Some(found) = self.image_by_prefix(text, text)? {
            return Ok(Some(found));
        }
        // The last resort of Podman: the end of a name that was pulled from some other registry.
        match &word.names {
            Ok(_) if !has_domain(text) => self.image_by_suffix(text),
            Ok(_) => Ok(None),
            // A whole id that is nobody's.
            Err(_) if is_id_prefix(text) => Ok(None),
            Err(error) => Err(Error::ImageName(error.clone())),
        }
    }

    /// The name by which the word leads to something here, be that readable or not.
    pub(crate) fn name_here(&self, word: &ImageWord) -> Result<Option<Reference>, Error> {
        if let Some(name) = word.names().find(|name| self.resolve_reference(name).ok().flatten().is_some()) {
            return Ok(Some(name.clone()));
        }
        if has_domain(&word.text) {
            return Ok(None);
        }
        Ok(self.references()?.0.into_iter().map(|r| r.name).find(|name| name.is_ended_by(&word.text)))
    }

    fn found(&self, record: ImageRecord, name: Option<Reference>) -> Result<FoundImage, Error> {
        Ok(FoundImage { image: self.with_names(record)?, name, read_only: None })
    }

    /// `repository@sha256:…`: the image itself or the index it was chosen from, if it has a name in that repository.
    fn image_by_digest_of(&self, name: &Reference) -> Result<Option<FoundImage>, Error> {
        let Some(digest) = name.digest() else { return Ok(None) };
        let (images, _) = self.image_heads()?;
        let of_repository =
            |image: &&ImageHead| image.names.iter().any(|other| other.repository() == name.repository());
        let mut digests = images.iter().filter(of_repository).flat_map(ImageHead::all_digests);
        let manifest = digests.find(|(other, _)| *other == digest).map(|(_, manifest)| manifest);
        let found = manifest.map(|manifest| self.image(manifest));
        Ok(found.transpose()?.map(|image| FoundImage { image, name: Some(name.clone()), read_only: None }))
    }

    fn image_by_prefix(&self, text: &str, prefix: &str) -> Result<Option<FoundImage>, Error> {
        if !is_id_prefix(prefix) {
            return Ok(None);
        }
        let (images, broken) = self.image_heads()?;
        let by_digest = |image: &ImageHead| {
            let digest = text.starts_with("sha256:").then(|| image.digests().find(|d| d.hex().starts_with(prefix)));
            digest.flatten().cloned()
        };
        // The id, and the manifest that is meant: the first one, if the id is.
        let meant = images.iter().filter_map(|image| {
            let by_id = image.id.as_str().starts_with(prefix).then(|| image.digest.clone());
            Some((&image.id, by_id.or_else(|| by_digest(image))?))
        });
        let meant: Vec<(&ImageId, Digest)> = meant.collect();
        match meant.as_slice() {
            // What cannot be read now may be it.
            [] => match broken.into_iter().map(|image| image.error).find(|error| !error.is_damage()) {
                Some(error) => Err(error),
                None => Ok(None),
            },
            [(_, digest)] => Ok(Some(FoundImage { image: self.image(digest)?, name: None, read_only: None })),
            _ => {
                let candidates = meant.iter().map(|(id, _)| id.short().to_owned()).collect();
                Err(Error::AmbiguousImage { text: text.to_owned(), candidates })
            }
        }
    }

    fn image_by_suffix(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        let (refs, _) = self.references()?;
        let mut matches = refs.into_iter().filter(|r| r.name.is_ended_by(text)).collect::<Vec<_>>();
        let candidates = || matches.iter().map(|r| r.name.to_string()).collect::<Vec<_>>();
        let mut ids = BTreeSet::new();
        if matches.windows(2).any(|pair| pair[0].digest != pair[1].digest) {
            for reference in &matches {
                ids.extend(self.image_record(&reference.digest)?.map(|record| record.id));
            }
        }
        if ids.len() > 1 {
            return Err(Error::AmbiguousImage { text: text.to_owned(), candidates: candidates() });
        }
        let Some(reference) = matches.pop() else { return Ok(None) };
        let record = self.image_record(&reference.digest)?.filter(|record| is_truly(&reference.name, record));
        record.map(|record| self.found(record, Some(reference.name))).transpose()
    }

    /// Where a blob is: here, or in an additional store. Its content is not verified.
    pub(crate) fn find_blob(&self, digest: &Digest) -> PathBuf {
        let stores = std::iter::once(self).chain(&self.additional);
        let paths = stores.map(|store| store.layout().blob(digest));
        paths.into_iter().find(|path| sys::fs::exists(path)).unwrap_or_else(|| self.layout().blob(digest))
    }

    /// The additional store that has a blob which is not here.
    pub(crate) fn additional_with(&self, digest: &Digest) -> Option<PathBuf> {
        if sys::fs::exists(&self.layout().blob(digest)) {
            return None;
        }
        let store = self.additional.iter().find(|store| sys::fs::exists(&store.layout().blob(digest)));
        store.map(|store| store.layout().graphroot().to_owned())
    }

    /// The record of an image, here or in an additional store, where it is not verified.
    pub(crate) fn any_image_record(&self, digest: &Digest) -> Result<Option<ImageRecord>, Error> {
        for store in std::iter::once(self).chain(&self.additional) {
            if let Some(record) = store.image_record(digest)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Holds a record of somebody else's against the documents that its digests name: whoever wrote it must not be able
    /// to give another content a digest that is trusted. The layers are verified when they are unpacked.
    fn verify(&self, record: &ImageRecord) -> Result<(), Unverified> {
        let document = |digest: &Digest| {
            let path = self.layout().blob(digest);
            let bytes = sys::fs::read_ordinary(&path, record::LIMIT).reading(&path).map_err(Unverified::Error)?;
            if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(Unverified::Forged("a document has changed")) }
        };
        let manifest = document(&record.digest)?;
        let id: Digest =
            format!("sha256:{}", record.id).parse().ok().ok_or(Unverified::Forged("the id is no digest"))?;
        let config = document(&id)?;
        if !String::from_utf8_lossy(&manifest).contains(&id.to_string()) {
            return Err(Unverified::Forged("the manifest has another configuration"));
        }
        let config: Option<ImageConfig> = serde_json::from_slice(&config).ok();
        let config = config.ok_or(Unverified::Forged("the configuration cannot be parsed"))?;
        let diffs: Vec<DiffId> = record.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let chains: Vec<ChainId> = record.layers.iter().map(|layer| layer.chain.clone()).collect();
        if config != record.config || diffs != config.rootfs.diff_ids || chains != ChainId::of_stack(&diffs) {
            return Err(Unverified::Forged("the record differs from the configuration"));
        }
        Ok(())
    }
}
