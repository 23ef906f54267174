//! The `HostConfig` section of `inspect`: what the flags said, in Podman's words.

use super::inspect::bindings;
use super::inspect_report::{Device, HostConfig, IdMappings, LogConfig, RestartPolicy as RestartReport, Ulimit};
use crate::engine::info;
use crate::storage::Store;
use crate::storage::container_record::ContainerRecord;
use crate::types::capability::CapSet;
use crate::types::container_spec::{ContainerSpec, LogDriver};
use crate::types::idmap::IdMap;
use crate::types::mount::{MountSource, MountSpec};
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use crate::types::resources::{CgroupsMode, DEFAULT_PERIOD};
use crate::types::restart::RestartPolicy;
use crate::types::security::{SeccompMode, Unmask};
use crate::types::size;

#[expect(clippy::too_many_lines, reason = "one line for each field")]
pub(super) fn host_config(store: &Store, record: &ContainerRecord) -> HostConfig {
    let spec = &record.config.spec;
    let resources = &spec.resources;
    let security = &spec.security;
    HostConfig {
        binds: spec.mounts.iter().filter_map(bind_text).collect(),
        cgroup_manager: cgroup_manager(record).to_owned(),
        cgroup_mode: namespace(&spec.cgroupns),
        container_id_file: spec.cidfile.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        log_config: log_config(store, record),
        network_mode: network_mode(record),
        port_bindings: bindings(&spec.ports),
        restart_policy: RestartReport {
            name: spec.restart.name(),
            maximum_retry_count: match spec.restart {
                RestartPolicy::OnFailure { max } => max.unwrap_or(0),
                _ => 0,
            },
        },
        auto_remove: spec.remove,
        auto_remove_image: spec.remove_image,
        annotations: spec.annotations.clone(),
        volume_driver: String::new(),
        volumes_from: (!spec.volumes_from.is_empty())
            .then(|| spec.volumes_from.iter().map(volumes_from_text).collect()),
        cap_add: security.cap_add.iter().map(|name| capability(name)).collect(),
        cap_drop: security.cap_drop.iter().map(|name| capability(name)).collect(),
        dns: spec.dns.iter().map(ToString::to_string).collect(),
        dns_options: spec.dns_options.clone(),
        dns_search: spec.dns_search.clone(),
        extra_hosts: spec
            .add_host
            .iter()
            .map(|(names, ip)| {
                let ip = ip.map_or_else(|| "host-gateway".to_owned(), |ip| ip.to_string());
                format!("{}:{ip}", names.join(";"))
            })
            .collect(),
        group_add: spec.group_add.clone(),
        ipc_mode: match spec.ipc {
            NamespaceMode::Private if spec.no_shm => "none".to_owned(),
            NamespaceMode::Private if !spec.ipc_unshared => "shareable".to_owned(),
            _ => namespace(&spec.ipc),
        },
        cgroup: String::new(),
        cgroups: match spec.cgroups {
            CgroupsMode::Enabled => "default",
            CgroupsMode::Disabled => "disabled",
            CgroupsMode::NoConmon => "no-conmon",
            CgroupsMode::Split => "split",
        },
        links: None,
        oom_score_adj: spec.oom_score_adj.unwrap_or(0),
        pid_mode: namespace(&spec.pid),
        privileged: security.privileged,
        publish_all_ports: spec.publish_all,
        readonly_rootfs: security.read_only,
        security_opt: security_options(spec),
        tmpfs: spec.mounts.iter().filter_map(tmpfs_text).collect(),
        uts_mode: namespace(&spec.uts),
        userns_mode: userns(&spec.userns),
        id_mappings: match &spec.userns {
            UsernsMode::Explicit(maps) => Some(IdMappings { uid_map: lines(&maps.uid), gid_map: lines(&maps.gid) }),
            _ => None,
        },
        shm_size: spec.shm_bytes(),
        runtime: "sampan",
        console_size: [0, 0],
        isolation: String::new(),
        cpu_shares: resources.cpu_shares.unwrap_or(0),
        memory: resources.memory.unwrap_or(0),
        nano_cpus: nano_cpus(resources.cpu_quota, resources.cpu_period),
        cgroup_parent: spec.cgroup_parent.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        blkio_weight: 0,
        cpu_period: resources.cpu_period.unwrap_or(0),
        cpu_quota: resources.cpu_quota.unwrap_or(0),
        cpuset_cpus: resources.cpuset_cpus.clone().unwrap_or_default(),
        cpuset_mems: resources.cpuset_mems.clone().unwrap_or_default(),
        devices: security
            .devices
            .iter()
            .map(|device| Device {
                path_on_host: device.host.display().to_string(),
                path_in_container: device.container.display().to_string(),
                cgroup_permissions: device.access.clone(),
            })
            .collect(),
        disk_quota: 0,
        kernel_memory: 0,
        memory_reservation: resources.memory_reservation.unwrap_or(0),
        memory_swap: resources.memory_and_swap().unwrap_or(0),
        memory_swappiness: 0,
        oom_kill_disable: false,
        init: spec.init,
        pids_limit: resources.pids(true).unwrap_or(0),
        ulimits: spec
            .ulimits
            .iter()
            .map(|limit| Ulimit {
                name: format!("RLIMIT_{}", limit.name.to_ascii_uppercase()),
                soft: limit.soft,
                hard: limit.hard,
            })
            .collect(),
        cgroup_conf: (!resources.unified.is_empty()).then(|| resources.unified.clone()),
    }
}

