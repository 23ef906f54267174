//! I1, I3, I4 for the records of layers. Their trees are looked at by [`super::trees`].

use super::finding::{Findings, Repair};
use crate::storage::error::Error;
use crate::storage::layers::{LayerKey, LayerMeta};
use crate::storage::store::Store;
use crate::sys;
use crate::types::digest::ChainId;
use crate::types::failure::chain;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    for key in store.layer_keys()? {
        let subject = format!("layer {}", key.dir_name());
        let rebuild = || Some(Repair::RebuildLayer(key.clone()));
        match store.layer(&key) {
            Ok(Some(meta)) => {
                if let Some((invariant, problem)) = wrong(store, &key, &meta) {
                    findings.add(invariant, &subject, problem, rebuild());
                }
            }
            Ok(None) => findings.add("I3", &subject, "meta.json is missing", rebuild()),
            Err(error @ Error::NewerRecord { .. }) => findings.add("I1", &subject, chain(&error), None),
            Err(error) => findings.add("I1", &subject, chain(&error), rebuild()),
        }
    }
    Ok(())
}

/// The first thing that is wrong: all have one cure.
fn wrong(store: &Store, key: &LayerKey, meta: &LayerMeta) -> Option<(&'static str, String)> {
    if meta.chain != key.chain || meta.map != key.map {
        return Some(("I1", "meta.json belongs to another layer".to_owned()));
    }
    let chain = match &meta.parent {
        Some(parent) => parent.then(&meta.diff_id),
        None => ChainId::first(&meta.diff_id),
    };
    if chain != key.chain {
        return Some(("I4", "its parent and its diff id do not make its chain id".to_owned()));
    }
    for part in [store.layer_diff(key), store.layer_index(key)] {
        if !sys::fs::exists(&part) {
            let name = part.file_name().unwrap_or_default().display().to_string();
            return Some(("I3", format!("{name} is missing")));
        }
    }
    match &meta.parent {
        Some(parent) if !store.has_layer(&LayerKey::new(parent, &key.map)) => {
            Some(("I4", format!("the layer below, {}, is missing", parent.0.hex())))
        }
        _ => None,
    }
}
