//! `images`.

use std::collections::BTreeMap;

use super::filter::{ImageFilter, Sieve, meant, named};
use super::parent::parent_of;
use crate::engine::{Engine, Error};
use crate::storage;
use crate::storage::image_head::ImageHead;
use crate::types::id::ImageId;

/// An image of the list.
#[derive(Debug, Clone)]
pub(crate) struct ImageSummary {
    pub(crate) image: ImageHead,
    /// Containers made of it; none if that was not asked for.
    pub(crate) containers: Option<usize>,
    /// The image that it was built on, if that is here and was asked for.
    pub(crate) parent: Option<ImageId>,
}

/// All that pass, newest first, and the errors of records and names that cannot be read (case F07).
#[derive(Debug)]
pub(crate) struct ImageList {
    pub(crate) images: Vec<ImageSummary>,
    pub(crate) broken: Vec<storage::Error>,
}

impl Engine {
    /// Lists images. `all`: intermediate ones too. `pattern`: a name as in `images NAME`. `details`: with parents and
    /// numbers of containers, which costs a look at the whole of each image and each container.
    pub(crate) fn images(
        &self,
        filters: &[ImageFilter],
        pattern: Option<&str>,
        all: bool,
        details: bool,
    ) -> Result<ImageList, Error> {
        let (mut every, broken) = self.store.all_image_heads()?;
        let (lists, _) = self.store.lists()?;
        every.extend(lists.iter().map(ImageHead::of_list));
        let needs_users = details || filters.iter().any(|filter| matches!(filter, ImageFilter::Containers(_)));
        let users = if needs_users { self.containers_by_image()? } else { BTreeMap::new() };
        let sieve = Sieve::new(self, filters, &every)?;
        let shows_intermediate = all || filters.iter().any(|f| matches!(f, ImageFilter::Intermediate(_)));
        let records = if details { self.store.images()?.0 } else { Vec::new() };
        // A name is not looked up: what has other names is not meant, be it the same list.
        let is_name = |pattern: &str| every.iter().flat_map(|image| &image.names).any(|name| named(pattern, name));
        let wanted = match pattern.filter(|pattern| !is_name(pattern)) {
            Some(text) => meant(self, text)?,
            None => None,
        };
        // Whoever asks by one pattern gets the names that fit it: what he removes by them shall be what he named.
        let mut references = filters.iter().filter_map(|filter| match filter {
            ImageFilter::Reference { pattern, not: false } => Some(pattern.as_str()),
            _ => None,
        });
        let reference = references.next().filter(|_| references.next().is_none());
        let mut images = Vec::new();
        for image in &every {
            let used = users.get(image.id.as_str()).copied().unwrap_or(0);
            if !sieve.passes(image, used > 0) || (!shows_intermediate && sieve.is_intermediate(image)) {
                continue;
            }
            let mut image = image.clone();
            if let Some(pattern) = pattern
                && !keep_named(&mut image, pattern, wanted.as_ref())
            {
                continue;
            }
            if let Some(pattern) = reference {
                keep_named(&mut image, pattern, None);
            }
            let record = records.iter().find(|other| other.record.digest == image.digest);
            let parent = record.and_then(|own| parent_of(&own.record, records.iter().map(|other| &other.record)));
            let parent = parent.map(|parent| parent.id.clone());
            images.push(ImageSummary { image, containers: needs_users.then_some(used), parent });
        }
        images.sort_by(|a, b| {
            let key = |summary: &ImageSummary| summary.image.created();
            key(b).cmp(&key(a)).then_with(|| a.image.digest.cmp(&b.image.digest))
        });
        Ok(ImageList { images, broken })
    }

    /// How many containers are made of each image, by image id.
    pub(in crate::engine) fn containers_by_image(&self) -> Result<BTreeMap<String, usize>, Error> {
        let mut users = BTreeMap::new();
        for id in self.store.container_ids()? {
            if let Ok(config) = self.store.container_config(&id)
                && let Some(image) = config.image
            {
                *users.entry(image.id.to_string()).or_default() += 1;
            }
        }
        Ok(users)
    }
}

/// Leaves the names that fit; false if the image is not meant. One that is meant by its id or its digest keeps all.
fn keep_named(image: &mut ImageHead, pattern: &str, wanted: Option<&ImageId>) -> bool {
    if image.names.iter().any(|name| named(pattern, name)) {
        image.names.retain(|name| named(pattern, name));
        return true;
    }
    wanted == Some(&image.id)
}
