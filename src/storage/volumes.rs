//! Volumes: a directory `_data` that is mounted into containers, and what was asked for.

use std::path::{Path, PathBuf};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::container_record::ContainerConfig;
use super::error::{At as _, Error};
use super::record::{self, Record, Rest};
use super::store::{DIR_MODE, Store};
use crate::sys;
use crate::sys::Errno;
use crate::types::id::ContainerId;
use crate::types::mount::MountSource;
use crate::types::name::VolumeName;

/// File in an anonymous volume: id of the container that it goes with.
pub(super) const HOLDER: &str = "holder";

/// A volume that cannot be read (case F07), and why.
pub(crate) type BrokenVolume = (VolumeName, Error);

/// `meta.json` of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeMeta {
    pub(crate) version: u32,
    pub(crate) name: VolumeName,
    pub(crate) created: Timestamp,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    /// Goes with its container.
    #[serde(default)]
    pub(crate) anonymous: bool,
    /// Not mounted yet: its first container fills it from its image.
    #[serde(default)]
    pub(crate) needs_copy_up: bool,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

impl VolumeMeta {
    /// A new volume.
    pub(crate) fn new(name: VolumeName, anonymous: bool) -> Self {
        Self {
            version: Self::VERSION,
            name,
            created: Timestamp::now(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            anonymous,
            needs_copy_up: true,
            rest: Rest::new(),
        }
    }

    /// A name for an anonymous volume.
    pub(crate) fn random_name() -> VolumeName {
        let text = hex::encode(sys::fs::random::<32>());
        text.parse().expect("hexadecimal digits are a name")
    }
}

record::record!(VolumeMeta);

impl Store {
    /// Makes a volume; one of the same name is an error.
    pub(crate) fn create_volume(&self, meta: &VolumeMeta) -> Result<(), Error> {
        let shared = self.lock_shared()?;
        self.place_volume(meta, None)?;
        drop(shared);
        Ok(())
    }

