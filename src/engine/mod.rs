//! L5: use cases. Takes locks, returns reports; prints nothing, reads no environment. May import: all below.
#![forbid(unsafe_code)]

mod action;
pub(crate) mod check;
pub(crate) mod containers;
pub(crate) mod cures;
pub(crate) mod diff;
pub(crate) mod disk_usage;
pub(crate) mod doctor;
mod driver;
mod error;
mod error_kind;
mod feeder;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod handle;
pub(crate) mod images;
pub(crate) mod info;
mod linger;
pub(crate) mod mount_points;
pub(crate) mod mounts;
mod patterns;
pub(crate) mod registries;
mod single_id;
pub(crate) mod standard;
pub(crate) mod system_prune;
mod trash;
pub(crate) mod unshare;
mod volume_options;
pub(crate) mod volumes;

pub(crate) use crate::registry::{Obstacle, TlsFault};
pub(crate) use action::{Action, HostSource};
pub(crate) use error::{Absent, Error};
pub(crate) use handle::{Engine, EngineConfig};

pub(crate) use crate::storage::container_record::StorageDriver;
pub(crate) use crate::storage::sync_policy::SyncPolicy;
pub(crate) use crate::storage::twins::WholeImages;

#[cfg(test)]
mod default_seccomp_tests;
