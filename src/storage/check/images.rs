//! I1, I5, I6 for images and their names, and the sizes of I2.

use std::collections::BTreeSet;

use super::finding::{Findings, Repair};
use super::{blobs, layers};
use crate::storage::error::Error;
use crate::storage::images::{Image, ImageLayer, ImageRecord};
use crate::storage::refs;
use crate::storage::store::Store;
use crate::sys;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::failure::chain;
use crate::types::image_config::ImageConfig;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (images, broken) = store.images()?;
    let (names, _) = store.names_by_image()?;
    for broken in broken {
        let newer =
            matches!(&broken.error, Error::BrokenImage { source, .. } if matches!(**source, Error::NewerRecord { .. }));
        let repair = (!newer).then(|| from_manifest(store, &broken.digest));
        let mut problem = chain(&broken.error);
        if matches!(repair, Some(Repair::DiscardImage(_))) {
            let names: Vec<String> = names.get(&broken.digest).into_iter().flatten().map(ToString::to_string).collect();
            let again = if names.is_empty() { "pull or load it again".to_owned() } else { pull_again(&names) };
            problem =
                format!("{problem}: its manifest is missing, too, and --repair takes it out of the store: {again}");
        }
        findings.add("I1", format!("image {}", broken.digest), problem, repair);
    }
    let unpacked: BTreeSet<ChainId> = store.layer_keys()?.into_iter().map(|key| key.chain).collect();
    for image in images {
        check_image(store, &image, &unpacked, findings)?;
    }
    references(store, findings)
}

/// A record that cannot be used is made anew from the manifest; without that nothing is left of the image.
fn from_manifest(store: &Store, digest: &Digest) -> Repair {
    if sys::fs::exists(&store.layout().blob(digest)) {
        Repair::RebuildImage(digest.clone())
    } else {
        Repair::DiscardImage(digest.clone())
    }
}

fn check_image(
    store: &Store,
    image: &Image,
    unpacked: &BTreeSet<ChainId>,
    findings: &mut Findings,
) -> Result<(), Error> {
    let record = &image.record;
    let subject = format!("image {}", record.id.short());
    let name = [display_name(image)];
    // The documents that it was made of.
    let config = config_digest(record);
    let documents =
        [("manifest", Some(record.digest.clone())), ("configuration", config), ("index", record.index.clone())];
    for (what, digest) in documents {
        if let Some(digest) = digest
            && !sys::fs::exists(&store.layout().blob(&digest))
        {
            findings.add("I5", &subject, format!("its {what} {digest} is missing: {}", pull_again(&name)), None);
        }
    }
    if !agrees(store, record)? {
        let repair =
            sys::fs::exists(&store.layout().blob(&record.digest)).then(|| Repair::RebuildImage(record.digest.clone()));
        findings.add("I5", &subject, "its record is not what its configuration says", repair);
        return Ok(());
    }
    let (mut lost, mut packed) = (Vec::new(), false);
    for layer in &record.layers {
        let mut kept = false;
        if let Some(blob) = &layer.blob {
            match store.blob_size(blob)? {
                Some(size) if size == layer.size => kept = true,
                Some(size) => blobs::damaged(store, blob, &format!("{size} of {} bytes", layer.size), findings)?,
                None if can_do_without(store, record, layer)? => {
                    let problem = format!("blob {blob} of its layer is missing: {}", pull_again(&name));
                    findings.add("I5", &subject, problem, Some(Repair::DropBlob(blob.clone())));
                }
                None => {}
            }
        }
        let is_unpacked = unpacked.contains(&layer.chain);
        if !kept && is_unpacked && !can_do_without(store, record, layer)? {
            let which = layer.blob.as_ref().unwrap_or(&layer.diff_id.0);
            let problem = format!(
                "the blob of its layer, {which}, is missing, so that it cannot be saved or pushed: {}",
                pull_again(&name)
            );
            findings.add("I5", &subject, problem, None);
        }
        match (is_unpacked, kept) {
            (true, _) => {}
            (false, true) => packed = true,
            (false, false) => lost.push(layer.chain.0.to_string()),
        }
    }
    if !lost.is_empty() {
        let problem = format!("neither layer nor blob of {} is there: {}", lost.join(", "), pull_again(&name));
        findings.add("I5", &subject, problem, None);
    } else if packed {
        findings.add("I5", &subject, "a layer is missing", Some(Repair::UnpackImage(record.digest.clone())));
    }
    Ok(())
}

