//! Keyed signatures of sigstore as `cosign sign --key` makes and attaches them, made by openssl.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::env::Env;
use super::image::sha256;
use super::token::openssl;

pub(crate) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A pair of keys in the scratch directory of a test.
#[derive(Debug)]
pub(crate) struct Signer {
    key: PathBuf,
    public: PathBuf,
}

/// One signature with what it signs.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) payload: String,
    pub(crate) signature: String,
}

impl Signer {
    /// ECDSA on P-256, as cosign makes them.
    pub(crate) fn new(env: &Env, name: &str) -> Self {
        let (key, public) = (env.path(&format!("{name}.key")), env.path(&format!("{name}.pub")));
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"], &[&key]);
        let text = openssl(&["pkey", "-pubout", "-in"], &[&key]);
        std::fs::write(&public, text).unwrap();
        Self { key, public }
    }

    /// Path of the public key.
    pub(crate) fn public(&self) -> &Path {
        &self.public
    }

    /// Says that `digest` (`sha256:…`) is the image `name`.
    pub(crate) fn sign(&self, digest: &str, name: &str) -> Signed {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": name},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let payload = payload.to_string();
        let file = self.key.with_extension("payload");
        std::fs::write(&file, &payload).unwrap();
        let signature = openssl(&["dgst", "-sha256", "-sign"], &[&self.key, &file]);
        Signed { payload, signature: STANDARD.encode(signature) }
    }
}

/// The tag of the signatures of an image.
pub(crate) fn tag(digest: &str) -> String {
    format!("{}.sig", digest.replace(':', "-"))
}

/// The manifest of these signatures, and the blobs that it names.
pub(crate) fn attachments(signed: &[Signed]) -> (serde_json::Value, Vec<Vec<u8>>) {
    let config =
        b"{\"architecture\":\"\",\"os\":\"\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}".to_vec();
    let layers: Vec<serde_json::Value> = signed
        .iter()
        .map(|one| {
            json!({
                "mediaType": SIMPLE_SIGNING,
                "digest": format!("sha256:{}", sha256(one.payload.as_bytes())),
                "size": one.payload.len(),
                "annotations": {"dev.cosignproject.cosign/signature": one.signature},
            })
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": format!("sha256:{}", sha256(&config)),
            "size": config.len(),
        },
        "layers": layers,
    });
    let blobs = signed.iter().map(|one| one.payload.clone().into_bytes()).chain([config]).collect();
    (manifest, blobs)
}

/// Attaches signatures to an image in a registry, as cosign does. `repository` is `HOST/PATH`.
pub(crate) fn attach(repository: &str, digest: &str, signed: &[Signed]) {
    let (host, path) = repository.split_once('/').unwrap();
    let base = format!("http://{host}/v2/{path}");
    let (manifest, blobs) = attachments(signed);
    for blob in blobs {
        let begun = ureq::post(format!("{base}/blobs/uploads/")).send_empty().unwrap();
        let location = begun.headers()["location"].to_str().unwrap().to_owned();
        let separator = if location.contains('?') { '&' } else { '?' };
        let to = format!("{location}{separator}digest=sha256:{}", sha256(&blob));
        ureq::put(to).content_type("application/octet-stream").send(&blob).unwrap();
    }
    let to = format!("{base}/manifests/{}", tag(digest));
    ureq::put(to).content_type(OCI_MANIFEST).send(manifest.to_string().as_bytes()).unwrap();
}

/// The file `signature-N` of a `dir:` image.
pub(crate) fn stored(signed: &Signed) -> Vec<u8> {
    let text = json!({
        "mimeType": SIMPLE_SIGNING,
        "payload": STANDARD.encode(&signed.payload),
        "annotations": {"dev.cosignproject.cosign/signature": signed.signature},
    });
    format!("\0sigstore-json\n{text}").into_bytes()
}
