//! Limits of the cgroup as the spec has them; `runtime::cgroup` writes the files.

use oci_spec::runtime::{LinuxCpu, LinuxMemory, LinuxPids, LinuxResources};

use crate::types::host::HostFacts;
use crate::types::resources::Resources;

/// The `resources` section.
pub(super) fn resources(wish: &Resources, host: &HostFacts) -> LinuxResources {
    let mut section = LinuxResources::default();
    if wish.memory.is_some() || wish.memory_swap.is_some() || wish.memory_reservation.is_some() {
        let mut memory = LinuxMemory::default();
        let limit = wish.memory.map(signed);
        memory.set_limit(limit).set_reservation(wish.memory_reservation.map(signed));
        memory.set_swap(wish.memory_and_swap());
        section.set_memory(Some(memory));
    }
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(wish.cpu_shares).set_quota(wish.cpu_quota).set_period(wish.cpu_period);
    cpu.set_cpus(wish.cpuset_cpus.clone()).set_mems(wish.cpuset_mems.clone());
    if cpu != LinuxCpu::default() {
        section.set_cpu(Some(cpu));
    }
    let controlled = host.controllers.iter().any(|name| name == "pids");
    if let Some(limit) = wish.pids(controlled) {
        let mut pids = LinuxPids::default();
        pids.set_limit(if limit == 0 { -1 } else { limit });
        section.set_pids(Some(pids));
    }
    if !wish.unified.is_empty() {
        section.set_unified(Some(wish.unified.clone().into_iter().collect()));
    }
    section
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
