//! `--filter` of `ps`, `prune`, `stop`, `rm` …: values of one key are alternatives, labels must all be there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use regex_lite::Regex;

use crate::engine::patterns::{has_label, label};
use crate::engine::{Engine, Error};
use crate::specgen;
use crate::storage::container_record::ContainerRecord;
use crate::storage::images::ImageRecord;
use crate::storage::twins::WholeImages;
use crate::types::boolean::parse_bool;
use crate::types::digest::ChainId;
use crate::types::id::ContainerId;
use crate::types::image_config::ImageConfig;
use crate::types::moment::parse_moment;
use crate::types::mount::MountSource;
use crate::types::namespace::NetworkMode;
use crate::types::restart::RestartPolicy;
use crate::types::status::ContainerStatus;

/// Keys that `ps` takes (podman-ps(1)).
const KEYS: [&str; 17] = [
    "id",
    "name",
    "label",
    "label!",
    "exited",
    "status",
    "ancestor",
    "before",
    "since",
    "volume",
    "health",
    "pod",
    "network",
    "restart-policy",
    "until",
    "command",
    "should-start-on-boot",
];

/// Parsed filters.
#[derive(Debug, Default)]
pub(crate) struct Filters(BTreeMap<&'static str, Vec<Test>>);

#[derive(Debug)]
enum Test {
    IdPrefix(String),
    Id(Regex),
    Name(Regex),
    Label(String, Option<String>),
    ExitCode(i32),
    Status(&'static str),
    Ancestor { words: Vec<String>, top: Option<ChainId> },
    Before(Timestamp),
    Since(Timestamp),
    Volume { source: String, target: Option<String> },
    Health(String),
    Never,
    Network(String),
    NetworkOf(ContainerId),
    Restart(String),
    Command(Regex),
    OnBoot(bool),
}

impl Filters {
    /// Parses `key=value` words. Names of containers and images in them are looked up at once.
    pub(crate) fn parse(engine: &Engine, words: &[String]) -> Result<Self, Error> {
        let (mut filters, mut images) = (Self::default(), WholeImages::default());
        for word in words {
            let invalid = |why: &'static str| Error::Filter { text: word.clone(), why: why.to_owned() };
            let (key, value) = word.split_once('=').ok_or_else(|| invalid("it must be KEY=VALUE"))?;
            // `label!=x` splits at its `=`.
            let key = KEYS.into_iter().find(|known| *known == key).ok_or_else(|| Error::Filter {
                text: word.clone(),
                why: format!("unknown key: {}", KEYS.join(", ")),
            })?;
            let test = Test::parse(engine, &mut images, key, value).map_err(|why| match why {
                Wrong::Value(why) => invalid(why),
                Wrong::Engine(error) => *error,
            })?;
            filters.0.entry(key).or_default().push(test);
        }
        Ok(filters)
    }

    /// True if a filter asks for containers by their status, so that those not running are looked at as well.
    pub(crate) fn wants_all(&self) -> bool {
        self.0.contains_key("status") || self.0.contains_key("exited")
    }

    /// True if the container passes every key.
    pub(crate) fn matches(&self, record: &ContainerRecord) -> bool {
        self.0.iter().all(|(key, tests)| match *key {
            "label" => tests.iter().all(|test| test.passes(record)),
            "label!" => !tests.iter().any(|test| test.passes(record)),
            _ => tests.iter().any(|test| test.passes(record)),
        })
    }
}

/// What is wrong with a filter.
enum Wrong {
    Value(&'static str),
    Engine(Box<Error>),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

fn pattern(text: &str) -> Result<Regex, Wrong> {
    Regex::new(text).map_err(|_invalid| Wrong::Value("it is no regular expression"))
}

impl Test {
    fn parse(engine: &Engine, images: &mut WholeImages, key: &str, value: &str) -> Result<Self, Wrong> {
        let text = value.to_owned();
        Ok(match key {
            // As Podman: what cannot be the beginning of an id is a pattern.
            "id" if value.bytes().all(|b| b.is_ascii_hexdigit()) => Self::IdPrefix(value.to_ascii_lowercase()),
            "id" => Self::Id(pattern(value)?),
            // Docker's names begin with a slash, and scripts have it from there.
            "name" => Self::Name(pattern(&value.replace('/', ""))?),
            "label" | "label!" => {
                let (name, wanted) = label(value);
                Self::Label(name, wanted)
            }
            "exited" => Self::ExitCode(value.parse().ok().ok_or(Wrong::Value("the exit code must be a number"))?),
            "status" => Self::Status(status(value).ok_or(Wrong::Value("unknown status"))?),
            "ancestor" => Self::ancestor(engine, images, value)?,
            "before" => Self::Before(engine.container(value)?.config.created),
            "since" => Self::Since(engine.container(value)?.config.created),
            "until" => Self::Before(moment(value).ok_or(Wrong::Value("neither a time nor a duration"))?),
            "volume" => match value.split_once(':') {
                Some((source, target)) => Self::Volume { source: source.to_owned(), target: Some(target.to_owned()) },
                None => Self::Volume { source: text, target: None },
            },
            "health" => match value {
                "starting" | "healthy" | "unhealthy" | "none" => Self::Health(text),
                _ => return Err(Wrong::Value("starting, healthy, unhealthy or none")),
            },
            "network" => match value.strip_prefix("container:") {
                Some(name) => Self::NetworkOf(engine.find_container(name)?),
                None => Self::Network(text),
            },
            "restart-policy" => match value.parse::<RestartPolicy>() {
                _ if value == "none" => Self::Restart(RestartPolicy::No.name().to_owned()),
                Ok(policy) => Self::Restart(policy.name().to_owned()),
                Err(_) => return Err(Wrong::Value("unknown restart policy")),
            },
            "command" => Self::Command(pattern(value)?),
            "should-start-on-boot" => {
                Self::OnBoot(parse_bool(value).map_err(|_no_boolean| Wrong::Value("true or false"))?)
            }
            // No container is in a pod.
            _ => Self::Never,
        })
    }

    /// The image, whatever its name is today, and every image built on it.
    fn ancestor(engine: &Engine, images: &mut WholeImages, value: &str) -> Result<Self, Wrong> {
        let found = engine.try_find_image(value)?;
        let mut words = vec![value.to_owned()];
        let mut top = None;
        if let Some(found) = found {
            let whole = images.of(&engine.store, &found).map_err(Error::Storage)?;
            words.extend(whole.names.iter().map(ToString::to_string));
            let ImageRecord { id, layers, .. } = found.image.record;
            words.push(id.to_string());
            top = layers.last().map(|layer| layer.chain.clone());
        }
        Ok(Self::Ancestor { words, top })
    }

    fn passes(&self, record: &ContainerRecord) -> bool {
        let config = &record.config;
        let spec = &config.spec;
        match self {
            Self::IdPrefix(prefix) => config.id.as_str().starts_with(prefix.as_str()),
            Self::Id(pattern) => pattern.is_match(config.id.as_str()),
            Self::Name(pattern) => pattern.is_match(config.name.as_str()),
            Self::Label(name, wanted) => {
                let empty = ImageConfig::default();
                let image = config.image.as_ref().map_or(&empty, |image| &image.config);
                has_label(&specgen::labels(spec, image), name, wanted.as_deref())
            }
            Self::ExitCode(code) => {
                record.status == ContainerStatus::Exited && record.exit.as_ref().is_some_and(|exit| exit.code == *code)
            }
            Self::Status(wanted) => status(record.status.as_str()) == Some(*wanted),
            Self::Ancestor { words, top } => {
                let by_name = config.image.as_ref().is_some_and(|image| {
                    words.iter().any(|word| {
                        image.name == *word || (word.len() >= 3 && image.id.as_str().starts_with(word.as_str()))
                    })
                });
                by_name || top.as_ref().is_some_and(|top| config.layers.contains(top))
            }
            Self::Before(time) => config.created < *time,
            Self::Since(time) => config.created > *time,
            Self::Volume { source: wanted, target } => spec.mounts.iter().any(|mount| {
                let source = match &mount.source {
                    MountSource::Volume { name, .. } => name.as_str() == wanted,
                    MountSource::Bind { path } => path.to_str() == Some(wanted),
                    MountSource::Tmpfs { .. } | MountSource::Image { .. } => false,
                };
                match target {
                    Some(target) => source && mount.target.to_str() == Some(target),
                    None => source || mount.target.to_str() == Some(wanted),
                }
            }),
            Self::Health(wanted) => super::healthcheck::health(record) == *wanted,
            Self::Never => false,
            Self::Network(wanted) => spec.network().name() == wanted,
            Self::NetworkOf(wanted) => matches!(&spec.network(), NetworkMode::Container(id) if id == wanted),
            Self::Restart(wanted) => spec.restart.name() == wanted,
            Self::Command(pattern) => {
                let words = super::list::command(record);
                words.first().is_some_and(|word| pattern.is_match(word)) || pattern.is_match(&words.join(" "))
            }
            Self::OnBoot(wanted) => starts_on_boot(record) == *wanted,
        }
    }
}

/// `always`, and `unless-stopped` if the user did not stop it.
fn starts_on_boot(record: &ContainerRecord) -> bool {
    match record.config.spec.restart {
        RestartPolicy::Always => true,
        RestartPolicy::UnlessStopped => !record.stopped_by_user(),
        RestartPolicy::No | RestartPolicy::OnFailure { .. } => false,
    }
}

fn status(text: &str) -> Option<&'static str> {
    // Podman's two words for "not running any more" mean the same to its users.
    let known = ["created", "initialized", "running", "paused", "stopping", "exited", "removing", "unknown"];
    match text {
        "configured" => Some("created"),
        "stopped" => Some("exited"),
        _ => known.into_iter().find(|word| *word == text),
    }
}

/// A time, or a duration before now.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    parse_moment(text, Timestamp::now(), &jiff::tz::TimeZone::system()).ok()
}

#[cfg(test)]
mod tests {
    use super::{pattern, status};

    #[test]
    fn patterns_are_regular_expressions() {
        for (text, name, expected) in [
            ("web", "my-web-1", true),
            ("^web$", "web2", false),
            ("^(web|db-1)$", "db-1", true),
            ("w[eb]+2", "web2", true),
            ("", "x", true),
        ] {
            assert_eq!(pattern(text).is_ok_and(|pattern| pattern.is_match(name)), expected, "{text} {name}");
        }
        assert!(pattern("(web").is_err());
    }

    #[test]
    fn stopped_is_exited() {
        assert_eq!(status("stopped"), status("exited"));
        assert_eq!(status("configured"), status("created"));
        assert_eq!(status("weird"), None);
    }
}
