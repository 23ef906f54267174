//! `info`: what this host and this store are, with Podman's field names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::registries_conf::RegistriesConf;
use crate::network;
use crate::runtime::cgroup;
use crate::sys;
use crate::sys::spawn::{Spawn, find_program};
use crate::types::capability::{CapSet, Capability};
use crate::types::idmap::IdMap;
use crate::types::platform::Platform;
use crate::types::status::ContainerStatus;

use super::error::Error;
use super::handle::Engine;

/// Everything that `info` shows.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    pub(crate) host: HostInfo,
    pub(crate) plugins: Plugins,
    pub(crate) registries: SearchedRegistries,
    pub(crate) store: StoreInfo,
    pub(crate) version: VersionInfo,
}

/// What there is to choose from.
#[derive(Debug, Serialize)]
pub(crate) struct Plugins {
    pub(crate) log: [&'static str; 2],
    pub(crate) volume: [&'static str; 1],
}

/// Of registries.conf.
#[derive(Debug, Serialize)]
pub(crate) struct SearchedRegistries {
    pub(crate) search: Vec<String>,
}

/// There is no API.
#[derive(Debug, Serialize)]
pub(crate) struct RemoteSocket {
    pub(crate) exists: bool,
    pub(crate) path: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HostInfo {
    pub(crate) arch: String,
    pub(crate) cgroup_controllers: Vec<String>,
    /// `cgroupfs`: a delegated subtree; `systemd`: a scope that the user's systemd makes; `none`.
    pub(crate) cgroup_manager: &'static str,
    pub(crate) cgroup_version: &'static str,
    pub(crate) cpus: usize,
    pub(crate) distribution: Distribution,
    /// Nothing is written of events.
    pub(crate) event_logger: &'static str,
    pub(crate) hostname: String,
    pub(crate) id_mappings: IdMappings,
    pub(crate) kernel: String,
    pub(crate) log_driver: &'static str,
    pub(crate) mem_free: u64,
    pub(crate) mem_total: u64,
    pub(crate) oci_runtime: OciRuntime,
    pub(crate) os: &'static str,
    pub(crate) pasta: Program,
    pub(crate) remote_socket: RemoteSocket,
    pub(crate) rootless_network_cmd: String,
    pub(crate) security: SecurityInfo,
    pub(crate) service_is_remote: bool,
    pub(crate) slirp4netns: Program,
    pub(crate) swap_free: u64,
    pub(crate) swap_total: u64,
    pub(crate) uptime: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Distribution {
    pub(crate) codename: String,
    pub(crate) distribution: String,
    pub(crate) version: String,
}

/// P's maps.
#[derive(Debug, Serialize)]
pub(crate) struct IdMappings {
    pub(crate) gidmap: Vec<Mapping>,
    pub(crate) uidmap: Vec<Mapping>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Mapping {
    pub(crate) container_id: u32,
    pub(crate) host_id: u32,
    pub(crate) size: u32,
}

/// Who runs the containers: the program itself.
#[derive(Debug, Serialize)]
pub(crate) struct OciRuntime {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    pub(crate) version: &'static str,
}

/// A program that Sampan uses; empty if it is not installed.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) executable: String,
    pub(crate) version: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecurityInfo {
    pub(crate) apparmor_enabled: bool,
    pub(crate) capabilities: String,
    pub(crate) rootless: bool,
    pub(crate) seccomp_enabled: bool,
    pub(crate) seccomp_profile_path: &'static str,
    pub(crate) selinux_enabled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoreInfo {
    pub(crate) container_store: ContainerCounts,
    pub(crate) graph_driver_name: &'static str,
    /// None is passed to a driver.
    pub(crate) graph_options: BTreeMap<String, String>,
    pub(crate) graph_root: PathBuf,
    pub(crate) graph_root_allocated: u64,
    pub(crate) graph_root_used: u64,
    pub(crate) image_store: ImageCounts,
    pub(crate) run_root: PathBuf,
    pub(crate) transient_store: bool,
    pub(crate) volume_path: PathBuf,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct ContainerCounts {
    pub(crate) number: usize,
    pub(crate) paused: usize,
    pub(crate) running: usize,
    pub(crate) stopped: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct ImageCounts {
    pub(crate) number: usize,
}

/// The program itself; `version` shows the same.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionInfo {
    #[serde(rename = "APIVersion")]
    pub(crate) api_version: &'static str,
    pub(crate) version: &'static str,
    /// There is no Go in here: what compiled it instead.
    pub(crate) go_version: &'static str,
    /// Of the sources; empty if the build did not say.
    pub(crate) git_commit: &'static str,
    /// When, in Unix seconds: what `SOURCE_DATE_EPOCH` said at build time, so that equal sources give equal binaries; else 0.
    pub(crate) built: i64,
    /// The same as Go's `time.ANSIC`, in UTC.
    pub(crate) built_time: String,
    pub(crate) os: &'static str,
    pub(crate) arch: String,
    pub(crate) os_arch: String,
}

impl VersionInfo {
    /// This program.
    pub(crate) fn this() -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let built = option_env!("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        let arch = Platform::host().architecture;
        Self {
            built,
            built_time: ansic(built),
            api_version: version,
            version,
            go_version: env!("SAMPAN_COMPILER"),
            git_commit: option_env!("SAMPAN_GIT_COMMIT").unwrap_or(""),
            os: "linux",
            os_arch: format!("linux/{arch}"),
            arch,
        }
    }
}

/// `Thu Jan  1 00:00:00 1970`; empty for what no calendar has.
fn ansic(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|time| time.strftime("%a %b %e %H:%M:%S %Y").to_string())
        .unwrap_or_default()
}

/// Who makes the cgroups of containers on this host: `cgroupfs`, `systemd` or `none`.
pub(crate) fn cgroup_manager() -> &'static str {
    manager(&cgroup::available())
}

fn manager(available: &cgroup::Available) -> &'static str {
    match available {
        cgroup::Available::Own(_) => "cgroupfs",
        cgroup::Available::Systemd(_) => "systemd",
        cgroup::Available::None(_) => "none",
    }
}

impl Engine {
    /// Looks at host and store. Starts the helper programs to ask for their versions.
    pub(crate) fn info(&self) -> Result<Info, Error> {
        let configuration = RegistriesConf::load().map_err(Error::Config)?;
        Ok(Info {
            host: self.host_info()?,
            plugins: Plugins { log: ["k8s-file", "none"], volume: ["local"] },
            registries: SearchedRegistries { search: configuration.unqualified_search },
            store: self.store_info()?,
            version: VersionInfo::this(),
        })
    }

    fn host_info(&self) -> Result<HostInfo, Error> {
        let available = cgroup::available();
        let cgroup_manager = manager(&available);
        let (cgroup_version, cgroup_controllers) = match available {
            cgroup::Available::Own(controllers) | cgroup::Available::Systemd(controllers) => ("v2", controllers),
            cgroup::Available::None(cgroup::Why::Legacy) => ("v1", Vec::new()),
            cgroup::Available::None(_) => ("v2", Vec::new()),
        };
        let maps = &self.wish()?.maps;
        let memory = keyed("/proc/meminfo");
        let kilobytes = |key: &str| {
            let number = memory.get(key).and_then(|value| value.trim_end_matches("kB").trim().parse::<u64>().ok());
            number.unwrap_or(0).saturating_mul(1024)
        };
        let release = os_release();
        let release = |key: &str| release.get(key).cloned().unwrap_or_default();
        let pasta = self.program("pasta", "--version");
        let slirp4netns = self.program("slirp4netns", "--version");
        Ok(HostInfo {
            arch: Platform::host().architecture,
            cgroup_controllers,
            cgroup_manager,
            cgroup_version,
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            distribution: Distribution {
                codename: release("VERSION_CODENAME"),
                distribution: release("ID"),
                version: release("VERSION_ID"),
            },
            event_logger: "none",
            hostname: line("/proc/sys/kernel/hostname"),
            id_mappings: IdMappings { gidmap: mappings(&maps.gid), uidmap: mappings(&maps.uid) },
            kernel: line("/proc/sys/kernel/osrelease"),
            log_driver: "k8s-file",
            mem_free: kilobytes("MemFree"),
            mem_total: kilobytes("MemTotal"),
            oci_runtime: OciRuntime {
                name: "sampan",
                path: sys::process::own_executable().map_or_else(|_| String::new(), |p| p.display().to_string()),
                version: env!("CARGO_PKG_VERSION"),
            },
            os: "linux",
            remote_socket: RemoteSocket { exists: false, path: "" },
            rootless_network_cmd: network::default_helper(&self.config.path)
                .map(|helper| helper.to_string())
                .unwrap_or_default(),
            pasta,
            security: security(),
            service_is_remote: false,
            slirp4netns,
            swap_free: kilobytes("SwapFree"),
            swap_total: kilobytes("SwapTotal"),
            uptime: uptime(),
        })
    }

    fn store_info(&self) -> Result<StoreInfo, Error> {
        let (containers, broken) = self.store.containers()?;
        let mut counts = ContainerCounts { number: containers.len() + broken.len(), ..ContainerCounts::default() };
        for container in &containers {
            match container.status {
                ContainerStatus::Running | ContainerStatus::Stopping => counts.running += 1,
                ContainerStatus::Paused => counts.paused += 1,
                _ => counts.stopped += 1,
            }
        }
        counts.stopped += broken.len();
        let layout = self.store.layout();
        // A store that nobody has written to yet is not there.
        let there = layout.graphroot().ancestors().find(|path| sys::fs::exists(path)).unwrap_or(Path::new("/"));
        let (total, free) = sys::filesystem::space(there).unwrap_or((0, 0));
        Ok(StoreInfo {
            container_store: counts,
            graph_driver_name: self.driver_name(),
            graph_options: BTreeMap::new(),
            graph_root: layout.graphroot().to_owned(),
            graph_root_allocated: total,
            graph_root_used: total.saturating_sub(free),
            image_store: ImageCounts { number: self.store.image_heads()?.0.len() },
            run_root: layout.runroot().to_owned(),
            transient_store: false,
            volume_path: layout.volumes(),
        })
    }

    /// The first line that a helper program says of itself.
    pub(super) fn program(&self, name: &str, argument: &str) -> Program {
        let Some(path) = find_program(name, &self.config.path) else { return Program::default() };
        let version = match Spawn::new(&path).arg(argument).output(4096) {
            Ok((_, output)) => String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned(),
            Err(error) => error.to_string(),
        };
        Program { name: name.to_owned(), executable: path.display().to_string(), version }
    }
}

fn mappings(map: &IdMap) -> Vec<Mapping> {
    let mapping = |e: &crate::types::idmap::Extent| Mapping { container_id: e.inside, host_id: e.outside, size: e.len };
    map.extents().iter().map(mapping).collect()
}

fn security() -> SecurityInfo {
    let capabilities: Vec<String> = CapSet::DEFAULT.iter().map(Capability::name).collect();
    SecurityInfo {
        apparmor_enabled: line("/sys/module/apparmor/parameters/enabled") == "Y",
        capabilities: capabilities.join(","),
        rootless: sys::fs::effective_uid() != 0,
        seccomp_enabled: !line("/proc/sys/kernel/seccomp/actions_avail").is_empty(),
        seccomp_profile_path: "default",
        selinux_enabled: sys::fs::exists(Path::new("/sys/fs/selinux/enforce")),
    }
}

/// The first line of a file of the kernel's; empty if there is none.
fn line(path: &str) -> String {
    sys::fs::read_to_string(Path::new(path)).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// A file of `key: value` lines.
fn keyed(path: &str) -> BTreeMap<String, String> {
    let text = sys::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let pair = |line: &str| line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
    text.lines().filter_map(pair).collect()
}

/// `os-release(5)`.
fn os_release() -> BTreeMap<String, String> {
    let read = |path: &str| sys::fs::read_to_string(Path::new(path)).ok();
    let text = read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default();
    let pair =
        |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()));
    text.lines().filter_map(pair).collect()
}

fn uptime() -> String {
    let seconds = line("/proc/uptime").split('.').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    format!("{}h {}m {}s", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
