//! `--filter` of `images` and `image prune`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::engine::{Engine, Error};
use crate::storage::image_head::ImageHead;
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
        let flag = || match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "t" => Ok(true),
            "false" | "0" | "f" => Ok(false),
            _ => Err(invalid("the value must be true or false")),
        };
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
                let (key, value) = value.split_once('=').map_or((value, None), |(k, v)| (k, Some(v.to_owned())));
                Ok(Self::Label { key: key.to_owned(), value, not })
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
    filters: Vec<(&'a ImageFilter, Option<Timestamp>)>,
    /// All images, to see who is below whom.
    all: &'a [ImageHead],
}

impl<'a> Sieve<'a> {
    /// Looks up the images that `before` and `since` name.
    pub(super) fn new(engine: &Engine, filters: &'a [ImageFilter], all: &'a [ImageHead]) -> Result<Self, Error> {
        let looked_up = |filter: &'a ImageFilter| match filter {
            ImageFilter::Before(text) | ImageFilter::Since(text) => {
                let found = engine.store.find_image(text)?;
                let record = &found.image.record;
                Ok((filter, Some(record.created.unwrap_or(record.stored))))
            }
            _ => Ok((filter, None)),
        };
        let filters = filters.iter().map(looked_up).collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { filters, all })
    }

    /// True if the image passes; `used`: a container is made of it.
    pub(super) fn passes(&self, image: &ImageHead, used: bool) -> bool {
        let mut groups: Vec<(std::mem::Discriminant<ImageFilter>, bool)> = Vec::new();
        for (filter, moment) in &self.filters {
            let hit = self.matches(filter, *moment, image, used);
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

    fn matches(&self, filter: &ImageFilter, moment: Option<Timestamp>, image: &ImageHead, used: bool) -> bool {
        match filter {
            ImageFilter::Id(prefix) => image.id.as_str().starts_with(prefix),
            ImageFilter::Digest(prefix) => image.all_digests().any(|(digest, _)| digest.hex().starts_with(prefix)),
            ImageFilter::Before(_) => moment.is_some_and(|moment| image.created() < moment),
            ImageFilter::Since(_) => moment.is_some_and(|moment| image.created() > moment),
            ImageFilter::Until(until) => image.created() < *until,
            ImageFilter::Containers(wanted) => used == *wanted,
            ImageFilter::Dangling(wanted) => (image.is_dangling() && !self.is_intermediate(image)) == *wanted,
            ImageFilter::Intermediate(wanted) => self.is_intermediate(image) == *wanted,
            ImageFilter::ReadOnly(wanted) => image.is_read_only() == *wanted,
            ImageFilter::Manifest(wanted) => image.is_list == *wanted,
            ImageFilter::Label { key, value, not } => {
                let found = image.labels().get(key);
                let hit = found.is_some_and(|found| value.as_ref().is_none_or(|value| glob(value, found)));
                hit != *not
            }
            ImageFilter::Reference { pattern, not } => image.names.iter().any(|name| named(pattern, name)) != *not,
        }
    }

    /// A nameless image that another one is built on.
    pub(super) fn is_intermediate(&self, image: &ImageHead) -> bool {
        image.is_dangling()
            && self.all.iter().any(|other| {
                other.chains().len() > image.chains().len() && image.chains().zip(other.chains()).all(|(a, b)| a == b)
            })
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
        .any(|form| glob(pattern, &form))
}

/// `*` and `?`, which do not match a slash, as in Go's `path.Match`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star): (usize, usize, Option<(usize, usize)>) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') if text[t] != '/' => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) if text[from] != '/' => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::{ImageFilter, glob, named};
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
        for pattern in ["debian", "debian:12", "deb*", "library/debian", "docker.io/library/*", "*/*/deb*:1?", "*"] {
            assert!(named(pattern, &name), "{pattern}");
        }
        for pattern in ["debian:11", "docker.io/*:12", "ebian", "ubuntu*"] {
            assert!(!named(pattern, &name), "{pattern}");
        }
        assert!(glob("a*b*c", "axxbyyc") && !glob("a*b*c", "axxbyy") && !glob("", "x") && glob("**", ""));
    }
}
