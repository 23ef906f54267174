//! Mounts that the user asks for (`-v`, `--mount`, `--tmpfs`), resolved: no relative path, no default left open.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::name::VolumeName;

/// One mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MountSpec {
    pub(crate) source: MountSource,
    /// Absolute path in the container.
    pub(crate) target: PathBuf,
    pub(crate) options: MountOptions,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub(crate) enum MountSource {
    /// A path of the host, absolute.
    Bind { path: PathBuf },
    /// A named volume, made if absent. `anonymous`: goes with the container (`--rm`, `rm -v`).
    Volume { name: VolumeName, anonymous: bool, subpath: Option<PathBuf> },
    /// Empty, or with what the image has there (`copy_up`); `size` in bytes, half of memory if none is said.
    Tmpfs { size: Option<u64>, mode: Option<u32>, copy_up: bool },
    /// The root of an image; writes are discarded.
    Image { reference: String, read_write: bool, subpath: Option<PathBuf> },
}

/// Options that are not of one kind of mount alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct MountOptions {
    pub(crate) read_only: bool,
    /// `U`: give the source to the container's user, recursively.
    pub(crate) chown: bool,
    /// `O`: changes go to a layer of their own and are discarded.
    pub(crate) overlay: bool,
    /// `nocopy`: do not fill an empty named volume from the image.
    pub(crate) no_copy: bool,
    /// `z` or `Z`.
    pub(crate) relabel: Option<Relabel>,
    /// `Some(true)`: noexec … `Some(false)`: exec. `None`: as the source's file system has it.
    pub(crate) noexec: Option<bool>,
    pub(crate) nosuid: Option<bool>,
    pub(crate) nodev: Option<bool>,
    pub(crate) propagation: Propagation,
}

impl MountOptions {
    /// What the user has said of programs, set-id bits and devices, in the words of mount(8).
    pub(crate) fn said(&self) -> impl Iterator<Item = &'static str> {
        let wishes = [(self.noexec, "noexec", "exec"), (self.nosuid, "nosuid", "suid"), (self.nodev, "nodev", "dev")];
        wishes.into_iter().filter_map(|(wish, set, clear)| Some(if wish? { set } else { clear }))
    }

    /// What else holds in a volume or a tmpfs: nothing there gains privileges or is a device, unless the user says otherwise.
    pub(crate) fn harmless(&self) -> impl Iterator<Item = &'static str> {
        let wishes = [(self.nosuid, "nosuid"), (self.nodev, "nodev")];
        wishes.into_iter().filter(|(wish, _)| wish.is_none()).map(|(_, flag)| flag)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Relabel {
    Shared,
    Private,
}

/// Mount propagation (`mount_namespaces(7)`), always recursive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Propagation {
    #[default]
    Private,
    Slave,
    Shared,
    Unbindable,
}

impl Propagation {
    /// As a mount option.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Private => "rprivate",
            Self::Slave => "rslave",
            Self::Shared => "rshared",
            Self::Unbindable => "runbindable",
        }
    }
}