    /// Makes the volumes that a container which is being made misses; the store lock is held. Anonymous ones are the
    /// container's: until it is there, and again when it is gone, [`Store::sweep_volumes`] takes them away. One with a name
    /// stays, so the container has its own by now.
    pub(super) fn make_volumes(&self, config: &ContainerConfig) -> Result<(), Error> {
        for mount in &config.spec.mounts {
            match &mount.source {
                MountSource::Volume { name, anonymous: false, .. } => {
                    self.ensure_volume(name)?;
                }
                MountSource::Volume { name, .. } if !self.has_volume(name)? => {
                    self.place_volume(&VolumeMeta::new(name.clone(), true), Some(&config.id))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes a volume with a name unless it is there, and whole; the store lock is held.
    fn ensure_volume(&self, name: &VolumeName) -> Result<(), Error> {
        if self.volume_if_exists(name)?.is_some() {
            return Ok(());
        }
        match self.place_volume(&VolumeMeta::new(name.clone(), false), None) {
            // By somebody who makes a container of his own with it.
            Err(Error::VolumeExists(_)) => self.volume(name).map(drop),
            other => other,
        }
    }

    fn place_volume(&self, meta: &VolumeMeta, holder: Option<&ContainerId>) -> Result<(), Error> {
        let target = self.layout().volume(&meta.name);
        if sys::fs::exists(&target) {
            return Err(Error::VolumeExists(meta.name.clone()));
        }
        let staging = self.layout().staging().join(hex::encode(sys::fs::random::<12>()));
        let placed =
            Self::stage_volume(&staging, meta, holder).and_then(|()| match sys::fs::rename_new(&staging, &target) {
                Err(error) if error.is(Errno::EEXIST) => Err(Error::VolumeExists(meta.name.clone())),
                other => other.writing(&target),
            });
        placed.inspect_err(|_| {
            if let Err(leftover) = sys::fs::remove_tree(&staging) {
                tracing::debug!(%leftover, "staging stays");
            }
        })?;
        let dir = self.layout().volumes();
        sys::fs::sync_dir(&dir).writing(&dir)
    }

    fn stage_volume(staging: &Path, meta: &VolumeMeta, holder: Option<&ContainerId>) -> Result<(), Error> {
        sys::fs::mkdir(staging, DIR_MODE).writing(staging)?;
        record::write_new(&staging.join("meta.json"), meta, true)?;
        if let Some(holder) = holder {
            let path = staging.join(HOLDER);
            sys::fs::write_new_durable(&path, holder.as_str().as_bytes()).writing(&path)?;
        }
        let data = staging.join("_data");
        sys::fs::mkdir(&data, 0o755).writing(&data)?;
        sys::fs::set_mode(&data, 0o755).writing(&data)?;
        sys::fs::sync_dir(staging).writing(staging)
    }

    /// The container that an anonymous volume goes with. None: with nobody, or nobody can say any more.
    fn volume_holder(&self, name: &VolumeName) -> Result<Option<ContainerId>, Error> {
        let path = self.layout().volume(name).join(HOLDER);
        match sys::fs::absent_is_none(sys::fs::read_ordinary(&path, record::LIMIT)).reading(&path) {
            Ok(text) => Ok(text.and_then(|text| String::from_utf8_lossy(&text).parse().ok())),
            Err(error) if error.is_damage() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// True of a volume that went with a container which is not there any more.
    fn is_holder_gone(&self, name: &VolumeName) -> Result<bool, Error> {
        // One whose container is not known stays, whatever the reason.
        let Ok(Some(holder)) = self.volume_holder(name) else { return Ok(false) };
        let container = self.layout().container(&holder);
        // Known to be absent, not merely unreadable now.
        Ok(sys::fs::lstat(&container).reading(&container)?.is_none())
    }

    /// Volumes that go with a container which is not there: it was killed before it was made whole, or was removed and its
    /// volumes not yet. The exclusive store lock is held.
    pub(super) fn lost_volumes(&self) -> Result<Vec<VolumeName>, Error> {
        let mut lost = Vec::new();
        for name in self.volume_names()? {
            if !self.is_holder_gone(&name)? {
                continue;
            }
            match self.volume_users(&name) {
                Ok(users) if users.is_empty() => lost.push(name),
                // One that cannot be read may mount it. That is no reason to sweep nothing else.
                Ok(_) | Err(Error::BrokenContainer { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(lost)
    }

    /// Moves [`Self::lost_volumes`] to the trash.
    pub(super) fn sweep_volumes(&self) -> Result<(), Error> {
        for name in self.lost_volumes()? {
            self.move_to_trash(&self.layout().volume(&name))?;
        }
        Ok(())
    }

    /// Lets [`Self::volumes_that_go_with`] a container outlive it (`rm` without `-v`). Takes no space (rule R13).
    pub(crate) fn release_volumes_of(&self, config: &ContainerConfig) -> Result<(), Error> {
        self.volumes_that_go_with(config)?.iter().try_for_each(|name| self.release_volume(name))
    }

    /// Like [`Self::release_volumes_of`], for a container whose definition is not known.
    pub(crate) fn release_volumes(&self, id: &ContainerId) -> Result<(), Error> {
        for name in self.volume_names()? {
            if self.volume_holder(&name)?.is_some_and(|holder| holder == *id) {
                self.release_volume(&name)?;
            }
        }
        Ok(())
    }

    fn release_volume(&self, name: &VolumeName) -> Result<(), Error> {
        if self.volume_holder(name)?.is_some() {
            let path = self.layout().volume(name).join(HOLDER);
            sys::fs::remove_file(&path).removing(&path)?;
            let dir = self.layout().volume(name);
            sys::fs::sync_dir(&dir).writing(&dir)?;
        }
        Ok(())
    }

    pub(crate) fn volume_if_exists(&self, name: &VolumeName) -> Result<Option<VolumeMeta>, Error> {
        let path = self.layout().volume_meta(name);
        match record::read_if_exists::<VolumeMeta>(&path)? {
            Some(meta) if meta.name != *name => {
                Err(Error::WrongRecord { path, found: format!("volume {}", meta.name) })
            }
            other => Ok(other),
        }
    }

    pub(crate) fn volume(&self, name: &VolumeName) -> Result<VolumeMeta, Error> {
        self.volume_if_exists(name)?.ok_or_else(|| Error::NoVolume(name.to_string()))
    }

    /// Finds a volume by name, or by a unique beginning of its name as Podman does.
    pub(crate) fn find_volume(&self, text: &str) -> Result<VolumeName, Error> {
        let none = || Error::NoVolume(text.to_owned());
        if let Ok(name) = text.parse::<VolumeName>()
            && self.has_volume(&name)?
        {
            return Ok(name);
        }
        let mut matches: Vec<_> = self
            .volume_names()?
            .into_iter()
            .filter(|name| !text.is_empty() && name.as_str().starts_with(text))
            .collect();
        match (matches.len(), matches.pop()) {
            (1, Some(name)) => Ok(name),
            (0, _) | (_, None) => Err(none()),
            (_, Some(last)) => {
                matches.push(last);
                let candidates = matches.iter().map(ToString::to_string).collect();
                Err(Error::AmbiguousVolume { text: text.to_owned(), candidates })
            }
        }
    }

    /// True if there is a volume of this name, whatever it holds.
    pub(crate) fn has_volume(&self, name: &VolumeName) -> Result<bool, Error> {
        let path = self.layout().volume(name);
        sys::fs::is_there(&path).reading(&path)
    }

    /// Names of all volumes, sorted.
    pub(crate) fn volume_names(&self) -> Result<Vec<VolumeName>, Error> {
        let dir = self.layout().volumes();
        let names = sys::fs::names(&dir).reading(&dir)?;
        Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
    }

    /// All volumes, and the errors of the damaged ones.
    pub(crate) fn volumes(&self) -> Result<(Vec<VolumeMeta>, Vec<BrokenVolume>), Error> {
        let (mut whole, mut broken) = (Vec::new(), Vec::new());
        for name in self.volume_names()? {
            match self.volume(&name) {
                Ok(meta) => whole.push(meta),
                Err(Error::NoVolume(_)) if !sys::fs::exists(&self.layout().volume(&name)) => {}
                Err(error) => broken.push((name, error)),
            }
        }
        Ok((whole, broken))
    }

    /// Notes that the first container has filled the volume.
    pub(crate) fn volume_filled(&self, name: &VolumeName) -> Result<(), Error> {
        let meta = self.volume(name)?;
        if !meta.needs_copy_up {
            return Ok(());
        }
        record::write_durable(&self.layout().volume_meta(name), &VolumeMeta { needs_copy_up: false, ..meta })
    }

    /// Containers that mount a volume.
    pub(crate) fn volume_users(&self, name: &VolumeName) -> Result<Vec<ContainerId>, Error> {
        let mut users = Vec::new();
        for id in self.container_ids()? {
            // A damaged container must not keep every volume; one that cannot be read now may need this one.
            let Some(config) = self.definition(&id)? else { continue };
            let uses = |source: &MountSource| matches!(source, MountSource::Volume { name: used, .. } if used == name);
            if config.spec.mounts.iter().any(|mount| uses(&mount.source)) {
                users.push(id);
            }
        }
        Ok(users)
    }

    /// Moves a volume that nobody uses to the trash; answers where it is now.
    pub(crate) fn remove_volume(&self, name: &VolumeName) -> Result<PathBuf, Error> {
        let trashed = self.trash_volume(name)?;
        let dir = self.layout().volumes();
        sys::fs::sync_dir(&dir).writing(&dir)?;
        Ok(trashed)
    }

    /// Like [`Self::remove_volume`], but a power cut may bring it back: for what goes with its container.
    pub(crate) fn trash_volume(&self, name: &VolumeName) -> Result<PathBuf, Error> {
        // Nobody makes a container with it between the look and the move.
        let _lock = self.lock_exclusive()?;
        let path = self.layout().volume(name);
        if !self.has_volume(name)? {
            return Err(Error::NoVolume(name.to_string()));
        }
        let users = self.volume_users(name)?;
        if !users.is_empty() {
            let users = users.iter().map(ToString::to_string).collect();
            return Err(Error::VolumeInUse { name: name.clone(), users });
        }
        self.move_to_trash(&path)
    }

    /// What goes with a container at `--rm` and `rm -v`, unless others mount it: its anonymous volumes, and those of
    /// containers that went so before it, while it mounted them (`--volumes-from`).
    pub(crate) fn volumes_that_go_with(&self, config: &ContainerConfig) -> Result<Vec<VolumeName>, Error> {
        let mut names = Vec::new();
        for mount in &config.spec.mounts {
            if let MountSource::Volume { name, anonymous, .. } = &mount.source
                && (*anonymous || self.is_holder_gone(name)?)
            {
                names.push(name.clone());
            }
        }
        Ok(names)
    }

    /// Removes [`Self::volumes_that_go_with`] a container which is gone, unless others mount them.
    pub(crate) fn remove_volumes_with(&self, config: &ContainerConfig, users: &mut VolumeUsers) -> Result<(), Error> {
        for name in self.volumes_that_go_with(config)? {
            // As in `trash_volume`.
            let _lock = self.lock_exclusive()?;
            let path = self.layout().volume(&name);
            if sys::fs::exists(&path) && !users.has(self, &name)? {
                self.move_to_trash(&path)?;
            }
        }
        Ok(())
    }
}

/// Which containers mount which volumes, for a command that asks often: each definition is read once.
#[derive(Debug, Default)]
pub(crate) struct VolumeUsers {
    seen: BTreeSet<ContainerId>,
    users: BTreeMap<VolumeName, Vec<ContainerId>>,
}

impl VolumeUsers {
    /// True if a container that is there now mounts the volume.
    fn has(&mut self, store: &Store, name: &VolumeName) -> Result<bool, Error> {
        for id in store.container_ids()? {
            if self.seen.contains(&id) {
                continue;
            }
            let config = match store.definition(&id) {
                Ok(Some(config)) => config,
                Ok(None) => continue,
                // One that cannot be read now may mount it. It is asked again for the next volume.
                Err(_) => return Ok(true),
            };
            for mount in &config.spec.mounts {
                if let MountSource::Volume { name, .. } = &mount.source {
                    self.users.entry(name.clone()).or_default().push(id.clone());
                }
            }
            self.seen.insert(id);
        }
        // Known to be absent, not merely unreadable now.
        let is_gone = |id: &ContainerId| matches!(sys::fs::lstat(&store.layout().container(id)), Ok(None));
        Ok(self.users.get(name).is_some_and(|users| !users.iter().all(is_gone)))
    }
}
