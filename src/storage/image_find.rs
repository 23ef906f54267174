//! Which image a word means, here and in the additional stores, whose records are verified before they are believed.

use std::path::PathBuf;

use super::error::{At as _, Error};
use super::image_head::ImageHead;
use super::images::{FoundImage, ImageRecord};
use super::record;
use super::store::Store;
use crate::sys;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::id::is_id_prefix;
use crate::types::image_config::ImageConfig;
use crate::types::reference::{Reference, has_domain};

/// Why a record of another store is not taken.
enum Unverified {
    Error(Error),
    Forged(&'static str),
}

impl Store {
    /// Finds an image by name (Podman's order of candidates), by digest, by id or by a unique prefix of an id.
    pub(crate) fn find_image(&self, text: &str) -> Result<FoundImage, Error> {
        self.try_find_image(text)?.ok_or_else(|| Error::NoImage(text.to_owned()))
    }

    /// Like [`Self::find_image`], for who changes it: an image of an additional store is an error.
    pub(crate) fn find_own_image(&self, text: &str) -> Result<FoundImage, Error> {
        let found = self.find_image(text)?;
        match found.read_only {
            Some(store) => Err(Error::ReadOnlyImage { image: text.to_owned(), store }),
            None => Ok(found),
        }
    }

    /// Like [`Self::find_image`], with `None` where there is none such. This store comes first, then the additional ones.
    pub(crate) fn try_find_image(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        if let Some(found) = self.try_find_here(text)? {
            return Ok(Some(found));
        }
        for store in &self.additional {
            if let Some(mut found) = store.try_find_here(text)? {
                let path = store.layout().graphroot();
                store.verify(&found.image.record).map_err(|why| match why {
                    Unverified::Error(error) => error,
                    Unverified::Forged(why) => {
                        Error::ForgedImage { image: text.to_owned(), store: path.to_owned(), why }
                    }
                })?;
                found.read_only = Some(path.to_owned());
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn try_find_here(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        if let Some(hex) = text.strip_prefix("sha256:") {
            return self.image_by_prefix(text, hex);
        }
        let candidates = Reference::candidates(text);
        for name in candidates.iter().flatten() {
            if let Some(digest) = self.resolve_reference(name)?
                && let Some(record) = self.image_record(&digest)?
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
        match candidates {
            Ok(_) if !has_domain(text) => self.image_by_suffix(text),
            Ok(_) => Ok(None),
            Err(error) => Err(Error::ImageName(error)),
        }
    }

    fn found(&self, record: ImageRecord, name: Option<Reference>) -> Result<FoundImage, Error> {
        Ok(FoundImage { image: self.with_names(record)?, name, read_only: None })
    }

    /// `repository@sha256:…`: the image itself or the index it was chosen from, if it has a name in that repository.
    fn image_by_digest_of(&self, name: &Reference) -> Result<Option<FoundImage>, Error> {
        let Some(digest) = name.digest() else { return Ok(None) };
        let (images, _) = self.image_heads()?;
        let image = images.into_iter().find(|image| {
            (image.digest == *digest || image.index.as_ref() == Some(digest))
                && image.names.iter().any(|other| other.repository() == name.repository())
        });
        image
            .map(|image| {
                Ok(FoundImage { image: self.image(&image.digest)?, name: Some(name.clone()), read_only: None })
            })
            .transpose()
    }

    fn image_by_prefix(&self, text: &str, prefix: &str) -> Result<Option<FoundImage>, Error> {
        if !is_id_prefix(prefix) {
            return Ok(None);
        }
        let (mut images, _) = self.image_heads()?;
        images.retain(|image| {
            image.id.as_str().starts_with(prefix)
                || (text.starts_with("sha256:") && image.digest.hex().starts_with(prefix))
        });
        let mut ids: Vec<String> = images.iter().map(|image| image.id.short().to_owned()).collect();
        ids.sort();
        ids.dedup();
        if ids.len() > 1 {
            return Err(Error::AmbiguousImage { text: text.to_owned(), candidates: ids });
        }
        // Two manifests may have one configuration: prefer the one with a name.
        images.sort_by_key(ImageHead::is_dangling);
        let found = images.into_iter().next();
        found.map(|image| Ok(FoundImage { image: self.image(&image.digest)?, name: None, read_only: None })).transpose()
    }

    fn image_by_suffix(&self, text: &str) -> Result<Option<FoundImage>, Error> {
        let wanted = if text.contains([':', '@']) { text.to_owned() } else { format!("{text}:latest") };
        let suffix = format!("/{wanted}");
        let (refs, _) = self.references()?;
        let mut matches = refs.into_iter().filter(|r| r.name.to_string().ends_with(&suffix)).collect::<Vec<_>>();
        let candidates = || matches.iter().map(|r| r.name.to_string()).collect::<Vec<_>>();
        if matches.windows(2).any(|pair| pair[0].digest != pair[1].digest) {
            return Err(Error::AmbiguousImage { text: text.to_owned(), candidates: candidates() });
        }
        let Some(reference) = matches.pop() else { return Ok(None) };
        let record = self.image_record(&reference.digest)?;
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
            let bytes = sys::fs::read_limited(&path, record::LIMIT).reading(&path).map_err(Unverified::Error)?;
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
