//! What runs, and its life.

use std::path::PathBuf;

use crate::types::boolean::parse_bool;

use super::super::switches::any_path;
use super::registry::{AccessFlags, PlatformFlags};

/// The process and its surroundings.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ContainerFlags {
    /// Name of the container (default: two random words).
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Remove a container that has the name already.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Variable of the environment; NAME alone copies the caller's, PRE* every one that begins so.
    #[arg(short, long, value_name = "NAME[=VALUE]", allow_hyphen_values = true)]
    pub(crate) env: Vec<String>,
    /// File of variables, one NAME=VALUE per line.
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Pass the caller's whole environment on.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub(crate) env_host: Option<bool>,
    /// Remove a variable of the image.
    #[arg(long, value_name = "NAME")]
    pub(crate) unsetenv: Vec<String>,
    /// Remove every variable of the image.
    #[arg(long)]
    pub(crate) unsetenv_all: bool,
    /// Pass the caller's proxy variables on (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub(crate) http_proxy: Option<bool>,
    /// Replace the image's entrypoint: a program, or a JSON array of strings; empty removes it.
    #[arg(long, value_name = "PROGRAM", allow_hyphen_values = true)]
    pub(crate) entrypoint: Option<String>,
    /// Working directory in the container.
    #[arg(short, long, value_name = "DIR", value_parser = any_path())]
    pub(crate) workdir: Option<PathBuf>,
    /// User, by name or number, and group.
    #[arg(short, long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// Supplementary group; keep-groups keeps the caller's.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) group_add: Vec<String>,
    /// Keep stdin open.
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Give the container a terminal.
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Host name (default: the first 12 digits of the id).
    #[arg(short = 'h', long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// Run an init as process 1, which reaps and passes signals on.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub(crate) init: Option<bool>,
    /// Label.
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub(crate) label: Vec<String>,
    /// File of labels, one KEY=VALUE per line.
    #[arg(long, value_name = "FILE")]
    pub(crate) label_file: Vec<PathBuf>,
    /// OCI annotation.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) annotation: Vec<String>,
    /// Time zone, or local for the caller's.
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// Umask in octal (default 0022).
    #[arg(long, value_name = "MASK")]
    pub(crate) umask: Option<String>,
    /// Take the first argument as the path of a root file system, not as an image.
    #[arg(long)]
    pub(crate) rootfs: bool,
}

/// Start, stop and what is left.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct LifeFlags {
    /// Remove the container and its anonymous volumes after it has ended.
    #[arg(long)]
    pub(crate) rm: bool,
    /// When to start it again: no, on-failure[:MAX], always or unless-stopped; the last two not with --rm.
    #[arg(long, value_name = "POLICY")]
    pub(crate) restart: Option<String>,
    /// Signal that stops it (default SIGTERM, or the image's).
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) stop_signal: Option<String>,
    /// Seconds between the stop signal and SIGKILL (default 10).
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) stop_timeout: Option<String>,
    /// Seconds after which it is killed. Its restart policy counts that as any other end.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u32>,
    #[command(flatten)]
    pub(crate) health: HealthFlags,
    /// Write the container's id to this file.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    pub(crate) cidfile: Option<PathBuf>,
    /// Write the pid of its first process to this file.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    pub(crate) pidfile: Option<PathBuf>,
}

/// Whether what runs does its work.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct HealthFlags {
    /// Check that tells whether the container is healthy: a script, or a JSON array of a program and its arguments; none
    /// for no check.
    #[arg(long, alias = "healthcheck-command", value_name = "COMMAND", allow_hyphen_values = true)]
    pub(crate) health_cmd: Option<String>,
    /// Time between two checks, or disable for checks by hand alone (default 30s, or the image's).
    #[arg(long, alias = "healthcheck-interval", value_name = "DURATION")]
    pub(crate) health_interval: Option<String>,
    /// Failures in a row that make it unhealthy (default 3, or the image's).
    #[arg(long, alias = "healthcheck-retries", value_name = "COUNT")]
    pub(crate) health_retries: Option<u32>,
    /// Time after the start in which failures do not count (default 0s, or the image's).
    #[arg(long, alias = "healthcheck-start-period", value_name = "DURATION")]
    pub(crate) health_start_period: Option<String>,
    /// Time after which a check is killed and has failed (default 30s, or the image's).
    #[arg(long, alias = "healthcheck-timeout", value_name = "DURATION")]
    pub(crate) health_timeout: Option<String>,
    /// What to do when it is unhealthy: none, kill, restart or stop.
    #[arg(long, value_name = "ACTION")]
    pub(crate) health_on_failure: Option<String>,
    /// Ignore the image's health check.
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
}

/// Where output is kept.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct LogFlags {
    /// How output is logged: k8s-file or none.
    #[arg(long, value_name = "DRIVER")]
    pub(crate) log_driver: Option<String>,
    /// Option of the log: path, max-size, max-file or tag.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) log_opt: Vec<String>,
}

/// How the image is found.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Image")]
pub(crate) struct PullFlags {
    /// When to pull the image: always, missing, newer or never.
    #[arg(long, value_name = "POLICY", default_value = "missing")]
    pub(crate) pull: String,
    #[command(flatten)]
    pub(crate) platform: PlatformFlags,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
    /// Say nothing while pulling.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
