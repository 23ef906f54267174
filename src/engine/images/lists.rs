//! `manifest create`, `add`, `annotate`, `remove`, `rm`: lists of images for several platforms.

use std::collections::BTreeMap;

use super::pull::pulling;
use super::tag::new_name;
use crate::config::registries_conf::RegistriesConf;
use crate::engine::{Engine, Error};
use crate::registry::{Access, KeptManifest, RemoteImage, Source};
use crate::storage::images::ImageRecord;
use crate::storage::lists::{ListEntry, ListPlatform, ListRecord};
use crate::storage::publish::Staged;
use crate::storage::unpack::Compression;
use crate::types::digest::Digest;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::reference::Reference;

/// What an entry shall say instead of what its image says.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryChange {
    pub(crate) os: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) variant: Option<String>,
    pub(crate) os_version: Option<String>,
    pub(crate) os_features: Vec<String>,
    pub(crate) features: Vec<String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// Images to add to a list.
#[derive(Debug, Clone)]
pub(crate) struct AddRequest {
    /// Names of images here, or of images and lists in a registry.
    pub(crate) image: String,
    /// Every image of a list, not only the one for this machine or for the platform that is named.
    pub(crate) all: bool,
    pub(crate) change: EntryChange,
    pub(crate) access: Access,
}

impl Engine {
    /// Makes a list, with its first images; `amend` takes one that is there. Returns its id.
    pub(crate) fn create_list(
        &self,
        name: &str,
        images: &[AddRequest],
        amend: bool,
        annotations: &BTreeMap<String, String>,
        progress: &dyn Progress,
    ) -> Result<Digest, Error> {
        let name = new_name(name)?;
        if self.store.resolve_reference(&name)?.is_some() {
            return Err(Error::ImageOfThatName(name));
        }
        if !amend && self.store.list(&name)?.is_some() {
            return Err(Error::ListExists(name));
        }
        // What does not exist makes no list.
        let lease = self.store.lease()?;
        let found = images.iter().map(|request| self.entries(&lease, request, progress)).collect::<Result<Vec<_>, _>>();
        let digest = found.and_then(|entries| {
            self.store.change_list(&name, |list| {
                if list.is_some() && !amend {
                    return Err(Error::ListExists(name.clone()));
                }
                let mut list = list.unwrap_or_else(|| ListRecord::new(name.clone()));
                list.annotations.extend(annotations.clone());
                put(&mut list, entries.into_iter().flatten().collect());
                let digest = list.digest();
                Ok((list, digest))
            })
        });
        self.end_lease(lease, digest)
    }

    /// Adds images to a list; one that is in it already is replaced. Returns the list's id.
    pub(crate) fn add_to_list(
        &self,
        list: &str,
        request: &AddRequest,
        progress: &dyn Progress,
    ) -> Result<Digest, Error> {
        let name = self.known_list(list)?.name;
        let lease = self.store.lease()?;
        let found = self.entries(&lease, request, progress);
        let digest = found.and_then(|entries| {
            self.change_known(&name, |list| {
                put(list, entries);
                Ok(())
            })
        });
        self.end_lease(lease, digest)
    }

    /// Changes what an entry says; without an entry, the annotations of the list itself.
    pub(crate) fn annotate_list(&self, list: &str, entry: Option<&str>, change: &EntryChange) -> Result<Digest, Error> {
        let known = self.known_list(list)?;
        let wanted = entry.map(|text| self.entry_of(&known, text)).transpose()?;
        self.change_known(&known.name, |list| {
            let Some(digest) = &wanted else {
                list.annotations.extend(change.annotations.clone());
                return Ok(());
            };
            let entry = list.entries.iter_mut().find(|entry| entry.digest == *digest);
            let entry =
                entry.ok_or_else(|| Error::NotInList { entry: digest.to_string(), list: known.name.clone() })?;
            apply(&mut entry.platform, change);
            entry.annotations.extend(change.annotations.clone());
            Ok(())
        })
    }

    /// Takes an image out of a list.
    pub(crate) fn remove_from_list(&self, list: &str, entry: &str) -> Result<Digest, Error> {
        let known = self.known_list(list)?;
        let digest = self.entry_of(&known, entry)?;
        self.change_known(&known.name, |list| {
            list.entries.retain(|entry| entry.digest != digest);
            Ok(())
        })
    }

    pub(crate) fn list_exists(&self, text: &str) -> Result<bool, Error> {
        Ok(self.find_list(text)?.is_some())
    }

