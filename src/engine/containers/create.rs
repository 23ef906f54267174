//! `create`: image, name, volumes, record. Nothing of the host is looked at that a start would not look at again.

use crate::engine::action::HostSource;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::network;
use crate::specgen;
use crate::storage;
use crate::storage::container_record::{ContainerConfig, ContainerRecord};
use crate::storage::images::FoundImage;
use crate::storage::layers::MapKey;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::volumes::VolumeMeta;
use crate::sys;
use crate::types::capability::CapSet;
use crate::types::container_spec::{ContainerSpec, ImageVolume};
use crate::types::health::HealthCheck;
use crate::types::image_config::ImageConfig;
use crate::types::mount::{MountOptions, MountSource, MountSpec};
use crate::types::name::ContainerName;

use super::{idmaps, names, timezone};

/// Tries at a random name before we say that there is none left.
const NAME_TRIES: u32 = 16;

impl Engine {
    /// Makes a container of an image that is in the store (or of `--rootfs`).
    pub(crate) fn create(&self, spec: ContainerSpec, image: Option<FoundImage>) -> Result<ContainerRecord, Error> {
        self.create_for(spec, image, None)
    }

    /// Makes a container that this process starts next. With `--rm` it goes with us if we die before that.
    pub(crate) fn create_to_run(
        &self,
        spec: ContainerSpec,
        image: Option<FoundImage>,
    ) -> Result<ContainerRecord, Error> {
        let own = std::process::id();
        let unread = |source| storage::Error::Read { path: "/proc/self/stat".into(), source };
        let creator = if spec.remove { ProcessIdentity::of(own).map_err(unread)? } else { None };
        self.create_for(spec, image, creator)
    }

    fn create_for(
        &self,
        mut spec: ContainerSpec,
        image: Option<FoundImage>,
        creator: Option<ProcessIdentity>,
    ) -> Result<ContainerRecord, Error> {
        let snapshot = image.as_ref().map(|found| found.image.snapshot(found.name.as_ref()));
        let config = snapshot.as_ref().map(|snapshot| snapshot.config.clone()).unwrap_or_default();
        if snapshot.is_none() && spec.rootfs.is_none() {
            return Err(Error::NoImage);
        }
        self.add_volumes_from(&mut spec)?;
        self.add_image_volumes(&mut spec, &config)?;
        check_sources(&spec)?;
        let facts = self.facts()?;
        let user = numeric_user(&specgen::user(&spec, &config, facts));
        self.share_userns(&mut spec)?;
        let _range = self.choose_range(&mut spec.userns, image.as_ref(), user)?;
        let maps =
            idmaps::container_maps(&self.userns_in_force(&spec.userns)?, &facts.outer, (facts.uid, facts.gid), user)?;
        // What is wrong with the wish shows now, not at the start.
        network::check_options(&spec.network()).map_err(Error::Network)?;
        specgen::arguments(&spec, &config).map_err(Error::Spec)?;
        keep_seccomp_profile(&mut spec)?;
        let asked = spec.healthcheck.is_some() || !spec.health_on_failure.is_none();
        if asked && !spec.no_healthcheck && HealthCheck::of(&spec, Some(&config)).is_none() {
            return Err(Error::NothingToCheck);
        }
        let map = MapKey::new(&facts.outer, &maps);
        if let Some(found) = &image {
            self.ensure_layers(&found.image.record, &maps)?;
        }
        let image_mounts = self.images_to_mount(&spec, &maps)?;
        let driver = self.driver()?;
        let _ports = self.choose_ports(&mut spec, &config)?;
        let given = spec.name.clone();
        let mut attempt = 0;
        loop {
            let name = match &given {
                Some(name) => name.clone(),
                None => random_name(attempt)?,
            };
            let mut container = ContainerConfig::new(name, spec.clone(), map.as_str().to_owned(), driver);
            container.image.clone_from(&snapshot);
            container.image_mounts.clone_from(&image_mounts);
            container.layers = image.as_ref().map(|found| found.image.chains()).unwrap_or_default();
            container.creator = creator.map(|creator| creator.pid);
            container.creator_start_time = creator.map(|creator| creator.start_time);
            container.creator_epoch = creator.map(|_| self.store.layout().epoch().to_owned());
            match self.store.create_container(container) {
                Err(crate::storage::Error::NameInUse { .. }) if given.is_none() && attempt < NAME_TRIES => attempt += 1,
                other => {
                    let record = other?;
                    if let Some(found) = &image {
                        self.store.note_use(&found.image.record.digest);
                    }
                    self.write_cidfile(&record)?;
                    return Ok(record);
                }
            }
        }
    }

