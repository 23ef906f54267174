//! `container inspect`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::filter::network_names;
use super::inspect_report::{
    Config, ContainerInspect, Device, GraphDriver, Health, HostConfig, IdMappings, LogConfig, Mount, NetworkSettings,
    PortBinding, RestartPolicy as RestartReport, State, Ulimit,
};
use super::list;
use super::remove::dependencies;
use crate::engine::{Engine, Error};
use crate::specgen;
use crate::storage::Store;
use crate::storage::container_record::{ContainerRecord, StorageDriver, Supervision};
use crate::storage::layers::{LayerKey, MapKey};
use crate::types::capability::CapSet;
use crate::types::container_spec::{ContainerSpec, LogDriver};
use crate::types::idmap::IdMap;
use crate::types::image_config::ImageConfig;
use crate::types::mount::{MountOptions, MountSource, MountSpec, Propagation};
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use crate::types::port::PortMapping;
use crate::types::resources::CgroupsMode;
use crate::types::restart::RestartPolicy;
use crate::types::security::{SeccompMode, Unmask};
use crate::types::status::ContainerStatus;

/// Go's zero time, which Podman prints where nothing happened yet.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Engine {
    /// Everything there is to know of a container; with `size` a worker in P counts its bytes.
    pub(crate) fn inspect(&self, word: &str, size: bool) -> Result<ContainerInspect, Error> {
        let record = self.container(word)?;
        let mut report = self.report(&record)?;
        if size && let Some(size) = self.sizes(std::slice::from_ref(&record))?.first() {
            report.size_rw = Some(size.rw);
            report.size_root_fs = Some(size.root_fs);
        }
        Ok(report)
    }

    fn report(&self, record: &ContainerRecord) -> Result<ContainerInspect, Error> {
        let config = &record.config;
        let spec = &config.spec;
        let layout = self.store.layout();
        let empty = ImageConfig::default();
        let image = config.image.as_ref().map_or(&empty, |image| &image.config);
        let arguments = specgen::arguments(spec, image).unwrap_or_default();
        let caps = self.facts().ok().and_then(|facts| {
            let root = matches!(specgen::user(spec, image, facts).split(':').next(), None | Some("" | "0" | "root"));
            specgen::capability_sets(&spec.security, root, facts.last_cap).ok()
        });
        let names = |set: Option<CapSet>| set.map_or_else(Vec::new, capability_names);
        let file = |name| layout.container_file(&config.id, name).display().to_string();
        Ok(ContainerInspect {
            id: config.id.to_string(),
            created: config.created.to_string(),
            path: arguments.first().cloned().unwrap_or_default(),
            args: arguments.into_iter().skip(1).collect(),
            state: state(record),
            image: config.image.as_ref().map(|image| image.id.to_string()).unwrap_or_default(),
            image_digest: config.image.as_ref().map(|image| image.digest.to_string()).unwrap_or_default(),
            image_name: config.image.as_ref().map(|image| image.name.clone()).unwrap_or_default(),
            rootfs: spec.rootfs.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            pod: String::new(),
            resolv_conf_path: file("resolv.conf"),
            hostname_path: file("hostname"),
            hosts_path: file("hosts"),
            static_dir: layout.container(&config.id),
            oci_config_path: String::new(),
            oci_runtime: "sampan",
            conmon_pid_file: String::new(),
            pid_file: spec.pidfile.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            name: config.name.to_string(),
            restart_count: record.state.as_ref().map_or(0, |state| state.restarts),
            driver: config.driver.name(),
            mount_label: String::new(),
            process_label: String::new(),
            app_armor_profile: spec.security.apparmor.clone().unwrap_or_default(),
            effective_caps: names(caps.as_ref().map(|caps| caps.permitted)),
            bounding_caps: names(caps.as_ref().map(|caps| caps.bounding)),
            exec_ids: Vec::new(),
            graph_driver: graph_driver(&self.store, record),
            size_rw: None,
            size_root_fs: None,
            mounts: spec.mounts.iter().filter_map(|mount| mount_report(&self.store, mount)).collect(),
            dependencies: dependencies(config).into_iter().map(ToString::to_string).collect(),
            network_settings: network(record),
            namespace: String::new(),
            is_infra: false,
            is_service: false,
            kube_exit_code_propagation: "invalid",
            lock_number: 0,
            config: process_config(record, image),
            host_config: host_config(&self.store, record),
            use_image_hosts: false,
            use_image_hostname: false,
        })
    }
}