fn log_config(store: &Store, record: &ContainerRecord) -> LogConfig {
    let log = &record.config.spec.log;
    let path = match log.driver {
        LogDriver::K8sFile => {
            log.path.clone().unwrap_or_else(|| store.layout().container_log(record.id())).display().to_string()
        }
        LogDriver::None => String::new(),
    };
    LogConfig {
        kind: match log.driver {
            LogDriver::K8sFile => "k8s-file",
            LogDriver::None => "none",
        },
        config: None,
        path,
        tag: log.tag.clone().unwrap_or_default(),
        size: size::human(log.max_size),
    }
}

/// Billionths of a processor: `--cpus` is kept as quota and period.
fn nano_cpus(quota: Option<i64>, period: Option<u64>) -> u64 {
    let quota = quota.and_then(|quota| u64::try_from(quota).ok()).unwrap_or(0);
    quota.saturating_mul(1_000_000_000) / period.unwrap_or(DEFAULT_PERIOD).max(1)
}

/// Who makes its cgroup, or has made it.
fn cgroup_manager(record: &ContainerRecord) -> &'static str {
    let present = record.state.as_ref().filter(|_| record.status.is_alive()).and_then(|state| state.cgroup.as_ref());
    match (record.config.spec.cgroups, present) {
        (CgroupsMode::Disabled, _) => "disabled",
        (_, Some(cgroup)) if cgroup.scope.is_some() => "systemd",
        (_, Some(_)) => "cgroupfs",
        // Where nothing is delegated there are no cgroups to manage: that is what cgroupfs means there, too.
        (_, None) => Some(info::cgroup_manager()).filter(|name| *name != "none").unwrap_or("cgroupfs"),
    }
}

fn bind_text(mount: &MountSpec) -> Option<String> {
    let (source, is_volume) = match &mount.source {
        MountSource::Bind { path } => (path.display().to_string(), false),
        MountSource::Volume { name, .. } => (name.to_string(), true),
        MountSource::Tmpfs { .. } | MountSource::Image { .. } => return None,
    };
    let harmless = mount.options.harmless().filter(|_| is_volume);
    let options: Vec<_> = stated(mount).chain(harmless).chain(["rbind"]).collect();
    Some(format!("{source}:{}:{}", mount.target.display(), options.join(",")))
}