/// True if the blob of a layer can be had from elsewhere: another image has the layer, maybe in another compression, or an
/// additional store, or the registry that the image was pulled from.
pub(super) fn can_do_without(store: &Store, record: &ImageRecord, layer: &ImageLayer) -> Result<bool, Error> {
    Ok(record.source.is_some() || layers::has_blob(store, |other| other.diff_id == layer.diff_id, false)?)
}

/// The id of an image is the digest of its configuration.
fn config_digest(record: &ImageRecord) -> Option<Digest> {
    format!("sha256:{}", record.id).parse().ok()
}

/// True if record, configuration and chain ids tell one story.
fn agrees(store: &Store, record: &ImageRecord) -> Result<bool, Error> {
    let diffs: Vec<DiffId> = record.layers.iter().map(|layer| layer.diff_id.clone()).collect();
    let chains: Vec<ChainId> = record.layers.iter().map(|layer| layer.chain.clone()).collect();
    if record.config.rootfs.diff_ids != diffs || ChainId::of_stack(&diffs) != chains {
        return Ok(false);
    }
    let Some(config) = config_digest(record) else { return Ok(false) };
    let path = store.layout().blob(&config);
    // A blob that is missing or cut off is a finding of its own.
    let Ok(bytes) = sys::fs::read_ordinary(&path, 16 << 20) else { return Ok(true) };
    if Digest::of(&bytes) != config {
        return Ok(true);
    }
    Ok(serde_json::from_slice::<ImageConfig>(&bytes).is_ok_and(|config| config == record.config))
}

/// I1 and I6 for names.
fn references(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (references, broken) = store.references()?;
    for error in broken {
        let path = match &error {
            Error::Parse { path, .. } | Error::WrongRecord { path, .. } => Some(path.clone()),
            _ => None,
        };
        let subject = path.as_ref().map_or_else(|| "name of an image".to_owned(), |path| path.display().to_string());
        findings.add("I1", subject, format!("{}: tag the image again", chain(&error)), path.map(Repair::Unlink));
    }
    for reference in references {
        if !sys::fs::exists(&store.layout().image(&reference.digest)) {
            let repair = match from_manifest(store, &reference.digest) {
                Repair::DiscardImage(_) => Repair::Unlink(store.layout().reference(&refs::file_name(&reference.name))),
                rebuild => rebuild,
            };
            findings.add("I6", format!("name {}", reference.name), "leads to no image", Some(repair));
        }
    }
    Ok(())
}

fn display_name(image: &Image) -> String {
    image.names.first().map_or_else(|| image.record.id.short().to_owned(), ToString::to_string)
}

/// Names of the images that a blob belongs to.
pub(super) fn users_of_blob(store: &Store, digest: &Digest) -> Result<Vec<String>, Error> {
    let (images, _) = store.images()?;
    let uses = |image: &&Image| {
        let record = &image.record;
        record.digest == *digest
            || record.index.as_ref() == Some(digest)
            || record.id.as_str() == digest.hex()
            || record.layers.iter().any(|layer| layer.blob.as_ref() == Some(digest))
    };
    Ok(images.iter().filter(uses).map(display_name).collect())
}

/// Names of the images that have a layer.
pub(super) fn users_of_layer(store: &Store, chain: &ChainId) -> Result<Vec<String>, Error> {
    let (images, _) = store.images()?;
    let uses = |image: &&Image| image.record.layers.iter().any(|layer| layer.chain == *chain);
    Ok(images.iter().filter(uses).map(display_name).collect())
}

/// The cure for what no repair can bring back.
pub(super) fn pull_again(names: &[String]) -> String {
    format!("pull or load {} again", names.join(", "))
}
