//! Which image was built on which. OCI images do not say; their layers and their history do.

use crate::storage::images::ImageRecord;

/// True if `child` has all layers and all steps of `parent`, in their order, and at least one more of either.
pub(super) fn is_built_on(child: &ImageRecord, parent: &ImageRecord) -> bool {
    let (layers, below) = (&child.layers, &parent.layers);
    let (steps, before) = (&child.config.history, &parent.config.history);
    let longer = layers.len() > below.len() || steps.len() > before.len();
    longer
        && layers.len() >= below.len()
        && below.iter().zip(layers).all(|(a, b)| a.chain == b.chain)
        && steps.len() >= before.len()
        && before.iter().zip(steps).all(|(a, b)| a == b)
}

/// The image that `child` was built on: the one that shares most with it.
pub(super) fn parent_of<'a>(
    child: &ImageRecord,
    images: impl Iterator<Item = &'a ImageRecord>,
) -> Option<&'a ImageRecord> {
    images
        .filter(|other| !other.layers.is_empty() && is_built_on(child, other))
        .max_by_key(|other| (other.layers.len(), other.config.history.len()))
}
