//! How a container's root comes about: storage fills the plan, the runtime mounts it in P.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::idmap::Extent;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub(crate) enum RootfsPlan {
    /// A directory as it is (OCI bundles, the copy driver, `--rootfs`).
    Path { path: PathBuf },
    /// Kernel overlay with `userxattr`. `lower`: top layer first.
    Overlay { lower: Vec<PathBuf>, upper: PathBuf, work: PathBuf, volatile: bool },
    /// `fuse-overlayfs` run in P, serving until the container ends.
    Fuse { program: PathBuf, lower: Vec<PathBuf>, upper: PathBuf, work: PathBuf, mapping: Option<FuseMapping> },
}

/// `uidmapping`/`gidmapping` of fuse-overlayfs, for layers unpacked under another map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FuseMapping {
    pub(crate) uid: Vec<Extent>,
    pub(crate) gid: Vec<Extent>,
}
