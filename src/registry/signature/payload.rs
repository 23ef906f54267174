//! What is signed: a JSON document that names an image by its digest and by a name (containers-signature(5)).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::registry::reply::printable;
use crate::types::digest::Digest;

/// The only kind that there is.
const TYPE: &str = "cosign container image signature";

/// What somebody has said of an image. Its fields are exact: who signs more than we understand may mean something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct Payload {
    pub(super) digest: Digest,
    /// As it stands there.
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    critical: Critical,
    /// May be null, and must be there.
    #[serde(deserialize_with = "Option::deserialize")]
    optional: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Image,
    identity: Identity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    #[serde(rename = "docker-reference")]
    name: String,
}

impl Payload {
    /// To be called with what a key has verified.
    pub(in crate::registry) fn parse(bytes: &[u8]) -> Result<Self, String> {
        // serde would also take an array for a struct.
        if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
            return Err("it is not a JSON object".to_owned());
        }
        let document: Document = serde_json::from_slice(bytes).map_err(|error| printable(&error.to_string(), 200))?;
        // Who made it and when, and anything else: nothing is decided by it, but its types must be right.
        let optional = document.optional.unwrap_or_default();
        if optional.get("creator").is_some_and(|creator| !creator.is_string())
            || optional.get("timestamp").is_some_and(|timestamp| !timestamp.is_i64())
        {
            return Err("its creator is no text, or its timestamp no number".to_owned());
        }
        let critical = document.critical;
        if critical.kind != TYPE {
            return Err(format!("it is a {:?}", printable(&critical.kind, 100)));
        }
        let digest = critical.image.digest.parse::<Digest>().map_err(|error| printable(&error.to_string(), 200))?;
        Ok(Self { digest, name: critical.identity.name })
    }
}
