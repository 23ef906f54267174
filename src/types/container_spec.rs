//! The resolved wish of `create` and `run`: what the flags, the caller's environment and the image come to. It is
//! stored as the container's `config.json` and never changes; everything that depends on the host is derived at
//! start.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::health::OnFailure;
use super::image_config::Healthcheck;
use super::mount::MountSpec;
use super::name::ContainerName;
use super::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use super::port::PortMapping;
use super::resources::{CgroupsMode, Resources, Ulimit};
use super::restart::RestartPolicy;
use super::security::Security;
use super::signal::Signal;

/// Wish as the flags state it. What a flag did not say is `None` or empty, and the engine fills it in from the image.
/// Nothing of that is written: the record of a container is read by every command that looks at it, so it is short. What
/// has another default than nothing is always written, because defaults may change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ContainerSpec {
    // What runs.
    /// Image as the user wrote it; none with `rootfs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    /// `--rootfs`: absolute path of a directory used as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rootfs: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<ContainerName>,
    /// `--entrypoint`: replaces the image's and drops its CMD. An empty list clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entrypoint: Option<Vec<String>>,
    /// Arguments after the image: replace CMD.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// `--user`: `name|uid[:group|gid]` as written, resolved in the root file system at start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) group_add: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workdir: Option<PathBuf>,
    /// Merged by the precedence of Podman, without the image's: later wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env: Vec<(String, String)>,
    /// `--unsetenv`, and `--unsetenv-all`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unset_env: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unset_env_all: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// `-t`, `-i`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) tty: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) interactive: bool,
    /// `--init`: Sampan itself is pid 1 and reaps.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) init: bool,
    /// Octal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) umask: Option<u32>,
    /// `--tz`: zone name, or `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,

    // Life.
    /// `--rm`: remove the container and its anonymous volumes after the exit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) remove: bool,
    /// `--rmi`: and the image, which is up to the command that waits for the end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) remove_image: bool,
    pub(crate) restart: RestartPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_signal: Option<Signal>,
    /// Seconds between the stop signal and SIGKILL, if the user says them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_timeout: Option<u32>,
    /// Seconds after which the monitor kills it (`--timeout`); none = never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<u32>,
    /// `--health-*`; what it leaves open is the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<Healthcheck>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_healthcheck: bool,
    #[serde(skip_serializing_if = "OnFailure::is_none")]
    pub(crate) health_on_failure: OnFailure,

    // Isolation.
    pub(crate) userns: UsernsMode,
    pub(crate) pid: NamespaceMode,
    pub(crate) ipc: NamespaceMode,
    /// `--ipc private`: no other container may join it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ipc_unshared: bool,
    /// `--ipc none`: a namespace of its own, without `/dev/shm`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_shm: bool,
    pub(crate) uts: NamespaceMode,
    pub(crate) cgroupns: NamespaceMode,
    pub(crate) security: Security,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ulimits: Vec<Ulimit>,
    /// `--ulimit host`: the caller's limits where `ulimits` names none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) host_ulimits: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) oom_score_adj: Option<i32>,

    // Network.
    /// None = the default, `Private`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworkMode>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<PortMapping>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) publish_all: bool,
    /// Addresses of the host for ports that name none (containers.conf(5)); empty: every address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) host_ips: Vec<IpAddr>,
    /// `--expose`: `port[-end][/proto]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) expose: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dns: Vec<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dns_search: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dns_options: Vec<String>,
    /// Names and the address, or none for `host-gateway`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) add_host: Vec<(Vec<String>, Option<IpAddr>)>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_hosts: bool,
    /// `--dns none`: `/etc/resolv.conf` stays as the image has it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_resolv_conf: bool,

    // Files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) mounts: Vec<MountSpec>,
    /// `--volumes-from`: container, and options (`ro`, `rw`, `z`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes_from: Vec<(String, Vec<String>)>,
    /// What becomes of the image's `VOLUME`s.
    pub(crate) image_volume: ImageVolume,
    /// As in [`ContainerSpec::shm_bytes`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shm_size: Option<u64>,

    // Limits.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    pub(crate) cgroups: CgroupsMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cgroup_parent: Option<PathBuf>,

    // Log.
    pub(crate) log: LogConfig,

    // Record.
    /// The command line, for `inspect`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) create_command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cidfile: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pidfile: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ImageVolume {
    /// An anonymous volume each.
    #[default]
    Anonymous,
    Tmpfs,
    Ignore,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogConfig {
    pub(crate) driver: LogDriver,
    /// `--log-opt path=`.
    pub(crate) path: Option<PathBuf>,
    /// Bytes of one file before it is rotated (default 10 MB).
    pub(crate) max_size: u64,
    /// Files kept, the current one included (default 3).
    pub(crate) max_files: u32,
    /// `--log-opt tag=`.
    pub(crate) tag: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogDriver {
    #[default]
    K8sFile,
    None,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { driver: LogDriver::default(), path: None, max_size: 10_000_000, max_files: 3, tag: None }
    }
}

/// Seconds between the stop signal and SIGKILL where nobody says them.
pub(crate) const DEFAULT_STOP_SECONDS: u32 = 10;

impl ContainerSpec {
    /// True if its monitor may start it again.
    pub(crate) fn may_restart(&self) -> bool {
        self.restart != RestartPolicy::No || self.health_on_failure == OnFailure::Restart
    }

    /// Seconds between the stop signal and SIGKILL.
    pub(crate) fn stop_seconds(&self) -> u32 {
        self.stop_timeout.unwrap_or(DEFAULT_STOP_SECONDS)
    }

    /// Bytes of `/dev/shm`; 0 = unlimited.
    pub(crate) fn shm_bytes(&self) -> u64 {
        self.shm_size.unwrap_or(64 << 20)
    }

    /// The umask of its programs.
    pub(crate) fn umask_in_force(&self) -> u32 {
        self.umask.unwrap_or(0o022)
    }

    /// True if the kernel does not end its processes together with its init.
    pub(crate) fn outlives_init(&self, has_cgroup: bool) -> bool {
        self.pid != NamespaceMode::Private && !has_cgroup
    }

    /// The network in force.
    pub(crate) fn network(&self) -> NetworkMode {
        self.network.clone().unwrap_or(NetworkMode::Private)
    }
}
