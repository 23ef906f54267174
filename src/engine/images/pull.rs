//! `pull`: from a name to an image in the store.

use super::fetch::{self, Job, Origin, Shared};
use super::incoming::{IncomingImage, IncomingLayer};
use super::resolve;
use crate::config::registries_conf::RegistriesConf;
use crate::engine::{Engine, Error};
use crate::registry::{self, Access, RemoteImage};
use crate::storage;
use crate::storage::images::Image;
use crate::storage::lease::Lease;
use crate::sys;
use crate::types::platform::Platform;
use crate::types::progress::Progress;
use crate::types::pull_policy::PullPolicy;
use crate::types::reference::Reference;

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

impl Engine {
    /// Makes an image available by the request's policy.
    pub(crate) fn pull(&self, request: &PullRequest, progress: &dyn Progress) -> Result<PullReport, Error> {
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
            (PullPolicy::Never, None) => Err(Error::ImageNotFound(request.name.clone())),
            (PullPolicy::Newer, Some(report)) => match self.pull_newer(request, &report, progress) {
                Ok(Some(newer)) => Ok(newer),
                Ok(None) => Ok(report),
                Err(error) => {
                    tracing::info!(%error, "no newer image, going on with the one that is here");
                    Ok(report)
                }
            },
            (PullPolicy::Always | PullPolicy::Missing | PullPolicy::Newer, _) => self.pull_now(request, progress),
        }
    }

    /// Asks the registry whatever is here.
    fn pull_now(&self, request: &PullRequest, progress: &dyn Progress) -> Result<PullReport, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        let reference = resolve::remote(&request.name, &configuration)?;
        let sessions = registry::sessions(&reference, &request.access, &configuration).map_err(pulling(&reference))?;
        let platform = request.platform.clone().unwrap_or_else(Platform::host);
        progress.message(&format!("Trying to pull {reference}..."));
        let (mut session, remote) = registry::find(&reference, &platform, sessions).map_err(pulling(&reference))?;
        warn_of_platform(&remote, &platform, request.platform.is_some(), progress);
        let image = self.take_in(std::slice::from_ref(&reference), &mut session, remote, progress)?;
        Ok(PullReport { image, name: Some(reference) })
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
            None => resolve::remote(&request.name, &configuration)?,
        };
        let sessions = registry::sessions(&reference, &request.access, &configuration).map_err(pulling(&reference))?;
        let Some(mut session) = sessions.into_iter().next_back() else { return Ok(None) };
        let digest = registry::current_digest(&mut session, &reference).map_err(pulling(&reference))?;
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
        progress: &dyn Progress,
    ) -> Result<Image, Error> {
        let image = incoming(remote);
        self.sweep_after_killed();
        let lease = self.store.lease()?;
        match self.fetch(&image, &lease, origin, progress) {
            Ok(fetched) => {
                progress.message("Writing manifest to image destination");
                self.publish_image(lease, &image, fetched.blobs, fetched.layers, names, progress)
            }
            Err(error) => {
                // What was fetched goes at once; what cannot be removed now, the next sweep takes.
                if let Err(left) = lease.finish(&self.store).map_err(Error::from).and_then(|()| self.empty_trash()) {
                    tracing::debug!(error = %left, "staging directory stays");
                }
                Err(error)
            }
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

    fn fetch(
        &self,
        image: &IncomingImage,
        lease: &Lease,
        origin: &mut dyn Origin,
        progress: &dyn Progress,
    ) -> Result<fetch::Fetched, Error> {
        let keys = self.layer_keys(&image.chains())?;
        let mut jobs = Vec::new();
        for (index, (layer, key)) in image.layers.iter().zip(keys).enumerate() {
            let name = layer.blob.hex()[..12].to_owned();
            let blob = lease.rely_on_blob(&self.store, &layer.blob)?;
            if lease.rely_on_layer(&self.store, &key)? {
                progress.begin(&name, &name, Some(layer.size));
                progress.phase(&name, "exists");
                continue;
            }
            let local = if blob { self.store.open_blob(&layer.blob)? } else { None };
            let staged = lease.stage_layer(key)?;
            jobs.push(Job { index, name, layer: layer.clone(), staged, local });
        }
        if jobs.is_empty() {
            return Ok(fetch::Fetched::default());
        }
        let (outer, maps) = (self.outer()?, self.layer_maps()?);
        fetch::run(jobs, origin, &Shared { outer: &outer, maps: &maps, lease }, progress)
    }
}

fn incoming(remote: RemoteImage) -> IncomingImage {
    let layers = remote.layers().map(|(descriptor, diff_id)| IncomingLayer {
        diff_id: diff_id.clone(),
        blob: descriptor.digest.clone(),
        size: descriptor.size,
        media_type: descriptor.media_type.clone(),
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
    }
}

/// A manifest without an index has one platform only, which may be another one.
fn warn_of_platform(remote: &RemoteImage, wanted: &Platform, asked: bool, progress: &dyn Progress) {
    let config = &remote.config;
    let found = Platform::new(&config.os, &config.architecture, config.variant.as_deref());
    let known = !config.architecture.is_empty();
    let differs = found.os != wanted.os || found.architecture != wanted.architecture;
    if known && (differs || (asked && wanted.variant.is_some() && found.variant != wanted.variant)) {
        progress.warn(&format!("image platform ({found}) does not match the expected platform ({wanted})"));
    }
}

fn pulling(reference: &Reference) -> impl Fn(registry::Error) -> Error + '_ {
    |source| Error::Pull { name: reference.to_string(), source: Box::new(source) }
}
