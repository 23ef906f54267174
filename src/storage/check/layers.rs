//! I1, I3, I4 for the records of layers. Their trees are looked at by [`super::trees`].

use std::collections::BTreeSet;

use super::finding::{Finding, Findings, Invariant, Part, Repair};
use super::images;
use crate::storage::error::Error;
use crate::storage::images::ImageLayer;
use crate::storage::layers::{LayerKey, LayerMeta};
use crate::storage::store::Store;
use crate::sys;
use crate::types::digest::{ChainId, Digest};
use crate::types::failure::chain;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for key in store.layer_keys()? {
        let subject = format!("layer {}", key.dir_name());
        let (invariant, problem, wanting) = match store.layer(&key) {
            Ok(Some(meta)) => match wrong(store, &key, &meta) {
                Some(found) => found,
                None => continue,
            },
            Ok(None) => (Invariant::I3, "meta.json is missing".to_owned(), key.chain.clone()),
            Err(error @ Error::NewerRecord { .. }) => {
                let finding = Finding::new(Invariant::I1, &subject, chain(&error), None);
                findings.push(finding.of(Part::Layer(key)));
                continue;
            }
            Err(error) => (Invariant::I1, chain(&error), key.chain.clone()),
        };
        let (repair, advice) = cure(store, &key, &wanting)?;
        findings.push(Finding::new(invariant, &subject, problem, repair).advised(advice).of(Part::Layer(key)));
    }
    Ok(())
}

/// How a damaged layer is mended, whose chain id or that of a layer below it is `wanting`: from a blob. Without one its
/// tree stays as it is, because that may be all that is left; and the advice says what brings it back.
pub(crate) fn cure(
    store: &Store,
    key: &LayerKey,
    wanting: &ChainId,
) -> Result<(Option<Repair>, Option<String>), Error> {
    if has_blob(store, |layer| layer.chain == *wanting, false)? || !sys::fs::exists(&store.layer_diff(key)) {
        return Ok((Some(Repair::RebuildLayer(key.clone())), None));
    }
    Ok((None, Some(lost(store, wanting)?)))
}

/// What there is to say of a layer that no blob is left of.
pub(crate) fn lost(store: &Store, wanting: &ChainId) -> Result<String, Error> {
    let users = images::users_of_layer(store, wanting)?;
    Ok(if users.is_empty() {
        "no blob of it is here".to_owned()
    } else {
        format!("no blob of it is here: {}", images::pull_again(&users))
    })
}

/// True if an image, here or in an additional store, has a blob for such a layer, and that is there; `whole`: with the
/// content of its name.
pub(crate) fn has_blob(store: &Store, is_meant: impl Fn(&ImageLayer) -> bool, whole: bool) -> Result<bool, Error> {
    let stores = || std::iter::once(store).chain(&store.additional);
    let mut blobs = BTreeSet::new();
    for store in stores() {
        let layers = store.images()?.0.into_iter().flat_map(|image| image.record.layers);
        blobs.extend(layers.filter(|layer| is_meant(layer)).filter_map(|layer| layer.blob));
    }
    let is_there = |store: &Store, blob: &Digest| {
        sys::fs::exists(&store.layout().blob(blob)) && (!whole || matches!(store.verify_blob(blob), Ok(true)))
    };
    Ok(blobs.iter().any(|blob| stores().any(|store| is_there(store, blob))))
}

/// The first thing that is wrong, and the layer that is to be unpacked: all have one cure.
fn wrong(store: &Store, key: &LayerKey, meta: &LayerMeta) -> Option<(Invariant, String, ChainId)> {
    let own = || key.chain.clone();
    if meta.chain != key.chain || meta.map != key.map {
        return Some((Invariant::I1, "meta.json belongs to another layer".to_owned(), own()));
    }
    let chain = match &meta.parent {
        Some(parent) => parent.then(&meta.diff_id),
        None => ChainId::first(&meta.diff_id),
    };
    if chain != key.chain {
        return Some((Invariant::I4, "its parent and its diff id do not make its chain id".to_owned(), own()));
    }
    for part in [store.layer_diff(key), store.layer_index(key)] {
        if !sys::fs::exists(&part) {
            let name = part.file_name().unwrap_or_default().display().to_string();
            return Some((Invariant::I3, format!("{name} is missing"), own()));
        }
    }
    match &meta.parent {
        Some(parent) if !store.has_layer(&LayerKey::new(parent, &key.map)) => {
            Some((Invariant::I4, format!("the layer below, {}, is missing", parent.0.hex()), parent.clone()))
        }
        _ => None,
    }
}
