//! Where the signatures of an image are: in a registry the layers of the manifest that the tag `sha256-HEX.sig` of the
//! same repository names (cosign's SIGNATURE_SPEC), in a directory a file each (containers-image).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::registry::error::Error;
use crate::registry::reply::printable;
use crate::registry::session::Session;
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::digest::Digest;
use crate::types::media_type::OCI_MANIFEST;

/// Media type of what was signed.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Annotation that holds the signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// More signatures than anybody makes of one image.
pub(crate) const MOST: usize = 128;
/// All of what was signed; one has about 250 bytes.
const PAYLOADS: u64 = 1 << 20;

/// A signature that nobody has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// What was signed.
    pub(super) payload: Vec<u8>,
    /// Base64 of the signature, if it is there.
    pub(super) signature: Option<String>,
}

/// A manifest of attachments.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    media_type: Option<String>,
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(flatten)]
    descriptor: Descriptor,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// A file of a directory.
#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "mimeType")]
    media_type: String,
    payload: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The tag that an image's signatures are found by.
pub(crate) fn tag(image: &Digest) -> String {
    format!("{}.sig", image.to_string().replace(':', "-"))
}

/// What is attached to `image` in this repository; nothing if the tag is not there.
pub(in crate::registry) fn fetch(session: &mut Session, image: &Digest) -> Result<Vec<Attachment>, Error> {
    let tag = tag(image);
    let (bytes, digest, declared) = match session.manifest(&tag) {
        Err(Error::NotFound { .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let what = format!("manifest {digest} of {}/{}:{tag}", session.location().host, session.location().path);
    let layers = parse(&bytes, declared.as_deref()).map_err(|why| Error::Invalid { what, why })?;
    let mut attachments = Vec::with_capacity(layers.len());
    for (descriptor, signature) in layers {
        let payload = session.document(&descriptor)?;
        attachments.push(Attachment { payload, signature });
    }
    Ok(attachments)
}

/// The signatures that a manifest names: what was signed, and the signature. Other attachments are left out.
pub(in crate::registry) fn parse(
    bytes: &[u8],
    declared: Option<&str>,
) -> Result<Vec<(Descriptor, Option<String>)>, String> {
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        return Err(format!("larger than {DOCUMENT_LIMIT} bytes"));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| printable(&error.to_string(), 200))?;
    let declared = declared.map(|text| text.split(';').next().unwrap_or_default().trim());
    let types = [declared, document.media_type.as_deref()];
    if let Some(other) = types.into_iter().flatten().find(|media_type| *media_type != OCI_MANIFEST) {
        return Err(format!("signatures are in an OCI manifest, and this one is {:?}", printable(other, 100)));
    }
    if document.schema_version != 2 {
        return Err("its schemaVersion is not 2".to_owned());
    }
    let signed = |layer: &Layer| layer.descriptor.media_type == SIMPLE_SIGNING;
    let mut layers: Vec<Layer> = document.layers;
    layers.retain(signed);
    if layers.len() > MOST {
        return Err(format!("{} signatures, at most {MOST} are looked at", layers.len()));
    }
    let size = layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.descriptor.size));
    if size > PAYLOADS {
        return Err(format!("what was signed is larger than {PAYLOADS} bytes"));
    }
    Ok(layers.into_iter().map(|mut layer| (layer.descriptor, layer.annotations.remove(SIGNATURE))).collect())
}

/// A `signature-N` of a directory; nothing if it is a signature of another kind.
pub(crate) fn from_file(bytes: &[u8]) -> Result<Option<Attachment>, String> {
    let text = match bytes.split_first() {
        Some((0, rest)) => rest,
        // OpenPGP, as it always was.
        Some(_) => return Ok(None),
        None => return Err("it is empty".to_owned()),
    };
    let end = text.iter().position(|byte| *byte == b'\n').ok_or("its form has no end")?;
    match &text[..end] {
        b"sigstore-json" => {}
        b"simple-signing" => return Ok(None),
        other => return Err(format!("of an unknown form: {:?}", printable(&String::from_utf8_lossy(other), 60))),
    }
    let stored: Stored =
        serde_json::from_slice(&text[end + 1..]).map_err(|error| printable(&error.to_string(), 200))?;
    if stored.media_type != SIMPLE_SIGNING {
        return Ok(None);
    }
    let payload = STANDARD.decode(stored.payload).map_err(|error| format!("payload: {error}"))?;
    let mut annotations = stored.annotations;
    Ok(Some(Attachment { payload, signature: annotations.remove(SIGNATURE) }))
}
