//! What a container shares with whom: `--network`, `--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::id::ContainerId;
use super::idmap::IdMaps;

/// A namespace that is not the network or the user namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NamespaceMode {
    #[default]
    Private,
    Host,
    Container(ContainerId),
    Path(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NetworkMode {
    /// A network namespace with `lo` only.
    None,
    Host,
    /// By the best helper that is installed: pasta, else slirp4netns.
    Private,
    /// Forced; extra options as the user wrote them, split at commas.
    Pasta {
        options: Vec<String>,
    },
    Slirp4netns {
        options: Vec<String>,
    },
    Container(ContainerId),
    Path(PathBuf),
}

impl NetworkMode {
    /// The container has a network namespace of its own.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self, Self::None | Self::Private | Self::Pasta { .. } | Self::Slirp4netns { .. })
    }

    /// Word of `--network` without what may follow it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Host => "host",
            Self::Private => "private",
            Self::Pasta { .. } => "pasta",
            Self::Slirp4netns { .. } => "slirp4netns",
            Self::Container(_) => "container",
            Self::Path(_) => "ns",
        }
    }

    /// Ports can be published.
    pub(crate) fn has_uplink(&self) -> bool {
        matches!(self, Self::Private | Self::Pasta { .. } | Self::Slirp4netns { .. })
    }
}

/// `--userns`, `--uidmap`, `--gidmap`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UsernsMode {
    /// `host` or nothing: 0 = the caller, 1… = the subordinate ids.
    #[default]
    Default,
    KeepId {
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u32>,
    },
    Nomap,
    /// A free sub-range of `size` ids (none = what the image needs). `start`: its first id in P, chosen by `create`.
    Auto {
        size: Option<u32>,
        #[serde(default)]
        start: Option<u32>,
    },
    Container(ContainerId),
    Path(PathBuf),
    /// As given, in P's ids.
    Explicit(IdMaps),
}
