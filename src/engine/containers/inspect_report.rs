//! The shape of `container inspect`: Podman's field names, so that its templates and its users' scripts go on working.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::engine::images::GraphDriver;
use crate::types::image_config::Healthcheck;

/// A container as `inspect` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContainerInspect {
    pub(crate) id: String,
    pub(crate) created: String,
    pub(crate) path: String,
    pub(crate) args: Vec<String>,
    pub(crate) state: State,
    pub(crate) image: String,
    pub(crate) image_digest: String,
    pub(crate) image_name: String,
    pub(crate) rootfs: String,
    pub(crate) pod: String,
    pub(crate) resolv_conf_path: String,
    pub(crate) hostname_path: String,
    pub(crate) hosts_path: String,
    pub(crate) static_dir: PathBuf,
    #[serde(rename = "OCIConfigPath")]
    pub(crate) oci_config_path: String,
    #[serde(rename = "OCIRuntime")]
    pub(crate) oci_runtime: &'static str,
    pub(crate) conmon_pid_file: String,
    pub(crate) pid_file: String,
    pub(crate) name: String,
    pub(crate) restart_count: u32,
    pub(crate) driver: &'static str,
    pub(crate) mount_label: String,
    pub(crate) process_label: String,
    pub(crate) app_armor_profile: String,
    pub(crate) effective_caps: Vec<String>,
    pub(crate) bounding_caps: Vec<String>,
    #[serde(rename = "ExecIDs")]
    pub(crate) exec_ids: Vec<String>,
    pub(crate) graph_driver: GraphDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_root_fs: Option<u64>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) dependencies: Vec<String>,
    pub(crate) network_settings: NetworkSettings,
    pub(crate) namespace: String,
    pub(crate) is_infra: bool,
    pub(crate) is_service: bool,
    pub(crate) kube_exit_code_propagation: &'static str,
    #[serde(rename = "lockNumber")]
    pub(crate) lock_number: u32,
    pub(crate) config: Config,
    pub(crate) host_config: HostConfig,
    pub(crate) use_image_hosts: bool,
    pub(crate) use_image_hostname: bool,
}

/// `.State`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct State {
    pub(crate) oci_version: &'static str,
    pub(crate) status: String,
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) restarting: bool,
    #[serde(rename = "OOMKilled")]
    pub(crate) oom_killed: bool,
    pub(crate) dead: bool,
    pub(crate) pid: u32,
    pub(crate) conmon_pid: u32,
    pub(crate) exit_code: i32,
    pub(crate) error: String,
    pub(crate) started_at: String,
    pub(crate) finished_at: String,
    /// None without a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Health>,
    pub(crate) cgroup_path: String,
    pub(crate) checkpointed_at: &'static str,
    pub(crate) restored_at: &'static str,
    pub(crate) stopped_by_user: bool,
    /// Ours: the monitor is gone, the container runs on.
    pub(crate) unsupervised: bool,
}

/// `.State.Health`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Health {
    /// Empty before the first start.
    pub(crate) status: &'static str,
    pub(crate) failing_streak: u32,
    pub(crate) log: Vec<HealthLog>,
}

/// One of `.State.Health.Log`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HealthLog {
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) exit_code: i32,
    pub(crate) output: String,
}

/// One of `.Mounts`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mount {
    #[serde(rename = "Type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) driver: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) options: Vec<&'static str>,
    #[serde(rename = "RW")]
    pub(crate) rw: bool,
    pub(crate) propagation: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sub_path: String,
}

/// `.NetworkSettings`.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct NetworkSettings {
    #[serde(rename = "EndpointID")]
    pub(crate) endpoint_id: String,
    #[serde(rename = "Gateway")]
    pub(crate) gateway: String,
    #[serde(rename = "IPAddress")]
    pub(crate) ip_address: String,
    #[serde(rename = "IPPrefixLen")]
    pub(crate) ip_prefix_len: u8,
    #[serde(rename = "IPv6Gateway")]
    pub(crate) ipv6_gateway: String,
    #[serde(rename = "GlobalIPv6Address")]
    pub(crate) global_ipv6_address: String,
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub(crate) global_ipv6_prefix_len: u8,
    #[serde(rename = "MacAddress")]
    pub(crate) mac_address: String,
    #[serde(rename = "Bridge")]
    pub(crate) bridge: String,
    #[serde(rename = "SandboxID")]
    pub(crate) sandbox_id: String,
    #[serde(rename = "HairpinMode")]
    pub(crate) hairpin_mode: bool,
    #[serde(rename = "LinkLocalIPv6Address")]
    pub(crate) link_local_ipv6_address: String,
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    pub(crate) link_local_ipv6_prefix_len: u8,
    /// `80/tcp` → where it is published; null where it is only exposed.
    #[serde(rename = "Ports")]
    pub(crate) ports: BTreeMap<String, Option<Vec<PortBinding>>>,
    #[serde(rename = "SandboxKey")]
    pub(crate) sandbox_key: String,
    #[serde(rename = "Networks", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) networks: BTreeMap<String, Value>,
}

