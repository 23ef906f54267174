//! The documents that stand beside the blobs of an archive: what its readers look for first.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::writer::Writer;
use crate::registry::error::Error;
use crate::types::descriptor::Descriptor;
use crate::types::digest::{DiffId, Digest};
use crate::types::media_type;
use crate::types::platform::Platform;

/// Version file of the `dir` transport (containers-image).
const DIR_VERSION: &[u8] = b"Directory Transport Version: 1.1\n";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Name of a blob in an OCI layout.
pub(crate) fn oci_blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Name of a blob in a `dir` directory.
pub(crate) fn dir_blob(digest: &Digest) -> String {
    digest.hex()
}

/// Name of a plain layer in what `docker load` reads.
pub(crate) fn docker_layer(diff_id: &DiffId) -> String {
    format!("{}.tar", diff_id.0.hex())
}

/// Name of a configuration there.
pub(crate) fn docker_config(digest: &Digest) -> String {
    format!("{}.json", digest.hex())
}

/// An image in `manifest.json` of a docker-archive.
#[derive(Debug, Clone)]
pub(crate) struct DockerItem {
    pub(crate) config: Digest,
    pub(crate) layers: Vec<DiffId>,
    pub(crate) names: Vec<String>,
}

/// A manifest, or an index, in `index.json` of an OCI layout.
#[derive(Debug, Clone)]
pub(crate) struct OciItem {
    pub(crate) descriptor: Descriptor,
    pub(crate) platform: Option<Platform>,
    /// One entry each; one without a name if there are none.
    pub(crate) names: Vec<String>,
}

/// Writes the list of a docker-archive; the layers have the names of [`docker_layer`].
pub(crate) fn finish_docker(writer: &mut Writer, items: &[DockerItem]) -> Result<(), Error> {
    let mut repositories: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    let list: Vec<Value> = items
        .iter()
        .map(|item| {
            let layers: Vec<String> = item.layers.iter().map(docker_layer).collect();
            let names = (!item.names.is_empty()).then_some(&item.names);
            json!({"Config": docker_config(&item.config), "RepoTags": names, "Layers": layers})
        })
        .collect();
    for item in items {
        for name in &item.names {
            if let (Some((repository, tag)), Some(top)) = (name.rsplit_once(':'), item.layers.last()) {
                repositories.entry(repository).or_default().insert(tag, top.0.hex());
            }
        }
    }
    writer.put("manifest.json", Value::from(list).to_string().as_bytes())?;
    if repositories.is_empty() {
        return Ok(());
    }
    writer.put("repositories", json!(repositories).to_string().as_bytes())
}

/// Writes `oci-layout` and `index.json`. `existing` is the index of the layout that is added to: an entry of the same
/// name is replaced, all others stay as they are.
pub(crate) fn finish_oci(writer: &mut Writer, items: &[OciItem], existing: Option<&[u8]>) -> Result<(), Error> {
    let index = merged_index(items, existing)?;
    if existing.is_none() {
        writer.put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    }
    writer.replace("index.json", index.to_string().as_bytes())
}

/// The index with these images in it.
pub(in crate::registry) fn merged_index(items: &[OciItem], existing: Option<&[u8]>) -> Result<Value, Error> {
    let invalid = |why: String| Error::Invalid { what: "index.json of the layout".to_owned(), why };
    let mut index: Value = match existing {
        Some(bytes) => serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?,
        None => json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []}),
    };
    let manifests = index.get_mut("manifests").and_then(Value::as_array_mut);
    let manifests = manifests.ok_or_else(|| invalid("it has no \"manifests\"".to_owned()))?;
    for item in items {
        let names: Vec<Option<&str>> = match item.names.as_slice() {
            [] => vec![None],
            names => names.iter().map(|name| Some(name.as_str())).collect(),
        };
        for name in names {
            manifests.retain(|entry| {
                let other = entry["annotations"][REF_NAME].as_str();
                // Without a name, only the same manifest is the same entry.
                name != other || (name.is_none() && entry["digest"] != item.descriptor.digest.to_string())
            });
            manifests.push(entry(item, name));
        }
    }
    Ok(index)
}

fn entry(item: &OciItem, name: Option<&str>) -> Value {
    let descriptor = &item.descriptor;
    let mut entry = json!({"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size});
    if let Some(name) = name {
        entry["annotations"] = json!({ REF_NAME: name });
    }
    if let Some(platform) = &item.platform {
        entry["platform"] = json!({"architecture": platform.architecture, "os": platform.os});
        if let Some(variant) = &platform.variant {
            entry["platform"]["variant"] = json!(variant);
        }
    }
    entry
}

/// Writes `version` and the manifest of a `dir` directory; those of the images of an index have their digest's name.
pub(crate) fn finish_dir(writer: &mut Writer, top: &[u8], instances: &[(Digest, Vec<u8>)]) -> Result<(), Error> {
    for (digest, bytes) in instances {
        writer.put(&format!("{}.manifest.json", digest.hex()), bytes)?;
    }
    writer.put("manifest.json", top)?;
    writer.put("version", DIR_VERSION)
}
