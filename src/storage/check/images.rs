//! I1, I5, I6 for images and their names, and the sizes of I2.

use std::collections::BTreeSet;

use super::finding::{Finding, Findings, Invariant, Part, Repair};
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
        let problem = match &broken.error {
            Error::BrokenImage { source, .. } => chain(source),
            error => chain(error),
        };
        let discarded = matches!(repair, Some(Repair::DiscardImage(_))).then(|| {
            let names: Vec<String> = names.get(&broken.digest).into_iter().flatten().map(ToString::to_string).collect();
            let again = if names.is_empty() { "pull or load it again".to_owned() } else { pull_again(&names) };
            format!("its manifest is missing, too, and --repair takes it out of the store: {again}")
        });
        let subject = format!("image {}", broken.digest);
        findings.push(Finding::new(Invariant::I1, subject, problem, repair).advised(discarded));
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
    // What cannot be read is a finding of its own.
    let manifest = store.manifest(&record.digest).ok().flatten();
    let look = ImageLook {
        store,
        record,
        subject: format!("image {}", record.id.short()),
        again: pull_again(&[display_name(image)]),
        rebuild: manifest.as_ref().map(|_| Repair::RebuildImage(record.digest.clone())),
        manifest: manifest.as_ref(),
    };
    if let Some(why) = disagreement(store, record, look.manifest) {
        look.doubt(why, findings);
        return Ok(());
    }
    look.documents(findings)?;
    look.layers(unpacked, findings)
}

/// What is known of an image while its parts are looked at.
struct ImageLook<'a> {
    store: &'a Store,
    record: &'a ImageRecord,
    manifest: Option<&'a Manifest>,
    subject: String,
    /// The cure for what no repair can bring back.
    again: String,
    /// With a manifest the record can be made anew.
    rebuild: Option<Repair>,
}

impl ImageLook<'_> {
    fn finding(&self, problem: impl Into<String>, repair: Option<Repair>) -> Finding {
        Finding::new(Invariant::I5, &self.subject, problem, repair)
    }

    /// Content that is missing.
    fn misses(&self, content: &Digest, problem: String, repair: Option<Repair>) -> Finding {
        self.finding(problem, repair).advised(self.again.clone()).of(Part::Content(content.clone()))
    }

    fn doubt(&self, why: &'static str, findings: &mut Findings) {
        findings.push(self.finding(chain(&Error::DoubtfulRecord(why)), self.rebuild.clone()));
    }

    /// The documents that it was made of.
    fn documents(&self, findings: &mut Findings) -> Result<(), Error> {
        let Self { store, record, .. } = self;
        let documents = [
            ("manifest", Some(record.digest.clone())),
            ("configuration", config_digest(record)),
            ("index", record.index.clone()),
        ];
        for (what, digest) in documents {
            let Some(digest) = digest.filter(|digest| !sys::fs::exists(&store.layout().blob(digest))) else { continue };
            let other = if what == "index" { store.index_of(&record.digest)? } else { None };
            let repair = self.rebuild.clone().filter(|_| other.is_some());
            findings.push(self.misses(&digest, format!("its {what} {digest} is missing"), repair));
        }
        Ok(())
    }

    fn layers(&self, unpacked: &BTreeSet<ChainId>, findings: &mut Findings) -> Result<(), Error> {
        let (mut lost, mut packed) = (Vec::new(), None);
        for (index, layer) in self.record.layers.iter().enumerate() {
            let kept = self.keeps_blob(layer, findings)?;
            let is_unpacked = unpacked.contains(&layer.chain);
            match (is_unpacked, kept) {
                (true, true) => {}
                (true, false) => self.without_blob(index, layer, findings)?,
                (false, true) => packed = packed.or(Some(&layer.chain.0)),
                (false, false) => lost.push(&layer.chain.0),
            }
        }
        for chain in &lost {
            findings.push(self.misses(chain, format!("neither layer nor blob of {chain} is there"), None));
        }
        if let Some(packed) = packed
            && lost.is_empty()
        {
            let repair = Some(Repair::UnpackImage(self.record.digest.clone()));
            findings.push(self.finding("a layer is missing", repair).of(Part::Content(packed.clone())));
        }
        Ok(())
    }

    /// True if the blob of a layer is here, and as long as it should be.
    fn keeps_blob(&self, layer: &ImageLayer, findings: &mut Findings) -> Result<bool, Error> {
        let Some(blob) = &layer.blob else { return Ok(false) };
        match self.store.blob_size(blob)? {
            Some(size) if size == layer.size => return Ok(true),
            Some(_) if matches!(self.store.verify_blob(blob), Ok(true)) => {
                self.doubt("a layer's blob is whole and has another size", findings);
                return Ok(true);
            }
            Some(size) => blobs::damaged(self.store, blob, &format!("{size} of {} bytes", layer.size), findings)?,
            // Without its manifest nobody knows that it is this blob.
            None if self.manifest.is_some() && can_do_without(self.store, self.record, layer)? => {
                let problem = format!("blob {blob} of its layer is missing");
                findings.push(self.misses(blob, problem, Some(Repair::DropBlob(blob.clone()))));
            }
            None => {}
        }
        Ok(false)
    }

    /// The blob of a layer that is unpacked is not here. It is missed unless it can be had from elsewhere.
    fn without_blob(&self, index: usize, layer: &ImageLayer, findings: &mut Findings) -> Result<(), Error> {
        if can_do_without(self.store, self.record, layer)? {
            return Ok(());
        }
        let which = layer.blob.as_ref().unwrap_or(&layer.diff_id.0);
        let named = self.manifest.and_then(|manifest| manifest.layers().nth(index));
        if named.is_some_and(|named| sys::fs::exists(&self.store.layout().blob(named))) {
            self.doubt("it does not know a blob that is here", findings);
        } else {
            let problem = format!("the blob of its layer, {which}, is missing, so that it cannot be saved or pushed");
            findings.push(self.misses(which, problem, None));
        }
        Ok(())
    }
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
        let finding = Finding::new(Invariant::I1, subject, chain(&error), path.map(Repair::Unlink));
        findings.push(finding.advised("tag the image again".to_owned()));
    }
    for reference in references {
        if !sys::fs::exists(&store.layout().image(&reference.digest)) {
            let repair = match from_manifest(store, &reference.digest) {
                Repair::DiscardImage(_) => Repair::Unlink(store.layout().reference(&refs::file_name(&reference.name))),
                rebuild => rebuild,
            };
            findings.add(Invariant::I6, format!("name {}", reference.name), "leads to no image", Some(repair));
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
