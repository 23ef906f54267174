//! L0: values and names, no I/O. Every identifier is a newtype, checked where it enters the program.
#![forbid(unsafe_code)]

pub(crate) mod annotation;
pub(crate) mod capability;
pub(crate) mod cgroup;
pub(crate) mod container_spec;
pub(crate) mod descriptor;
pub(crate) mod detach_keys;
pub(crate) mod digest;
pub(crate) mod duration;
pub(crate) mod exec_spec;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod host;
pub(crate) mod id;
pub(crate) mod idmap;
pub(crate) mod image_config;
pub(crate) mod media_type;
pub(crate) mod moment;
pub(crate) mod mount;
pub(crate) mod name;
pub(crate) mod namespace;
pub(crate) mod null;
pub(crate) mod platform;
pub(crate) mod port;
pub(crate) mod progress;
pub(crate) mod pull_policy;
pub(crate) mod reference;
pub(crate) mod resources;
pub(crate) mod restart;
pub(crate) mod rootfs_plan;
pub(crate) mod secret;
pub(crate) mod security;
pub(crate) mod signal;
pub(crate) mod size;
pub(crate) mod status;
