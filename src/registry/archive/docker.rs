//! `docker save`: `manifest.json` names for each image its configuration, its layers and its tags. There is no
//! manifest with digests, so one is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::archived::{Archive, ArchivedImage, invalid};
use super::members::Located;
use crate::registry::error::Error;
use crate::registry::manifest::ImageManifest;
use crate::registry::pull::{RemoteImage, config};
use crate::types::descriptor::Descriptor;
use crate::types::digest::{DiffId, Digest};
use crate::types::media_type;

/// Most images in one archive.
const MOST_IMAGES: usize = 10_000;

/// One element of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// What `manifest.json` of a registry would be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u32,
    media_type: &'a str,
    config: &'a Descriptor,
    layers: &'a [Descriptor],
}

pub(super) fn images(archive: &mut Archive, list: &[u8]) -> Result<Vec<ArchivedImage>, Error> {
    let items: Vec<Item> =
        serde_json::from_slice(list).map_err(|error| invalid(&archive.name, format!("manifest.json: {error}")))?;
    if items.is_empty() || items.len() > MOST_IMAGES {
        return Err(invalid(&archive.name, format!("manifest.json names {} images", items.len())));
    }
    let single = items.len() == 1;
    let mut images = Vec::with_capacity(items.len());
    for item in items {
        let mut names = item.repo_tags.clone().unwrap_or_default();
        if names.is_empty() && single {
            names = repositories(archive)?;
        }
        images.push(ArchivedImage { image: image(archive, &item), names });
    }
    Ok(images)
}

fn image(archive: &mut Archive, item: &Item) -> Result<RemoteImage, Error> {
    let missing = |path: &str| invalid(&archive.name, format!("{path:?} is missing"));
    let config_bytes = archive.read(&item.config)?.ok_or_else(|| missing(&item.config))?;
    let what = || format!("config {:?} in {:?}", item.config, archive.name);
    let parsed =
        |manifest: &ImageManifest| config(&config_bytes, manifest).map_err(|why| Error::Invalid { what: what(), why });
    let paths = item.layers.clone().unwrap_or_default();
    let mut manifest = ImageManifest {
        media_type: media_type::DOCKER_MANIFEST.to_owned(),
        config: Descriptor {
            media_type: media_type::DOCKER_CONFIG.to_owned(),
            digest: Digest::of(&config_bytes),
            size: config_bytes.len() as u64,
        },
        // Only their number counts for the first look at the configuration.
        layers: vec![Descriptor { media_type: String::new(), digest: Digest::of(b""), size: 0 }; paths.len()],
        annotations: BTreeMap::new(),
    };
    let config = parsed(&manifest)?;
    let mut blobs = Vec::with_capacity(paths.len());
    for ((path, diff_id), slot) in paths.iter().zip(&config.rootfs.diff_ids).zip(&mut manifest.layers) {
        let located = archive.members.find(path).map_err(|source| archive.failed(source))?;
        let located = located.ok_or_else(|| missing(path))?;
        *slot = layer(&located, diff_id).map_err(|source| archive.failed(source))?;
        blobs.push((slot.digest.clone(), path.clone()));
    }
    archive.blobs.extend(blobs);
    let document = Document {
        schema_version: 2,
        media_type: media_type::DOCKER_MANIFEST,
        config: &manifest.config,
        layers: &manifest.layers,
    };
    let manifest_bytes =
        serde_json::to_vec(&document).map_err(|error| invalid(&archive.name, format!("manifest: {error}")))?;
    Ok(RemoteImage {
        index: None,
        manifest_digest: Digest::of(&manifest_bytes),
        manifest_bytes,
        manifest,
        config_bytes,
        config,
    })
}

/// Descriptor of a layer file. A plain tar's digest is the diff id that the configuration claims, which is checked
/// when the blob is copied; a compressed one has to be hashed first.
fn layer(located: &Located, diff_id: &DiffId) -> crate::sys::Result<Descriptor> {
    let mut magic = [0; 4];
    let count = if located.length == 0 { 0 } else { located.read_at(&mut magic, 0)? };
    let suffix = match &magic[..count] {
        [0x1f, 0x8b, ..] => ".gzip",
        [0x28, 0xb5, 0x2f, 0xfd] => ".zstd",
        _ => "",
    };
    let digest = if suffix.is_empty() { diff_id.0.clone() } else { hash(located)? };
    let media_type = format!("application/vnd.docker.image.rootfs.diff.tar{suffix}");
    Ok(Descriptor { media_type, digest, size: located.length })
}

fn hash(located: &Located) -> crate::sys::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut at = 0;
    while at < located.length {
        let count = located.read_at(&mut buffer, at)?;
        hash.update(&buffer[..count]);
        at += count as u64;
    }
    Ok(Digest::from_bytes(hash.finalize().into()))
}

/// Names of the only image of an archive by the older list `repositories`: `{"name": {"tag": "layer"}}`.
fn repositories(archive: &Archive) -> Result<Vec<String>, Error> {
    let Some(bytes) = archive.read("repositories")? else { return Ok(Vec::new()) };
    let tags: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&bytes).map_err(|error| invalid(&archive.name, format!("repositories: {error}")))?;
    Ok(tags.iter().flat_map(|(name, tags)| tags.keys().map(move |tag| format!("{name}:{tag}"))).collect())
}