fn state(record: &ContainerRecord) -> State {
    let (started, ended) = list::times(record);
    let show = |time: Option<Timestamp>| time.map_or_else(|| NEVER.to_owned(), |time| time.to_string());
    let exit = record.exit.as_ref();
    let state = record.state.as_ref().filter(|_| record.status.is_alive());
    let health = list::health(record);
    State {
        oci_version: "1.2.0",
        status: list::state_name(record.status).to_owned(),
        running: matches!(record.status, ContainerStatus::Running | ContainerStatus::Stopping),
        paused: record.status == ContainerStatus::Paused,
        restarting: false,
        oom_killed: exit.is_some_and(|exit| exit.oom_killed),
        dead: record.status == ContainerStatus::Removing,
        pid: record.init().map_or(0, |init| init.pid),
        conmon_pid: record.monitor().map_or(0, |monitor| monitor.pid),
        exit_code: exit.map_or(0, |exit| exit.code),
        error: exit.and_then(|exit| exit.error.clone()).unwrap_or_default(),
        started_at: show(started),
        finished_at: show(ended),
        health: Health {
            status: if health == "none" { String::new() } else { health },
            failing_streak: 0,
            log: Vec::new(),
        },
        cgroup_path: state
            .and_then(|state| state.cgroup.as_ref())
            .map(|cgroup| cgroup.path.display().to_string())
            .unwrap_or_default(),
        checkpointed_at: NEVER,
        restored_at: NEVER,
        stopped_by_user: exit
            .map(|exit| exit.stopped_by_user)
            .or(record.state.as_ref().map(|state| state.stopped_by_user))
            .unwrap_or(false),
        unsupervised: record.supervision == Supervision::Unsupervised,
    }
}

fn graph_driver(store: &Store, record: &ContainerRecord) -> GraphDriver {
    let config = &record.config;
    let layout = store.layout();
    let mut data = BTreeMap::new();
    match config.driver {
        StorageDriver::Copy => {
            data.insert("RootDir", layout.container_rootfs(&config.id).display().to_string());
        }
        StorageDriver::Overlay | StorageDriver::FuseOverlayfs => {
            let map = MapKey::from_text(&config.map);
            let lower = config.layers.iter().rev().map(|chain| store.layer_diff(&LayerKey::new(chain, &map)));
            data.insert("LowerDir", lower.map(|path| path.display().to_string()).collect::<Vec<_>>().join(":"));
            data.insert("UpperDir", layout.container_upper(&config.id).display().to_string());
            data.insert("WorkDir", layout.container_work(&config.id).display().to_string());
        }
    }
    GraphDriver { name: config.driver.name(), data }
}

fn propagation(value: Propagation) -> &'static str {
    match value {
        Propagation::Private => "rprivate",
        Propagation::Slave => "rslave",
        Propagation::Shared => "rshared",
        Propagation::Unbindable => "runbindable",
    }
}

/// A bind or a volume; Podman does not list tmpfs here.
fn mount_report(store: &Store, mount: &MountSpec) -> Option<Mount> {
    let MountOptions { read_only, noexec, nosuid, nodev, .. } = mount.options;
    let (kind, name, source, driver, sub_path) = match &mount.source {
        MountSource::Bind { path } => ("bind", String::new(), path.display().to_string(), "", None),
        MountSource::Volume { name, subpath, .. } => (
            "volume",
            name.to_string(),
            store.layout().volume_data(name).display().to_string(),
            "local",
            subpath.clone(),
        ),
        MountSource::Image { reference, subpath, .. } => {
            ("image", String::new(), reference.clone(), "", subpath.clone())
        }
        MountSource::Tmpfs { .. } => return None,
    };
    let mut options = vec!["rbind"];
    for (set, on) in [(noexec, "noexec"), (nosuid, "nosuid"), (nodev, "nodev")] {
        if set == Some(true) {
            options.push(on);
        }
    }
    Some(Mount {
        kind,
        name,
        source,
        destination: mount.target.display().to_string(),
        driver,
        mode: "",
        options,
        rw: !read_only,
        propagation: propagation(mount.options.propagation),
        sub_path: sub_path.map(|path| path.display().to_string()).unwrap_or_default(),
    })
}

