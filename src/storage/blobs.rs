//! Content-addressed files: configurations, manifests, compressed layers, as they came.
//!
//! A blob is written into a lease, hashed on the way, and published with everything else of its image
//! ([`Store::publish`]). What is there under a digest is therefore whole, whatever was cut off before.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::{At as _, Error};
use super::lease::Lease;
use super::store::Store;
use crate::sys;
use crate::sys::Call as _;
use crate::types::digest::Digest;

/// Writes one blob and hashes it on the way.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    file: File,
    path: PathBuf,
    hash: Sha256,
    written: u64,
    digest: Option<Digest>,
    size: Option<u64>,
}

/// A whole and verified blob that is not published yet. Plain data, so that it travels between processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StagedBlob {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(super) path: PathBuf,
    /// A manifest, an index or a configuration: as durable as records, whatever becomes of layers.
    pub(super) document: bool,
}

impl StagedBlob {
    /// Opens it for reading.
    pub(crate) fn open(&self) -> Result<File, Error> {
        sys::fs::open_ordinary(&self.path).reading(&self.path)
    }
}

impl Lease {
    /// Begins a blob. With `digest` and `size` (of its descriptor) anything else is refused, and nothing longer is
    /// ever written.
    pub(crate) fn stage_blob(&self, digest: Option<&Digest>, size: Option<u64>) -> Result<BlobWriter, Error> {
        let path = self.new_path("blob");
        let file = sys::fs::create_new(&path, 0o600).writing(&path)?;
        Ok(BlobWriter { file, path, hash: Sha256::new(), written: 0, digest: digest.cloned(), size })
    }

    /// Stages a document.
    pub(crate) fn stage_bytes(&self, bytes: &[u8]) -> Result<StagedBlob, Error> {
        let mut writer = self.stage_blob(None, None)?;
        writer.write_chunk(bytes)?;
        Ok(StagedBlob { document: true, ..writer.finish()? })
    }
}

impl BlobWriter {
    /// Goes on with a file of which `written` bytes are there, hashed in `hash`, with the offset at its end.
    pub(super) fn going_on(file: File, path: &Path, hash: Sha256, written: u64, digest: &Digest, size: u64) -> Self {
        Self { file, path: path.to_owned(), hash, written, digest: Some(digest.clone()), size: Some(size) }
    }

    /// Appends bytes; too many are refused before they are written.
    pub(crate) fn write_chunk(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let after = self.written + bytes.len() as u64;
        if let Some(size) = self.size
            && after > size
        {
            return Err(Error::BlobTooLong { digest: self.name(), size });
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).call("write", || format!("{:?}", self.path)).writing(&self.path)?;
        self.written = after;
        Ok(())
    }

    /// Opens what there is, for another process to read while this one writes.
    pub(crate) fn open(&self) -> Result<File, Error> {
        sys::fs::open_ordinary(&self.path).reading(&self.path)
    }

    /// Bytes so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Checks size and digest.
    pub(crate) fn finish(self) -> Result<StagedBlob, Error> {
        let name = self.name();
        if let Some(size) = self.size
            && self.written != size
        {
            return Err(Error::BlobTooShort { digest: name, size, found: self.written });
        }
        let found = Digest::from_bytes(self.hash.finalize().into());
        if let Some(expected) = self.digest
            && expected != found
        {
            return Err(Error::BlobDigest { expected, found });
        }
        Ok(StagedBlob { digest: found, size: self.written, path: self.path, document: false })
    }

    fn name(&self) -> String {
        self.digest.as_ref().map_or_else(|| "blob".to_owned(), ToString::to_string)
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_chunk(bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Store {
    /// Size of a blob, if it is there.
    pub(crate) fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let path = self.layout().blob(digest);
        Ok(sys::fs::lstat(&path).reading(&path)?.map(|metadata| metadata.len()))
    }

    /// Opens a blob, if it is there.
    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<Option<File>, Error> {
        let path = self.layout().blob(digest);
        sys::fs::absent_is_none(sys::fs::open_ordinary(&path)).reading(&path)
    }

    /// Hashes a blob; false if its content is not what its name says.
    pub(crate) fn verify_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let path = self.layout().blob(digest);
        let mut file = sys::fs::open_ordinary(&path).reading(&path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer).call("read", || format!("{path:?}")).reading(&path)? {
                0 => return Ok(Digest::from_bytes(hash.finalize().into()) == *digest),
                count => hash.update(&buffer[..count]),
            }
        }
    }

    /// Digests of all blobs, sorted; foreign entries are passed over.
    pub(crate) fn blob_digests(&self) -> Result<Vec<Digest>, Error> {
        let dir = self.layout().blobs();
        let names = sys::fs::names(&dir).reading(&dir)?;
        Ok(names.iter().filter_map(|name| format!("sha256:{}", name.to_str()?).parse().ok()).collect())
    }
}
