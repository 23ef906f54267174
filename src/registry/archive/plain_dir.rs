//! The `dir` transport of containers-image: `version`, `manifest.json` as a registry has it, and each blob under the
//! digits of its digest. The images of an index lie in `DIGITS.manifest.json`.

use super::archived::{Archive, ArchivedImage, invalid};
use super::oci;
use crate::registry::error::Error;
use crate::registry::manifest::{self, Manifest};
use crate::types::digest::Digest;
use crate::types::platform::Platform;

/// What the version file begins with.
const VERSION: &[u8] = b"Directory Transport Version: 1.";

/// True if the text is one manifest, and not the list of `docker save`.
pub(super) fn is_manifest(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// True if the archive says that it is one.
pub(super) fn is_one(archive: &Archive) -> Result<bool, Error> {
    Ok(archive.read("version")?.is_some_and(|bytes| bytes.starts_with(VERSION)))
}

pub(super) fn images(archive: &mut Archive, bytes: Vec<u8>, platform: &Platform) -> Result<Vec<ArchivedImage>, Error> {
    archive.flat = true;
    let why = |why| invalid(&archive.name, format!("manifest.json: {why}"));
    let digest = Digest::of(&bytes);
    let image = match manifest::parse(&bytes, None).map_err(why)? {
        Manifest::Image(manifest) => oci::image(archive, digest, bytes, manifest, None)?,
        Manifest::Index(entries) => {
            let mut image = oci::resolve(archive, &entries, platform)?;
            image.index = Some((digest, bytes));
            image
        }
    };
    Ok(vec![ArchivedImage { image: Ok(image), names: Vec::new() }])
}
