//! `--filter` of `images` and `image prune`.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::parent::is_parent;
use crate::engine::patterns::{has_label, label};
use crate::engine::{Engine, Error};
use crate::storage;
use crate::storage::image_head::ImageHead;
use crate::types::boolean::parse_bool;
use crate::types::glob;
use crate::types::id::ImageId;
use crate::types::moment::parse_moment;
use crate::types::reference::Reference;

/// One `--filter KEY=VALUE`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ImageFilter {
    Id(String),
    Digest(String),
    /// Created before this image.
    Before(String),
    /// Created after this image.
    Since(String),
    Until(Timestamp),
    Containers(bool),
    Dangling(bool),
    Intermediate(bool),
    ReadOnly(bool),
    Manifest(bool),
    Label {
        key: String,
        value: Option<String>,
        not: bool,
    },
    Reference {
        pattern: String,
        not: bool,
    },
}

impl ImageFilter {
    /// Parses `KEY=VALUE` or `KEY!=VALUE`; durations count back from `now`.
    pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Self, Error> {
        let invalid = |why: &str| Error::Filter { text: text.to_owned(), why: why.to_owned() };
        let (key, value) = text.split_once('=').ok_or_else(|| invalid("it must be KEY=VALUE"))?;
        let (key, not) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
        let flag = || parse_bool(value).map_err(|error| invalid(&format!("the value must be {error}")));
        let value_text = || value.to_owned();
        if not && !matches!(key, "label" | "reference") {
            return Err(invalid("only label and reference can be negated"));
        }
        match key {
            "id" => Ok(Self::Id(value.strip_prefix("sha256:").unwrap_or(value).to_owned())),
            "digest" => Ok(Self::Digest(value.strip_prefix("sha256:").unwrap_or(value).to_owned())),
            "before" => Ok(Self::Before(value_text())),
            "since" | "after" => Ok(Self::Since(value_text())),
            "until" => parse_moment(value, now, &TimeZone::system())
                .map(Self::Until)
                .map_err(|error| invalid(&error.to_string())),
            "containers" => flag().map(Self::Containers),
            "dangling" => flag().map(Self::Dangling),
            "intermediate" => flag().map(Self::Intermediate),
            "readonly" => flag().map(Self::ReadOnly),
            "manifest" => flag().map(Self::Manifest),
            "label" => {
                let (key, value) = label(value);
                Ok(Self::Label { key, value, not })
            }
            "reference" => Ok(Self::Reference { pattern: value_text(), not }),
            _ => Err(invalid(
                "unknown key: id, digest, before, since, until, containers, dangling, intermediate, \
                              readonly, manifest, label, reference",
            )),
        }
    }

    /// Filters of one group are alternatives, groups must all match. Labels, times and negations stand alone.
    fn group(&self) -> Option<std::mem::Discriminant<Self>> {
        match self {
            Self::Label { .. } | Self::Before(_) | Self::Since(_) | Self::Until(_) => None,
            Self::Reference { not: true, .. } => None,
            other => Some(std::mem::discriminant(other)),
        }
    }
}

/// Filters with their images looked up, ready to be applied to many.
#[derive(Debug)]
pub(super) struct Sieve<'a> {
    engine: &'a Engine,
    filters: Vec<(&'a ImageFilter, LookedUp)>,
    /// All images, to see who is below whom.
    all: &'a [ImageHead],
    /// Found when somebody asks.
    intermediate: OnceCell<BTreeSet<ImageId>>,
}

/// What a filter's value means.
#[derive(Debug)]
enum LookedUp {
    Nothing,
    Moment(Timestamp),
    /// The image that a text stands for, whatever its names are.
    Image(ImageId),
}

