//! `containers-registries.conf(5)`, version 2: where references really go, which registries may be reached without
//! checked TLS, which are blocked, what short names mean. Shared with Podman, Buildah and Skopeo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::Error;
use crate::sys;

/// Largest file that is read.
const LIMIT: u64 = 1 << 20;

/// All files, merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistriesConf {
    /// Tried in this order for a name without a registry.
    pub(crate) unqualified_search: Vec<String>,
    aliases: BTreeMap<String, String>,
    registries: Vec<Registry>,
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
    #[default]
    All,
    DigestOnly,
    TagOnly,
    #[serde(rename = "")]
    Unset,
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct File {
    unqualified_search_registries: Option<Vec<String>>,
    aliases: BTreeMap<String, String>,
    registry: Vec<Registry>,
    /// Version 1 had `[registries.search]` and so on.
    registries: Option<toml::Value>,
}

/// A place where an image may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// Registry host, with the port if any.
    pub(crate) host: String,
    /// Repository path there; may differ from the reference's.
    pub(crate) path: String,
    /// TLS need not be valid, or even there.
    pub(crate) insecure: bool,
    /// Not the registry of the reference, but a stand-in.
    pub(crate) mirror: bool,
}

/// What the configuration says about a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// Try these in turn.
    Locations(Vec<Location>),
    /// `blocked = true` for this prefix.
    Blocked { prefix: String },
}

impl RegistriesConf {
    /// Reads the user's file, or else the system's, and the drop-ins beside both. Absent files are fine.
    pub(crate) fn load() -> Result<Self, Error> {
        if let Some(path) = super::environment::path("CONTAINERS_REGISTRIES_CONF") {
            return Self::from_files(&[path]);
        }
        let user = super::environment::config_home().map(|home| home.join("containers"));
        let system = PathBuf::from("/etc/containers");
        let mut files = Vec::new();
        let own = user.as_ref().map(|dir| dir.join("registries.conf")).filter(|path| sys::fs::exists(path));
        files.push(own.unwrap_or_else(|| system.join("registries.conf")));
        for dir in [Some(system), user].into_iter().flatten() {
            files.extend(drop_ins(&dir.join("registries.conf.d"))?);
        }
        Self::from_files(&files)
    }

    /// Reads and merges these files; a later one overrides an earlier one.
    pub(crate) fn from_files(files: &[PathBuf]) -> Result<Self, Error> {
        let mut merged = Self::default();
        for path in files {
            let read = sys::fs::absent_is_none(sys::fs::read_limited(path, LIMIT));
            let bytes = read.map_err(|source| Error::Read { path: path.clone(), source })?;
            if let Some(bytes) = bytes {
                merged.merge(parse(&String::from_utf8_lossy(&bytes), path)?);
            }
        }
        Ok(merged)
    }

    fn merge(&mut self, file: File) {
        if let Some(search) = file.unqualified_search_registries {
            self.unqualified_search = search;
        }
        self.aliases.extend(file.aliases);
        for mut registry in file.registry {
            let trimmed = registry.location.trim_end_matches('/').to_owned();
            registry.location = trimmed;
            if registry.prefix.is_empty() {
                registry.prefix.clone_from(&registry.location);
            }
            self.registries.retain(|known| known.prefix != registry.prefix);
            self.registries.push(registry);
        }
    }

    /// What the alias table says a short name means.
    pub(crate) fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(String::as_str).filter(|target| !target.is_empty())
    }

    /// Where `host/path` is to be fetched from. `by_digest`: the reference names a digest.
    pub(crate) fn route(&self, host: &str, path: &str, by_digest: bool) -> Route {
        let name = format!("{host}/{path}");
        let plain = Location { host: host.to_owned(), path: path.to_owned(), insecure: false, mirror: false };
        let matching = self.registries.iter().filter_map(|r| matched(&r.prefix, &name).map(|length| (length, r)));
        let Some((length, registry)) = matching.max_by_key(|(length, _)| *length) else {
            return Route::Locations(vec![plain]);
        };
        if registry.blocked {
            return Route::Blocked { prefix: registry.prefix.clone() };
        }
        let rest = &name[length..];
        let mut locations = Vec::new();
        for mirror in &registry.mirror {
            let digest_only = registry.mirror_by_digest_only || mirror.pull_from_mirror == PullFromMirror::DigestOnly;
            let skipped = if by_digest { mirror.pull_from_mirror == PullFromMirror::TagOnly } else { digest_only };
            if !skipped {
                locations.extend(rewritten(mirror.location.trim_end_matches('/'), rest, mirror.insecure, true));
            }
        }
        let own = match registry.location.as_str() {
            // A wild card, or no location at all: only the flags count.
            "" => Some(Location { insecure: registry.insecure, ..plain }),
            location if registry.prefix.starts_with("*.") && location == registry.prefix => {
                Some(Location { insecure: registry.insecure, ..plain })
            }
            location => rewritten(location, rest, registry.insecure, false),
        };
        locations.extend(own);
        Route::Locations(locations)
    }
}

