//! L3: the OCI runtime; knows bundles, not images. May import: sys, types, rootless.
#![forbid(unsafe_code)]

pub(crate) mod cgroup;
