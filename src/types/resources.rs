//! Resource limits (cgroup v2) and rlimits. `None` = no limit asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Resources {
    /// Bytes: `memory.max`.
    pub(crate) memory: Option<u64>,
    /// Bytes of memory and swap together; -1 = unlimited swap. `memory.swap.max` = this less `memory`.
    pub(crate) memory_swap: Option<i64>,
    /// Bytes: `memory.low`.
    pub(crate) memory_reservation: Option<u64>,
    /// 2 to 262144, `cpu.weight` by crun's and runc's formula.
    pub(crate) cpu_shares: Option<u64>,
    /// Microseconds per period (`--cpu-quota`, or `--cpus` × period); -1 = unlimited.
    pub(crate) cpu_quota: Option<i64>,
    /// Microseconds, 1000 to 1000000.
    pub(crate) cpu_period: Option<u64>,
    /// Lists as in `cpuset(7)`: `0-3,5`.
    pub(crate) cpuset_cpus: Option<String>,
    pub(crate) cpuset_mems: Option<String>,
    /// Processes; -1 or 0 = unlimited.
    pub(crate) pids_limit: Option<i64>,
    /// What the host sets in the place of our default (containers.conf(5)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default_pids_limit: Option<i64>,
    /// `--cgroup-conf`: file in the container's cgroup → what is written to it.
    pub(crate) unified: BTreeMap<String, String>,
}

/// Microseconds: `--cpu-period` that the kernel starts with, and in which `--cpus` counts.
pub(crate) const DEFAULT_PERIOD: u64 = 100_000;

/// Processes of a container for which nobody has said anything.
const DEFAULT_PIDS: i64 = 2048;

impl Resources {
    /// The limit of processes in force; a default counts where the controller is there.
    pub(crate) fn pids(&self, controlled: bool) -> Option<i64> {
        let default = self.default_pids_limit.unwrap_or(DEFAULT_PIDS);
        self.pids_limit.or(controlled.then_some(default))
    }

    /// Bytes of memory and swap together in force, -1 for unlimited swap. Without `--memory-swap` as much swap as memory, as Podman.
    pub(crate) fn memory_and_swap(&self) -> Option<i64> {
        let asked = self.memory_swap.filter(|both| *both != 0);
        let twice = || self.memory.map(|memory| i64::try_from(memory.saturating_mul(2)).unwrap_or(i64::MAX));
        asked.or_else(twice).filter(|both| *both != 0)
    }

    /// True if no limit is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `--cgroups`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CgroupsMode {
    #[default]
    Enabled,
    Disabled,
    NoConmon,
    Split,
}

/// One `--ulimit`: `type=soft[:hard]`; -1 = as high as the caller may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ulimit {
    /// Lower-case name without `RLIMIT_`: `nofile`.
    pub(crate) name: String,
    pub(crate) soft: i64,
    pub(crate) hard: i64,
}
