//! L3: the OCI runtime; knows bundles, not images. May import: sys, types, rootless.
//!
//! `create` runs in the monitor; `stage` is a short-lived process in P that makes every mount that needs the caller's
//! reach; `init` is the container's first process, from its birth to the program's `execve` (docs/architecture.md).
#![forbid(unsafe_code)]

mod bare_root;
pub(crate) mod bundle;
pub(crate) mod cgroup;
pub(crate) mod create;
mod error;
pub(crate) mod exec;
mod foreign_tree;
mod furnish;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod init;
pub(crate) mod kin;
mod mount_options;
mod namespaces;
mod rootfs;
pub(crate) mod seccomp_profile;
mod stage;
mod sync;
pub(crate) mod user;

pub(crate) use error::{Error, exec_kind};
pub(crate) use furnish::{RootMount, furnish};
pub(crate) use rootfs::mount_at_rest as mount_rootfs_at_rest;
pub(crate) use rootfs::{container_tree, fuse_splits, mount_layers, probe_overlay};
