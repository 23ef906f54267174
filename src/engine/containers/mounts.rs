//! The user's mounts with their sources found: binds, volumes, overlays of directories, images.

use std::path::{Path, PathBuf};

use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::request::Scratch;
use crate::runtime::RootMount;
use crate::specgen::{self, PlacedMount, PlacedSource};
use crate::storage::container_record::{ContainerConfig, ImageMount, ImageSnapshot};
use crate::storage::layers::{LayerKey, MapKey};
use crate::types::container_spec::{ContainerSpec, ImageVolume};
use crate::types::failure::chain;
use crate::types::idmap::IdMaps;
use crate::types::mount::{MountSource, MountSpec};
use crate::types::name::VolumeName;

impl Engine {
    /// Finds the sources of a container's mounts, for a start.
    pub(super) fn placed_mounts(&self, config: &ContainerConfig, maps: &IdMaps) -> Result<Vec<PlacedMount>, Error> {
        let mut placed = Vec::new();
        let was_run = self.was_run(config)?;
        for (index, mount) in config.spec.mounts.iter().enumerate() {
            let scratch = self.store.layout().container(&config.id).join(format!("mount-{index}"));
            let mut options = mount.options.clone();
            let source = match &mount.source {
                MountSource::Bind { path } if options.overlay => overlay(vec![path.clone()], &scratch, false),
                MountSource::Bind { path } => PlacedSource::Bind { path: path.clone() },
                MountSource::Volume { name, .. } if options.overlay => {
                    // The filling is a change, too: an overlay is never made over a directory that changes under it.
                    let copy_up = self.store.volume(name)?.needs_copy_up && !options.no_copy;
                    overlay(vec![self.store.layout().volume_data(name)], &scratch, copy_up)
                }
                MountSource::Volume { name, subpath, anonymous } => {
                    let meta = self.store.volume(name)?;
                    PlacedSource::Volume {
                        path: self.store.layout().volume_data(name),
                        subpath: subpath.as_deref().map(relative),
                        copy_up: meta.needs_copy_up
                            && !(*anonymous && was_run)
                            && !options.no_copy
                            && subpath.is_none(),
                        durable: !anonymous || config.is_durable(),
                    }
                }
                MountSource::Tmpfs { size, mode, copy_up } => {
                    PlacedSource::Tmpfs { size: *size, mode: *mode, copy_up: *copy_up }
                }
                MountSource::Image { reference, read_write, subpath } => {
                    if subpath.is_some() {
                        return Err(Error::Unsupported("subpath of a mount of type image"));
                    }
                    options.read_only |= !read_write;
                    let lower = match config.image_mounts.iter().find(|image| image.reference == *reference) {
                        Some(recorded) => self.recorded_directories(recorded, maps)?,
                        // It was made before images of mounts were recorded.
                        None => self.image_directories(reference, maps)?,
                    };
                    overlay(lower, &scratch, false)
                }
            };
            placed.push(PlacedMount {
                target: mount.target.clone(),
                source,
                options,
                yields: is_of_image(config, mount),
            });
        }
        Ok(placed)
    }

    /// Binds and volumes of a container that does not run, outer ones first: where `cp` finds what lies below their
    /// targets. What a start discards (overlays of directories, images, tmpfs) is not among them.
    pub(super) fn resting_mounts(&self, config: &ContainerConfig) -> Result<Vec<RootMount>, Error> {
        let mut found = Vec::new();
        let was_run = self.was_run(config)?;
        for mount in config.spec.mounts.iter().filter(|mount| !mount.options.overlay) {
            let (source, subpath, copy_up) = match &mount.source {
                MountSource::Bind { path } => (path.clone(), None, false),
                MountSource::Volume { name, subpath, anonymous } => {
                    let unfilled = !(*anonymous && was_run)
                        && self.store.volume_if_exists(name)?.is_some_and(|meta| meta.needs_copy_up);
                    let copy_up = unfilled && !mount.options.no_copy && subpath.is_none();
                    (self.store.layout().volume_data(name), subpath.as_deref().map(relative), copy_up)
                }
                MountSource::Tmpfs { .. } | MountSource::Image { .. } => continue,
            };
            let read_only = mount.options.read_only;
            let (target, yields) = (mount.target.clone(), is_of_image(config, mount));
            found.push(RootMount { target, source, subpath, copy_up, read_only, yields });
        }
        found.sort_by_key(|mount| mount.target.components().count());
        Ok(found)
    }

    /// True if a program of the container has run: then its anonymous volumes, of which nothing is noted, are filled, and what it
    /// has made of them is its own. A mark of a filling that did not end (`runtime::init::fill`) is one that it may have set.
    fn was_run(&self, config: &ContainerConfig) -> Result<bool, Error> {
        let is_anonymous = |mount: &MountSpec| matches!(mount.source, MountSource::Volume { anonymous: true, .. });
        if !config.spec.mounts.iter().any(is_anonymous) {
            return Ok(false);
        }
        let record = self.store.container(&config.id)?;
        Ok(record.exit.is_some() || record.state.is_some_and(|state| state.started_at.is_some()))
    }

