//! OCI image layout: `index.json` leads to manifests, everything else lies in `blobs/` by its digest.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::archived::{Archive, ArchivedImage, invalid};
use crate::registry::error::Error;
use crate::registry::manifest::{self, Entry, ImageManifest, Manifest};
use crate::registry::pull::{DEEPEST, RemoteImage, config};
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;
use crate::types::media_type;
use crate::types::platform::Platform;

/// Full name, as containerd and docker write it; then the OCI one, which may be a tag only.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// The version file of a layout.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    image_layout_version: String,
}

/// What `manifest::parse` does not keep of an index.
#[derive(Deserialize)]
struct Named {
    manifests: Vec<NamedEntry>,
}

#[derive(Deserialize)]
struct NamedEntry {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

pub(super) fn images(archive: &Archive, index: &[u8], platform: &Platform) -> Result<Vec<ArchivedImage>, Error> {
    let layout = archive.read("oci-layout")?.ok_or_else(|| invalid(&archive.name, "oci-layout is missing"))?;
    let layout: Layout =
        serde_json::from_slice(&layout).map_err(|error| invalid(&archive.name, format!("oci-layout: {error}")))?;
    if !layout.image_layout_version.starts_with("1.") {
        let version = layout.image_layout_version.escape_debug().to_string();
        return Err(invalid(&archive.name, format!("layout version {version}, 1.x is known")));
    }
    let why = |why| invalid(&archive.name, format!("index.json: {why}"));
    let Manifest::Index(entries) = manifest::parse(index, Some(media_type::OCI_INDEX)).map_err(why)? else {
        return Err(invalid(&archive.name, "index.json is no index"));
    };
    let named: Named = serde_json::from_slice(index).map_err(|error| why(error.to_string()))?;
    // Entries of one name are one image for several platforms.
    let mut groups: Vec<(Option<String>, Vec<Entry>)> = Vec::new();
    // Without names, they are so only if each has a platform of its own.
    let platforms: Vec<String> = entries.iter().filter_map(|entry| Some(entry.platform()?.to_string())).collect();
    let distinct = platforms.len() == entries.len()
        && platforms.iter().collect::<std::collections::BTreeSet<_>>().len() == platforms.len();
    for (entry, named) in entries.into_iter().zip(&named.manifests) {
        let annotations = named.annotations.as_ref();
        let name = NAMES.iter().find_map(|key| annotations?.get(*key).cloned());
        match groups.iter_mut().find(|group| group.0 == name && (name.is_some() || distinct)) {
            Some(group) => group.1.push(entry),
            None => groups.push((name, vec![entry])),
        }
    }
    if groups.is_empty() {
        return Err(invalid(&archive.name, "index.json names no image"));
    }
    let mut images: Vec<ArchivedImage> = Vec::new();
    for (name, entries) in groups {
        let image = resolve(archive, &entries, platform);
        let names = name.into_iter();
        let same = |other: &Result<RemoteImage, Error>| matches!((other, &image), (Ok(a), Ok(b)) if a.manifest_digest == b.manifest_digest);
        match images.iter_mut().find(|other| same(&other.image)) {
            Some(other) => other.names.extend(names),
            None => images.push(ArchivedImage { image, names: names.collect() }),
        }
    }
    Ok(images)
}

/// From the entries of one image to its manifest, over further indexes.
pub(super) fn resolve(archive: &Archive, entries: &[Entry], platform: &Platform) -> Result<RemoteImage, Error> {
    let no_platform = |entries: &[Entry]| Error::NoPlatform {
        name: archive.name.clone(),
        wanted: platform.clone(),
        available: manifest::available(entries),
    };
    let only = |entries: &[Entry]| match entries {
        [one] => Some(one.descriptor.clone()),
        _ => None,
    };
    // One entry alone is meant, whatever platform stands beside it.
    let chosen = only(entries).or_else(|| manifest::choose(entries, platform).map(|entry| entry.descriptor.clone()));
    let mut chosen: Descriptor = chosen.ok_or_else(|| no_platform(entries))?;
    let mut top: Option<(Digest, Vec<u8>)> = None;
    for _ in 0..DEEPEST {
        let bytes = archive.document(&chosen)?;
        let parsed = manifest::parse(&bytes, Some(&chosen.media_type))
            .map_err(|why| invalid(&archive.name, format!("manifest {}: {why}", chosen.digest)))?;
        match parsed {
            Manifest::Image(manifest) => return image(archive, chosen.digest, bytes, manifest, top),
            Manifest::Index(entries) => {
                let next = manifest::choose(&entries, platform).ok_or_else(|| no_platform(&entries))?;
                let next = next.descriptor.clone();
                top = top.or(Some((chosen.digest, bytes)));
                chosen = next;
            }
        }
    }
    Err(invalid(&archive.name, format!("indexes within indexes, more than {DEEPEST} deep")))
}

/// Adds its configuration to a manifest.
pub(super) fn image(
    archive: &Archive,
    manifest_digest: Digest,
    manifest_bytes: Vec<u8>,
    manifest: ImageManifest,
    index: Option<(Digest, Vec<u8>)>,
) -> Result<RemoteImage, Error> {
    let config_bytes = archive.document(&manifest.config)?;
    let config = config(&config_bytes, &manifest)
        .map_err(|why| invalid(&archive.name, format!("config {}: {why}", manifest.config.digest)))?;
    Ok(RemoteImage { index, manifest_digest, manifest_bytes, manifest, config_bytes, config })
}