/// `80/tcp` → bindings, a range spread out.
fn bindings(ports: &[PortMapping]) -> BTreeMap<String, Vec<PortBinding>> {
    let mut bound: BTreeMap<String, Vec<PortBinding>> = BTreeMap::new();
    for port in ports {
        for offset in 0..port.range {
            let key = format!("{}/{}", port.container_port.saturating_add(offset), port.protocol);
            let host = if port.host_port == 0 { 0 } else { port.host_port.saturating_add(offset) };
            bound.entry(key).or_default().push(PortBinding {
                host_ip: port.host_ip.map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.to_string()),
                host_port: if host == 0 { String::new() } else { host.to_string() },
            });
        }
    }
    bound
}

fn exposed_names(record: &ContainerRecord) -> impl Iterator<Item = String> {
    let exposed = list::exposed(record);
    exposed.into_iter().flat_map(|(port, protocols)| protocols.into_iter().map(move |p| format!("{port}/{p}")))
}

fn network(record: &ContainerRecord) -> NetworkSettings {
    let mut ports: BTreeMap<String, Option<Vec<PortBinding>>> =
        bindings(list::ports(record)).into_iter().map(|(key, bound)| (key, Some(bound))).collect();
    for name in exposed_names(record) {
        ports.entry(name).or_default();
    }
    let state = record.state.as_ref().filter(|_| record.status.is_alive());
    let network = state.map(|state| state.network.clone()).unwrap_or_default();
    NetworkSettings {
        gateway: network.gateway.unwrap_or_default(),
        ip_address: network.ip_address.unwrap_or_default(),
        ip_prefix_len: network.ip_prefix,
        ipv6_gateway: network.ipv6_gateway.unwrap_or_default(),
        global_ipv6_address: network.ipv6_address.unwrap_or_default(),
        global_ipv6_prefix_len: network.ipv6_prefix,
        mac_address: network.mac_address.unwrap_or_default(),
        ports,
        sandbox_key: record.init().map(|init| format!("/proc/{}/ns/net", init.pid)).unwrap_or_default(),
        ..NetworkSettings::default()
    }
}

fn process_config(record: &ContainerRecord, image: &ImageConfig) -> Config {
    let spec = &record.config.spec;
    let defaults = &image.config;
    let mut env: Vec<String> = if spec.unset_env_all { Vec::new() } else { defaults.env.clone() };
    env.retain(|line| {
        let name = line.split('=').next().unwrap_or_default();
        !spec.unset_env.iter().any(|unset| unset == name) && !spec.env.iter().any(|(set, _)| set == name)
    });
    env.extend(spec.env.iter().map(|(name, value)| format!("{name}={value}")));
    let own_hostname = spec.hostname.clone();
    Config {
        hostname: own_hostname.unwrap_or_else(|| record.config.id.short().to_owned()),
        domainname: String::new(),
        user: spec.user.clone().unwrap_or_else(|| defaults.user.clone()),
        attach_stdin: false,
        attach_stdout: false,
        attach_stderr: false,
        tty: spec.tty,
        open_stdin: spec.interactive,
        stdin_once: false,
        env,
        cmd: list::command(record),
        image: record.config.image.as_ref().map(|image| image.name.clone()).unwrap_or_default(),
        volumes: None,
        working_dir: spec.workdir.as_ref().map_or_else(
            || if defaults.working_dir.is_empty() { "/".to_owned() } else { defaults.working_dir.clone() },
            |dir| dir.display().to_string(),
        ),
        entrypoint: spec.entrypoint.clone().or_else(|| defaults.entrypoint.clone()).unwrap_or_default(),
        on_build: None,
        labels: specgen::labels(spec, image),
        annotations: spec.annotations.clone(),
        stop_signal: spec.stop_signal.map_or_else(
            || if defaults.stop_signal.is_empty() { "SIGTERM".to_owned() } else { defaults.stop_signal.clone() },
            |signal| signal.to_string(),
        ),
        healthcheck: spec
            .healthcheck
            .as_ref()
            .or(defaults.healthcheck.as_ref())
            .filter(|_| !spec.no_healthcheck)
            .and_then(|check| serde_json::to_value(check).ok()),
        healthcheck_on_failure_action: "none",
        create_command: spec.create_command.clone(),
        timezone: spec.timezone.clone().unwrap_or_default(),
        umask: format!("{:04o}", spec.umask.unwrap_or(0o022)),
        secrets: Vec::new(),
        timeout: spec.timeout.unwrap_or(0),
        stop_timeout: spec.stop_timeout.unwrap_or(10),
        passwd: true,
        sd_notify_mode: "container",
        exposed_ports: exposed_names(record).map(|name| (name, json!({}))).collect(),
    }
}

