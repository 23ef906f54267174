//! Whether one of an image's signatures is what a policy asks for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::attachment::Attachment;
use super::key::Key;
use super::payload::Payload;
use crate::config::policy_json::SignedIdentity;
use crate::registry::reply::printable;
use crate::types::digest::Digest;
use crate::types::reference::Reference;

/// So many signatures are told of in one line.
const TOLD: usize = 3;

/// Why no signature counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// There is none.
    Unsigned,
    /// The reason of each one.
    NoneFits(Vec<Misfit>),
}

/// Why one signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("it is not there (annotation dev.cosignproject.cosign/signature)")]
    Absent,
    #[error("it is no base64: {0}")]
    Base64(String),
    #[error("no key of the policy made it")]
    Key,
    #[error("what it signs is not valid: {0}")]
    Payload(String),
    #[error("it is for the image {0}")]
    Image(Digest),
    /// Good in all else.
    #[error("it is for the name {name:?}, which does not count for this one ({identity})")]
    Name { name: String, identity: &'static str },
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NoneFits(misfits) = self else { return f.write_str("the image has no such signature") };
        for (index, misfit) in misfits.iter().take(TOLD).enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}signature {}: {misfit}", index + 1)?;
        }
        match misfits.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl Distrust {
    /// A signature is good but for the name in it.
    pub(crate) fn is_name_only(&self) -> bool {
        matches!(self, Self::NoneFits(misfits) if misfits.iter().any(|misfit| matches!(misfit, Misfit::Name { .. })))
    }
}

/// Looks for one signature by one of `keys`, of the manifest `image`, for the name `asked`.
pub(crate) fn check(
    attachments: &[Attachment],
    keys: &[Key],
    identity: &SignedIdentity,
    image: &Digest,
    asked: Option<&Reference>,
) -> Result<(), Distrust> {
    let mut misfits = Vec::new();
    for attachment in attachments {
        match fits(attachment, keys, identity, image, asked) {
            Ok(()) => return Ok(()),
            Err(misfit) => misfits.push(misfit),
        }
    }
    Err(if misfits.is_empty() { Distrust::Unsigned } else { Distrust::NoneFits(misfits) })
}

fn fits(
    attachment: &Attachment,
    keys: &[Key],
    identity: &SignedIdentity,
    image: &Digest,
    asked: Option<&Reference>,
) -> Result<(), Misfit> {
    let signature = attachment.signature.as_deref().ok_or(Misfit::Absent)?;
    let signature = STANDARD.decode(signature).map_err(|error| Misfit::Base64(error.to_string()))?;
    if !keys.iter().any(|key| key.verifies(&attachment.payload, &signature)) {
        return Err(Misfit::Key);
    }
    // From here on the owner of a key speaks.
    let payload = Payload::parse(&attachment.payload).map_err(Misfit::Payload)?;
    if payload.digest != *image {
        return Err(Misfit::Image(payload.digest));
    }
    if !identity.matches(asked, &payload.name) {
        return Err(Misfit::Name { name: printable(&payload.name, 200), identity: identity.name() });
    }
    Ok(())
}
