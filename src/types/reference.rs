//! Image references (distribution's `reference` grammar): `[domain/]path[:tag][@digest]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::is_id_prefix;

/// A normalised reference: the domain is always there, and a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid image reference {text:?}: {why}")]
pub(crate) struct InvalidReference {
    text: String,
    why: &'static str,
}

impl Reference {
    /// Registry host, with the port if any: `docker.io`, `localhost:5000`.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// Repository on the registry: `library/debian`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub(crate) fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `domain/path`, without tag and digest: Podman's "Repository" column.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// True if the text is the end of the name, from a slash on: `debian`, `library/debian:latest`. Without a tag it means
    /// `latest`.
    pub(crate) fn is_ended_by(&self, text: &str) -> bool {
        let latest = if split_suffix(text).1.is_empty() { ":latest" } else { "" };
        self.to_string().ends_with(&format!("/{text}{latest}"))
    }

    /// What pins it: `@DIGEST`, or else `:TAG`.
    pub(crate) fn suffix(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("@{digest}"),
            (None, Some(tag)) => format!(":{tag}"),
            (None, None) => String::new(),
        }
    }

    /// The same without the tag if it is pinned by a digest: the tag says nothing then.
    pub(crate) fn pinned(mut self) -> Self {
        if self.digest.is_some() {
            self.tag = None;
        }
        self
    }

    /// The same repository with this tag.
    pub(crate) fn with_tag(&self, tag: &str) -> Option<Self> {
        let tag = is_tag(tag).then(|| tag.to_owned())?;
        Some(Self { tag: Some(tag), digest: None, ..self.clone() })
    }

    /// The name of a local image that the user named without a registry: `localhost/NAME:TAG`, as Podman does for
    /// `tag`, `build -t` and `import`.
    pub(crate) fn local(text: &str) -> Result<Self, InvalidReference> {
        if has_domain(text) {
            return text.parse();
        }
        // What is told is what was written.
        let as_written = |error| InvalidReference { text: text.chars().take(300).collect(), ..error };
        format!("localhost/{text}").parse().map_err(as_written)
    }
}

/// What somebody calls an image that is here: the text, and the full names that it may mean. It may be an id, too.
#[derive(Debug, Clone)]
pub(crate) struct ImageWord {
    pub(crate) text: String,
    /// Best first.
    pub(crate) names: Result<Vec<Reference>, InvalidReference>,
}

impl ImageWord {
    /// Without a look into any configuration: for ids, digests and names with their registry.
    pub(crate) fn plain(text: &str) -> Self {
        Self::known(text, [])
    }

    /// In Podman's order: the alias, `localhost/`, the search registries, docker.io.
    pub(crate) fn short(text: &str, alias: Option<&str>, searched: impl IntoIterator<Item = String>) -> Self {
        let (name, _) = split_suffix(text);
        let known = alias.map(str::to_owned).into_iter().chain([format!("localhost/{name}")]).chain(searched);
        Self::known(text, known)
    }

    fn known(text: &str, known: impl IntoIterator<Item = String>) -> Self {
        let suffix = split_suffix(text).1;
        let names = text.parse().map(|plain: Reference| {
            let full = known.into_iter().filter_map(|name| format!("{name}{suffix}").parse().ok());
            full.chain([plain]).collect()
        });
        Self { text: text.to_owned(), names }
    }

    /// True if a name is meant by name, not by an id or by its end.
    pub(crate) fn has(&self, name: &Reference) -> bool {
        self.names().any(|other| other == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Reference> {
        self.names.iter().flatten()
    }
}

/// True if a text can be nothing but an id or a digest: a whole one, or one that says so.
pub(crate) fn is_id(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(is_id_prefix) || (text.len() == 64 && is_id_prefix(text))
}

/// True if the first component of the name is a registry. One with a capital letter can be nothing else.
pub(crate) fn has_domain(text: &str) -> bool {
    text.split_once('/').is_some_and(|(first, _)| {
        first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
    })
}

/// Cuts a name and what pins it (`:TAG`, `@DIGEST`, both, or nothing).
pub(crate) fn split_suffix(text: &str) -> (&str, &str) {
    let end = text.find('@').unwrap_or(text.len());
    let name = text[..end].rfind('/').map_or(0, |slash| slash + 1);
    let at = text[name..end].find(':').map_or(end, |colon| name + colon);
    text.split_at(at)
}

impl FromStr for Reference {
    type Err = InvalidReference;

    /// A name without a registry is docker.io's; there, a single component is `library/…`. No tag and no digest
    /// means `latest`.
    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let invalid = |why| InvalidReference { text: text.chars().take(300).collect(), why };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (
                rest,
                Some(
                    digest
                        .parse::<Digest>()
                        .ok()
                        .ok_or_else(|| invalid("the digest must be sha256:<64 hex digits>"))?,
                ),
            ),
            None => (text, None),
        };
        let (domain, remote) = match rest.split_once('/') {
            Some((first, remote)) if has_domain(rest) => (first, remote),
            _ => ("docker.io", rest),
        };
        let (path, tag) = match remote.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (remote, None),
        };
        if !is_domain(domain) {
            return Err(invalid("the registry must be HOST[:PORT]"));
        }
        if path.is_empty() {
            return Err(invalid("the name is empty"));
        }
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(invalid("the repository name must be lower case"));
        }
        if !path.split('/').all(is_component) {
            return Err(invalid("each part of the name must match [a-z0-9]+([._-]+[a-z0-9]+)*"));
        }
        let is_id = path.len() == 64 && path.bytes().all(|b| b.is_ascii_hexdigit());
        if is_id && !has_domain(rest) {
            return Err(invalid("a name of 64 hex digits is an id"));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid("the tag must match [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"));
        }
        let domain = if domain == "index.docker.io" { "docker.io" } else { domain };
        let path =
            if domain == "docker.io" && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        // Of the whole name: what is printed must be understood again.
        if domain.len() + path.len() > 254 {
            return Err(invalid("the name has more than 255 characters"));
        }
        let tag = tag.map(str::to_owned).or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { domain: domain.to_owned(), path, tag, digest })
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, InvalidReference> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let host_ok = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.split('.').all(is_domain_label),
    };
    host_ok && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|p| p != 0) && !port.starts_with('+'))
}

