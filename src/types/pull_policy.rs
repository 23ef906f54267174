//! `--pull`: when an image is fetched that may be there already.

use std::str::FromStr;

/// Podman's four policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PullPolicy {
    Always,
    /// If it is not there.
    #[default]
    Missing,
    /// If the registry has another one; errors count only if none is there.
    Newer,
    Never,
}

/// Text that is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid pull policy {0:?}: always, missing, newer or never")]
pub(crate) struct InvalidPullPolicy(String);

impl FromStr for PullPolicy {
    type Err = InvalidPullPolicy;

    /// With the synonyms that Kubernetes and Compose brought; a bare `--pull` of old was a boolean.
    fn from_str(text: &str) -> Result<Self, InvalidPullPolicy> {
        match text.to_ascii_lowercase().as_str() {
            "always" | "true" | "1" => Ok(Self::Always),
            "" | "missing" | "ifmissing" | "ifnotpresent" | "false" | "0" => Ok(Self::Missing),
            "newer" | "ifnewer" => Ok(Self::Newer),
            "never" => Ok(Self::Never),
            _ => Err(InvalidPullPolicy(text.to_owned())),
        }
    }
}
