//! What is mounted into the container.

use crate::types::boolean::parse_bool;

/// Mounts.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Mounts")]
pub(crate) struct MountFlags {
    /// Bind a path of the host, or a volume.
    ///
    /// A source that begins with / or . is a path; another one is the name of a volume, which is made if it is not there;
    /// without a source the volume is anonymous. Options, with commas between: ro, rw; U (the files are given to the
    /// container's user); O (what is written there is discarded); copy, nocopy (whether a new volume begins with what the
    /// image has there); exec, suid, dev, noexec, nosuid, nodev; private, slave, shared, unbindable, also with r; z, Z.
    #[arg(short, long, value_name = "[SOURCE:]TARGET[:OPTIONS]")]
    pub(crate) volume: Vec<String>,
    /// Mount: type=bind|volume|tmpfs|image, source=, target=, and options.
    ///
    /// Options are those of --volume (also as readonly, ro=true), bind-propagation=, relabel=shared|private, subpath= of a
    /// volume, and those of --tmpfs (also as tmpfs-size=, tmpfs-mode=). An image is read-only unless rw is given.
    #[arg(long, value_name = "type=TYPE,…")]
    pub(crate) mount: Vec<String>,
    /// Mount a tmpfs.
    ///
    /// Options, with commas between: size=, mode=; tmpcopyup, notmpcopyup (whether it begins with what the image has there);
    /// ro, rw, exec, suid, dev, noexec, nosuid, nodev. It is nosuid and nodev if nothing else is said.
    #[arg(long, value_name = "TARGET[:OPTIONS]")]
    pub(crate) tmpfs: Vec<String>,
    /// Mount what another container has mounted; options: ro, rw, z.
    #[arg(long, value_name = "CONTAINER[:OPTIONS]")]
    pub(crate) volumes_from: Vec<String>,
    /// What becomes of the image's volumes: anonymous, tmpfs or ignore.
    #[arg(long, value_name = "HOW")]
    pub(crate) image_volume: Option<String>,
    /// Make the root file system read-only.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub(crate) read_only: Option<bool>,
    /// With --read-only: a tmpfs on /run, /tmp and /var/tmp (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub(crate) read_only_tmpfs: Option<bool>,
    /// Size of /dev/shm (default 64m; 0: no limit).
    #[arg(long, value_name = "SIZE")]
    pub(crate) shm_size: Option<String>,
}
