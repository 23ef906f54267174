//! A layer in another compression: only what a format cannot hold, or what the user asks for, is ever compressed anew.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use super::caged::PlainLayer;
use crate::engine::error::failure;
use crate::engine::{Engine, Error};
use crate::storage::blobs::StagedBlob;
use crate::storage::lease::Lease;
use crate::storage::unpack::Compression;
use crate::sys;
use crate::types::descriptor::Descriptor;
use crate::types::digest::{DiffId, Digest};

/// Blobs of a lease.
pub(super) type Staged = BTreeMap<Digest, StagedBlob>;

/// Levels as other tools have them by default.
const ZSTD_LEVEL: i32 = 3;

impl Engine {
    /// Compresses a layer's blob anew into the lease, and checks on the way that it is the layer of `diff_id`. The same
    /// layer gives the same bytes each time.
    pub(super) fn recode(
        &self,
        lease: &Lease,
        (layer, staged): (&Descriptor, &Staged),
        diff_id: &DiffId,
        level: Option<i32>,
        to: Compression,
    ) -> Result<StagedBlob, Error> {
        let writer = lease.stage_blob(None, None)?;
        let mut plain = self.plain_layer(&layer.digest, staged)?;
        let writer = match to {
            Compression::None => pump(&mut plain, writer),
            Compression::Gzip => {
                let level = level.map_or(flate2::Compression::default(), |level| {
                    flate2::Compression::new(u32::try_from(level.clamp(1, 9)).unwrap_or(6))
                });
                let encoder = flate2::write::GzEncoder::new(writer, level);
                pump(&mut plain, encoder).and_then(flate2::write::GzEncoder::finish)
            }
            Compression::Zstd => zstd::stream::write::Encoder::new(writer, level.unwrap_or(ZSTD_LEVEL))
                .and_then(|encoder| pump(&mut plain, encoder))
                .and_then(zstd::stream::write::Encoder::finish),
        };
        let writer = match writer {
            Ok(writer) => writer,
            Err(source) => return Err(plain.abandon(recoding(&layer.digest, source))),
        };
        let (_, found) = plain.finish()?;
        if found != *diff_id {
            return Err(Error::DamagedBlob(layer.digest.clone()));
        }
        Ok(writer.finish()?)
    }

    /// Opens a layer as a plain tar.
    pub(super) fn plain_layer(&self, blob: &Digest, staged: &Staged) -> Result<PlainLayer, Error> {
        PlainLayer::open(blob, self.layer_blob(blob, staged)?)
    }

    /// Opens a layer's blob: one that was staged, or one of the store.
    pub(super) fn layer_blob(&self, blob: &Digest, staged: &Staged) -> Result<sys::fs::File, Error> {
        match staged.get(blob) {
            Some(staged) => Ok(staged.open()?),
            None => self.kept_blob(blob),
        }
    }

    /// Opens a blob that an image names, here or in an additional store.
    pub(super) fn kept_blob(&self, blob: &Digest) -> Result<sys::fs::File, Error> {
        let path = self.store.find_blob(blob);
        let file = sys::fs::absent_is_none(sys::fs::open_ordinary(&path));
        let file = file.map_err(|source| Error::Path { what: "read", path, source })?;
        file.ok_or_else(|| Error::BlobGone(blob.clone()))
    }
}

fn pump<W: Write>(from: &mut dyn Read, mut to: W) -> std::io::Result<W> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(to),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn recoding(digest: &Digest, source: std::io::Error) -> Error {
    Error::Layer { digest: digest.clone(), source: failure(&source) }
}
