//! Content descriptors of the OCI image specification (`descriptor.md`).

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// Largest manifest, index or configuration, in bytes (case B11): registries need not take more (OCI distribution
/// specification, "Pushing Manifests").
pub(crate) const DOCUMENT_LIMIT: u64 = 4 << 20;

/// A pointer to content: what it is, its digest, its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}
