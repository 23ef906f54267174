//! An open archive: which images are in it, and their blobs.

use std::collections::HashMap;
use std::path::Path;

use super::form::Form;
use super::members::{Located, Members};
use crate::registry::error::Error;
use crate::registry::pull::RemoteImage;
use crate::registry::session::BlobSink;
use crate::registry::signature::{self, Attachment};
use crate::sys::fs::File;
use crate::types::descriptor::{DOCUMENT_LIMIT, Descriptor};
use crate::types::digest::Digest;
use crate::types::platform::Platform;

/// An image in an archive, with the names that the archive gives it, as they stand there.
#[derive(Debug)]
pub(crate) struct ArchivedImage {
    /// What is wrong with one keeps nobody from another.
    pub(crate) image: Result<RemoteImage, Error>,
    pub(crate) names: Vec<String>,
}

/// An open archive.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(super) members: Members,
    /// Blobs that are not found by their digest: layers of `docker save`.
    pub(super) blobs: HashMap<Digest, String>,
    /// Blobs have no directory of their own (`dir` transport).
    pub(super) flat: bool,
    pub(super) is_dir: bool,
    /// For messages.
    pub(super) name: String,
}

impl Archive {
    /// Opens a tar that is not compressed. `name` is for messages.
    pub(crate) fn from_tar(file: File, name: &str) -> Result<Self, Error> {
        // What `load` gets when the command before it in a pipe has failed.
        if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            return Err(invalid(name, "it is empty"));
        }
        let members = Members::index(file).map_err(|why| invalid(name, why))?;
        Ok(Self { members, blobs: HashMap::new(), flat: false, is_dir: false, name: name.to_owned() })
    }

    /// Opens a directory.
    pub(crate) fn from_dir(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let members = Members::open_dir(path).map_err(|source| Error::Archive { name: name.clone(), source })?;
        Ok(Self { members, blobs: HashMap::new(), flat: false, is_dir: true, name })
    }

    /// The images in it, read in that form, each for `platform` where there is a choice.
    pub(crate) fn images(&mut self, form: Form, platform: &Platform) -> Result<Vec<ArchivedImage>, Error> {
        let file = if matches!(form, Form::OciArchive | Form::OciDir) { "index.json" } else { "manifest.json" };
        let bytes = self.read(file)?.ok_or_else(|| Error::NoImagesInside(self.name.clone()))?;
        match form {
            Form::DockerArchive => super::docker::images(self, &bytes),
            Form::OciArchive | Form::OciDir => super::oci::images(self, &bytes, platform),
            Form::Dir => super::plain_dir::images(self, bytes, platform),
        }
    }

    /// Copies a blob to `sink`, which checks its digest.
    pub(crate) fn blob(&self, descriptor: &Descriptor, sink: &mut dyn BlobSink) -> Result<(), Error> {
        let located = self.locate(&descriptor.digest)?;
        if located.length != descriptor.size {
            let (expected, actual) = (descriptor.size, located.length);
            return Err(Error::WrongSize { digest: descriptor.digest.clone(), expected, actual });
        }
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        while at < located.length {
            let count = located.read_at(&mut buffer, at).map_err(|source| self.failed(source))?;
            sink.write(&buffer[..count]).map_err(Error::Sink)?;
            at += count as u64;
        }
        Ok(())
    }

    pub(super) fn locate(&self, digest: &Digest) -> Result<Located, Error> {
        let path = match self.blobs.get(digest) {
            Some(path) => path.clone(),
            None if self.flat => digest.hex(),
            None => format!("blobs/sha256/{}", digest.hex()),
        };
        let mut located = self.members.find(&path).map_err(|source| self.failed(source))?;
        if located.is_none() && self.flat {
            let path = format!("{path}.manifest.json");
            located = self.members.find(&path).map_err(|source| self.failed(source))?;
        }
        located.ok_or_else(|| invalid(&self.name, format!("blob {digest} is missing")))
    }

    /// A document that a descriptor names, checked.
    pub(super) fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        let located = self.locate(&descriptor.digest)?;
        let bytes = self.read_located(&located, &descriptor.digest.to_string())?;
        if bytes.len() as u64 != descriptor.size {
            let (expected, actual) = (descriptor.size, bytes.len() as u64);
            return Err(Error::WrongSize { digest: descriptor.digest.clone(), expected, actual });
        }
        let actual = Digest::of(&bytes);
        if actual != descriptor.digest {
            let expected = descriptor.digest.clone();
            return Err(Error::WrongDigest { what: format!("blob in {}", self.name), expected, actual });
        }
        Ok(bytes)
    }

    /// A small file of the archive; `None` if it is not there.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let located = self.members.find(path).map_err(|source| self.failed(source))?;
        located.map(|located| self.read_located(&located, path)).transpose()
    }

    /// The files `signature-N` of a `dir` image; `instance` is the one that is meant if the image is an index.
    pub(crate) fn signatures(&self, instance: Option<&Digest>) -> Result<Vec<Attachment>, Error> {
        let begin = instance.map(|digest| format!("{}.", digest.hex())).unwrap_or_default();
        let mut found = Vec::new();
        for number in 1..=signature::MOST {
            let path = format!("{begin}signature-{number}");
            let Some(bytes) = self.read(&path)? else { break };
            let parsed = signature::from_file(&bytes);
            found.extend(parsed.map_err(|why| invalid(&self.name, format!("{path}: {why}")))?);
        }
        Ok(found)
    }

    pub(super) fn read_located(&self, located: &Located, what: &str) -> Result<Vec<u8>, Error> {
        if located.length > DOCUMENT_LIMIT {
            return Err(Error::TooLarge { what: format!("{what} in {}", self.name), limit: DOCUMENT_LIMIT });
        }
        located.read_all().map_err(|source| self.failed(source))
    }

    pub(super) fn failed(&self, source: crate::sys::Error) -> Error {
        Error::Archive { name: self.name.clone(), source }
    }
}

pub(super) fn invalid(name: &str, why: impl Into<String>) -> Error {
    Error::Invalid { what: format!("archive {name:?}"), why: why.into() }
}