fn parse(text: &str, path: &Path) -> Result<File, Error> {
    let invalid = |why: String| Error::Parse { path: path.to_owned(), why };
    let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
    if file.registries.is_some() {
        return Err(invalid(
            "this is the old version 1 of the format ([registries.search] …): see \
                            containers-registries.conf(5) for version 2"
                .to_owned(),
        ));
    }
    for registry in &file.registry {
        if registry.location.is_empty() && registry.prefix.is_empty() {
            return Err(invalid("a [[registry]] has neither \"location\" nor \"prefix\"".to_owned()));
        }
        if registry.mirror.iter().any(|mirror| mirror.location.is_empty()) {
            return Err(invalid(format!("a mirror of {:?} has no \"location\"", registry.prefix)));
        }
    }
    Ok(file)
}

fn drop_ins(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let names = sys::fs::names(dir).map_err(|source| Error::Read { path: dir.to_owned(), source })?;
    let files = names.into_iter().map(|name| dir.join(name));
    Ok(files.filter(|path| path.extension().is_some_and(|ext| ext == "conf")).collect())
}

/// Length of the part of `name` that `prefix` covers, up to a border of the name.
fn matched(prefix: &str, name: &str) -> Option<usize> {
    let at_border = |rest: &str| rest.is_empty() || rest.starts_with(['/', ':', '@']);
    if let Some(domain) = prefix.strip_prefix('*') {
        // `*.example.org` covers the host of every subdomain.
        let host = name.split('/').next().unwrap_or(name);
        let bare = host.split(':').next().unwrap_or(host);
        return (bare.ends_with(domain) && bare.len() > domain.len()).then_some(bare.len());
    }
    let rest = name.strip_prefix(prefix)?;
    at_border(rest).then_some(prefix.len())
}

/// `location` with the rest of the name behind it, cut into host and path.
fn rewritten(location: &str, rest: &str, insecure: bool, mirror: bool) -> Option<Location> {
    let full = format!("{location}{rest}");
    let (host, path) = full.split_once('/')?;
    let usable = !host.is_empty() && !path.is_empty();
    usable.then(|| Location { host: host.to_owned(), path: path.to_owned(), insecure, mirror })
}

#[cfg(test)]
mod tests {
    use super::{Location, RegistriesConf, Route, parse};
    use std::path::Path;

    fn conf(text: &str) -> RegistriesConf {
        let mut conf = RegistriesConf::default();
        conf.merge(parse(text, Path::new("registries.conf")).expect("valid"));
        conf
    }

    fn route(conf: &RegistriesConf, host: &str, path: &str, by_digest: bool) -> Vec<String> {
        match conf.route(host, path, by_digest) {
            Route::Locations(all) => all
                .into_iter()
                .map(|Location { host, path, insecure, .. }| {
                    format!("{host}/{path}{}", if insecure { " insecure" } else { "" })
                })
                .collect(),
            Route::Blocked { prefix } => vec![format!("blocked {prefix}")],
        }
    }

    #[test]
    fn longest_prefix_wins_and_rewrites() {
        let conf = conf(
            r#"
            unqualified-search-registries = ["docker.io"]
            [aliases]
            "fedora" = "registry.example.org/fedora"
            [[registry]]
            location = "localhost:5000"
            insecure = true
            [[registry]]
            prefix = "example.com/foo"
            location = "inner.example.net/bar"
            [[registry.mirror]]
            location = "mirror.example.net/m"
            insecure = true
            [[registry.mirror]]
            location = "digests.example.net"
            pull-from-mirror = "digest-only"
            [[registry]]
            prefix = "example.com/foo/closed"
            location = "x"
            blocked = true
            [[registry]]
            prefix = "*.wild.org"
            insecure = true
        "#,
        );
        assert_eq!(route(&conf, "localhost:5000", "web", false), ["localhost:5000/web insecure"]);
        assert_eq!(route(&conf, "docker.io", "library/x", false), ["docker.io/library/x"]);
        assert_eq!(
            route(&conf, "example.com", "foo/img", false),
            ["mirror.example.net/m/img insecure", "inner.example.net/bar/img"]
        );
        assert_eq!(route(&conf, "example.com", "foo/img", true).len(), 3);
        assert_eq!(route(&conf, "example.com", "foobar/img", false), ["example.com/foobar/img"]);
        assert_eq!(route(&conf, "example.com", "foo/closed/a", false), ["blocked example.com/foo/closed"]);
        assert_eq!(route(&conf, "a.wild.org:80", "x", false), ["a.wild.org:80/x insecure"]);
        assert_eq!(route(&conf, "wild.org", "x", false), ["wild.org/x"]);
        assert_eq!(conf.alias("fedora"), Some("registry.example.org/fedora"));
        assert_eq!(conf.unqualified_search, ["docker.io"]);
    }

    #[test]
    fn bad_files_are_refused() {
        for text in ["[[registry]]\n", "[registries.search]\nregistries = []", "unqualified-search-registries = 3", "["]
        {
            assert!(parse(text, Path::new("registries.conf")).is_err(), "{text:?}");
        }
    }
}
