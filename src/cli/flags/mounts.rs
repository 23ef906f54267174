//! What is mounted into the container.

use super::super::switches::go_bool;

/// Mounts.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Mounts")]
pub(crate) struct MountFlags {
    /// Bind a path of the host, or a volume.
    #[arg(short, long, value_name = "[SOURCE:]TARGET[:OPTIONS]")]
    pub(crate) volume: Vec<String>,
    /// Mount: type=bind|volume|tmpfs|image, source=, target=, and options.
    #[arg(long, value_name = "type=TYPE,…")]
    pub(crate) mount: Vec<String>,
    /// Mount a tmpfs.
    #[arg(long, value_name = "TARGET[:OPTIONS]")]
    pub(crate) tmpfs: Vec<String>,
    /// Mount what another container has mounted.
    #[arg(long, value_name = "CONTAINER[:OPTIONS]")]
    pub(crate) volumes_from: Vec<String>,
    /// What becomes of the image's volumes: anonymous, tmpfs or ignore.
    #[arg(long, value_name = "HOW")]
    pub(crate) image_volume: Option<String>,
    /// Make the root file system read-only.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// With --read-only: a tmpfs on /run, /tmp and /var/tmp (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = go_bool)]
    pub(crate) read_only_tmpfs: Option<bool>,
    /// Size of /dev/shm (default 64m; 0: no limit).
    #[arg(long, value_name = "SIZE")]
    pub(crate) shm_size: Option<String>,
}
