//! `import`: a root file system in a tar becomes an image of one layer.

use serde::Serialize;

use super::change;
use super::feed::{self, Feed};
use super::incoming::{IncomingImage, IncomingLayer, StagedUnpack, unpack_staged};
use super::load::{ArchiveInput, unreadable};
use super::tag::new_name;
use super::trust;
use crate::engine::{Engine, Error};
use crate::rootless;
use crate::storage::blobs::StagedBlob;
use crate::storage::images::Image;
use crate::storage::layers::StagedLayer;
use crate::storage::lease::Lease;
use crate::storage::unpack::{self, Plan, Unpacked};
use crate::sys;
use crate::types::digest::{ChainId, Digest};
use crate::types::image_config::{History, ImageConfig, ProcessDefaults, RootFs};
use crate::types::media_type;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::reference::Reference;

/// Where the tar comes from.
#[derive(Debug)]
pub(crate) enum ImportInput {
    Archive(ArchiveInput),
    /// An address of http or https.
    Web(String),
}

/// What to import, and what the image shall say.
#[derive(Debug)]
pub(crate) struct ImportRequest {
    pub(crate) input: ImportInput,
    /// As the user wrote it.
    pub(crate) name: Option<String>,
    /// Instructions, in order.
    pub(crate) changes: Vec<String>,
    pub(crate) message: Option<String>,
    pub(crate) platform: Platform,
}

/// A pointer as a manifest has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pointer<'a> {
    media_type: &'a str,
    digest: &'a Digest,
    size: u64,
}

/// The manifest of the image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u32,
    media_type: &'a str,
    config: Pointer<'a>,
    layers: [Pointer<'a>; 1],
}

impl Engine {
    /// Makes an image of a tar.
    pub(crate) fn import(&self, request: ImportRequest, progress: &dyn Progress) -> Result<Image, Error> {
        let names = request.name.iter().map(|name| new_name(name)).collect::<Result<Vec<Reference>, _>>()?;
        let mut defaults = ProcessDefaults::default();
        for text in &request.changes {
            change::apply(&mut defaults, text).map_err(Error::Change)?;
        }
        let (feed, origin) = match request.input {
            ImportInput::Archive(ArchiveInput::Path(path)) => {
                let stat = sys::fs::stat(&path).map_err(|source| unreadable(&path, source))?;
                if stat.is_some_and(|stat| stat.is_dir()) {
                    return Err(Error::ImportDirectory(path));
                }
                let file = sys::fs::open(&path).map_err(|source| unreadable(&path, source))?;
                (Feed::File(file), path.display().to_string())
            }
            ImportInput::Archive(ArchiveInput::Stream(stream)) => (Feed::File(stream.into()), "-".to_owned()),
            ImportInput::Web(address) => (Feed::Web(address.clone()), address),
        };
        trust::admit_import(&origin, None)?;
        let lease = self.store.lease()?;
        // Not where it came from: a path or an address is nobody's business where the image goes.
        let message = request.message.unwrap_or_else(|| "imported from tarball".to_owned());
        progress.begin("import", &origin, None);
        let expected = feed.size();
        // Who downloads names the address.
        let from_web = matches!(feed, Feed::Web(_));
        let staged = self.with_writeback(&lease, expected, |_| self.stage(&lease, feed));
        let (blob, staged, unpacked) = match staged {
            Ok(done) => done,
            Err(Error::Failure(failure) | Error::Rootless(rootless::Error::Worker(failure))) if !from_web => {
                let origin = if origin == "-" { "standard input" } else { &origin };
                let failure = failure.context(format!("import {origin}"));
                return self.end_lease(lease, Err(Error::Failure(failure)));
            }
            Err(error) => return self.end_lease(lease, Err(error)),
        };
        progress.phase("import", "done");
        let config = configuration(&request.platform, defaults, &message, &unpacked);
        // The same layer may be here already, from another image.
        let image = image(config, &blob, &unpacked)
            .and_then(|image| Ok((image, lease.rely_on_layer(&self.store, &staged.key)?)));
        let (image, here) = match image {
            Ok(found) => found,
            Err(error) => return self.end_lease(lease, Err(error)),
        };
        let layers = if here { Vec::new() } else { vec![StagedUnpack { index: 0, staged, unpacked }] };
        self.publish_image(lease, &image, vec![blob], layers, &names, progress)
    }

    /// Brings the blob into staging and unpacks it there, both at once.
    fn stage(&self, lease: &Lease, feed: Feed) -> Result<(StagedBlob, StagedLayer, Unpacked), Error> {
        // The chain id is known when the tar has been read.
        let unknown = self.layer_keys(&[ChainId(Digest::of(&sys::fs::random::<16>()))])?;
        let key = unknown.into_iter().next().ok_or(Error::NoImage)?;
        let mut staged = lease.stage_layer(key)?;
        let (outer, maps) = (self.outer()?, self.layer_maps()?);
        let (feeder, source) = feed::start(feed, lease)?;
        let unpacked = match unpack_staged(&outer, unpack::Source::Growing(source), &staged, &Plan::layer(&maps)) {
            Ok(unpacked) => unpacked,
            Err(error) => return Err(feeder.abandon(error.into())),
        };
        staged.key.chain = ChainId::first(&unpacked.diff_id);
        Ok((feeder.finish()?, staged, unpacked))
    }
}

fn configuration(platform: &Platform, config: ProcessDefaults, message: &str, unpacked: &Unpacked) -> ImageConfig {
    let now = jiff::Timestamp::now().to_string();
    // The step as Podman and Docker write it.
    let step = format!("/bin/sh -c #(nop) ADD file:{} in /", unpacked.diff_id.0.hex());
    ImageConfig {
        created: Some(now.clone()),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        os: platform.os.clone(),
        config,
        rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![unpacked.diff_id.clone()] },
        history: vec![History {
            created: Some(now),
            created_by: Some(step),
            comment: Some(message.to_owned()),
            ..History::default()
        }],
        ..ImageConfig::default()
    }
}

fn image(config: ImageConfig, blob: &StagedBlob, unpacked: &Unpacked) -> Result<IncomingImage, Error> {
    let config_bytes = serde_json::to_vec(&config).map_err(Error::Encode)?;
    let config_digest = Digest::of(&config_bytes);
    let media_type = unpacked.compression.media_type();
    let document = Document {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        config: Pointer { media_type: media_type::OCI_CONFIG, digest: &config_digest, size: config_bytes.len() as u64 },
        layers: [Pointer { media_type, digest: &blob.digest, size: blob.size }],
    };
    let manifest = serde_json::to_vec(&document).map_err(Error::Encode)?;
    Ok(IncomingImage {
        manifest_digest: Digest::of(&manifest),
        manifest,
        media_type: media_type::OCI_MANIFEST.to_owned(),
        index: None,
        config_digest,
        config_bytes,
        config,
        annotations: std::collections::BTreeMap::new(),
        layers: vec![IncomingLayer {
            diff_id: unpacked.diff_id.clone(),
            blob: blob.digest.clone(),
            size: blob.size,
            media_type: media_type.to_owned(),
            twin: None,
        }],
        source: None,
    })
}