    /// An anonymous volume (or a tmpfs) for each `VOLUME` that no mount of the user covers.
    fn add_image_volumes(&self, spec: &mut ContainerSpec, image: &ImageConfig) -> Result<(), Error> {
        for target in specgen::image_volumes(image).map_err(Error::Spec)? {
            if spec.mounts.iter().any(|mount| mount.target == target) {
                continue;
            }
            let source = match spec.image_volume {
                ImageVolume::Ignore => continue,
                ImageVolume::Tmpfs => MountSource::Tmpfs { size: None, mode: None, copy_up: true },
                ImageVolume::Anonymous => {
                    let name = VolumeMeta::random_name();
                    MountSource::Volume { name, anonymous: true, subpath: None }
                }
            };
            spec.mounts.push(MountSpec { source, target, options: MountOptions::default() });
        }
        Ok(())
    }

    fn write_cidfile(&self, record: &ContainerRecord) -> Result<(), Error> {
        let Some(path) = &record.config.spec.cidfile else { return Ok(()) };
        let written = sys::fs::replace_volatile(path, record.id().as_str().as_bytes());
        written.map_err(|source| {
            self.discard(record.id());
            Error::Output { path: path.clone(), source }
        })
    }
}

/// As Podman does: the filter is that of now for as long as the container is there, for each start and `exec`.
fn keep_seccomp_profile(spec: &mut ContainerSpec) -> Result<(), Error> {
    let Some(text) = Engine::seccomp_profile(spec)? else { return Ok(()) };
    let kernel = sys::process::kernel_version();
    specgen::seccomp_section(&spec.security, CapSet::DEFAULT, Some(&text), kernel).map_err(Error::Spec)?;
    spec.security.seccomp_profile = Some(text);
    Ok(())
}

/// Podman refuses a bind source that does not exist (Docker would make it); so are devices, a root file system and a time
/// zone that are not there, before anything is recorded.
fn check_sources(spec: &ContainerSpec) -> Result<(), Error> {
    let binds = spec.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Bind { path } => Some((HostSource::Bind, path)),
        _ => None,
    });
    let devices = spec.security.devices.iter().map(|device| (HostSource::Device, &device.host));
    let root = spec.rootfs.iter().map(|path| (HostSource::Root, path));
    for (what, path) in binds.chain(devices).chain(root) {
        let there =
            sys::fs::stat(path).map_err(|source| Error::Path { what: "look at", path: path.clone(), source })?;
        let Some(there) = there else { return Err(Error::NoSource { what, path: path.clone() }) };
        if what == HostSource::Device && !is_device(&there) {
            return Err(Error::NoDevice(path.clone()));
        }
        if what == HostSource::Root && !there.is_dir() {
            return Err(Error::NoRootDirectory(path.clone()));
        }
    }
    if let Some(zone) = &spec.timezone {
        timezone::read(zone)?;
    }
    Ok(())
}

/// A device, or a directory of devices.
fn is_device(there: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let kind = there.file_type();
    kind.is_char_device() || kind.is_block_device() || kind.is_dir()
}

/// Uid and gid of `--user` where they are numbers: what single-id mode maps to the caller.
pub(super) fn numeric_user(text: &str) -> (u32, u32) {
    let mut parts = text.splitn(2, ':').map(|part| part.parse::<u32>().ok());
    let uid = parts.next().flatten().unwrap_or(0);
    (uid, parts.next().flatten().unwrap_or(0))
}

fn random_name(attempt: u32) -> Result<ContainerName, Error> {
    let text = names::random(attempt);
    text.parse().ok().ok_or(Error::Unsupported("a random name of this form"))
}
