//! `containers-registries.conf(5)`, version 2: where references really go, which registries may be reached without
//! checked TLS, which are blocked, what short names mean. Shared with Podman, Buildah and Skopeo.

mod keys;
mod route;
mod short_names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::config_file;
use super::drop_in;
use super::error::{At as _, Error};
use super::toml_error;
use crate::sys;
use crate::types::reference::{Reference, has_domain, split_suffix};

pub(crate) use route::{Blocked, Location};
pub(crate) use short_names::{ShortName, record_alias};

/// All files, merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistriesConf {
    /// Tried in this order for a name without a registry.
    pub(crate) unqualified_search: Vec<String>,
    /// A file names the search registries, be it none.
    search_given: bool,
    pub(crate) short_name_mode: ShortNameMode,
    /// Programs that know credentials, in order; empty if the files say nothing.
    pub(crate) credential_helpers: Vec<String>,
    aliases: BTreeMap<String, String>,
    registries: Vec<Registry>,
}

/// What becomes of a short name that several registries may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ShortNameMode {
    /// The user is asked; without a terminal that is an error. Podman's default is `permissive`.
    #[default]
    Enforcing,
    /// The user is asked; without a terminal all are tried in turn.
    Permissive,
    /// All are tried in turn.
    Disabled,
}

