//! What `run` and `create` share.

use super::{ContainerFlags, LifeFlags, LogFlags, MountFlags, NetworkFlags, PullFlags, ResourceFlags, SecurityFlags};

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