/// What the flag said, or could have said.
fn stated(mount: &MountSpec) -> impl Iterator<Item = &'static str> {
    let access = if mount.options.read_only { "ro" } else { "rw" };
    mount.options.said().chain([access, mount.options.propagation.name()])
}

/// As the flag was given.
fn volumes_from_text((container, options): &(String, Vec<String>)) -> String {
    if options.is_empty() { container.clone() } else { format!("{container}:{}", options.join(",")) }
}

fn tmpfs_text(mount: &MountSpec) -> Option<(String, String)> {
    let MountSource::Tmpfs { size, mode, copy_up } = &mount.source else { return None };
    let mut options: Vec<String> = stated(mount).chain(mount.options.harmless()).map(str::to_owned).collect();
    options.extend(size.map(|size| format!("size={size}")));
    options.extend(mode.map(|mode| format!("mode={mode:o}")));
    options.extend(copy_up.then(|| "tmpcopyup".to_owned()));
    Some((mount.target.display().to_string(), options.join(",")))
}

fn lines(map: &IdMap) -> Vec<String> {
    map.extents().iter().map(|extent| format!("{}:{}:{}", extent.inside, extent.outside, extent.len)).collect()
}

fn namespace(mode: &NamespaceMode) -> String {
    match mode {
        NamespaceMode::Private => "private".to_owned(),
        NamespaceMode::Host => "host".to_owned(),
        NamespaceMode::Container(id) => format!("container:{id}"),
        NamespaceMode::Path(path) => format!("ns:{}", path.display()),
    }
}

/// The mode that was asked for; where that leaves the helper open, the helper that serves the present run.
fn network_mode(record: &ContainerRecord) -> String {
    let serving = record.state.as_ref().filter(|_| record.status.is_alive()).map(|state| state.network.helper.as_str());
    match (record.config.spec.network(), serving) {
        (NetworkMode::Container(id), _) => format!("container:{id}"),
        (NetworkMode::Path(path), _) => format!("ns:{}", path.display()),
        (NetworkMode::Private, Some(helper)) if !helper.is_empty() => helper.to_owned(),
        (other, _) => other.name().to_owned(),
    }
}

fn userns(mode: &UsernsMode) -> String {
    match mode {
        UsernsMode::Default => String::new(),
        UsernsMode::KeepId { .. } => "keep-id".to_owned(),
        UsernsMode::Nomap => "nomap".to_owned(),
        UsernsMode::Auto { .. } => "auto".to_owned(),
        UsernsMode::Container(id) => format!("container:{id}"),
        UsernsMode::Path(path) => format!("ns:{}", path.display()),
        UsernsMode::Explicit(_) => "private".to_owned(),
    }
}

fn capability(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    if upper == "ALL" || upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") }
}

pub(super) fn capability_names(set: CapSet) -> Vec<String> {
    let mut names: Vec<String> = set.iter().map(|cap| capability(&cap.name())).collect();
    names.sort();
    names
}

fn security_options(spec: &ContainerSpec) -> Vec<String> {
    let security = &spec.security;
    let mut options = Vec::new();
    if security.no_new_privileges {
        options.push("no-new-privileges".to_owned());
    }
    match &security.seccomp {
        SeccompMode::Default => {}
        SeccompMode::Unconfined => options.push("seccomp=unconfined".to_owned()),
        SeccompMode::File(path) => options.push(format!("seccomp={}", path.display())),
    }
    options.extend(security.label.iter().map(|label| format!("label={label}")));
    options.extend(security.apparmor.iter().map(|profile| format!("apparmor={profile}")));
    match &security.unmask {
        Unmask::None => {}
        Unmask::All => options.push("unmask=all".to_owned()),
        Unmask::Paths(paths) => options.push(format!("unmask={}", paths.join(":"))),
    }
    if !security.mask.is_empty() {
        let paths: Vec<String> = security.mask.iter().map(|path| path.display().to_string()).collect();
        options.push(format!("mask={}", paths.join(":")));
    }
    options
}
