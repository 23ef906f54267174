//! `volume create ls rm inspect prune exists`.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use jiff::Timestamp;
use regex_lite::Regex;
use serde::Serialize;

use super::containers::filter::moment;
use super::containers::remove::RemoveRequest;
use super::containers::select::{Answers, Selection};
use super::error::failure;
use super::patterns::{has_label, label};
use super::volume_options::{Wanted, owner};
use crate::engine::{Engine, Error};
use crate::rootless::worker;
use crate::storage;
use crate::storage::usage;
use crate::storage::volumes::VolumeMeta;
use crate::sys::dir::{self, Dir};
use crate::types::boolean::parse_bool;
use crate::types::name::VolumeName;

/// `volume create`.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreateVolume {
    /// None: an anonymous one.
    pub(crate) name: Option<VolumeName>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) options: BTreeMap<String, String>,
    /// One of that name is fine.
    pub(crate) ignore: bool,
}

/// A volume as `inspect` and `ls --format json` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VolumeReport {
    pub(crate) name: String,
    pub(crate) driver: &'static str,
    pub(crate) mountpoint: String,
    pub(crate) created_at: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) scope: &'static str,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) mount_count: u32,
    pub(crate) needs_copy_up: bool,
    pub(crate) anonymous: bool,
    #[serde(rename = "UID", skip_serializing_if = "is_root")]
    pub(crate) uid: u32,
    #[serde(rename = "GID", skip_serializing_if = "is_root")]
    pub(crate) gid: u32,
}

/// As Podman's JSON, which leaves these out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_root(id: &u32) -> bool {
    *id == 0
}

/// `volume rm`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemoveVolumes {
    pub(crate) words: Vec<String>,
    pub(crate) all: bool,
    /// With the containers that mount them.
    pub(crate) force: bool,
    /// Seconds between the stop signal and SIGKILL for those; none = SIGKILL at once.
    pub(crate) time: Option<u32>,
}

/// What `volume prune` did.
#[derive(Debug, Default)]
pub(crate) struct PruneVolumes {
    pub(crate) removed: Vec<VolumeName>,
    pub(crate) failed: Vec<(VolumeName, Error)>,
    pub(crate) reclaimed: u64,
}

impl Engine {
    /// Makes a volume and answers its name.
    pub(crate) fn create_volume(&self, request: CreateVolume) -> Result<VolumeName, Error> {
        let anonymous = request.name.is_none();
        let name = request.name.unwrap_or_else(VolumeMeta::random_name);
        let mut options = request.options;
        // `type` and `device` need mount(2) on the host; design: no mount is ever made there.
        let wanted = Wanted::of(&mut options)?;
        let mut meta = VolumeMeta::new(name.clone(), anonymous);
        meta.labels = request.labels;
        meta.options = options;
        meta.needs_copy_up = !wanted.no_copy;
        match self.store.create_volume(&meta) {
            Err(storage::Error::VolumeExists(_)) if request.ignore => return Ok(name),
            other => other?,
        }
        if let Some(owner) = wanted.owner
            && let Err(error) = self.give_volume(&name, owner)
        {
            // Half of what was asked for is none: the first error counts.
            drop(self.store.remove_volume(&name));
            drop(self.empty_trash());
            return Err(error);
        }
        Ok(name)
    }

    /// Gives the directory of a volume an owner, as containers with the usual map see it.
    fn give_volume(&self, name: &VolumeName, (uid, gid): (u32, u32)) -> Result<(), Error> {
        let path = self.store.layout().volume_data(name);
        Ok(worker::run(&self.outer()?, || {
            let dir = Dir::open(&path).map_err(|error| failure(&error))?;
            // The volume is durable already, and its owner is what was asked for.
            dir::fchown(dir.as_fd(), uid, gid).and_then(|()| dir.sync()).map_err(|error| failure(&error))
        })?)
    }

    /// Lists volumes, and a line for each that cannot be read.
    pub(crate) fn list_volumes(&self, filters: &[String]) -> Result<(Vec<VolumeReport>, Vec<String>), Error> {
        let filters = VolumeFilters::parse(self, filters, &LIST_KEYS)?;
        let (volumes, broken) = self.store.volumes()?;
        let mut reports = Vec::new();
        for meta in volumes {
            if filters.matches(self, &meta)? {
                reports.push(self.volume_report(&meta));
            }
        }
        let warning = |(name, error): &(VolumeName, storage::Error)| format!("volume {name} cannot be read ({error})");
        Ok((reports, broken.iter().map(warning).collect()))
    }

