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

/// True if `child` was made of `parent` by one step, as Podman sees it. Of more steps nobody can say what was between, and
/// whoever made them may not know of the image at all.
pub(super) fn is_parent(parent: &ImageRecord, child: &ImageRecord) -> bool {
    !parent.layers.is_empty()
        && child.config.history.len() == parent.config.history.len() + 1
        && is_built_on(child, parent)
}

/// The image that `child` was made of.
pub(super) fn parent_of<'a>(
    child: &ImageRecord,
    mut images: impl Iterator<Item = &'a ImageRecord>,
) -> Option<&'a ImageRecord> {
    images.find(|other| is_parent(other, child))
}
