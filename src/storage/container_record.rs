//! What is recorded of a container: the wish (`config.json`), the run (`state.json`), the end (`exit.json`); and the
//! status that follows from them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::health_record::HealthRecord;
use super::process_identity::ProcessIdentity;
use super::record::{self, Record, Rest};
use crate::sys;
use crate::types::cgroup::CgroupRecord;
use crate::types::container_spec::ContainerSpec;
use crate::types::digest::{ChainId, Digest};
use crate::types::health::HealthCheck;
use crate::types::id::{ContainerId, ImageId};
use crate::types::image_config::ImageConfig;
use crate::types::name::ContainerName;
use crate::types::port::PortMapping;
use crate::types::status::ContainerStatus;

/// How a container's root file system is put together (`--storage-driver`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StorageDriver {
    /// The kernel's overlay, mounted in P.
    Overlay,
    /// The program `fuse-overlayfs`, run in P.
    FuseOverlayfs,
    /// A copy of the layers, with reflinks where the file system has them.
    Copy,
}

impl StorageDriver {
    /// Name as `--storage-driver`, `info` and `inspect` have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::FuseOverlayfs => "fuse-overlayfs",
            Self::Copy => "copy",
        }
    }
}

/// `config.json`: what the container is. Written once by `create`; only `rename` replaces it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerConfig {
    pub(crate) version: u32,
    pub(crate) id: ContainerId,
    pub(crate) name: ContainerName,
    pub(crate) created: Timestamp,
    pub(crate) spec: ContainerSpec,
    /// None with `--rootfs`.
    pub(crate) image: Option<ImageSnapshot>,
    /// Layers of the image, bottom first.
    pub(crate) layers: Vec<ChainId>,
    /// Images that are mounted into it (`--mount type=image`), as they were when it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) image_mounts: Vec<ImageMount>,
    /// Which unpacking of the layers: `storage::layers::MapKey`.
    pub(crate) map: String,
    pub(crate) driver: StorageDriver,
    /// Pid of the `run` that made it: if that is gone and the container was never started, nobody will (garbage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) creator: Option<u32>,
    /// Start time of the creator, so that a reused pid is somebody else (rule R8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) creator_start_time: Option<u64>,
    /// Boot epoch of the creator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) creator_epoch: Option<String>,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

impl ContainerConfig {
    /// The health check, from the flags and the image; `None` where there is none.
    pub(crate) fn health_check(&self) -> Option<HealthCheck> {
        HealthCheck::of(&self.spec, self.image.as_ref().map(|image| &image.config))
    }

    /// A container made now, with an id of its own. Durable unless `spec.remove`.
    pub(crate) fn new(name: ContainerName, spec: ContainerSpec, map: String, driver: StorageDriver) -> Self {
        Self {
            version: Self::VERSION,
            id: ContainerId::from_bytes(crate::sys::fs::random()),
            name,
            created: Timestamp::now(),
            spec,
            image: None,
            layers: Vec::new(),
            image_mounts: Vec::new(),
            map,
            driver,
            creator: None,
            creator_start_time: None,
            creator_epoch: None,
            rest: Rest::new(),
        }
    }

    /// True if the container cannot do without the image: it was made of it, or has it mounted.
    pub(crate) fn uses_image(&self, digest: &Digest, id: &ImageId) -> bool {
        let own = self.image.iter().map(|image| (&image.digest, &image.id));
        let mounted = self.image_mounts.iter().map(|image| (&image.digest, &image.id));
        own.chain(mounted).any(|(its_digest, its_id)| its_digest == digest || its_id == id)
    }

    /// True if the container was made of just this manifest of its image, or has it mounted.
    pub(crate) fn uses_manifest(&self, digest: &Digest) -> bool {
        let mounted = self.image_mounts.iter().map(|image| &image.digest);
        self.image.iter().map(|image| &image.digest).chain(mounted).any(|own| own == digest)
    }

    /// Chains of all layers that its root and its mounts are made of.
    pub(crate) fn all_layers(&self) -> impl Iterator<Item = &ChainId> {
        self.layers.iter().chain(self.image_mounts.iter().flat_map(|image| &image.layers))
    }

    /// Survives a power cut. What is removed at its end anyway does not, which saves three syncs.
    pub(crate) fn is_durable(&self) -> bool {
        !self.spec.remove
    }
}

/// An image that is mounted into a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImageMount {
    /// As the mount names it.
    pub(crate) reference: String,
    pub(crate) id: ImageId,
    /// Of the manifest.
    pub(crate) digest: Digest,
    /// Bottom first.
    pub(crate) layers: Vec<ChainId>,
}

/// The image as it was when the container was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ImageSnapshot {
    pub(crate) id: ImageId,
    /// Full name of the image; its id if it had none.
    pub(crate) name: String,
    /// Of the manifest.
    pub(crate) digest: Digest,
    pub(crate) config: ImageConfig,
}