    /// What is known of a volume.
    pub(crate) fn inspect_volume(&self, word: &str) -> Result<VolumeReport, Error> {
        let name = self.store.find_volume(word)?;
        Ok(self.volume_report(&self.store.volume(&name)?))
    }

    /// All volumes.
    pub(crate) fn inspect_all_volumes(&self) -> Result<Vec<VolumeReport>, Error> {
        Ok(self.store.volumes()?.0.iter().map(|meta| self.volume_report(meta)).collect())
    }

    pub(crate) fn volume_exists(&self, word: &str) -> Result<bool, Error> {
        match word.parse::<VolumeName>() {
            Ok(name) => Ok(self.store.has_volume(&name)?),
            Err(_) => Ok(false),
        }
    }

    /// Removes volumes; by force the containers that mount them first. For each word what became of it.
    pub(crate) fn remove_volumes(&self, request: &RemoveVolumes) -> Result<Answers<VolumeName>, Error> {
        let remove = |name: VolumeName| {
            if request.force {
                self.remove_users(&name, request.time)?;
            }
            self.store.remove_volume(&name)?;
            Ok(name)
        };
        let find =
            |word: &String| (word.clone(), self.store.find_volume(word).map_err(Error::Storage).and_then(remove));
        let mut answers: Answers<VolumeName> = request.words.iter().map(find).collect();
        if request.all {
            for name in self.store.volume_names()? {
                match remove(name.clone()) {
                    // Somebody else was faster.
                    Err(Error::Storage(storage::Error::NoVolume(_))) => {}
                    removed => answers.push((name.to_string(), removed)),
                }
            }
        }
        self.empty_trash()?;
        Ok(answers)
    }

    /// Removes the containers that mount a volume. Those that share their namespaces stand in the way.
    fn remove_users(&self, name: &VolumeName, time: Option<u32>) -> Result<(), Error> {
        let users = self.store.volume_users(name)?;
        let selection = Selection::of(users.iter().map(ToString::to_string));
        let request = RemoveRequest { selection, force: true, time, ..RemoveRequest::default() };
        self.remove(&request)?.into_iter().try_for_each(|(_, removed)| removed)
    }

    /// The volumes that no container mounts; as Podman, named ones too.
    pub(crate) fn unused_volumes(&self, filters: &[String]) -> Result<Vec<VolumeName>, Error> {
        let filters = VolumeFilters::parse(self, filters, &PRUNE_KEYS)?;
        let mut names = Vec::new();
        for meta in self.store.volumes()?.0 {
            if filters.matches(self, &meta)? && self.store.volume_users(&meta.name)?.is_empty() {
                names.push(meta.name);
            }
        }
        Ok(names)
    }

    /// Removes the volumes that no container mounts.
    pub(crate) fn prune_volumes(&self, filters: &[String]) -> Result<PruneVolumes, Error> {
        let names = self.unused_volumes(filters)?;
        let mut report = PruneVolumes::default();
        if names.is_empty() {
            return Ok(report);
        }
        // What a damaged container had may be all that is left of it. Whoever wants it gone names it: `volume rm`.
        if let Some(error) = self.store.unknown_user()? {
            return Err(error.into());
        }
        let trees: Vec<_> = names.iter().map(|name| self.store.layout().volume_data(name)).collect();
        let sizes: Vec<u64> = worker::run(&self.outer()?, || {
            let counted: Result<Vec<u64>, _> = trees.iter().map(|tree| usage::of_tree(tree)).collect();
            counted.map_err(|error| failure(&error))
        })?;
        for (name, size) in names.into_iter().zip(sizes) {
            match self.store.remove_volume(&name) {
                Ok(_) => {
                    report.removed.push(name);
                    report.reclaimed += size;
                }
                // Somebody else was faster.
                Err(storage::Error::NoVolume(_) | storage::Error::VolumeInUse { .. }) => {}
                Err(error) => report.failed.push((name, error.into())),
            }
        }
        self.empty_trash()?;
        Ok(report)
    }

