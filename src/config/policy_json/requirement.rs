//! What a rule asks of an image.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::identity::SignedIdentity;

/// One requirement. Its fields are exact: what is misspelt must not be passed over.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Requirement {
    InsecureAcceptAnything {},
    Reject {},
    /// Refused whatever its fields are.
    SignedBy(IgnoredAny),
    SigstoreSigned(Box<SigstoreSigned>),
}

/// A signature by one of these keys, made for this image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub(crate) struct SigstoreSigned {
    pub(crate) keys: Vec<KeySource>,
    pub(crate) identity: SignedIdentity,
    /// What it asks for that we cannot check.
    pub(super) beyond_us: Option<Beyond>,
}

/// Forms of a signature that we cannot check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Beyond {
    #[error("a certificate of Fulcio (sigstoreSigned with \"fulcio\")")]
    Fulcio,
    #[error("a certificate (sigstoreSigned with \"pki\")")]
    Certificate,
    #[error("an entry in a Rekor log (sigstoreSigned with \"rekorPublicKey…\")")]
    Log,
}

/// Where a public key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    Path(PathBuf),
    /// In the policy itself, and where there.
    Data {
        field: String,
        pem: Vec<u8>,
    },
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{path:?}"),
            Self::Data { field, .. } => f.write_str(field),
        }
    }
}

/// The requirement as written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    key_path: Option<PathBuf>,
    key_paths: Option<Vec<PathBuf>>,
    key_data: Option<String>,
    key_datas: Option<Vec<String>>,
    fulcio: Option<IgnoredAny>,
    pki: Option<IgnoredAny>,
    rekor_public_key_path: Option<IgnoredAny>,
    rekor_public_key_paths: Option<IgnoredAny>,
    rekor_public_key_data: Option<IgnoredAny>,
    rekor_public_key_datas: Option<IgnoredAny>,
    signed_identity: Option<SignedIdentity>,
}

impl TryFrom<Fields> for SigstoreSigned {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let rekor = [
            &fields.rekor_public_key_path,
            &fields.rekor_public_key_paths,
            &fields.rekor_public_key_data,
            &fields.rekor_public_key_datas,
        ];
        let (fulcio, pki, logged) =
            (fields.fulcio.is_some(), fields.pki.is_some(), rekor.iter().any(|field| field.is_some()));
        let beyond_us = match (fulcio, pki, logged) {
            (true, ..) => Some(Beyond::Fulcio),
            (_, true, _) => Some(Beyond::Certificate),
            (.., true) => Some(Beyond::Log),
            _ => None,
        };
        let sources = [
            fields.key_path.is_some(),
            fields.key_paths.is_some(),
            fields.key_data.is_some(),
            fields.key_datas.is_some(),
            fulcio,
            pki,
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            return Err(
                "sigstoreSigned wants exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki".into()
            );
        }
        let paths = fields.key_path.into_iter().chain(fields.key_paths.into_iter().flatten()).map(KeySource::Path);
        let mut keys: Vec<KeySource> = paths.collect();
        if keys.iter().any(|key| matches!(key, KeySource::Path(path) if path.as_os_str().is_empty())) {
            return Err("sigstoreSigned: the path of a key is empty".into());
        }
        if let Some(text) = fields.key_data {
            keys.push(data("keyData".to_owned(), &text)?);
        }
        for (index, text) in fields.key_datas.into_iter().flatten().enumerate() {
            keys.push(data(format!("keyDatas[{index}]"), &text)?);
        }
        if keys.is_empty() && beyond_us.is_none() {
            return Err("sigstoreSigned: the list of keys is empty".into());
        }
        Ok(Self { keys, identity: fields.signed_identity.unwrap_or_default(), beyond_us })
    }
}

fn data(field: String, text: &str) -> Result<KeySource, String> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let pem = STANDARD.decode(text).map_err(|error| format!("{field}: {error}"))?;
    Ok(KeySource::Data { field, pem })
}