    /// Volumes that were filled by this start need it no more (under an overlay they were not). The program runs: what cannot
    /// be noted is a warning, and the next start finds that the volume is not empty.
    pub(super) fn note_filled(&self, spec: &ContainerSpec) -> Vec<String> {
        let note = |name: &VolumeName| match self.store.volume_if_exists(name)? {
            Some(meta) if meta.needs_copy_up => self.store.volume_filled(name),
            _ => Ok(()),
        };
        let named = spec.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Volume { name, anonymous: false, .. } if !mount.options.overlay => Some(name),
            // An anonymous one may be gone with its container by now.
            _ => None,
        });
        let failed = named.filter_map(|name| Some((name, note(name).err()?)));
        failed
            .map(|(name, error)| format!("volume {name} is filled, but not noted as such: {}", chain(&error)))
            .collect()
    }

    /// The mounts of other containers (`--volumes-from`), added where the spec has none of its own.
    pub(super) fn add_volumes_from(&self, spec: &mut ContainerSpec) -> Result<(), Error> {
        for (container, options) in &spec.volumes_from {
            let id = self.store.find_container(container)?;
            let read_only = options.iter().any(|option| option == "ro");
            for mount in self.store.container_config(&id)?.spec.mounts {
                if spec.mounts.iter().any(|own| own.target == mount.target) {
                    continue;
                }
                let source = match mount.source {
                    // The other container's anonymous volume is not ours to remove.
                    MountSource::Volume { name, subpath, .. } => {
                        MountSource::Volume { name, subpath, anonymous: false }
                    }
                    bind @ MountSource::Bind { .. } => bind,
                    MountSource::Tmpfs { .. } | MountSource::Image { .. } => continue,
                };
                let mut options = mount.options;
                options.read_only |= read_only;
                spec.mounts.push(MountSpec { source, target: mount.target, options });
            }
        }
        Ok(())
    }

    /// The images that a container which is being made wants to have mounted, unpacked for its maps.
    pub(super) fn images_to_mount(&self, spec: &ContainerSpec, maps: &IdMaps) -> Result<Vec<ImageMount>, Error> {
        let mut mounted = Vec::new();
        for mount in &spec.mounts {
            let MountSource::Image { reference, .. } = &mount.source else { continue };
            let image = self.image_here(reference)?.image;
            self.ensure_layers(&image.record, maps)?;
            let layers = image.chains();
            let (id, digest) = (image.record.id, image.record.digest);
            mounted.push(ImageMount { reference: reference.clone(), id, digest, layers });
        }
        Ok(mounted)
    }

    /// The layers of an image that a container was made with, for these maps, top first. As with those of its root, the
    /// record of the image is needed only if one of them is missing: it may be in a store that is not used now.
    fn recorded_directories(&self, image: &ImageMount, maps: &IdMaps) -> Result<Vec<PathBuf>, Error> {
        let map = MapKey::new(&self.wish()?.maps, maps);
        let keys: Vec<LayerKey> = image.layers.iter().rev().map(|chain| LayerKey::new(chain, &map)).collect();
        if !keys.iter().all(|key| self.store.has_layer(key)) {
            return self.image_directories(&image.digest.to_string(), maps);
        }
        Ok(keys.iter().map(|key| self.store.layer_diff(key)).collect())
    }

    /// The layers of an image for these maps, top first.
    fn image_directories(&self, reference: &str, maps: &IdMaps) -> Result<Vec<PathBuf>, Error> {
        let found = self.image_here(reference)?;
        self.ensure_layers(&found.image.record, maps)?;
        let map = MapKey::new(&self.wish()?.maps, maps);
        let chains = found.image.chains();
        Ok(chains.iter().rev().map(|chain| self.store.layer_diff(&LayerKey::new(chain, &map))).collect())
    }
}

/// An overlay whose changes are discarded: its upper directory goes with the container, and is new at every start. That the
/// monitor sees to ([`scratches`]): until it has the liveness lock, the container may run.
fn overlay(lower: Vec<PathBuf>, scratch: &Path, copy_up: bool) -> PlacedSource {
    PlacedSource::Overlay { lower, upper: scratch.join("upper"), work: scratch.join("work"), copy_up }
}

/// What is to be made for the overlays among these mounts.
pub(super) fn scratches(mounts: &[PlacedMount]) -> Vec<Scratch> {
    let overlays = mounts.iter().filter_map(|mount| match &mount.source {
        PlacedSource::Overlay { lower, upper, work, .. } => {
            Some(Scratch { upper: upper.clone(), work: work.clone(), top: lower.first().cloned() })
        }
        _ => None,
    });
    overlays.collect()
}

/// True if the image wants it (`VOLUME`), and not the user.
fn is_of_image(config: &ContainerConfig, mount: &MountSpec) -> bool {
    let made = match (&mount.source, config.spec.image_volume) {
        (MountSource::Volume { anonymous, .. }, ImageVolume::Anonymous) => *anonymous,
        (MountSource::Tmpfs { size: None, mode: None, .. }, ImageVolume::Tmpfs) => true,
        _ => false,
    };
    let volumes = |image: &ImageSnapshot| specgen::image_volumes(&image.config).unwrap_or_default();
    made && config.image.as_ref().is_some_and(|image| volumes(image).contains(&mount.target))
}

fn relative(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}
