//! `container inspect`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::dependencies::dependencies;
use super::inspect_host_config::{capability_names, host_config};
use super::inspect_report::{Config, ContainerInspect, Health, HealthLog, Mount, NetworkSettings, PortBinding, State};
use super::list;
use super::place;
use crate::engine::images::GraphDriver;
use crate::engine::{Engine, Error};
use crate::specgen;
use crate::storage::Store;
use crate::storage::container_record::{ContainerRecord, StorageDriver, Supervision};
use crate::storage::layers::{LayerKey, MapKey};
use crate::types::capability::CapSet;
use crate::types::image_config::ImageConfig;
use crate::types::mount::{MountSource, MountSpec};
use crate::types::port::PortMapping;
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
            restart_count: record.restarts(),
            driver: config.driver.name(),
            mount_label: String::new(),
            process_label: String::new(),
            app_armor_profile: spec.security.apparmor.clone().unwrap_or_default(),
            effective_caps: names(caps.as_ref().map(|caps| caps.permitted)),
            bounding_caps: names(caps.as_ref().map(|caps| caps.bounding)),
            exec_ids: self.store.execs_of(&config.id)?.into_iter().map(|exec| exec.id.to_string()).collect(),
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
    State {
        oci_version: "1.2.0",
        status: record.status.as_str().to_owned(),
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
        health: health(record),
        cgroup_path: state
            .and_then(|state| state.cgroup.as_ref())
            .map(|cgroup| cgroup.path.display().to_string())
            .unwrap_or_default(),
        checkpointed_at: NEVER,
        restored_at: NEVER,
        stopped_by_user: record.stopped_by_user(),
        unsupervised: record.supervision == Supervision::Unsupervised,
    }
}

fn health(record: &ContainerRecord) -> Option<Health> {
    let Some(health) = &record.health else { return record.config.health_check().map(|_| Health::default()) };
    let log = health.log.iter().map(|check| HealthLog {
        start: check.start.to_string(),
        end: check.end.to_string(),
        exit_code: check.exit_code,
        output: check.output.clone(),
    });
    Some(Health { status: health.status.as_str(), failing_streak: health.failing_streak, log: log.collect() })
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

/// A bind or a volume; Podman does not list tmpfs here.
fn mount_report(store: &Store, mount: &MountSpec) -> Option<Mount> {
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
    let is_volume = matches!(mount.source, MountSource::Volume { .. });
    let harmless = mount.options.harmless().filter(|_| is_volume);
    Some(Mount {
        kind,
        name,
        source,
        destination: mount.target.display().to_string(),
        driver,
        mode: "",
        options: mount.options.said().chain(harmless).chain(["rbind"]).collect(),
        rw: !mount.options.read_only,
        propagation: mount.options.propagation.name(),
        sub_path: sub_path.map(|path| path.display().to_string()).unwrap_or_default(),
    })
}

/// `80/tcp` → bindings, a range spread out.
pub(super) fn bindings(ports: &[PortMapping]) -> BTreeMap<String, Vec<PortBinding>> {
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
        // As in Podman: the loopback of a container without a network is no address for others.
        ip_address: network.ip_address.filter(|address| !address.starts_with("127.")).unwrap_or_default(),
        ports,
        sandbox_key: record.init().map(|init| format!("/proc/{}/ns/net", init.pid)).unwrap_or_default(),
        ..NetworkSettings::default()
    }
}

fn process_config(record: &ContainerRecord, image: &ImageConfig) -> Config {
    let spec = &record.config.spec;
    let defaults = &image.config;
    let hostname = place::hostname(&record.config);
    // What cannot be an environment fails at the start; here it is shown as far as it is known.
    let env = specgen::environment(spec, image, &hostname, spec.tty).unwrap_or_else(|_| defaults.env.clone());
    Config {
        hostname,
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
        healthcheck: record.config.health_check().map(|check| check.to_docker()),
        healthcheck_on_failure_action: spec.health_on_failure.as_str(),
        create_command: spec.create_command.clone(),
        timezone: spec.timezone.clone().unwrap_or_default(),
        umask: format!("{:04o}", spec.umask_in_force()),
        secrets: Vec::new(),
        timeout: spec.timeout.unwrap_or(0),
        stop_timeout: spec.stop_seconds(),
        passwd: true,
        sd_notify_mode: "container",
        exposed_ports: exposed_names(record).map(|name| (name, json!({}))).collect(),
    }
}
