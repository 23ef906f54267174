//! `pull`: from a name to an image in the store.

use std::collections::BTreeMap;

use super::fetch::{self, Blob, Job, Origin, Shared};
use super::incoming::{IncomingImage, IncomingLayer};
use super::transport::Place;
use super::{resolve, trust};
use crate::config::registries_conf::{RegistriesConf, record_alias};
use crate::engine::{Engine, Error};
use crate::registry::{self, Access, RemoteImage, Source};
use crate::storage;
use crate::storage::images::{Image, ImageLayer, ImageSource};
use crate::storage::layers::LayerKey;
use crate::storage::lease::Lease;
use crate::sys;
use crate::sys::fs::File;
use crate::types::digest::{DiffId, Digest};
use crate::types::failure::chain;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::pull_policy::PullPolicy;
use crate::types::reference::{Reference, is_id, split_suffix};

/// What to pull, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullRequest {
    /// As the user wrote it.
    pub(crate) name: String,
    pub(crate) policy: PullPolicy,
    /// This machine's if not given.
    pub(crate) platform: Option<Platform>,
    pub(crate) access: Access,
}

/// What is there now.
#[derive(Debug, Clone)]
pub(crate) struct PullReport {
    pub(crate) image: Image,
    /// The full name that it was found by; none if the text was an id.
    pub(crate) name: Option<Reference>,
}

/// What came of all the tags of a repository.
#[derive(Debug, Default)]
pub(crate) struct TagsReport {
    pub(crate) pulled: Vec<PullReport>,
    /// Why the last one did not come that did not. One tag that leads nowhere keeps nobody from the others.
    pub(crate) failed: Option<Error>,
}

impl Engine {
    /// Makes an image available by the request's policy.
    pub(crate) fn pull(&self, request: &PullRequest, progress: &dyn Progress) -> Result<PullReport, Error> {
        if let Some(place) = Place::parse(&request.name) {
            let loaded = self.pull_place(&place?, request, progress)?;
            let first = loaded.into_iter().next().ok_or_else(|| Error::ImageNotFound(request.name.clone()))?;
            return Ok(PullReport { name: first.names.into_iter().next(), image: first.image });
        }
        let asks_anyway = matches!(request.policy, PullPolicy::Always | PullPolicy::Newer);
        let local = match resolve::local(self, &request.name, request.platform.as_ref()) {
            // A record that cannot be read is as good as none: the pull writes it anew. Whoever asked for no pull
            // hears of the damage, instead of getting what a registry has under that name.
            Err(Error::Storage(error @ storage::Error::BrokenImage { .. })) if asks_anyway => {
                tracing::warn!(%error, "passed over");
                None
            }
            other => other?,
        };
        let local = local.map(|found| PullReport { image: found.image, name: found.name });
        match (request.policy, local) {
            (PullPolicy::Missing | PullPolicy::Never, Some(report)) => Ok(report),
            (PullPolicy::Never, None) => Err(self.not_here(request)?),
            (PullPolicy::Newer, Some(report)) => match self.pull_newer(request, &report, progress) {
                Ok(Some(newer)) => Ok(newer),
                Ok(None) => Ok(report),
                Err(error) => {
                    tracing::info!(%error, "no newer image, going on with the one that is here");
                    Ok(report)
                }
            },
            (PullPolicy::Always | PullPolicy::Missing | PullPolicy::Newer, here) => {
                let name = self.name_to_ask(request, here)?;
                self.pull_now(&PullRequest { name, ..request.clone() }, progress)
            }
        }
    }

    /// What a registry is asked for: the full name of the image that the text means here, or else another owner's might
    /// come in its place. No registry knows ids.
    fn name_to_ask(&self, request: &PullRequest, here: Option<PullReport>) -> Result<String, Error> {
        let text = &request.name;
        let here = match here {
            Some(report) => Some(report.name),
            // One that cannot be read, or of another platform.
            None => match resolve::local(self, text, None) {
                Ok(found) => found.map(|found| found.name),
                Err(Error::Storage(storage::Error::BrokenImage { .. })) => {
                    self.store.name_here(&resolve::asked_word(self, text)?)?.map(Some)
                }
                Err(error) => return Err(error),
            },
        };
        match here {
            Some(Some(name)) => Ok(name.to_string()),
            None if !is_id(text) => Ok(text.clone()),
            _ if request.policy == PullPolicy::Always => Err(Error::PullById(text.clone())),
            _ => Err(self.not_here(request)?),
        }
    }