    /// The document of a list here, or of whatever a registry has under that name.
    pub(crate) fn inspect_list(&self, text: &str, access: &Access, progress: &dyn Progress) -> Result<Vec<u8>, Error> {
        if let Some(list) = self.find_list(text)? {
            return Ok(list.document().0);
        }
        let name = text.strip_prefix("docker://").unwrap_or(text);
        // An image that is here is no list; what its registry has may be one.
        let local = self.try_find_image(name).ok().flatten().and_then(|found| found.name);
        let names = match local {
            Some(name) if name.domain() != "localhost" => vec![name],
            _ => super::resolve::remote(text, &RegistriesConf::load().map_err(Error::Config)?, progress)?.names,
        };
        let mut failed = None;
        for reference in &names {
            let source = self.open_source(reference, access);
            match source.and_then(|mut source| source.document().map_err(pulling(reference))) {
                Ok((bytes, _, _)) => return Ok(bytes),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| Error::ImageNotFound(text.to_owned())))
    }

    /// Where a list goes: where the user says, or where its name says.
    pub(crate) fn list_destination(&self, text: &str, destination: Option<String>) -> Result<String, Error> {
        let list = self.known_list(text)?;
        Ok(destination.unwrap_or_else(|| list.name.to_string()))
    }

    pub(super) fn known_list(&self, text: &str) -> Result<ListRecord, Error> {
        self.find_list(text)?.ok_or_else(|| Error::NoList(text.to_owned()))
    }

    pub(super) fn open_source(&self, reference: &Reference, access: &Access) -> Result<Source, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        Source::open(reference, access, &configuration).map_err(pulling(reference))
    }

    fn change_known(
        &self,
        name: &Reference,
        change: impl FnOnce(&mut ListRecord) -> Result<(), Error>,
    ) -> Result<Digest, Error> {
        self.store.change_list(name, |list| {
            let mut list = list.ok_or_else(|| Error::NoList(name.to_string()))?;
            change(&mut list)?;
            let digest = list.digest();
            Ok((list, digest))
        })
    }

    /// The entry that a digest, or the name of an image, means.
    fn entry_of(&self, list: &ListRecord, text: &str) -> Result<Digest, Error> {
        let hex = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
        let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
        let by_digest = list.entries.iter().find(|entry| hex.len() >= 4 && entry.digest.hex().starts_with(hex));
        if let Some(entry) = by_digest {
            return Ok(entry.digest.clone());
        }
        if let Ok(Some(found)) = self.try_find_image(text)
            && list.entries.iter().any(|entry| entry.digest == found.image.record.digest)
        {
            return Ok(found.image.record.digest);
        }
        Err(Error::NotInList { entry: text.to_owned(), list: list.name.clone() })
    }

    /// Entries for an image that is here, or in a registry.
    fn entries(
        &self,
        lease: &crate::storage::lease::Lease,
        request: &AddRequest,
        progress: &dyn Progress,
    ) -> Result<Vec<ListEntry>, Error> {
        let text = request.image.as_str();
        let mut entries = if let Some(list) = self.find_list(text)? {
            if request.all {
                list.entries
            } else {
                let wanted = request.change.platform();
                let entry = list.choose(&wanted).cloned();
                vec![entry.ok_or_else(|| Error::NotForPlatform { list: list.name.clone(), wanted })?]
            }
        } else {
            let here = text.strip_prefix("containers-storage:");
            match (here, text.strip_prefix("docker://")) {
                (Some(local), _) => vec![self.local_entry(lease, &self.find_image(local)?.image.record)?],
                (None, Some(remote)) => self.remote_entries(lease, remote, request, progress)?,
                (None, None) => match super::resolve::local(self, text, None)? {
                    Some(found) => vec![self.local_entry(lease, &found.image.record)?],
                    None => self.remote_entries(lease, text, request, progress)?,
                },
            }
        };
        let whole_list = request.all && entries.len() > 1;
        for entry in &mut entries {
            if !whole_list {
                apply(&mut entry.platform, &request.change);
            }
            entry.annotations.extend(request.change.annotations.clone());
        }
        Ok(entries)
    }

    fn local_entry(&self, lease: &crate::storage::lease::Lease, record: &ImageRecord) -> Result<ListEntry, Error> {
        lease.rely_on_blob(&self.store, &record.digest)?;
        let bytes = self.document(&record.digest)?;
        let invalid = |source| Error::SaveTo { name: record.id.short().to_owned(), source: Box::new(source) };
        let kept = KeptManifest::parse(&bytes, &record.media_type).map_err(invalid)?;
        let mut unpacked = Vec::new();
        for (blob, diff_id) in kept.layers.iter().zip(&record.config.rootfs.diff_ids) {
            // A plain layer that was here in another compression: the list will want its own form, and asks no registry.
            if !self.relies_on(lease, &blob.digest)?
                && record.source.is_none()
                && blob.digest == diff_id.0
                && let Some(twin) = self.same_layer(lease, record, diff_id, kept.format)?
            {
                unpacked.push(self.recode(lease, (&twin, &BTreeMap::new()), diff_id, None, Compression::None)?);
            }
        }
        self.store.publish(lease, &Staged { blobs: &unpacked, ..Staged::default() })?;
        lease.rely_on_blob(&self.store, &kept.config.digest)?;
        let config = &record.config;
        let platform = Platform::new(&config.os, &config.architecture, config.variant.as_deref());
        Ok(ListEntry {
            digest: record.digest.clone(),
            size: bytes.len() as u64,
            media_type: record.media_type.clone(),
            platform: platform.into(),
            annotations: BTreeMap::new(),
            blobs: kept.layers.iter().chain([&kept.config]).map(|blob| blob.digest.clone()).collect(),
            source: record.source.as_ref().map(|source| source.reference.clone()),
            tls_verify: record.source.as_ref().and_then(|source| source.tls_verify),
        })
    }

    /// Manifest and configuration come here; the layers stay where they are until the list is pushed.
    fn remote_entries(
        &self,
        lease: &crate::storage::lease::Lease,
        text: &str,
        request: &AddRequest,
        progress: &dyn Progress,
    ) -> Result<Vec<ListEntry>, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        let wanted = super::resolve::remote(text, &configuration, progress)?;
        let reference = wanted.names.first().cloned().ok_or_else(|| Error::ImageNotFound(text.to_owned()))?;
        let pulling = pulling(&reference);
        let mut source = Source::open(&reference, &request.access, &configuration).map_err(&pulling)?;
        let mut images = Vec::new();
        let platforms = if request.all { source.platforms().map_err(&pulling)? } else { Vec::new() };
        if platforms.is_empty() {
            images.push(source.find(&request.change.platform()).map_err(&pulling)?);
        }
        for (digest, _) in &platforms {
            let one: Reference = format!("{}@{digest}", reference.repository()).parse().map_err(Error::Reference)?;
            let mut source = Source::open(&one, &request.access, &configuration).map_err(&pulling)?;
            images.push(source.find(&request.change.platform()).map_err(&pulling)?);
        }
        let mut entries = Vec::with_capacity(images.len());
        let mut blobs = Vec::new();
        for (index, image) in images.iter().enumerate() {
            for bytes in [&image.manifest_bytes, &image.config_bytes] {
                if !lease.rely_on_blob(&self.store, &Digest::of(bytes))? {
                    blobs.push(lease.stage_bytes(bytes)?);
                }
            }
            let mut entry = remote_entry(image, &reference)?;
            entry.tls_verify = request.access.tls_verify;
            if let Some((_, Some(platform))) = platforms.get(index) {
                entry.platform = platform.clone().into();
            }
            entries.push(entry);
        }
        self.store.publish(lease, &Staged { blobs: &blobs, ..Staged::default() })?;
        Ok(entries)
    }
}