/// One `[[registry]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Registry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    mirror_by_digest_only: bool,
    mirror: Vec<Mirror>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Mirror {
    location: String,
    insecure: bool,
    pull_from_mirror: PullFromMirror,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PullFromMirror {
    All,
    DigestOnly,
    TagOnly,
    #[default]
    #[serde(rename = "")]
    Unset,
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct File {
    unqualified_search_registries: Option<Vec<String>>,
    short_name_mode: Option<ShortNameMode>,
    credential_helpers: Option<Vec<String>>,
    aliases: BTreeMap<String, String>,
    registry: Vec<Registry>,
    /// Version 1 had `[registries.search]` and so on.
    registries: Option<toml::Value>,
}

impl RegistriesConf {
    /// Reads the user's file and drop-ins, or else the system's file and both sets of drop-ins, and then the aliases
    /// that the user has chosen. Absent files are fine.
    pub(crate) fn load() -> Result<Self, Error> {
        let user = super::environment::config_home().map(|home| home.join("containers"));
        let system = PathBuf::from("/etc/containers");
        let given = super::environment::path("CONTAINERS_REGISTRIES_CONF");
        let own = user.as_ref().map(|dir| dir.join("registries.conf")).filter(|path| sys::fs::exists(path));
        // With a file of the user's own the system's drop-ins do not count, as in Podman.
        let dirs = if given.is_none() && own.is_some() { [None, user] } else { [Some(system.clone()), user] };
        if let Some(given) = given.as_ref() {
            must_exist(given)?;
        }
        let mut files = vec![given.or(own).unwrap_or_else(|| system.join("registries.conf"))];
        for dir in dirs.into_iter().flatten() {
            files.extend(drop_in::files(&dir.join("registries.conf.d"), "conf")?);
        }
        files.extend(short_names::file());
        Self::from_files(&files)
    }

    /// Reads and merges these files; a later one overrides an earlier one.
    pub(crate) fn from_files(files: &[PathBuf]) -> Result<Self, Error> {
        let mut merged = Self::default();
        let mut unknown = BTreeMap::new();
        for path in files {
            if let Some(bytes) = config_file::read_if_exists(path)? {
                let (file, beyond) = parse(&String::from_utf8_lossy(&bytes), path)?;
                merged.merge(file);
                unknown.insert(path.as_path(), beyond);
            }
        }
        keys::tell(&unknown);
        Ok(merged)
    }

    fn merge(&mut self, file: File) {
        if let Some(search) = file.unqualified_search_registries {
            self.unqualified_search = search;
            self.search_given = true;
        }
        if let Some(mode) = file.short_name_mode {
            self.short_name_mode = mode;
        }
        if let Some(helpers) = file.credential_helpers {
            self.credential_helpers = helpers;
        }
        self.aliases.extend(file.aliases);
        self.registries.retain(|known| file.registry.iter().all(|registry| registry.prefix != known.prefix));
        for registry in file.registry {
            // Of one file the first counts, as in Podman; they may differ in their mirrors only.
            if self.registries.iter().all(|known| known.prefix != registry.prefix) {
                self.registries.push(registry);
            }
        }
    }
}

impl Registry {
    /// Without slashes at the ends, and with the prefix that counts.
    fn normalise(&mut self) {
        for name in [&mut self.prefix, &mut self.location] {
            name.truncate(name.trim_end_matches('/').len());
        }
        for mirror in &mut self.mirror {
            mirror.location.truncate(mirror.location.trim_end_matches('/').len());
        }
        if self.prefix.is_empty() {
            self.prefix.clone_from(&self.location);
        }
    }
}

/// A file that the user names has to be there, unlike the usual ones.
fn must_exist(path: &Path) -> Result<(), Error> {
    sys::fs::open(path).map(drop).reading(path)
}

/// The file, and the keys in it that the format does not have.
fn parse(text: &str, path: &Path) -> Result<(File, Vec<String>), Error> {
    let invalid = |why: String| Error::Parse { path: path.to_owned(), why };
    let mut file: File = toml::from_str(text).map_err(|error| invalid(toml_error::why(&error, text)))?;
    file.registry.iter_mut().for_each(Registry::normalise);
    check(&file).map_err(invalid)?;
    let table: toml::Table = text.parse().map_err(|error| invalid(toml_error::why(&error, text)))?;
    Ok((file, keys::unknown(&table)))
}

/// What the format forbids, said before anything goes to a wrong place.
fn check(file: &File) -> Result<(), String> {
    if file.registries.is_some() {
        return Err("this is the old version 1 of the format ([registries.search] …): see \
                    containers-registries.conf(5) for version 2"
            .to_owned());
    }
    for (index, registry) in file.registry.iter().enumerate() {
        check_registry(registry)?;
        check_twins(registry, &file.registry[..index])?;
    }
    if let Some(search) = file.unqualified_search_registries.iter().flatten().find(|name| name.contains("://")) {
        return Err(format!("search registry {search:?} is a URL: only HOST[:PORT][/PATH] is allowed"));
    }
    for (name, target) in &file.aliases {
        let short = !has_domain(name) && !name.contains('@') && !name.contains(':');
        if !short || name.parse::<Reference>().is_err() {
            return Err(format!("alias {name:?} is not a name without registry and tag"));
        }
        let full = has_domain(target) && split_suffix(target).1.is_empty() && target.parse::<Reference>().is_ok();
        if !target.is_empty() && !full {
            return Err(format!("alias {name:?} leads to {target:?}, which is not REGISTRY/NAME without a tag"));
        }
    }
    Ok(())
}

fn check_registry(registry: &Registry) -> Result<(), String> {
    let name = &registry.prefix;
    if name.is_empty() {
        return Err("a [[registry]] has neither \"location\" nor \"prefix\"".to_owned());
    }
    if name.trim_start_matches("*.").contains('*') {
        return Err(format!("prefix {name:?}: the wild card is \"*.\", at the beginning only"));
    }
    let mirrors = registry.mirror.iter().map(|mirror| ("location", &mirror.location));
    for (key, value) in mirrors.clone().chain([("location", &registry.location), ("prefix", name)]) {
        if value.contains("://") {
            return Err(format!("{key} {value:?} is a URL: only HOST[:PORT][/PATH] is allowed"));
        }
    }
    if mirrors.clone().any(|(_, location)| location.is_empty()) {
        return Err(format!("a mirror of {name:?} has no \"location\""));
    }
    let own = registry.mirror.iter().any(|mirror| mirror.pull_from_mirror != PullFromMirror::Unset);
    if registry.mirror_by_digest_only && own {
        return Err(format!("{name:?}: \"mirror-by-digest-only\" and \"pull-from-mirror\" exclude each other"));
    }
    Ok(())
}

/// One place cannot be blocked, or insecure, and not so; between files a later one overrides.
fn check_twins(registry: &Registry, before: &[Registry]) -> Result<(), String> {
    let place = |of: &Registry| if of.location.is_empty() { of.prefix.clone() } else { of.location.clone() };
    let Some(twin) = before.iter().find(|other| place(other) == place(registry)) else { return Ok(()) };
    let conflict = match () {
        () if twin.blocked != registry.blocked => "blocked",
        () if twin.insecure != registry.insecure => "insecure",
        () => return Ok(()),
    };
    let place = place(registry);
    Err(format!("registry {place:?} is defined several times, and \"{conflict}\" is not the same in all of them"))
}
