//! Keyed signatures of sigstore: what `cosign sign --key` attaches to an image in a registry, or a `dir:` image has in
//! `signature-N`. Everything here is hostile until a key of the policy has verified it.

mod attachment;
mod check;
mod key;
mod payload;
#[cfg(test)]
mod tests;

pub(super) use attachment::MOST;
pub(super) use attachment::fetch;
#[cfg(feature = "fuzzing")]
pub(super) use attachment::parse as parse_attachments;
pub(crate) use attachment::{Attachment, from_file, tag};
pub(crate) use check::{Distrust, check};
pub(crate) use key::{BadKey, Key};
#[cfg(feature = "fuzzing")]
pub(super) use payload::Payload;
