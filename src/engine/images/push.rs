//! `push`: from the store to a registry; to other places by `save`. What was pulled goes out byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd;
use std::path::Path;

use super::absent::Absent;
use super::outgoing::{Instance, Outgoing};
use super::outgoing_list::Given;
use super::save::{LayerForm, SaveRequest, SavedNames};
use super::send::{self, Parcel};
use super::transport::{Output, Place};
use crate::config::registries_conf::RegistriesConf;
use crate::engine::{Engine, Error};
use crate::registry::archive::Form;
use crate::registry::{self, Access, KeptManifest, ManifestFormat, Session};
use crate::storage::images::Image;
use crate::storage::lease::Lease;
use crate::storage::lists::ListRecord;
use crate::storage::unpack::Compression;
use crate::sys;
use crate::types::descriptor::Descriptor;
use crate::types::digest::Digest;
use crate::types::progress::Progress;
use crate::types::reference::Reference;

/// Most repositories that a token is asked for besides the target.
const MOUNTS: usize = 8;

/// What to push, where to, and in which form.
#[derive(Debug)]
pub(crate) struct PushRequest {
    /// Name or id of an image, or of a list.
    pub(crate) image: String,
    /// A name with or without `docker://`, or another transport's place; the image's own name if not given.
    pub(crate) destination: Option<String>,
    /// Of the manifest; as it is if not given.
    pub(crate) format: Option<ManifestFormat>,
    pub(crate) layers: LayerForm,
    /// Of a list: every image that is here.
    pub(crate) all: bool,
    pub(crate) access: Access,
}

/// What is there now.
#[derive(Debug)]
pub(crate) struct PushReport {
    /// Of the manifest or the list, as it was sent.
    pub(crate) digest: Digest,
}

impl Engine {
    /// Sends an image and all that belongs to it; the manifest last, so that nobody ever sees half of it.
    pub(crate) fn push(&self, request: &PushRequest, progress: &dyn Progress) -> Result<PushReport, Error> {
        if let Some(place) = request.destination.as_deref().and_then(Place::parse) {
            return self.push_to_place(request, place?, progress);
        }
        let reference = self.destination(request)?;
        let lease = self.store.lease()?;
        let pushed = self.push_in(&lease, &reference, request, progress);
        let digest = self.end_lease(lease, pushed)?;
        Ok(PushReport { digest })
    }

    fn push_to_place(&self, request: &PushRequest, place: Place, progress: &dyn Progress) -> Result<PushReport, Error> {
        let names = match (place.form, place.name) {
            // Such an archive has whole names, as Podman writes it: the one that is asked for, or the image's own.
            (Form::DockerArchive, Some(name)) => {
                SavedNames::Only(Some(name.parse::<Reference>().map_err(Error::Reference)?.to_string()))
            }
            (Form::DockerArchive, None) => SavedNames::AsAsked(Vec::new()),
            (_, name) => SavedNames::Only(name),
        };
        let saved = SaveRequest {
            images: vec![request.image.clone()],
            form: place.form,
            output: Output::Path(place.path),
            names,
            format: request.format,
            layers: request.layers,
            all: request.all,
            access: request.access.clone(),
        };
        let report = self.save(&saved, progress)?;
        report.digests.into_iter().next().map(|digest| PushReport { digest }).ok_or(Error::NoImage)
    }

    /// The reference that is written.
    fn destination(&self, request: &PushRequest) -> Result<Reference, Error> {
        let text = match &request.destination {
            Some(text) => text.strip_prefix("docker://").unwrap_or(text),
            None => return self.own_destination(&request.image),
        };
        if let Some(transport) = ["docker-daemon:", "containers-storage:"].iter().find(|t| text.starts_with(**t)) {
            return Err(Error::Place { text: text.to_owned(), why: format!("{transport} images are not written") });
        }
        text.parse().map_err(Error::Reference)
    }

    /// Where the name of an image, or of a list, says. An id, or the end of a name, may fit several: nobody has said which
    /// registry shall get it.
    fn own_destination(&self, text: &str) -> Result<Reference, Error> {
        let (mut names, meant) = match self.find_list(text)? {
            Some(list) => (self.names_of_list(text, &list)?, None),
            None => {
                let found = self.find_image(text)?;
                let fits = |name: &Reference| found.name.is_none() || name.is_ended_by(text);
                (found.image.names.into_iter().filter(fits).collect(), found.name)
            }
        };
        // The names of what was made here: no registry is meant.
        if names.iter().any(|name| name.domain() != "localhost") {
            names.retain(|name| name.domain() != "localhost");
        }
        if names.len() > 1 {
            let names = names.into_iter().map(|name| name.to_string()).collect();
            return Err(Error::ManyDestinations { image: text.to_owned(), names });
        }
        names.pop().or(meant).ok_or_else(|| Error::NoDestination(text.to_owned()))
    }

