//! What only the engine knows about a container that is about to start.

use std::path::PathBuf;

use crate::types::idmap::IdMaps;
use crate::types::mount::MountOptions;

/// Resolved facts beside the wish.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placement {
    /// Root as the bundle names it; the root itself comes from the `RootfsPlan`.
    pub(crate) rootfs: PathBuf,
    /// Host name in force: `--hostname`, or the first 12 digits of the id, or the host's with `--uts=host`.
    pub(crate) hostname: String,
    /// The container has a terminal, whatever this program of it has.
    pub(crate) terminal: bool,
    /// C ← P, already cut at P's extents.
    pub(crate) maps: IdMaps,
    /// Namespaces of other containers.
    pub(crate) joined: Joined,
    /// Mounts of the user and of the engine (hosts, resolv.conf, hostname, passwd, volumes), with sources resolved.
    /// Of two with one target the later one wins, so that the engine's come first and the user's after them.
    pub(crate) mounts: Vec<PlacedMount>,
    /// `/dev/shm` of the container whose IPC namespace is joined.
    pub(crate) shm: Option<PathBuf>,
    /// The host has no `/dev/mqueue` to show with `--ipc=host`.
    pub(crate) without_mqueue: bool,
    /// Nodes of the host's /dev that the caller can open, for `--privileged`.
    pub(crate) host_devices: Vec<PathBuf>,
    /// Cgroup of the container, where there is one.
    pub(crate) cgroup: Option<PathBuf>,
    /// Text of the file of `--security-opt seccomp=FILE`.
    pub(crate) seccomp_profile: Option<String>,
    /// Name of the caller, for the entry in `/etc/passwd` with keep-id.
    pub(crate) user_name: Option<String>,
    /// Home directory of the caller, if the container has it.
    pub(crate) user_home: Option<String>,
    /// Name of the caller's group, for the entry in `/etc/group` with keep-id.
    pub(crate) group_name: Option<String>,
    /// Kernel of the host as (major, minor), for `minKernel` in profiles.
    pub(crate) kernel: (u32, u32),
}

/// Paths of namespaces to join (`/proc/PID/ns/…`) for the modes `container:ID`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joined {
    pub(crate) user: Option<PathBuf>,
    pub(crate) pid: Option<PathBuf>,
    pub(crate) ipc: Option<PathBuf>,
    pub(crate) uts: Option<PathBuf>,
    pub(crate) cgroup: Option<PathBuf>,
    pub(crate) network: Option<PathBuf>,
}

/// A mount whose source is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlacedMount {
    pub(crate) target: PathBuf,
    pub(crate) source: PlacedSource,
    pub(crate) options: MountOptions,
    /// For a `VOLUME` of the image: it never covers what the user has asked for.
    pub(crate) yields: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlacedSource {
    /// A path of the host. The mount is recursive.
    Bind {
        path: PathBuf,
    },
    /// A file that the engine has made for the container, whose root may change it.
    OwnFile {
        path: PathBuf,
    },
    /// A volume's directory.
    Volume {
        path: PathBuf,
        /// Of it: resolved in the volume, without links.
        subpath: Option<PathBuf>,
        /// Filled from the image if it is empty.
        copy_up: bool,
        /// Outlives the container.
        durable: bool,
    },
    Tmpfs {
        size: Option<u64>,
        mode: Option<u32>,
        copy_up: bool,
    },
    /// `O` and images: changes go to `upper`, which the engine discards.
    Overlay {
        lower: Vec<PathBuf>,
        upper: PathBuf,
        work: PathBuf,
        /// Of a volume that was never filled: it shows what the image has in its place.
        copy_up: bool,
    },
}
