//! Where a repository is really asked for: prefixes, rewriting, mirrors.

use std::cmp::Reverse;

use super::{PullFromMirror, RegistriesConf, Registry};

/// A place where an image may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// Registry host, with the port if any.
    pub(crate) host: String,
    /// Repository path there; may differ from the reference's.
    pub(crate) path: String,
    /// TLS need not be valid, or even there.
    pub(crate) insecure: bool,
    /// The host is that of the reference: what the user gave for it (`--creds`, `--cert-dir`) is for nobody else.
    pub(crate) named: bool,
}

/// `blocked = true` for this prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) prefix: String,
}

impl RegistriesConf {
    /// Where `host/path` is to be fetched from: try these in turn. `suffix` is `:TAG` or `@DIGEST`, because a prefix may
    /// name these, too.
    pub(crate) fn route(&self, host: &str, path: &str, suffix: &str) -> Result<Vec<Location>, Blocked> {
        let own = self.itself(host, path, suffix)?;
        let name = format!("{host}/{path}");
        let Some((length, registry)) = self.registry_of(&format!("{name}{suffix}")) else {
            return Ok(vec![own]);
        };
        let rest = name.get(length..).unwrap_or_default();
        let mut places = Vec::new();
        for mirror in registry.mirrors(suffix.starts_with('@')) {
            places.extend(rewritten(&mirror.location, rest, mirror.insecure));
        }
        match registry.location.as_str() {
            // A wild card, or no location at all: only the flags count.
            "" => places.push(own),
            location if registry.prefix.starts_with("*.") && location == registry.prefix => places.push(own),
            location => places.extend(rewritten(location, rest, registry.insecure)),
        }
        for place in &mut places {
            place.named = place.host == host;
        }
        self.without_blocked(places, suffix)
    }

    /// The registry that the name itself names, and where it says: what is sent goes there, and so does a login. Only the
    /// flags of its `[[registry]]` count, since locations and mirrors are for what is fetched. `path` may be empty.
    pub(crate) fn itself(&self, host: &str, path: &str, suffix: &str) -> Result<Location, Blocked> {
        let name = if path.is_empty() { host.to_owned() } else { format!("{host}/{path}{suffix}") };
        let registry = self.registry_of(&name).map(|(_, registry)| registry);
        if let Some(registry) = registry.filter(|registry| registry.blocked) {
            return Err(Blocked { prefix: registry.prefix.clone() });
        }
        let insecure = registry.is_some_and(|registry| registry.insecure);
        Ok(Location { host: host.to_owned(), path: path.to_owned(), insecure, named: true })
    }

    /// The `[[registry]]` for a name, and how much of the name its prefix covers: the one with the longest prefix as it
    /// is written, and of equals the one without a wild card.
    fn registry_of(&self, name: &str) -> Option<(usize, &Registry)> {
        let matching = self.registries.iter().filter_map(|r| matched(&r.prefix, name).map(|length| (length, r)));
        matching.min_by_key(|(_, registry)| (Reverse(registry.prefix.len()), registry.prefix.starts_with("*.")))
    }

    /// A mirror, or the place that a prefix leads to, may be blocked by a `[[registry]]` of its own.
    fn without_blocked(&self, places: Vec<Location>, suffix: &str) -> Result<Vec<Location>, Blocked> {
        let mut first = None;
        let mut open = Vec::with_capacity(places.len());
        for place in places {
            match self.itself(&place.host, &place.path, suffix) {
                Ok(_) => open.push(place),
                Err(blocked) => {
                    tracing::debug!(host = place.host, path = place.path, prefix = blocked.prefix, "skipped: blocked");
                    first = first.or(Some(blocked));
                }
            }
        }
        first.filter(|_| open.is_empty()).map_or(Ok(open), Err)
    }
}

impl Registry {
    /// Mirrors for a reference with, or without, a digest.
    fn mirrors(&self, by_digest: bool) -> impl Iterator<Item = &super::Mirror> {
        self.mirror.iter().filter(move |mirror| match mirror.pull_from_mirror {
            PullFromMirror::TagOnly => !by_digest,
            PullFromMirror::DigestOnly => by_digest,
            PullFromMirror::All | PullFromMirror::Unset => by_digest || !self.mirror_by_digest_only,
        })
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
fn rewritten(location: &str, rest: &str, insecure: bool) -> Option<Location> {
    let full = format!("{location}{rest}");
    let (host, path) = full.split_once('/')?;
    let usable = !host.is_empty() && !path.is_empty();
    usable.then(|| Location { host: host.to_owned(), path: path.to_owned(), insecure, named: false })
}