#[expect(clippy::too_many_lines, reason = "one line for each field")]
fn host_config(store: &Store, record: &ContainerRecord) -> HostConfig {
    let spec = &record.config.spec;
    let resources = &spec.resources;
    let security = &spec.security;
    HostConfig {
        binds: spec.mounts.iter().filter_map(bind_text).collect(),
        cgroup_manager: if spec.cgroups == CgroupsMode::Disabled { "disabled" } else { "cgroupfs" }.to_owned(),
        cgroup_mode: namespace(&spec.cgroupns),
        container_id_file: spec.cidfile.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        log_config: log_config(store, record),
        network_mode: network_mode(spec),
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
            .then(|| spec.volumes_from.iter().map(|(name, _)| name.clone()).collect()),
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
        ipc_mode: namespace(&spec.ipc),
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
        shm_size: spec.shm_size.unwrap_or(64 << 20),
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
        memory_swap: resources.memory_swap.unwrap_or(0),
        memory_swappiness: 0,
        oom_kill_disable: false,
        init: spec.init,
        pids_limit: resources.pids_limit.unwrap_or(2048),
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
        size: format!("{}B", log.max_size),
    }
}

/// Billionths of a processor: `--cpus` is kept as quota and period.
fn nano_cpus(quota: Option<i64>, period: Option<u64>) -> u64 {
    let quota = quota.and_then(|quota| u64::try_from(quota).ok()).unwrap_or(0);
    quota.saturating_mul(1_000_000_000) / period.unwrap_or(100_000).max(1)
}

fn bind_text(mount: &MountSpec) -> Option<String> {
    let source = match &mount.source {
        MountSource::Bind { path } => path.display().to_string(),
        MountSource::Volume { name, .. } => name.to_string(),
        MountSource::Tmpfs { .. } | MountSource::Image { .. } => return None,
    };
    let access = if mount.options.read_only { "ro" } else { "rw" };
    let propagation = propagation(mount.options.propagation);
    Some(format!("{source}:{}:{access},{propagation},rbind", mount.target.display()))
}

fn tmpfs_text(mount: &MountSpec) -> Option<(String, String)> {
    let MountSource::Tmpfs { size, mode, .. } = &mount.source else { return None };
    let mut options = vec![if mount.options.read_only { "ro" } else { "rw" }.to_owned(), "rprivate".to_owned()];
    options.extend(size.map(|size| format!("size={size}")));
    options.extend(mode.map(|mode| format!("mode={mode:o}")));
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

fn network_mode(spec: &ContainerSpec) -> String {
    match spec.network() {
        NetworkMode::Container(id) => format!("container:{id}"),
        NetworkMode::Path(path) => format!("ns:{}", path.display()),
        other => network_names(&other).concat(),
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

fn capability_names(set: CapSet) -> Vec<String> {
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
