//! Limits.

use std::path::PathBuf;

use super::super::switches::any_path;

/// Limits by cgroup and rlimit.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct ResourceFlags {
    /// Limit of memory, in bytes or with a unit.
    #[arg(short, long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Limit of memory and swap together; -1: no limit of swap.
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub(crate) memory_swap: Option<String>,
    /// Memory that is left to the container under pressure.
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_reservation: Option<String>,
    /// Number of processors, with decimals.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) cpus: Option<String>,
    /// Share of processor time, 1024 by default.
    #[arg(short, long, value_name = "SHARES")]
    pub(crate) cpu_shares: Option<u64>,
    /// Microseconds of processor time in each period; -1: no limit.
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    pub(crate) cpu_quota: Option<i64>,
    /// Length of the period in microseconds.
    #[arg(long, value_name = "MICROSECONDS")]
    pub(crate) cpu_period: Option<u64>,
    /// Processors that may be used: 0-3,5.
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_cpus: Option<String>,
    /// Memory nodes that may be used.
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_mems: Option<String>,
    /// Number of processes and threads; -1: no limit (default 2048).
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) pids_limit: Option<i64>,
    /// Limit of setrlimit(2); host: all as they are here.
    #[arg(long, value_delimiter = ',', value_name = "TYPE=SOFT[:HARD]")]
    pub(crate) ulimit: Vec<String>,
    /// How readily the kernel kills it when memory runs out, -1000 to 1000.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) oom_score_adj: Option<i32>,
    /// Write a file of the container's cgroup.
    #[arg(long, value_delimiter = ',', value_name = "FILE=VALUE")]
    pub(crate) cgroup_conf: Vec<String>,
    /// Whether to make cgroups: enabled, disabled, no-conmon or split.
    #[arg(long, value_name = "MODE")]
    pub(crate) cgroups: Option<String>,
    /// Cgroup in which the container's is made.
    #[arg(long, value_name = "PATH", value_parser = any_path())]
    pub(crate) cgroup_parent: Option<PathBuf>,
    /// Cgroup namespace: private, host, container:NAME or ns:PATH.
    #[arg(long, value_name = "MODE")]
    pub(crate) cgroupns: Option<String>,
}
