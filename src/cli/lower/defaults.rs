//! What containers.conf(5) says where the flags say nothing.

use crate::config::containers_conf::Containers;

use super::super::flags::CreateFlags;
use super::surroundings::Surroundings;

/// The flags with the defaults of this host and user. What depends on how others are understood is not here: it is read where
/// they are.
pub(super) fn filled(mut flags: CreateFlags, around: &Surroundings<'_>) -> CreateFlags {
    let conf = around.defaults;
    let Containers {
        annotations,
        cgroupns,
        cgroups,
        default_ulimits,
        devices,
        dns_options,
        dns_searches,
        dns_servers,
        env_host,
        http_proxy,
        init,
        ipcns,
        log_driver,
        log_size_max,
        log_tag,
        netns,
        no_hosts,
        oom_score_adj,
        pidns,
        read_only,
        tz,
        umask,
        userns,
        utsns,
        ..
    } = &conf.containers;
    let CreateFlags { container, life, log, network, resources, security, mounts, .. } = &mut flags;
    // $PODMAN_USERNS is Podman's variable for the default. Maps of ids are another word for the same.
    if security.uidmap.is_empty() && security.gidmap.is_empty() {
        fill(&mut security.userns, around.at.var("PODMAN_USERNS").map(str::to_owned).as_ref());
        fill(&mut security.userns, userns.as_ref());
    }
    for (flag, default) in [
        (&mut container.tz, tz),
        (&mut container.umask, umask),
        (&mut life.stop_timeout, &conf.engine.stop_timeout.map(|seconds| seconds.to_string())),
        (&mut mounts.image_volume, &conf.engine.image_volume_mode),
        (&mut resources.cgroupns, cgroupns),
        (&mut resources.cgroups, cgroups),
        (&mut security.ipc, ipcns),
        (&mut security.pid, pidns),
        (&mut security.uts, utsns),
        // The others name what there is, or what Sampan does not have (journald, the default of some distributions).
        (&mut log.log_driver, &log_driver.clone().filter(|driver| driver == "none")),
    ] {
        fill(flag, default.as_ref().filter(|text| !text.is_empty()));
    }
    for (flag, default) in [
        (&mut container.env_host, env_host),
        (&mut container.http_proxy, http_proxy),
        (&mut container.init, init),
        (&mut mounts.read_only, read_only),
    ] {
        fill(flag, default.as_ref());
    }
    fill(&mut resources.oom_score_adj, oom_score_adj.as_ref());
    if network.add_host.is_empty() {
        fill(&mut network.no_hosts, no_hosts.as_ref());
    }
    if network.network.is_empty() {
        // What is the default anyway leaves the choice of the helper open.
        network.network.extend(netns.clone().filter(|text| !matches!(text.as_str(), "" | "private")));
    }
    for (flag, default) in [
        (&mut network.dns, dns_servers),
        (&mut network.dns_search, dns_searches),
        (&mut network.dns_option, dns_options),
    ] {
        if flag.is_empty() {
            before(flag, default.iter().flatten().cloned());
        }
    }
    // Of two that say something of the same the later counts.
    before(&mut container.annotation, annotations.iter().flatten().cloned());
    before(&mut resources.ulimit, default_ulimits.iter().flatten().cloned());
    before(&mut security.device, devices.iter().flatten().cloned());
    let bound = log_size_max.filter(|bytes| *bytes > 0).map(|bytes| format!("max-size={bytes}"));
    let tag = log_tag.as_ref().filter(|tag| !tag.is_empty()).map(|tag| format!("tag={tag}"));
    before(&mut log.log_opt, bound.into_iter().chain(tag));
    flags
}

/// Fills in what the flags have left open.
fn fill<T: Clone>(flag: &mut Option<T>, default: Option<&T>) {
    if flag.is_none() {
        *flag = default.cloned();
    }
}

/// Puts the defaults before what the flags say.
fn before(flag: &mut Vec<String>, defaults: impl Iterator<Item = String>) {
    drop(flag.splice(..0, defaults));
}
