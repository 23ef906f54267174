//! Where a repository is really asked for: prefixes, rewriting, mirrors.

use super::{PullFromMirror, RegistriesConf};

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
    /// Where `host/path` is to be fetched from. `suffix` is `:TAG` or `@DIGEST`, because a prefix may name these, too.
    pub(crate) fn route(&self, host: &str, path: &str, suffix: &str) -> Route {
        let name = format!("{host}/{path}");
        let full = format!("{name}{suffix}");
        let plain = Location { host: host.to_owned(), path: path.to_owned(), insecure: false, mirror: false };
        let matching = self.registries.iter().filter_map(|r| matched(&r.prefix, &full).map(|length| (length, r)));
        // The longest prefix as it is written: `a.example.org` before `*.example.org`.
        let Some((length, registry)) = matching.max_by_key(|(_, registry)| registry.prefix.len()) else {
            return Route::Locations(vec![plain]);
        };
        if registry.blocked {
            return Route::Blocked { prefix: registry.prefix.clone() };
        }
        let rest = name.get(length..).unwrap_or_default();
        let by_digest = suffix.starts_with('@');
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

/// Length of the part of `name` that `prefix` covers, up to a border of the name.
fn matched(prefix: &str, name: &str) -> Option<usize> {
    let end = match prefix.strip_prefix('*') {
        // `*.example.org` covers the host of every subdomain, and a path may follow.
        Some(domain) => {
            let at = name.find(domain)?;
            (at > 0 && !name[..at].contains('/')).then_some(at + domain.len())?
        }
        None => name.starts_with(prefix).then_some(prefix.len())?,
    };
    let rest = &name[end..];
    (rest.is_empty() || rest.starts_with(['/', ':', '@'])).then_some(end)
}

/// `location` with the rest of the name behind it, cut into host and path.
fn rewritten(location: &str, rest: &str, insecure: bool, mirror: bool) -> Option<Location> {
    let full = format!("{location}{rest}");
    let (host, path) = full.split_once('/')?;
    let usable = !host.is_empty() && !path.is_empty();
    usable.then(|| Location { host: host.to_owned(), path: path.to_owned(), insecure, mirror })
}