    fn volume_report(&self, meta: &VolumeMeta) -> VolumeReport {
        let (uid, gid) = owner(&meta.options).ok().flatten().unwrap_or_default();
        VolumeReport {
            name: meta.name.to_string(),
            driver: "local",
            mountpoint: self.store.layout().volume_data(&meta.name).display().to_string(),
            created_at: meta.created.to_string(),
            labels: meta.labels.clone(),
            scope: "local",
            options: meta.options.clone(),
            mount_count: 0,
            needs_copy_up: meta.needs_copy_up,
            anonymous: meta.anonymous,
            uid,
            gid,
        }
    }
}

/// Keys of `volume ls`.
const LIST_KEYS: [&str; 11] =
    ["name", "driver", "scope", "label", "label!", "opt", "dangling", "anonymous", "until", "since", "after"];

/// Keys of `volume prune`: a name is none of them, because whoever knows it says `volume rm`.
const PRUNE_KEYS: [&str; 6] = ["label", "label!", "anonymous", "until", "since", "after"];

/// Parsed `--filter`s: values of one key are alternatives, labels must all be there.
#[derive(Debug, Default)]
struct VolumeFilters(BTreeMap<String, Vec<Test>>);

#[derive(Debug)]
enum Test {
    Name(Regex),
    Constant(bool),
    Label(String, Option<String>),
    Option(String, Option<String>),
    Dangling(bool),
    Anonymous(bool),
    Before(Timestamp),
    After(Timestamp),
}

impl VolumeFilters {
    fn parse(engine: &Engine, words: &[String], keys: &[&str]) -> Result<Self, Error> {
        let mut filters = Self::default();
        for word in words {
            let invalid = |why: &str| Error::Filter { text: word.clone(), why: why.to_owned() };
            let (key, value) = word.split_once('=').ok_or_else(|| invalid("it must be KEY=VALUE"))?;
            let truth = || parse_bool(value).map_err(|error| invalid(&error.to_string()));
            if !keys.contains(&key) {
                return Err(invalid(&format!("unknown key: {}", keys.join(", "))));
            }
            let test = match key {
                "name" => Test::Name(Regex::new(value).map_err(|_no| invalid("it is no regular expression"))?),
                "driver" | "scope" => Test::Constant(value == "local"),
                "label" | "label!" => {
                    let (name, wanted) = label(value);
                    Test::Label(name, wanted)
                }
                "opt" => match value.split_once('=') {
                    Some((name, wanted)) => Test::Option(name.to_owned(), Some(wanted.to_owned())),
                    None => Test::Option(value.to_owned(), None),
                },
                "dangling" => Test::Dangling(truth()?),
                "anonymous" => Test::Anonymous(truth()?),
                "until" => Test::Before(moment(value).ok_or_else(|| invalid("neither a time nor a duration"))?),
                "since" | "after" => {
                    let name = engine.store.find_volume(value)?;
                    Test::After(engine.store.volume(&name)?.created)
                }
                _ => return Err(invalid("unknown key")),
            };
            filters.0.entry(key.to_owned()).or_default().push(test);
        }
        Ok(filters)
    }

    fn matches(&self, engine: &Engine, meta: &VolumeMeta) -> Result<bool, Error> {
        for (key, tests) in &self.0 {
            let mut passed = Vec::with_capacity(tests.len());
            for test in tests {
                passed.push(test.passes(engine, meta)?);
            }
            let ok = match key.as_str() {
                "label" => passed.iter().all(|passed| *passed),
                "label!" => !passed.contains(&true),
                _ => passed.contains(&true),
            };
            if !ok {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Test {
    fn passes(&self, engine: &Engine, meta: &VolumeMeta) -> Result<bool, Error> {
        Ok(match self {
            Self::Name(pattern) => pattern.is_match(meta.name.as_str()),
            Self::Constant(passes) => *passes,
            Self::Label(name, wanted) => has_label(&meta.labels, name, wanted.as_deref()),
            Self::Option(name, wanted) => {
                meta.options.get(name).is_some_and(|value| wanted.as_ref().is_none_or(|wanted| wanted == value))
            }
            Self::Dangling(wanted) => engine.store.volume_users(&meta.name)?.is_empty() == *wanted,
            Self::Anonymous(wanted) => meta.anonymous == *wanted,
            Self::Before(time) => meta.created < *time,
            Self::After(time) => meta.created > *time,
        })
    }
}