fn is_domain_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(part: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().copied().is_some_and(alphanumeric) || !bytes.last().copied().is_some_and(alphanumeric) {
        return false;
    }
    bytes
        .split(|b| alphanumeric(*b))
        .filter(|separator| !separator.is_empty())
        .all(|separator| matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let mut bytes = tag.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && tag.len() <= 128
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn normalises() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, full) in [
            ("debian", "docker.io/library/debian:latest".to_owned()),
            ("me/app:1", "docker.io/me/app:1".to_owned()),
            ("localhost:5000/web:1", "localhost:5000/web:1".to_owned()),
            ("localhost/base", "localhost/base:latest".to_owned()),
            ("quay.io/a/b/c__d-e.f:T_1", "quay.io/a/b/c__d-e.f:T_1".to_owned()),
            (&format!("x@{digest}"), format!("docker.io/library/x@{digest}")),
            ("[::1]:5000/x", "[::1]:5000/x:latest".to_owned()),
            ("index.docker.io/x", "docker.io/library/x:latest".to_owned()),
            ("docker.io/a/b:2", "docker.io/a/b:2".to_owned()),
            ("HOST/x", "HOST/x:latest".to_owned()),
            (&format!("a/x:1@{digest}"), format!("docker.io/a/x:1@{digest}")),
        ] {
            assert_eq!(text.parse::<Reference>().expect(text).to_string(), full);
        }
    }

    #[test]
    fn errors_show_what_was_written() {
        let error = Reference::local("UPPER").expect_err("upper case");
        assert_eq!(error.to_string(), "invalid image reference \"UPPER\": the repository name must be lower case");
    }

    #[test]
    fn ends_begin_at_a_slash() {
        let name: Reference = "quay.io:443/team/app:latest".parse().unwrap();
        for (text, fits) in [
            ("app", true),
            ("app:latest", true),
            ("team/app", true),
            ("app:1", false),
            ("pp", false),
            ("team", false),
            ("app@sha256:00", false),
        ] {
            assert_eq!(name.is_ended_by(text), fits, "{text}");
        }
    }

    #[test]
    fn suffixes_are_cut() {
        for (text, name, suffix) in [
            ("x", "x", ""),
            ("x:1", "x", ":1"),
            ("h:5000/x", "h:5000/x", ""),
            ("h:5000/x:1@sha256:00", "h:5000/x", ":1@sha256:00"),
            ("x@sha256:00", "x", "@sha256:00"),
        ] {
            assert_eq!(super::split_suffix(text), (name, suffix), "{text}");
        }
    }

    #[test]
    fn the_longest_name_is_understood_as_it_is_printed() {
        let longest: Reference = "a".repeat(237).parse().expect("255 characters with docker.io/library/");
        assert_eq!(longest.to_string().parse(), Ok(longest));
    }

    #[test]
    fn b13_bad_names_are_refused() {
        for text in [
            "",
            "../..",
            "A/B",
            "a//b",
            "-x",
            "x:.",
            "host:99999/x",
            "x:",
            "/x",
            "a/",
            "a..b",
            "a/./b",
            "x@sha256:12",
            "x y",
            "x\u{1b}[1m",
            "localhost:/x",
            &"a".repeat(238),
            &"ab".repeat(32),
            "h_ost.org/x",
            "host-.org/x",
            "a/x:1@",
            "x@md5:0123456789abcdef0123456789abcdef",
            &format!("x:{}", "t".repeat(129)),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }
}
