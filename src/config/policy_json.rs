//! `containers-policy.json(5)`: which images are trusted. Shared with Podman, Buildah and Skopeo.
//!
//! A signature that is asked for is the caller's to check ([`Wanted`]) where we can: by a key of sigstore's. All else that
//! a policy may ask for refuses the image, and what cannot be read refuses everything.

mod identity;
mod requirement;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::config_file;
use super::error::Error;
use crate::types::reference::Reference;
use requirement::Requirement;

pub(crate) use identity::SignedIdentity;
pub(crate) use requirement::{Beyond, KeySource, SigstoreSigned};

/// One policy file.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    path: PathBuf,
    document: Document,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    default: Requirements,
    #[serde(default)]
    transports: Unique<Unique<Requirements>>,
}

/// All of these must be met; the format forbids an empty list.
type Requirements = Vec<Requirement>;

/// An object whose keys must differ: who reads only the last of two might overlook a `reject`.
#[derive(Debug, Clone)]
struct Unique<V>(BTreeMap<String, V>);

impl<V> Default for Unique<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Keys<V> {
            type Value = Unique<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<V>, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, V>()? {
                    if all.insert(key.clone(), value).is_some() {
                        return Err(A::Error::custom(format_args!("the key {key:?} is there twice")));
                    }
                }
                Ok(Unique(all))
            }
        }
        deserializer.deserialize_map(Keys(PhantomData))
    }
}

/// Why an image may not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) path: PathBuf,
    /// Where in the file the rule stands.
    pub(crate) scope: String,
    pub(crate) why: Refused,
}

/// What a rule says of an image that it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it rejects this image")]
    Rejects,
    #[error("it asks for a GPG signature (signedBy), which sampan cannot check")]
    Gpg,
    #[error("it asks for {0}, which sampan cannot check")]
    Sigstore(Beyond),
}

/// An image may be used if it has these signatures.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) path: PathBuf,
    /// Where in the file the rule stands.
    pub(crate) scope: String,
    /// All of these, with their place in the rule, counted from 1.
    pub(crate) signatures: Vec<(usize, SigstoreSigned)>,
}

impl Policy {
    /// Reads the file of `--signature-policy`, or else the user's, or else the system's. `None`: there is none.
    pub(crate) fn load(explicit: Option<&Path>) -> Result<Option<Self>, Error> {
        if let Some(path) = explicit {
            let bytes = config_file::read(path)?;
            return Self::parse(path, &bytes).map(Some);
        }
        let user = super::environment::config_home().map(|home| home.join("containers/policy.json"));
        for path in user.into_iter().chain([PathBuf::from("/etc/containers/policy.json")]) {
            if let Some(bytes) = config_file::read_if_exists(&path)? {
                return Self::parse(&path, &bytes).map(Some);
            }
        }
        Ok(None)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let invalid = |why: String| Error::Parse { path: path.to_owned(), why };
        // serde would also take an array for a struct.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(invalid("it is not a JSON object".to_owned()));
        }
        let document: Document = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        let lists = document.transports.0.values().flat_map(|scopes| scopes.0.values());
        if lists.chain([&document.default]).any(Vec::is_empty) {
            return Err(invalid("an empty list of requirements says nothing: use \"reject\"".to_owned()));
        }
        Ok(Self { path: path.to_owned(), document })
    }

    /// Whether an image of this transport may be used, and what it must be signed by then; `scopes` are the names that
    /// a rule for it may have, the most specific first.
    pub(crate) fn admit(&self, transport: &str, scopes: &[String]) -> Result<Wanted, Refusal> {
        let rules = self.document.transports.0.get(transport);
        let named = scopes.iter().find_map(|scope| Some((scope.as_str(), rules?.0.get(scope)?)));
        let (scope, requirements) = match (named, rules.and_then(|rules| rules.0.get(""))) {
            (Some((scope, found)), _) => (format!("transports.{transport}.{scope:?}"), found),
            (None, Some(found)) => (format!("transports.{transport}.\"\""), found),
            (None, None) => ("default".to_owned(), &self.document.default),
        };
        let mut signatures = Vec::new();
        let mut refused = None;
        for (index, requirement) in requirements.iter().enumerate() {
            let why = match requirement {
                Requirement::InsecureAcceptAnything {} => continue,
                Requirement::Reject {} => Refused::Rejects,
                Requirement::SignedBy(_) => Refused::Gpg,
                Requirement::SigstoreSigned(signed) => match signed.beyond_us {
                    Some(form) => Refused::Sigstore(form),
                    None => {
                        signatures.push((index + 1, (**signed).clone()));
                        continue;
                    }
                },
            };
            refused = refused.or(Some(why));
        }
        let path = self.path.clone();
        match refused {
            Some(why) => Err(Refusal { path, scope, why }),
            None => Ok(Wanted { path, scope, signatures }),
        }
    }
}

/// Names that a rule for an image of a registry may have: itself, its repository, what that lies in, the host, and the
/// domains that the host lies in.
pub(crate) fn registry_scopes(reference: &Reference) -> Vec<String> {
    scopes_of(reference.repository(), &reference.suffix())
}

/// The same for `HOST/PATH` and what pins it.
pub(super) fn scopes_of(repository: String, suffix: &str) -> Vec<String> {
    let mut scope = repository;
    let host = scope.split('/').next().unwrap_or_default().to_owned();
    let mut scopes = vec![format!("{scope}{suffix}")];
    loop {
        scopes.push(scope.clone());
        match scope.rfind('/') {
            Some(end) => scope.truncate(end),
            None => break,
        }
    }
    let mut domain = host.split(':').next().unwrap_or_default();
    while let Some((_, parent)) = domain.split_once('.') {
        scopes.push(format!("*.{parent}"));
        domain = parent;
    }
    scopes
}

/// Names that a rule for a directory or an archive may have: its path, and the directories that this lies in.
pub(crate) fn path_scopes(path: &Path) -> Vec<String> {
    path.ancestors().map(|path| path.display().to_string()).collect()
}