impl<'a> Sieve<'a> {
    /// Looks up the images that `before`, `since` and `reference` name.
    pub(super) fn new(engine: &'a Engine, filters: &'a [ImageFilter], all: &'a [ImageHead]) -> Result<Self, Error> {
        let looked_up = |filter: &'a ImageFilter| match filter {
            ImageFilter::Before(text) | ImageFilter::Since(text) => {
                let found = engine.find_image(text)?;
                let record = &found.image.record;
                Ok((filter, LookedUp::Moment(record.created.unwrap_or(record.stored))))
            }
            ImageFilter::Reference { pattern, .. } => {
                Ok((filter, meant(engine, pattern)?.map_or(LookedUp::Nothing, LookedUp::Image)))
            }
            _ => Ok((filter, LookedUp::Nothing)),
        };
        let filters = filters.iter().map(looked_up).collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { engine, filters, all, intermediate: OnceCell::new() })
    }

    /// True if the image passes; `used`: a container is made of it.
    pub(super) fn passes(&self, image: &ImageHead, used: bool) -> bool {
        let mut groups: Vec<(std::mem::Discriminant<ImageFilter>, bool)> = Vec::new();
        for (filter, looked_up) in &self.filters {
            let hit = self.matches(filter, looked_up, image, used);
            match filter.group() {
                None if !hit => return false,
                None => {}
                Some(group) => match groups.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, any)) => *any |= hit,
                    None => groups.push((group, hit)),
                },
            }
        }
        groups.iter().all(|(_, any)| *any)
    }

    fn matches(&self, filter: &ImageFilter, looked_up: &LookedUp, image: &ImageHead, used: bool) -> bool {
        match filter {
            ImageFilter::Id(prefix) => image.id.as_str().starts_with(prefix),
            ImageFilter::Digest(prefix) => image.all_digests().any(|(digest, _)| digest.hex().starts_with(prefix)),
            ImageFilter::Before(_) => matches!(looked_up, LookedUp::Moment(moment) if image.created() < *moment),
            ImageFilter::Since(_) => matches!(looked_up, LookedUp::Moment(moment) if image.created() > *moment),
            ImageFilter::Until(until) => image.created() < *until,
            ImageFilter::Containers(wanted) => used == *wanted,
            ImageFilter::Dangling(wanted) => (image.is_dangling() && !self.is_intermediate(image)) == *wanted,
            ImageFilter::Intermediate(wanted) => self.is_intermediate(image) == *wanted,
            ImageFilter::ReadOnly(wanted) => image.is_read_only() == *wanted,
            ImageFilter::Manifest(wanted) => image.is_list == *wanted,
            ImageFilter::Label { key, value, not } => has_label(image.labels(), key, value.as_deref()) != *not,
            ImageFilter::Reference { pattern, not } => {
                let is_meant = matches!(looked_up, LookedUp::Image(id) if image.id == *id);
                (is_meant || image.names.iter().any(|name| named(pattern, name))) != *not
            }
        }
    }

    /// A nameless image that another one was made of by one more step.
    pub(super) fn is_intermediate(&self, image: &ImageHead) -> bool {
        image.is_dangling() && self.intermediate.get_or_init(|| self.all_intermediate()).contains(&image.id)
    }

    /// Only records that may be parent and child by their layers are read whole. A damaged one is neither.
    fn all_intermediate(&self) -> BTreeSet<ImageId> {
        let record = |head: &ImageHead| self.engine.store.any_image_record(&head.digest).ok().flatten();
        let stands_on = |child: &ImageHead, parent: &ImageHead| {
            child.id != parent.id
                && child.chains().len() >= parent.chains().len()
                && parent.chains().zip(child.chains()).all(|(a, b)| a == b)
        };
        let is_intermediate = |parent: &&ImageHead| {
            let mut above = self.all.iter().filter(|child| stands_on(child, parent)).peekable();
            above.peek().is_some()
                && record(parent).is_some_and(|parent| above.filter_map(record).any(|child| is_parent(&parent, &child)))
        };
        let nameless = self.all.iter().filter(|image| image.is_dangling() && image.chains().len() > 0);
        nameless.filter(is_intermediate).map(|image| image.id.clone()).collect()
    }
}

/// The image, or the manifest list, that a text stands for: by an id, a digest or a name. A pattern stands for none.
pub(super) fn meant(engine: &Engine, text: &str) -> Result<Option<ImageId>, Error> {
    if let Some(list) = engine.find_list(text)? {
        return Ok(Some(ImageId::from_bytes(list.digest().bytes())));
    }
    match engine.try_find_image(text) {
        Ok(found) => Ok(found.map(|found| found.image.record.id)),
        Err(Error::Storage(storage::Error::ImageName(_) | storage::Error::AmbiguousImage { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// True if a pattern fits a name in any of the forms in which users write it: with and without registry, leading
/// components, tag.
pub(super) fn named(pattern: &str, name: &Reference) -> bool {
    let repository = name.repository();
    let tails = std::iter::successors(Some(repository.as_str()), |rest| rest.split_once('/').map(|(_, rest)| rest));
    tails
        .flat_map(|tail| {
            let tagged = name.tag().map(|tag| format!("{tail}:{tag}"));
            let pinned = name.digest().map(|digest| format!("{tail}@{digest}"));
            [Some(tail.to_owned()), tagged, pinned]
        })
        .flatten()
        .any(|form| glob::matches(pattern, &form))
}

#[cfg(test)]
mod tests {
    use super::{ImageFilter, named};
    use jiff::Timestamp;

    #[test]
    fn filters_are_checked() {
        let parse = |text: &str| ImageFilter::parse(text, Timestamp::UNIX_EPOCH);
        assert_eq!(parse("dangling=true").expect("valid"), ImageFilter::Dangling(true));
        let label = ImageFilter::Label { key: "a".into(), value: Some("b=c".into()), not: true };
        assert_eq!(parse("label!=a=b=c").expect("valid"), label);
        for text in ["dangling", "dangling=maybe", "nope=1", "id!=x", "until=yesterday-ish"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_match_in_every_form() {
        let name = "docker.io/library/debian:12".parse().expect("valid");
        for pattern in [
            "debian",
            "debian:12",
            "deb*",
            "library/debian",
            "docker.io/library/*",
            "*/*/deb*:1?",
            "*",
            "debian:1[2-3]",
        ] {
            assert!(named(pattern, &name), "{pattern}");
        }
        for pattern in ["debian:11", "docker.io/*:12", "ebian", "ubuntu*"] {
            assert!(!named(pattern, &name), "{pattern}");
        }
    }
}
