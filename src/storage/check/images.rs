//! I1, I5, I6 for images and their names, and the sizes of I2.

use std::collections::BTreeSet;

use super::finding::{Findings, Repair};
use super::{blobs, layers};
use crate::storage::error::Error;
use crate::storage::image_documents::Manifest;
use crate::storage::images::{Image, ImageLayer, ImageRecord};
use crate::storage::refs;
use crate::storage::store::Store;
use crate::sys;
use crate::types::digest::{ChainId, Digest};
use crate::types::failure::chain;
use crate::types::image_config::ImageConfig;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (images, broken) = store.images()?;
    let (names, _) = store.names_by_image()?;
    for broken in broken {
        let newer =
            matches!(&broken.error, Error::BrokenImage { source, .. } if matches!(**source, Error::NewerRecord { .. }));
        let repair = (!newer).then(|| from_manifest(store, &broken.digest));
        let mut problem = match &broken.error {
            Error::BrokenImage { source, .. } => chain(source),
            error => chain(error),
        };
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
    // What cannot be read is a finding of its own.
    let manifest = store.manifest(&record.digest).ok().flatten();
    let rebuild = manifest.as_ref().map(|_| Repair::RebuildImage(record.digest.clone()));
    if let Some(why) = disagreement(store, record, manifest.as_ref()) {
        findings.add("I5", &subject, chain(&Error::DoubtfulRecord(why)), rebuild);
        return Ok(());
    }
    // The documents that it was made of.
    let config = config_digest(record);
    let documents =
        [("manifest", Some(record.digest.clone())), ("configuration", config), ("index", record.index.clone())];
    for (what, digest) in documents {
        if let Some(digest) = digest
            && !sys::fs::exists(&store.layout().blob(&digest))
        {
            let other = if what == "index" { store.index_of(&record.digest)? } else { None };
            let problem = format!("its {what} {digest} is missing: {}", pull_again(&name));
            findings.add("I5", &subject, problem, rebuild.clone().filter(|_| other.is_some()));
        }
    }
    let (mut lost, mut packed) = (Vec::new(), false);
    for (index, layer) in record.layers.iter().enumerate() {
        let mut kept = false;
        if let Some(blob) = &layer.blob {
            match store.blob_size(blob)? {
                Some(size) if size == layer.size => kept = true,
                Some(_) if matches!(store.verify_blob(blob), Ok(true)) => {
                    kept = true;
                    let problem = chain(&Error::DoubtfulRecord("a layer's blob is whole and has another size"));
                    findings.add("I5", &subject, problem, rebuild.clone());
                }
                Some(size) => blobs::damaged(store, blob, &format!("{size} of {} bytes", layer.size), findings)?,
                // Without its manifest nobody knows that it is this blob.
                None if manifest.is_some() && can_do_without(store, record, layer)? => {
                    let problem = format!("blob {blob} of its layer is missing: {}", pull_again(&name));
                    findings.add("I5", &subject, problem, Some(Repair::DropBlob(blob.clone())));
                }
                None => {}
            }
        }
        let is_unpacked = unpacked.contains(&layer.chain);
        if !kept && is_unpacked && !can_do_without(store, record, layer)? {
            let which = layer.blob.as_ref().unwrap_or(&layer.diff_id.0);
            let named = manifest.as_ref().and_then(|manifest| manifest.layers().nth(index));
            if named.is_some_and(|named| sys::fs::exists(&store.layout().blob(named))) {
                let problem = chain(&Error::DoubtfulRecord("it does not know a blob that is here"));
                findings.add("I5", &subject, problem, rebuild.clone());
            } else {
                let again = pull_again(&name);
                let problem = format!(
                    "the blob of its layer, {which}, is missing, so that it cannot be saved or pushed: {again}"
                );
                findings.add("I5", &subject, problem, None);
            }
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

/// In what a record is not what manifest, configuration and index say.
fn disagreement(store: &Store, record: &ImageRecord, manifest: Option<&Manifest>) -> Option<&'static str> {
    // A blob that is missing, cut off or cannot be read is a finding of its own.
    if let Ok(Some(why)) = store.contradiction(record, manifest) {
        return Some(why);
    }
    let bytes = store.whole_document(&config_digest(record)?).ok().flatten()?;
    let config = serde_json::from_slice::<ImageConfig>(&bytes);
    (!config.is_ok_and(|config| config == record.config)).then_some("its configuration is another")
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