fn remote_entry(image: &RemoteImage, reference: &Reference) -> Result<ListEntry, Error> {
    let config = &image.config;
    let source = format!("{}@{}", reference.repository(), image.manifest_digest);
    let kept = KeptManifest::parse(&image.manifest_bytes, &image.manifest.media_type).map_err(pulling(reference))?;
    Ok(ListEntry {
        digest: image.manifest_digest.clone(),
        size: image.manifest_bytes.len() as u64,
        media_type: image.manifest.media_type.clone(),
        platform: Platform::new(&config.os, &config.architecture, config.variant.as_deref()).into(),
        annotations: BTreeMap::new(),
        blobs: kept.layers.iter().chain([&kept.config]).map(|blob| blob.digest.clone()).collect(),
        source: Some(source.parse().map_err(Error::Reference)?),
        tls_verify: None,
    })
}

impl From<Platform> for ListPlatform {
    fn from(platform: Platform) -> Self {
        let Platform { os, architecture, variant } = platform;
        Self { os, architecture, variant, ..Self::default() }
    }
}

impl EntryChange {
    /// The platform that is meant; this machine's as far as it is not said.
    fn platform(&self) -> Platform {
        let host = Platform::host();
        let os = self.os.as_deref().unwrap_or(&host.os);
        let architecture = self.architecture.as_deref().unwrap_or(&host.architecture);
        Platform::new(os, architecture, self.variant.as_deref())
    }
}

fn apply(platform: &mut ListPlatform, change: &EntryChange) {
    let set = |to: &mut String, from: &Option<String>| {
        if let Some(from) = from {
            to.clone_from(from);
        }
    };
    set(&mut platform.os, &change.os);
    set(&mut platform.architecture, &change.architecture);
    for (to, from) in [(&mut platform.variant, &change.variant), (&mut platform.os_version, &change.os_version)] {
        if from.is_some() {
            to.clone_from(from);
        }
    }
    for (to, from) in [(&mut platform.os_features, &change.os_features), (&mut platform.features, &change.features)] {
        if !from.is_empty() {
            to.clone_from(from);
        }
    }
}

/// The same manifest is one entry.
fn put(list: &mut ListRecord, entries: Vec<ListEntry>) {
    for entry in entries {
        match list.entries.iter_mut().find(|old| old.digest == entry.digest) {
            Some(old) => *old = entry,
            None => list.entries.push(entry),
        }
    }
}
