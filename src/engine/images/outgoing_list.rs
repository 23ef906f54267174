//! A manifest list on its way out: its document, and its images from this store or from where they were found.

use std::collections::BTreeMap;

use super::outgoing::{Instance, Outgoing, OutgoingList};
use crate::engine::{Engine, Error};
use crate::registry::{Access, BlobSink, KeptManifest, Retry};
use crate::storage::blobs::{BlobWriter, StagedBlob};
use crate::storage::lease::Lease;
use crate::storage::lists::{ListEntry, ListRecord};
use crate::sys;
use crate::types::descriptor::Descriptor;
use crate::types::image_config::ImageConfig;
use crate::types::platform::Platform;
use crate::types::reference::Reference;

impl Engine {
    /// All images of a list with `all`; this machine's alone, as an image, otherwise.
    pub(super) fn outgoing_list(
        &self,
        lease: &Lease,
        list: &ListRecord,
        all: bool,
        given: &Given<'_>,
    ) -> Result<Outgoing, Error> {
        let (bytes, media_type) = list.document();
        if all {
            let instances = list
                .entries
                .iter()
                .map(|entry| self.entry_instance(lease, entry, given))
                .collect::<Result<Vec<_>, _>>()?;
            let list = OutgoingList { media_type: media_type.to_owned(), bytes };
            let digest = crate::types::digest::Digest::of(&list.bytes);
            return Ok(Outgoing { digest, names: Vec::new(), list: Some(list), instances });
        }
        let host = Platform::host();
        let entry = list.choose(&host);
        let entry = entry.ok_or_else(|| Error::NotForPlatform { list: list.name.clone(), wanted: host })?;
        let instance = self.entry_instance(lease, entry, given)?;
        Ok(Outgoing { digest: instance.digest.clone(), names: Vec::new(), list: None, instances: vec![instance] })
    }

    /// An image of a list; what is not here is fetched into the lease.
    fn entry_instance(&self, lease: &Lease, entry: &ListEntry, given: &Given<'_>) -> Result<Instance, Error> {
        self.relies_on(lease, &entry.digest)?;
        let bytes = self.document(&entry.digest)?;
        let invalid = |source| Error::SaveTo { name: entry.digest.to_string(), source: Box::new(source) };
        let kept = KeptManifest::parse(&bytes, &entry.media_type).map_err(invalid)?;
        let mut staged = BTreeMap::new();
        for descriptor in kept.layers.iter().chain([&kept.config]) {
            if self.relies_on(lease, &descriptor.digest)? {
                continue;
            }
            let Some(source) = &entry.source else { return Err(Error::BlobGone(descriptor.digest.clone())) };
            staged.insert(
                descriptor.digest.clone(),
                self.fetch_blob(lease, source, entry.tls_verify, descriptor, given)?,
            );
        }
        let config: ImageConfig =
            serde_json::from_slice(&self.document(&kept.config.digest)?).map_err(Error::Encode)?;
        Ok(Instance {
            digest: entry.digest.clone(),
            media_type: entry.media_type.clone(),
            bytes,
            config: kept.config,
            layers: kept.layers,
            diff_ids: config.rootfs.diff_ids,
            platform: Some(entry.platform.plain()),
            staged,
            pulled: None,
            there: Vec::new(),
            source: None,
        })
    }

    /// Fetches a blob into the lease; where a mirror gives something else, the next place is asked.
    pub(super) fn fetch_blob(
        &self,
        lease: &Lease,
        from: &Reference,
        tls_verify: Option<bool>,
        descriptor: &Descriptor,
        given: &Given<'_>,
    ) -> Result<StagedBlob, Error> {
        let failed = |source| Error::Origin {
            blob: descriptor.digest.clone(),
            name: from.to_string(),
            source: Box::new(source),
        };
        let mut source = self.open_source(from, &given.access_to(from, tls_verify))?;
        loop {
            let mut sink = Sink(lease.stage_blob(Some(&descriptor.digest), Some(descriptor.size))?);
            source.blob(descriptor, 0, &mut sink).map_err(failed)?;
            match sink.0.finish() {
                Err(crate::storage::Error::BlobDigest { .. }) if source.places() > 1 => source.pass_over(1),
                other => return Ok(other?),
            }
        }
    }
}

/// What the user has given for registries, and for which one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) access: &'a Access,
    /// The registry that is written to; none if an archive or a directory is.
    pub(super) registry: Option<&'a str>,
}

impl Given<'_> {
    /// How to reach the place that an image came from. A file of credentials says itself where they belong; what was
    /// given without a place belongs to the registry that is written to, and no other is shown it.
    fn access_to(&self, origin: &Reference, tls_verify: Option<bool>) -> Access {
        let retry = Retry { count: 1, ..Retry::default() };
        let auth_file = self.access.auth_file.clone();
        let own = self.access.clone();
        if self.registry == Some(origin.domain()) {
            return Access { tls_verify: own.tls_verify.or(tls_verify), retry, signature_policy: None, ..own };
        }
        Access { tls_verify, auth_file, retry, ..Access::default() }
    }
}

/// A blob that comes from a registry.
struct Sink(BlobWriter);

impl BlobSink for Sink {
    fn write(&mut self, bytes: &[u8]) -> sys::Result<()> {
        self.0.write_chunk(bytes).map_err(|error| match error {
            crate::storage::Error::Write { source, .. } => source,
            error => sys::Error::new("write", error.to_string(), sys::Errno::EIO),
        })
    }
}
