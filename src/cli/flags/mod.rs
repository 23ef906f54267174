//! Flags of `run` and `create`, by subject. They hold text: `lower` checks it and turns it into values.

mod container;
mod create;
mod form;
mod mounts;
mod network;
mod registry;
mod resources;
mod security;
mod selection;
mod unsupported;

pub(crate) use container::{ContainerFlags, HealthFlags, LifeFlags, LogFlags, PullFlags};
pub(crate) use create::CreateFlags;
pub(crate) use form::FormFlags;
pub(crate) use mounts::MountFlags;
pub(crate) use network::NetworkFlags;
pub(crate) use registry::{AccessFlags, PlatformFlags, absolute, credentials};
pub(crate) use resources::ResourceFlags;
pub(crate) use security::SecurityFlags;
pub(crate) use selection::SelectionFlags;
pub(crate) use unsupported::{is_known_but_unsupported, is_podman_verb};