    /// Why an image that must not be pulled is not there: perhaps it is, but for another platform.
    fn not_here(&self, request: &PullRequest) -> Result<Error, Error> {
        let name = request.name.clone();
        let others = request.platform.as_ref().map(|_| resolve::local(self, &name, None)).transpose()?.flatten();
        Ok(match (others, request.platform.clone()) {
            (Some(found), Some(wanted)) => {
                let config = &found.image.record.config;
                let here = Platform::new(&config.os, &config.architecture, config.variant.as_deref());
                Error::OtherPlatformHere { name, here, wanted }
            }
            _ => Error::ImageNotFound(name),
        })
    }

    /// Asks the registry whatever is here.
    fn pull_now(&self, request: &PullRequest, progress: &dyn Progress) -> Result<PullReport, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        let wanted = resolve::remote(&request.name, &configuration, progress)?;
        let last = wanted.names.len().saturating_sub(1);
        let mut passed: Vec<String> = Vec::new();
        for (index, reference) in wanted.names.into_iter().enumerate() {
            progress.message(&format!("Trying to pull {reference}..."));
            match self.pull_reference(&reference, request, &configuration, progress) {
                Err(error) if index < last => {
                    passed.push(format!("{reference}: {}", chain(&error)));
                }
                outcome => {
                    for line in &passed {
                        match &outcome {
                            Ok(_) => progress.message(line),
                            // The name may be misspelt in all of them, or one of them not be reached.
                            Err(_) => progress.warn(line),
                        }
                    }
                    let image = outcome?;
                    if let Some((short, full)) = &wanted.chosen
                        && let Err(error) = record_alias(short, full)
                    {
                        tracing::warn!(%error, "you will be asked again what {short:?} means");
                    }
                    return Ok(PullReport { image, name: Some(reference) });
                }
            }
        }
        Err(Error::ImageNotFound(request.name.clone()))
    }

    fn pull_reference(
        &self,
        reference: &Reference,
        request: &PullRequest,
        configuration: &RegistriesConf,
        progress: &dyn Progress,
    ) -> Result<Image, Error> {
        let wanted = trust::admit_reference(reference, request.access.signature_policy.as_deref())?;
        let mut source = Source::open(reference, &request.access, configuration).map_err(pulling(reference))?;
        let platform = request.platform.clone().unwrap_or_else(Platform::host);
        self.begin_outer_for_many();
        let remote = source.find(&platform).map_err(pulling(reference))?;
        if let Some(wanted) = wanted {
            trust::verify_reference(&wanted, reference, &remote.manifest_digest, &mut source)?;
        }
        warn_of_platform(&remote, &platform, request.platform.is_some(), progress);
        let from = source_of(reference, &remote.manifest_digest, request.access.tls_verify)?;
        self.take_in(std::slice::from_ref(reference), &mut source, remote, Some(from), progress)
    }

    /// Pulls every tag of a repository.
    pub(crate) fn pull_all_tags(&self, request: &PullRequest, progress: &dyn Progress) -> Result<TagsReport, Error> {
        let (name, suffix) = split_suffix(&request.name);
        if !suffix.is_empty() {
            return Err(Error::TagWithAllTags(request.name.clone()));
        }
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        let wanted = resolve::remote(name, &configuration, progress)?;
        let Some(repository) = wanted.names.first() else { return Err(Error::ImageNotFound(name.to_owned())) };
        let mut source = Source::open(repository, &request.access, &configuration).map_err(pulling(repository))?;
        let tags = source.tags().map_err(pulling(repository))?;
        let mut report = TagsReport::default();
        for reference in tags.iter().filter_map(|tag| repository.with_tag(tag)) {
            let request = PullRequest { name: reference.to_string(), ..request.clone() };
            match self.pull(&request, progress) {
                Ok(pulled) => report.pulled.push(pulled),
                Err(error) => {
                    let goes_on = error.is_of_one_image();
                    if let Some(before) = report.failed.replace(error) {
                        progress.warn(&chain(&before));
                    }
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        Ok(report)
    }

    /// Pulls if the registry names another digest than the image here has.
    fn pull_newer(
        &self,
        request: &PullRequest,
        here: &PullReport,
        progress: &dyn Progress,
    ) -> Result<Option<PullReport>, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        let reference = match &here.name {
            Some(name) => name.clone(),
            // Found by its id: no registry knows that.
            None => return Ok(None),
        };
        let mut source = Source::open(&reference, &request.access, &configuration).map_err(pulling(&reference))?;
        let digest = source.current_digest().map_err(pulling(&reference))?;
        let record = &here.image.record;
        if record.digest == digest || record.index.as_ref() == Some(&digest) {
            return Ok(None);
        }
        let request = PullRequest { name: reference.to_string(), ..request.clone() };
        self.pull_now(&request, progress).map(Some)
    }

    /// Fetches what is missing of an image and publishes it.
    pub(super) fn take_in(
        &self,
        names: &[Reference],
        origin: &mut dyn Origin,
        remote: RemoteImage,
        from: Option<ImageSource>,
        progress: &dyn Progress,
    ) -> Result<Image, Error> {
        let mut image = incoming(remote, from);
        self.sweep_after_killed();
        let lease = self.store.lease()?;
        match self.fetch(&mut image, &lease, origin, progress) {
            Ok(fetched) => {
                progress.message("Writing manifest to image destination");
                let published = self.publish_image(lease, &image, fetched.blobs, fetched.layers, names, progress);
                // Now whoever waited for the same blobs finds them.
                drop(fetched.held);
                published
            }
            // What was fetched goes at once.
            Err(error) => self.end_lease(lease, Err(error)),
        }
    }

    /// Takes away what a killed pull left, so that trying again does not fill the disk. Another one that is under way
    /// is not touched: it holds its lease.
    fn sweep_after_killed(&self) {
        let swept = match sys::fs::names(&self.store.layout().staging()) {
            Ok(names) if names.is_empty() => Ok(()),
            _ => self.sweep_images(),
        };
        if let Err(error) = swept {
            tracing::debug!(%error, "remains of another command stay");
        }
    }

    /// Fetches the layers that are not here. A blob whose layer is here in another compression is left where it is in a
    /// registry, which has it when somebody asks for it; out of an archive it is taken.
    fn fetch(
        &self,
        image: &mut IncomingImage,
        lease: &Lease,
        origin: &mut dyn Origin,
        progress: &dyn Progress,
    ) -> Result<fetch::Fetched, Error> {
        let keys = self.layer_keys(&image.chains())?;
        let mut jobs = Vec::new();
        let mut twins = None;
        for (index, (layer, key)) in image.layers.iter_mut().zip(keys).enumerate() {
            let name = layer.blob.hex()[..12].to_owned();
            let own =
                if lease.rely_on_blob(&self.store, &layer.blob)? { self.store.open_blob(&layer.blob)? } else { None };
            // What is not compressed can be made of any twin.
            let leave = origin.is_resumable() || layer.blob == layer.diff_id.0;
            let twin = if own.is_none() && leave { self.twin(&layer.diff_id, &mut twins, lease)? } else { None };
            layer.twin = twin.as_ref().map(|(digest, _)| digest.clone());
            let unpacked = lease.rely_on_layer(&self.store, &key)?
                && (own.is_none() || self.is_blob_of(&key, &layer.blob, &layer.diff_id)?);
            if unpacked && (own.is_some() || twin.is_some()) {
                progress.begin(&name, &format!("Copying blob {name}"), Some(layer.size));
                progress.phase(&name, "exists");
                continue;
            }
            let mut layer = layer.clone();
            let blob = match (own, twin) {
                (Some(file), _) => Blob::Here(file),
                // Compressed in its own way, which its first bytes tell.
                (None, Some((_, file))) => {
                    layer.media_type = String::new();
                    Blob::Here(file)
                }
                (None, None) => Blob::Away,
            };
            let staged = if unpacked { None } else { Some(lease.stage_layer(key)?) };
            jobs.push(Job { index, name, layer, staged, blob, passed_over: 0 });
        }
        if jobs.is_empty() {
            return Ok(fetch::Fetched::default());
        }
        let (outer, maps) = (self.outer_for_many()?, self.layer_maps()?);
        let expected = jobs.iter().map(|job| job.layer.size).sum();
        self.with_writeback(lease, Some(expected), |writeback| {
            let shared = Shared { store: &self.store, outer: &outer, maps: &maps, lease, writeback };
            fetch::run(jobs, origin, &shared, progress)
        })
    }

    /// True if a blob of the store is known to hold this layer, which is here, too. Another one is compared, by being
    /// unpacked: the configuration of an image may say what it likes.
    fn is_blob_of(&self, key: &LayerKey, blob: &Digest, diff_id: &DiffId) -> Result<bool, Error> {
        if self.store.layer(key)?.is_some_and(|meta| meta.blob.as_ref() == Some(blob)) {
            return Ok(true);
        }
        let holds = |layer: &ImageLayer| layer.blob.as_ref() == Some(blob) && layer.diff_id == *diff_id;
        Ok(self.store.images()?.0.iter().any(|image| image.record.layers.iter().any(holds)))
    }

    /// A blob of the store that holds the same tar: of a layer above other layers, or compressed in another way. `twins`
    /// is made at the first call.
    fn twin(
        &self,
        diff_id: &DiffId,
        twins: &mut Option<BTreeMap<DiffId, Digest>>,
        lease: &Lease,
    ) -> Result<Option<(Digest, File)>, Error> {
        let known = match twins {
            Some(known) => known,
            None => twins.insert(self.store.blobs_by_diff_id()?),
        };
        let Some(blob) = known.get(diff_id) else { return Ok(None) };
        let there = lease.rely_on_blob(&self.store, blob)?;
        let file = if there { self.store.open_blob(blob)? } else { None };
        Ok(file.map(|file| (blob.clone(), file)))
    }
}

/// Where the rest of an image can be had later.
fn source_of(reference: &Reference, digest: &Digest, tls_verify: Option<bool>) -> Result<ImageSource, Error> {
    let reference = format!("{}@{digest}", reference.repository()).parse().map_err(Error::Reference)?;
    Ok(ImageSource { reference, tls_verify })
}

fn incoming(remote: RemoteImage, source: Option<ImageSource>) -> IncomingImage {
    let layers = remote.layers().map(|(descriptor, diff_id)| IncomingLayer {
        diff_id: diff_id.clone(),
        blob: descriptor.digest.clone(),
        size: descriptor.size,
        media_type: descriptor.media_type.clone(),
        twin: None,
    });
    IncomingImage {
        layers: layers.collect(),
        manifest_digest: remote.manifest_digest,
        manifest: remote.manifest_bytes,
        media_type: remote.manifest.media_type,
        index: remote.index,
        config_digest: remote.manifest.config.digest,
        config_bytes: remote.config_bytes,
        config: remote.config,
        annotations: remote.manifest.annotations,
        source,
    }
}

/// A manifest without an index has one platform only, which may be another one.
fn warn_of_platform(remote: &RemoteImage, wanted: &Platform, asked: bool, progress: &dyn Progress) {
    let config = &remote.config;
    let found = Platform::new(&config.os, &config.architecture, config.variant.as_deref());
    let known = !config.architecture.is_empty();
    let differs = found.os != wanted.os || found.architecture != wanted.architecture;
    // What says no variant is what its architecture begins with (containerd's platforms, `Normalize`).
    let variant = |of: &Platform| match (of.variant.as_deref(), of.architecture.as_str()) {
        (None, "arm64") => Some("v8".to_owned()),
        (None, "arm") => Some("v7".to_owned()),
        (variant, _) => variant.map(str::to_owned),
    };
    if known && (differs || (asked && wanted.variant.is_some() && variant(&found) != variant(wanted))) {
        progress.warn(&format!("image platform ({found}) does not match the expected platform ({wanted})"));
    }
}

/// What a registry answered while this was asked for.
pub(super) fn pulling(reference: &Reference) -> impl Fn(registry::Error) -> Error + '_ {
    |source| Error::Pull { name: reference.to_string(), source: Box::new(source) }
}
