//! Flags of `run` and `create`, by subject. They hold text: `lower` checks it and turns it into values.

mod container;
mod mounts;
mod network;
mod resources;
mod security;
mod unsupported;

pub(crate) use container::{ContainerFlags, LifeFlags, LogFlags, PullFlags};
pub(crate) use mounts::MountFlags;
pub(crate) use network::NetworkFlags;
pub(crate) use resources::ResourceFlags;
pub(crate) use security::SecurityFlags;
pub(crate) use unsupported::is_known_but_unsupported;

/// Every flag that `run` and `create` share.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct CreateFlags {
    #[command(flatten)]
    pub(crate) container: ContainerFlags,
    #[command(flatten)]
    pub(crate) life: LifeFlags,
    #[command(flatten)]
    pub(crate) log: LogFlags,
    #[command(flatten)]
    pub(crate) pull: PullFlags,
    #[command(flatten)]
    pub(crate) mounts: MountFlags,
    #[command(flatten)]
    pub(crate) network: NetworkFlags,
    #[command(flatten)]
    pub(crate) resources: ResourceFlags,
    #[command(flatten)]
    pub(crate) security: SecurityFlags,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}