/// Where a port is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PortBinding {
    pub(crate) host_ip: String,
    pub(crate) host_port: String,
}

/// `.Config`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Config {
    pub(crate) hostname: String,
    pub(crate) domainname: String,
    pub(crate) user: String,
    pub(crate) attach_stdin: bool,
    pub(crate) attach_stdout: bool,
    pub(crate) attach_stderr: bool,
    pub(crate) tty: bool,
    pub(crate) open_stdin: bool,
    pub(crate) stdin_once: bool,
    pub(crate) env: Vec<String>,
    pub(crate) cmd: Vec<String>,
    pub(crate) image: String,
    pub(crate) volumes: Option<BTreeMap<String, Value>>,
    pub(crate) working_dir: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) on_build: Option<Vec<String>>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) stop_signal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<Healthcheck>,
    pub(crate) healthcheck_on_failure_action: &'static str,
    pub(crate) create_command: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) timezone: String,
    pub(crate) umask: String,
    pub(crate) secrets: Vec<Value>,
    pub(crate) timeout: u32,
    pub(crate) stop_timeout: u32,
    pub(crate) passwd: bool,
    #[serde(rename = "sdNotifyMode")]
    pub(crate) sd_notify_mode: &'static str,
    pub(crate) exposed_ports: BTreeMap<String, Value>,
}

/// `.HostConfig`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HostConfig {
    pub(crate) binds: Vec<String>,
    pub(crate) cgroup_manager: String,
    pub(crate) cgroup_mode: String,
    #[serde(rename = "ContainerIDFile")]
    pub(crate) container_id_file: String,
    pub(crate) log_config: LogConfig,
    pub(crate) network_mode: String,
    pub(crate) port_bindings: BTreeMap<String, Vec<PortBinding>>,
    pub(crate) restart_policy: RestartPolicy,
    pub(crate) auto_remove: bool,
    pub(crate) auto_remove_image: bool,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) volume_driver: String,
    pub(crate) volumes_from: Option<Vec<String>>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) cap_drop: Vec<String>,
    pub(crate) dns: Vec<String>,
    pub(crate) dns_options: Vec<String>,
    pub(crate) dns_search: Vec<String>,
    pub(crate) extra_hosts: Vec<String>,
    pub(crate) group_add: Vec<String>,
    pub(crate) ipc_mode: String,
    pub(crate) cgroup: String,
    pub(crate) cgroups: &'static str,
    pub(crate) links: Option<Vec<String>>,
    pub(crate) oom_score_adj: i32,
    pub(crate) pid_mode: String,
    pub(crate) privileged: bool,
    pub(crate) publish_all_ports: bool,
    pub(crate) readonly_rootfs: bool,
    pub(crate) security_opt: Vec<String>,
    pub(crate) tmpfs: BTreeMap<String, String>,
    #[serde(rename = "UTSMode")]
    pub(crate) uts_mode: String,
    pub(crate) userns_mode: String,
    #[serde(rename = "IDMappings", skip_serializing_if = "Option::is_none")]
    pub(crate) id_mappings: Option<IdMappings>,
    pub(crate) shm_size: u64,
    pub(crate) runtime: &'static str,
    pub(crate) console_size: [u16; 2],
    pub(crate) isolation: String,
    pub(crate) cpu_shares: u64,
    pub(crate) memory: u64,
    pub(crate) nano_cpus: u64,
    pub(crate) cgroup_parent: String,
    pub(crate) blkio_weight: u16,
    pub(crate) cpu_period: u64,
    pub(crate) cpu_quota: i64,
    pub(crate) cpuset_cpus: String,
    pub(crate) cpuset_mems: String,
    pub(crate) devices: Vec<Device>,
    pub(crate) disk_quota: u64,
    pub(crate) kernel_memory: u64,
    pub(crate) memory_reservation: u64,
    pub(crate) memory_swap: i64,
    pub(crate) memory_swappiness: i64,
    pub(crate) oom_kill_disable: bool,
    pub(crate) init: bool,
    pub(crate) pids_limit: i64,
    pub(crate) ulimits: Vec<Ulimit>,
    pub(crate) cgroup_conf: Option<BTreeMap<String, String>>,
}

/// `.HostConfig.LogConfig`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LogConfig {
    #[serde(rename = "Type")]
    pub(crate) kind: &'static str,
    pub(crate) config: Option<Value>,
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) size: String,
}

/// `.HostConfig.RestartPolicy`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RestartPolicy {
    pub(crate) name: &'static str,
    pub(crate) maximum_retry_count: u32,
}

/// `.HostConfig.IDMappings`: `inside:outside:length`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IdMappings {
    pub(crate) uid_map: Vec<String>,
    pub(crate) gid_map: Vec<String>,
}

/// One of `.HostConfig.Devices`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Device {
    pub(crate) path_on_host: String,
    pub(crate) path_in_container: String,
    pub(crate) cgroup_permissions: String,
}

/// One of `.HostConfig.Ulimits`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ulimit {
    pub(crate) name: String,
    pub(crate) soft: i64,
    pub(crate) hard: i64,
}