/// `state.json`: the present run. Volatile; replaced under the container's lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerState {
    pub(crate) version: u32,
    /// Counts the rewrites (rule R10).
    pub(crate) generation: u64,
    pub(crate) status: ContainerStatus,
    #[serde(default)]
    pub(crate) init: Option<ProcessIdentity>,
    #[serde(default)]
    pub(crate) monitor: Option<ProcessIdentity>,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) cgroup: Option<CgroupRecord>,
    /// Published ports as they really are.
    #[serde(default)]
    pub(crate) ports: Vec<PortMapping>,
    #[serde(default)]
    pub(crate) network: NetworkState,
    /// Restarts by the policy since the last `start`.
    #[serde(default)]
    pub(crate) restarts: u32,
    /// `stop` or `kill` ended it: no restart policy applies.
    #[serde(default)]
    pub(crate) stopped_by_user: bool,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

impl ContainerState {
    pub(crate) fn new(status: ContainerStatus) -> Self {
        Self {
            version: Self::VERSION,
            generation: 0,
            status,
            init: None,
            monitor: None,
            started_at: None,
            cgroup: None,
            ports: Vec::new(),
            network: NetworkState::default(),
            restarts: 0,
            stopped_by_user: false,
            rest: Rest::new(),
        }
    }
}

/// The network of the present run, for `inspect` and `ps`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NetworkState {
    /// `pasta`, `slirp4netns`, or empty.
    pub(crate) helper: String,
    pub(crate) ip_address: Option<String>,
    pub(crate) gateway: Option<String>,
}

/// `exit.json`: how a run ended. Written once for each run, by `link(2)` (rule R11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExitRecord {
    pub(crate) version: u32,
    /// Exit code as a shell sees it: 128 + n for a signal; -1 when nobody saw the end.
    pub(crate) code: i32,
    /// The signal that ended the program.
    #[serde(default)]
    pub(crate) signal: Option<i32>,
    #[serde(default)]
    pub(crate) oom_killed: bool,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Timestamp,
    /// Why the code is not the program's own: `timeout`, who did not see the end, or the failure of the start.
    #[serde(default)]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) restarts: u32,
    #[serde(default)]
    pub(crate) stopped_by_user: bool,
    #[serde(skip)]
    pub(crate) rest: Rest,
}

/// Code of a container whose end nobody saw.
pub(crate) const UNKNOWN_CODE: i32 = -1;

impl ExitRecord {
    pub(crate) fn new(code: i32) -> Self {
        Self {
            version: Self::VERSION,
            code,
            signal: None,
            oom_killed: false,
            started_at: None,
            finished_at: Timestamp::now(),
            error: None,
            restarts: 0,
            stopped_by_user: false,
            rest: Rest::new(),
        }
    }

    /// Nobody saw the end; `why` says who should have.
    pub(crate) fn unknown(why: &str) -> Self {
        Self { error: Some(why.to_owned()), ..Self::new(UNKNOWN_CODE) }
    }
}

record::record!(ContainerConfig);

record::record!(ContainerState);

record::record!(ExitRecord);

/// Who looks after the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Supervision {
    /// Its monitor lives (it may be tearing down).
    Monitored,
    /// The monitor died, the container runs on.
    Unsupervised,
    /// The monitor died without an exit record, and so did the container.
    Lost,
    /// Nothing runs.
    None,
}

/// What `monitor.lock` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MonitorLock {
    /// Never started.
    Absent,
    /// Nobody holds it.
    Free,
    Held,
}

/// Everything recorded of one container, read without its lock.
#[derive(Debug, Clone)]
pub(crate) struct ContainerRecord {
    pub(crate) config: ContainerConfig,
    pub(crate) state: Option<ContainerState>,
    pub(crate) exit: Option<ExitRecord>,
    pub(crate) status: ContainerStatus,
    pub(crate) supervision: Supervision,
    /// What its health checks have said; `None` for a container without a check, or not started.
    pub(crate) health: Option<HealthRecord>,
}

impl ContainerRecord {
    /// One that was never started.
    pub(super) fn created(config: ContainerConfig) -> Self {
        let (status, supervision) = (ContainerStatus::Created, Supervision::None);
        Self { config, state: None, exit: None, status, supervision, health: None }
    }

    /// Puts the parts together and works out what the container really is.
    pub(super) fn assemble(
        config: ContainerConfig,
        state: Option<ContainerState>,
        exit: Option<ExitRecord>,
        lock: MonitorLock,
    ) -> Result<Self, Error> {
        let init = state.as_ref().and_then(|state| state.init);
        let init_lives = || init.map_or(Ok(false), ProcessIdentity::is_alive);
        let derived = derive(state.as_ref().map(|state| state.status), exit.is_some(), lock, init_lives);
        let (status, supervision) = derived.map_err(|source| Error::InitUnknown { id: config.id.clone(), source })?;
        Ok(Self { config, state, exit, status, supervision, health: None })
    }

    pub(crate) fn id(&self) -> &ContainerId {
        &self.config.id
    }