    /// The name by which a text means a list; all that it has if the text is its id.
    fn names_of_list(&self, text: &str, list: &ListRecord) -> Result<Vec<Reference>, Error> {
        if self.image_word(text)?.has(&list.name) {
            return Ok(vec![list.name.clone()]);
        }
        let digest = list.digest();
        let lists = self.store.lists()?.0.into_iter();
        Ok(lists.filter(|other| other.digest() == digest).map(|other| other.name).collect())
    }

    fn push_in(
        &self,
        lease: &Lease,
        reference: &Reference,
        request: &PushRequest,
        progress: &dyn Progress,
    ) -> Result<Digest, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        let pushing = |source| Error::Push { name: reference.to_string(), source: Box::new(source) };
        let given = Given { access: &request.access, registry: Some(reference.domain()) };
        let mut image = self.outgoing_one(lease, request, &given)?;
        let mut session = registry::push_session(reference, &request.access, &configuration).map_err(pushing)?;
        let mut mounts = self.mounts(&session, &image)?;
        let repositories: BTreeSet<String> = mounts.values().cloned().collect();
        let repositories: Vec<String> = repositories.into_iter().take(MOUNTS).collect();
        if !session.open_for_push(&repositories).map_err(pushing)? {
            mounts.clear();
        }
        if request.format.is_none() && request.layers == LayerForm::Squeezed {
            restore(&mut image, &mut session, &mounts).map_err(pushing)?;
        }
        self.complete(lease, &mut image, request.format, request.layers, (&given, progress))?;
        let mut format = request.format;
        loop {
            self.rewrite(lease, &mut image, format, request.layers, progress)?;
            if let Some(digest) = reference.digest().filter(|digest| **digest != image.digest) {
                return Err(Error::OtherDigest { wanted: digest.clone(), found: image.digest });
            }
            self.send_blobs(&image, &mut session, &mounts, reference, progress)?;
            progress.message("Writing manifest to image destination");
            match send_manifests(&image, &mut session, reference) {
                Ok(()) => return Ok(image.digest),
                // Some registries take one kind of manifest only; nobody has asked for the one that was refused.
                Err(error) if error.is_wrong_kind() && format.is_none() && image.list.is_none() => {
                    let other = other_format(&image);
                    progress.warn(&format!(
                        "the registry refuses this kind of manifest ({error}): going on in {}, with another digest",
                        if other == ManifestFormat::Oci { "OCI's format" } else { "Docker's schema 2" }
                    ));
                    format = Some(other);
                }
                Err(error) => return Err(pushing(error)),
            }
        }
    }

    fn outgoing_one(&self, lease: &Lease, request: &PushRequest, given: &Given<'_>) -> Result<Outgoing, Error> {
        let names = SavedNames::Only(None);
        let images = self.outgoing(lease, std::slice::from_ref(&request.image), &names, request.all, given)?;
        images.into_iter().next().ok_or_else(|| Error::ImageNotFound(request.image.clone()))
    }

    /// Repositories of the same registry that have a layer already, as far as the names of the images here tell: where
    /// a blob was pulled from, or pushed to.
    fn mounts(&self, session: &Session, image: &Outgoing) -> Result<BTreeMap<Digest, String>, Error> {
        let wanted: BTreeSet<&Digest> = image.instances.iter().flat_map(blobs).collect();
        let target = session.location();
        let mut found = BTreeMap::new();
        for other in self.store.images()?.0 {
            let blobs = self.blobs_of(&other)?;
            if !blobs.iter().any(|blob| wanted.contains(blob)) {
                continue;
            }
            for name in &other.names {
                if name.domain() != target.host || name.path() == target.path {
                    continue;
                }
                for blob in blobs.iter().filter(|blob| wanted.contains(blob)) {
                    found.entry(blob.clone()).or_insert_with(|| name.path().to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Blobs that the manifest of an image names, here or not.
    fn blobs_of(&self, image: &Image) -> Result<Vec<Digest>, Error> {
        let bytes = self.document(&image.record.digest)?;
        let kept = KeptManifest::parse(&bytes, &image.record.media_type);
        Ok(kept.map_or_else(|_| Vec::new(), |kept| kept.layers.into_iter().map(|layer| layer.digest).collect()))
    }

    /// Configurations from this process, so that a refusal is known before anything large moves; then the layers.
    fn send_blobs(
        &self,
        image: &Outgoing,
        session: &mut Session,
        mounts: &BTreeMap<Digest, String>,
        reference: &Reference,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let (mut small, mut layers) = (Vec::new(), Vec::new());
        for instance in &image.instances {
            // They are there.
            seen.extend(instance.there.iter().cloned());
            for descriptor in std::iter::once(&instance.config).chain(&instance.layers) {
                if !seen.insert(descriptor.digest.clone()) {
                    continue;
                }
                let parcel = self.parcel(instance, descriptor, mounts)?;
                let is_config = descriptor.digest == instance.config.digest;
                if is_config { small.push(parcel) } else { layers.push(parcel) }
            }
        }
        if layers.len() == 1 {
            small.append(&mut layers);
        }
        for parcel in &small {
            send::one(parcel, session, progress).map_err(|source| match source {
                source if source.is_wrong_upload() && send::is_damaged(parcel) => {
                    Error::DamagedBlob(parcel.descriptor.digest.clone())
                }
                source => Error::Push { name: reference.to_string(), source: Box::new(source) },
            })?;
        }
        send::all(layers, session, progress)
    }

    fn parcel(
        &self,
        instance: &Instance,
        descriptor: &Descriptor,
        mounts: &BTreeMap<Digest, String>,
    ) -> Result<Parcel, Error> {
        let source = match instance.staged.get(&descriptor.digest) {
            Some(staged) => staged.open()?,
            None => self.kept_blob(&descriptor.digest)?,
        };
        Ok(Parcel {
            name: descriptor.digest.hex()[..12].to_owned(),
            descriptor: descriptor.clone(),
            source,
            mount: mounts.get(&descriptor.digest).cloned(),
        })
    }
}

/// Layers of an image in the form that it goes out in, and in the one that it came in.
fn blobs(instance: &Instance) -> impl Iterator<Item = &Digest> {
    let absent = instance.pulled.iter().flat_map(|pulled| &pulled.absent).map(|absent| &absent.layer);
    instance.layers.iter().chain(absent).map(|layer| &layer.digest)
}

/// Goes back to the manifest that was pulled if the registry has the blobs that are not here: the digest stays the same.
fn restore(
    image: &mut Outgoing,
    session: &mut Session,
    mounts: &BTreeMap<Digest, String>,
) -> Result<(), registry::Error> {
    for instance in &mut image.instances {
        let Some(pulled) = &instance.pulled else { continue };
        // What came plain out of an archive goes compressed.
        let plain = |absent: &Absent| absent.layer.digest == absent.diff_id.0;
        if instance.source.is_none() && pulled.absent.iter().any(plain) {
            continue;
        }
        let mut all = true;
        for Absent { layer, .. } in &pulled.absent {
            all = all && session.obtain_blob(layer, mounts.get(&layer.digest).map(String::as_str))?;
        }
        if all {
            instance.there = pulled.absent.iter().map(|absent| absent.layer.digest.clone()).collect();
            instance.restore();
            instance.pulled = None;
            if image.list.is_none() {
                image.digest = instance.digest.clone();
            }
        }
    }
    Ok(())
}

/// The images of a list by their digests, then what has the name.
fn send_manifests(image: &Outgoing, session: &mut Session, reference: &Reference) -> Result<(), registry::Error> {
    let name = registry::target(reference);
    match &image.list {
        Some(list) => {
            for one in &image.instances {
                session.put_manifest(&one.digest.to_string(), &one.media_type, &one.bytes)?;
            }
            session.put_manifest(&name, &list.media_type, &list.bytes).map(drop)
        }
        None => image
            .instances
            .iter()
            .try_for_each(|one| session.put_manifest(&name, &one.media_type, &one.bytes).map(drop)),
    }
}

fn other_format(image: &Outgoing) -> ManifestFormat {
    let docker = image.instances.first().is_some_and(|one| one.media_type.contains("docker"));
    if docker { ManifestFormat::Oci } else { ManifestFormat::Docker }
}

/// Writes what `--digestfile` asks for.
pub(crate) fn write_digest(path: &Path, digest: &Digest) -> Result<(), Error> {
    let written = sys::fs::create(path, 0o644)
        .and_then(|file| sys::descriptor::write_all(file.as_fd(), digest.to_string().as_bytes()));
    written.map_err(|source| Error::Output { path: path.to_owned(), source })
}

/// What `--compression-format`, `--compression-level` and `--force-compression` ask for. A plain layer is never sent
/// plain: gzip is what every reader knows.
pub(crate) fn layer_form(compression: Option<Compression>, level: Option<i32>, force: bool) -> LayerForm {
    match compression {
        Some(to) => LayerForm::Compressed(to, level),
        None if level.is_some() || force => LayerForm::Compressed(Compression::Gzip, level),
        None => LayerForm::Squeezed,
    }
}
