//! `signedIdentity`: for which names a signature must have been made. What cannot be understood matches nothing.

use serde::Deserialize;

use crate::types::reference::{Reference, split_suffix};

/// How the name in a signature is compared with the name that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub(crate) enum SignedIdentity {
    /// The same tag or digest of the same repository.
    MatchExact,
    /// The same tag; for an image that is asked for by its digest any name of the repository.
    #[default]
    MatchRepoDigestOrExact,
    /// Any name of the repository. All that `cosign sign` writes.
    MatchRepository,
    /// This name, whatever was asked for.
    ExactReference(Reference),
    /// Any name of this repository (`HOST/PATH`), whatever was asked for.
    ExactRepository(String),
    /// As the default, with the beginning of the name replaced first.
    RemapIdentity { prefix: String, signed_prefix: String },
}

/// The object as written.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Written {
    MatchExact {},
    MatchRepoDigestOrExact {},
    MatchRepository {},
    ExactReference { docker_reference: String },
    ExactRepository { docker_repository: String },
    RemapIdentity { prefix: String, signed_prefix: String },
}

impl TryFrom<Written> for SignedIdentity {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::MatchExact {} => Self::MatchExact,
            Written::MatchRepoDigestOrExact {} => Self::MatchRepoDigestOrExact,
            Written::MatchRepository {} => Self::MatchRepository,
            Written::ExactReference { docker_reference: text } => Self::ExactReference(
                exact(&text).ok_or(format!("dockerReference {text:?} is no name with a tag or a digest"))?,
            ),
            Written::ExactRepository { docker_repository: text } => {
                let parsed = text.parse::<Reference>().map_err(|error| error.to_string())?;
                Self::ExactRepository(parsed.repository())
            }
            Written::RemapIdentity { prefix, signed_prefix } => {
                for text in [&prefix, &signed_prefix] {
                    // A host, or what the name of a repository may begin with.
                    if format!("{text}/x").parse::<Reference>().is_err() {
                        return Err(format!("remapIdentity: {text:?} is no beginning of a name"));
                    }
                }
                Self::RemapIdentity { prefix, signed_prefix }
            }
        })
    }
}

impl SignedIdentity {
    /// Whether a signature for the name `signed` counts for `asked`, which archives do not have.
    pub(crate) fn matches(&self, asked: Option<&Reference>, signed: &str) -> bool {
        let asked = asked.cloned().map(Reference::pinned);
        match self {
            Self::MatchExact => asked.is_some() && asked == exact(signed),
            Self::MatchRepoDigestOrExact => asked.is_some_and(|asked| digest_or_exact(&asked, signed)),
            Self::MatchRepository => {
                asked.is_some_and(|asked| repository(signed).is_some_and(|signed| signed == asked.repository()))
            }
            Self::ExactReference(wanted) => exact(signed).as_ref() == Some(wanted),
            Self::ExactRepository(wanted) => repository(signed).as_ref() == Some(wanted),
            Self::RemapIdentity { prefix, signed_prefix } => {
                let remapped = asked.and_then(|asked| remap(asked, prefix, signed_prefix));
                remapped.is_some_and(|asked| digest_or_exact(&asked, signed))
            }
        }
    }

    /// What it wants, in the words of the file.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::MatchExact => "matchExact",
            Self::MatchRepoDigestOrExact => "matchRepoDigestOrExact",
            Self::MatchRepository => "matchRepository",
            Self::ExactReference(_) => "exactReference",
            Self::ExactRepository(_) => "exactRepository",
            Self::RemapIdentity { .. } => "remapIdentity",
        }
    }
}

fn digest_or_exact(asked: &Reference, signed: &str) -> bool {
    let Some(signed) = exact(signed) else { return false };
    // The digest itself is compared with the one that was signed.
    if asked.digest().is_some() { signed.repository() == asked.repository() } else { signed == *asked }
}

/// A name that says which image it means; without a tag it would mean `latest` to us.
fn exact(text: &str) -> Option<Reference> {
    let parsed = text.parse::<Reference>().ok()?;
    (!split_suffix(text).1.is_empty()).then_some(parsed)
}

fn repository(text: &str) -> Option<String> {
    text.parse::<Reference>().ok().map(|reference| reference.repository())
}

