//! Manifests and indexes: Docker schema 2 and OCI. Hostile input; what is ambiguous is refused (CVE-2021-41190).

use serde::Deserialize;

use super::reply::printable;
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::media_type::{self, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use crate::types::platform::Platform;

/// More layers than any file system could stack.
const MOST_LAYERS: usize = 1000;

const DOCKER_SCHEMA_1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/// The `Accept` header for a manifest of any kind.
pub(crate) fn accept() -> String {
    [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", ")
}

/// An entry of an index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) descriptor: Descriptor,
    platform: Option<EntryPlatform>,
}

impl Entry {
    /// The platform of an entry that has one.
    pub(crate) fn platform(&self) -> Option<Platform> {
        let platform = self.platform.as_ref()?;
        Some(Platform::new(&platform.os, &platform.architecture, platform.variant.as_deref()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct EntryPlatform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    variant: Option<String>,
}

/// A manifest of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageManifest {
    pub(crate) media_type: String,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    pub(crate) annotations: std::collections::BTreeMap<String, String>,
}

/// Either document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manifest {
    Image(ImageManifest),
    Index(Vec<Entry>),
}

/// Everything that any of the four may hold; serde refuses a key that is there twice (case B12).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Entry>>,
    fs_layers: Option<serde::de::IgnoredAny>,
    annotations: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Index,
}

fn kind_of(media_type: &str) -> Option<Kind> {
    if media_type::is_manifest(media_type) {
        Some(Kind::Image)
    } else {
        media_type::is_index(media_type).then_some(Kind::Index)
    }
}

/// Reads a document. `declared` is what the parent's descriptor, or else the `Content-Type` header, calls it.
pub(crate) fn parse(bytes: &[u8], declared: Option<&str>) -> Result<Manifest, String> {
    if bytes.len() as u64 > DOCUMENT_LIMIT {
        return Err(format!("larger than {DOCUMENT_LIMIT} bytes"));
    }
    // serde would also take an array for a struct.
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err("it is not a JSON object".to_owned());
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| printable(&error.to_string(), 200))?;
    // `application/json` and the like say nothing.
    let declared = declared.map(|text| text.split(';').next().unwrap_or_default().trim());
    let old = declared.is_some_and(|text| DOCKER_SCHEMA_1.contains(&text)) || document.fs_layers.is_some();
    if old || document.schema_version == Some(1) {
        return Err("this is Docker's old schema 1, which carries no checked sizes: push the image anew".to_owned());
    }
    if document.schema_version.is_some_and(|version| version != 2) {
        return Err("its schemaVersion is not 2".to_owned());
    }
    if document.manifests.is_some() && (document.layers.is_some() || document.config.is_some()) {
        return Err("ambiguous: it holds the fields of an index and of a manifest".to_owned());
    }
    let declared = declared.filter(|text| kind_of(text).is_some());
    if let (Some(declared), Some(own)) = (declared, document.media_type.as_deref())
        && declared != own
    {
        let own = printable(own, 100);
        return Err(format!("ambiguous: it was announced as {declared:?} and calls itself {own:?}"));
    }
    let media_type = document.media_type.or_else(|| declared.map(str::to_owned));
    let kind = match &media_type {
        Some(text) => kind_of(text).ok_or_else(|| format!("unknown media type {:?}", printable(text, 100)))?,
        None if document.manifests.is_some() => Kind::Index,
        None => Kind::Image,
    };
    match (kind, document.manifests, document.config, document.layers) {
        (Kind::Index, Some(entries), None, None) => {
            entries.iter().try_for_each(|entry| check(&entry.descriptor))?;
            Ok(Manifest::Index(entries))
        }
        (Kind::Image, None, Some(config), Some(layers)) => {
            let media_type = media_type.unwrap_or_else(|| OCI_MANIFEST.to_owned());
            let annotations = document.annotations.unwrap_or_default();
            image(ImageManifest { media_type, config, layers, annotations }).map(Manifest::Image)
        }
        (Kind::Index, ..) => Err("it is called an index and has no \"manifests\"".to_owned()),
        (Kind::Image, ..) => Err("it is called a manifest and lacks \"config\" or \"layers\"".to_owned()),
    }
}

fn image(manifest: ImageManifest) -> Result<ImageManifest, String> {
    if manifest.layers.len() > MOST_LAYERS {
        return Err(format!("{} layers, at most {MOST_LAYERS} are accepted", manifest.layers.len()));
    }
    if !media_type::is_config(&manifest.config.media_type) {
        let media_type = printable(&manifest.config.media_type, 100);
        return Err(format!("an artifact, not a container image: its config is {media_type:?}"));
    }
    if manifest.config.size > DOCUMENT_LIMIT {
        return Err(format!("its config is larger than {DOCUMENT_LIMIT} bytes"));
    }
    for layer in &manifest.layers {
        if !is_layer(&layer.media_type) {
            let media_type = printable(&layer.media_type, 100);
            return Err(format!("layer {} is of an unknown media type: {media_type:?}", layer.digest));
        }
    }
    [&manifest.config].into_iter().chain(&manifest.layers).try_for_each(check)?;
    Ok(manifest)
}

/// Sizes are signed 64-bit numbers in Go's implementations: more is nonsense (case B12).
fn check(descriptor: &Descriptor) -> Result<(), String> {
    match i64::try_from(descriptor.size) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("size {} of {}", descriptor.size, descriptor.digest)),
    }
}

/// A layer tar that we can unpack; the compression is told by its first bytes. Foreign layers (Windows) are asked for
/// at the registry itself, their `urls` are never followed (case B06).
fn is_layer(media_type: &str) -> bool {
    let oci = media_type
        .strip_prefix("application/vnd.oci.image.layer.")
        .map(|rest| rest.strip_prefix("nondistributable.").unwrap_or(rest));
    let docker = media_type
        .strip_prefix("application/vnd.docker.image.rootfs.")
        .map(|rest| rest.strip_prefix("foreign.").unwrap_or(rest));
    matches!(oci, Some("v1.tar" | "v1.tar+gzip" | "v1.tar+zstd"))
        || matches!(docker, Some("diff.tar" | "diff.tar.gzip" | "diff.tar.zstd"))
}

/// The entry for `wanted`: the first one of the best variant, so that duplicates are harmless (case B04). Entries
/// without a platform serve if nothing else does.
pub(crate) fn choose<'a>(entries: &'a [Entry], wanted: &Platform) -> Option<&'a Entry> {
    let usable = |entry: &&Entry| kind_of(&entry.descriptor.media_type).is_some();
    for variant in wanted.acceptable_variants() {
        let fits = |entry: &&Entry| {
            let platform = entry.platform.as_ref();
            let platform = platform.map(|p| Platform::new(&p.os, &p.architecture, p.variant.as_deref()));
            platform.is_some_and(|platform| {
                platform.os == wanted.os
                    && platform.architecture == wanted.architecture
                    && platform.variant.as_deref() == variant
            })
        };
        if let Some(entry) = entries.iter().filter(usable).find(fits) {
            return Some(entry);
        }
    }
    entries.iter().filter(usable).find(|entry| entry.platform.is_none())
}

/// The platforms of an index, for a message.
pub(crate) fn available(entries: &[Entry]) -> String {
    let mut names: Vec<String> = Vec::new();
    for platform in entries.iter().filter_map(|entry| entry.platform.as_ref()).take(50) {
        let name = Platform::new(&platform.os, &platform.architecture, platform.variant.as_deref()).to_string();
        let name = printable(&name, 60);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
