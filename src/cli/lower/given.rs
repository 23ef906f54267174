//! Values that are empty, as scripts give them (`--user "$USER_OR_NOTHING"`): Podman takes each as not given.

use super::super::flags::CreateFlags;

/// The flags without those whose value is empty.
pub(super) fn given(flags: &CreateFlags) -> CreateFlags {
    let mut flags = flags.clone();
    let CreateFlags { container, life, network, resources, security, mounts, .. } = &mut flags;
    for text in [
        &mut container.user,
        &mut container.hostname,
        &mut container.tz,
        &mut container.umask,
        &mut life.health.health_cmd,
        &mut life.restart,
        &mut life.stop_signal,
        &mut mounts.shm_size,
        &mut resources.memory,
        &mut resources.memory_swap,
        &mut resources.memory_reservation,
        &mut resources.cpuset_cpus,
        &mut resources.cpuset_mems,
        &mut resources.cgroups,
        &mut resources.cgroupns,
        &mut security.userns,
        &mut security.pid,
        &mut security.ipc,
        &mut security.uts,
    ] {
        text.take_if(|text| text.is_empty());
    }
    // As compose files write it, `"${UID}:${GID}"`.
    container.user.take_if(|text| text == ":");
    for path in [&mut life.cidfile, &mut life.pidfile, &mut resources.cgroup_parent] {
        path.take_if(|path| path.as_os_str().is_empty());
    }
    // Those that Podman reads as lists with commas.
    for list in [
        &mut container.group_add,
        &mut network.publish,
        &mut network.expose,
        &mut network.dns,
        &mut network.dns_search,
        &mut network.dns_option,
        &mut network.add_host,
        &mut resources.ulimit,
        &mut resources.cgroup_conf,
        &mut security.cap_add,
        &mut security.cap_drop,
        &mut security.sysctl,
        &mut security.uidmap,
        &mut security.gidmap,
    ] {
        list.retain(|text| !text.is_empty());
    }
    flags
}