/// The name with its beginning replaced, if it begins so.
fn remap(asked: Reference, prefix: &str, signed_prefix: &str) -> Option<Reference> {
    let name = asked.repository();
    match name.strip_prefix(prefix) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let text = format!("{signed_prefix}{rest}{}", asked.suffix());
            // Only a full name: a short one would mean docker.io.
            text.parse::<Reference>().ok().filter(|remapped| remapped.to_string() == text)
        }
        _ => Some(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::SignedIdentity;

    fn identity(text: &str) -> Result<SignedIdentity, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_compared_as_the_policy_wants() {
        let digest = format!("@sha256:{}", "ab".repeat(32));
        let other = format!("@sha256:{}", "cd".repeat(32));
        let at = |name: &str| format!("{name}{digest}");
        let by_digest = at("h:5000/a/b");
        for (kind, asked, signed, matches) in [
            ("matchExact", "h:5000/a/b:1", "h:5000/a/b:1", true),
            ("matchExact", "h:5000/a/b:1", "h:5000/a/b:2", false),
            ("matchExact", "h:5000/a/b:latest", "h:5000/a/b", false),
            ("matchExact", "library/web:1", "docker.io/library/web:1", true),
            ("matchExact", "docker.io/library/web:1", "web:1", true),
            ("matchExact", &by_digest, "h:5000/a/b:1", false),
            ("matchExact", &by_digest, &by_digest, true),
            ("matchRepoDigestOrExact", "h:5000/a/b:1", "h:5000/a/b:1", true),
            ("matchRepoDigestOrExact", "h:5000/a/b:1", "h:5000/a/b:2", false),
            ("matchRepoDigestOrExact", "h:5000/a/b:1", "h:5000/a/b", false),
            ("matchRepoDigestOrExact", &by_digest, "h:5000/a/b:2", true),
            ("matchRepoDigestOrExact", &by_digest, &format!("h:5000/a/b{other}"), true),
            ("matchRepoDigestOrExact", &by_digest, "h:5000/a/b", false),
            ("matchRepoDigestOrExact", &by_digest, "h:5000/a/c:1", false),
            ("matchRepoDigestOrExact", &at("h:5000/a/b:1"), "h:5000/a/b:2", true),
            ("matchRepository", "h:5000/a/b:1", "h:5000/a/b", true),
            ("matchRepository", "h:5000/a/b:1", "h:5000/a/b:9", true),
            ("matchRepository", "h:5000/a/b:1", "h:5000/a", false),
            ("matchRepository", "h:5000/a/b:1", "H:5000/A/b c", false),
        ] {
            let found = identity(&format!("{{\"type\": {kind:?}}}")).expect(kind);
            let asked = asked.parse().expect(asked);
            assert_eq!(found.matches(Some(&asked), signed), matches, "{kind} {asked} {signed}");
            assert!(!found.matches(None, signed), "an archive has no name");
        }
    }

    #[test]
    fn fixed_and_remapped_names() {
        let matches = |text: &str, asked: &str, signed: &str| {
            identity(text).expect(text).matches(Some(&asked.parse().expect(asked)), signed)
        };
        let reference = r#"{"type": "exactReference", "dockerReference": "web:1"}"#;
        assert!(matches(reference, "h/x:2", "docker.io/library/web:1") && !matches(reference, "h/x:2", "web:2"));
        assert!(identity(reference).expect("valid").matches(None, "web:1"));
        let repository = r#"{"type": "exactRepository", "dockerRepository": "h/web"}"#;
        assert!(matches(repository, "x", "h/web:7") && !matches(repository, "x", "h/webx:7"));
        let remap = r#"{"type": "remapIdentity", "prefix": "mirror:5000/v", "signedPrefix": "vendor.example"}"#;
        assert!(matches(remap, "mirror:5000/v/a/b:1", "vendor.example/a/b:1"));
        assert!(!matches(remap, "mirror:5000/v/a/b:1", "mirror:5000/v/a/b:1"));
        assert!(!matches(remap, "mirror:5000/v/a/b:1", "vendor.example/a/b:2"));
        assert!(matches(remap, "mirror:5000/vx/b:1", "mirror:5000/vx/b:1"), "another prefix stays as it is");
        for invalid in [
            r#"{"type": "exactReference", "dockerReference": "web"}"#,
            r#"{"type": "exactReference"}"#,
            r#"{"type": "exactRepository", "dockerRepository": "A b"}"#,
            r#"{"type": "remapIdentity", "prefix": "h/p:1", "signedPrefix": "v"}"#,
            r#"{"type": "remapIdentity", "prefix": "", "signedPrefix": "v"}"#,
            r#"{"type": "matchExact", "more": 1}"#,
            r#"{"type": "matchAll"}"#,
            "{}",
            "\"matchExact\"",
        ] {
            assert!(identity(invalid).is_err(), "{invalid}");
        }
    }
}