    /// How often the policy has started it again, in the present or the last run.
    pub(crate) fn restarts(&self) -> u32 {
        let present = self.state.as_ref().map(|state| state.restarts);
        present.or(self.exit.as_ref().map(|exit| exit.restarts)).unwrap_or(0)
    }

    /// True if its last run was ended by `stop`, `kill` or the like.
    pub(crate) fn stopped_by_user(&self) -> bool {
        let ended = self.exit.as_ref().map(|exit| exit.stopped_by_user);
        ended.or(self.state.as_ref().map(|state| state.stopped_by_user)).unwrap_or(false)
    }

    /// Init of the container, if it is alive.
    pub(crate) fn init(&self) -> Option<ProcessIdentity> {
        self.state.as_ref().filter(|_| self.status.is_alive()).and_then(|state| state.init)
    }

    pub(crate) fn monitor(&self) -> Option<ProcessIdentity> {
        self.state.as_ref().filter(|_| self.supervision == Supervision::Monitored).and_then(|state| state.monitor)
    }
}

/// Status and supervision from the records and the lock (invariant I10).
///
/// A start takes `monitor.lock`, writes "initialized" with its init, removes the old exit record when the program runs,
/// and only then writes "running": so "running" beside an exit record means that the run has ended.
pub(super) fn derive(
    recorded: Option<ContainerStatus>,
    exit: bool,
    lock: MonitorLock,
    init_lives: impl FnOnce() -> sys::Result<bool>,
) -> sys::Result<(ContainerStatus, Supervision)> {
    let held = if lock == MonitorLock::Held { Supervision::Monitored } else { Supervision::None };
    if recorded == Some(ContainerStatus::Removing) {
        return Ok((ContainerStatus::Removing, held));
    }
    // A start says "initialized" before it forgets the old end: the end counts again if the program never ran.
    let starting = recorded == Some(ContainerStatus::Initialized);
    if exit && !starting {
        return Ok((ContainerStatus::Exited, held));
    }
    let alive = recorded.filter(|status| status.is_alive());
    Ok(match (lock, alive) {
        (MonitorLock::Held, Some(status)) => (status, held),
        // The monitor has not written its state yet, or a logout took runroot away and it is about to write it anew.
        (MonitorLock::Held, None) => (ContainerStatus::Initialized, held),
        // Its monitor was killed just after the start: without a monitor, an init that did not start is gone at once.
        (_, Some(status)) if init_lives()? => {
            (if starting { ContainerStatus::Running } else { status }, Supervision::Unsupervised)
        }
        _ if exit => (ContainerStatus::Exited, Supervision::None),
        (MonitorLock::Absent, Some(_)) if starting => (ContainerStatus::Created, Supervision::None),
        (MonitorLock::Free, _) | (MonitorLock::Absent, Some(_)) => (ContainerStatus::Stopped, Supervision::Lost),
        (MonitorLock::Absent, None) => (ContainerStatus::Created, Supervision::None),
    })
}

#[cfg(test)]
mod tests {
    use super::{MonitorLock, Supervision, derive};
    use crate::types::status::ContainerStatus;

    #[test]
    fn i10_status_follows_lock_record_and_process() {
        use ContainerStatus::{Created, Exited, Initialized, Paused, Removing, Running, Stopped};
        use MonitorLock::{Absent, Free, Held};
        use Supervision::{Lost, Monitored, None as Nobody, Unsupervised};
        for (recorded, exit, lock, init_lives, expected) in [
            (None, false, Absent, false, (Created, Nobody)),
            (None, false, Held, false, (Initialized, Monitored)),
            (None, false, Free, false, (Stopped, Lost)),
            (None, true, Free, false, (Exited, Nobody)),
            (Some(Running), false, Held, true, (Running, Monitored)),
            (Some(Paused), false, Held, true, (Paused, Monitored)),
            (Some(Running), true, Held, false, (Exited, Monitored)),
            (Some(Running), true, Free, false, (Exited, Nobody)),
            (Some(Running), false, Free, true, (Running, Unsupervised)),
            (Some(Running), false, Free, false, (Stopped, Lost)),
            (Some(Removing), true, Free, false, (Removing, Nobody)),
            (Some(Initialized), false, Held, true, (Initialized, Monitored)),
            (Some(Initialized), true, Held, true, (Initialized, Monitored)),
            (Some(Initialized), true, Free, true, (Running, Unsupervised)),
            (Some(Initialized), true, Free, false, (Exited, Nobody)),
            (Some(Initialized), false, Free, true, (Running, Unsupervised)),
            (Some(Initialized), false, Free, false, (Stopped, Lost)),
            (Some(Initialized), false, Absent, false, (Created, Nobody)),
        ] {
            let derived = derive(recorded, exit, lock, || Ok(init_lives)).expect("known");
            assert_eq!(derived, expected, "{recorded:?} {exit} {lock:?}");
        }
    }
}
