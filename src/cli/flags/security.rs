//! Isolation of the container.

/// Namespaces, capabilities and the like.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Isolation")]
pub(crate) struct SecurityFlags {
    /// User namespace: host, keep-id[:uid=,gid=,size=], nomap, auto[:size=], container:NAME or ns:PATH.
    #[arg(long, value_name = "MODE")]
    pub(crate) userns: Option<String>,
    /// Map of user ids; FLAGS of + u g, and @ before an id of the host.
    #[arg(long, value_delimiter = ',', value_name = "[FLAGS]CONTAINER:FROM[:AMOUNT]", conflicts_with = "userns")]
    pub(crate) uidmap: Vec<String>,
    /// Map of group ids.
    #[arg(long, value_delimiter = ',', value_name = "[FLAGS]CONTAINER:FROM[:AMOUNT]", conflicts_with = "userns")]
    pub(crate) gidmap: Vec<String>,
    /// Pid namespace: private, host, container:NAME or ns:PATH.
    #[arg(long, value_name = "MODE")]
    pub(crate) pid: Option<String>,
    /// Ipc namespace: private, shareable, none, host, container:NAME or ns:PATH.
    #[arg(long, value_name = "MODE")]
    pub(crate) ipc: Option<String>,
    /// Uts namespace: private, host, container:NAME or ns:PATH.
    #[arg(long, value_name = "MODE")]
    pub(crate) uts: Option<String>,
    /// Add a capability, or ALL.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub(crate) cap_add: Vec<String>,
    /// Drop a capability, or ALL.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub(crate) cap_drop: Vec<String>,
    /// seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, apparmor=, label=.
    #[arg(long, value_name = "OPTION")]
    pub(crate) security_opt: Vec<String>,
    /// Give every capability and device that this user has, and take the masks off.
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Bind a device of the host.
    #[arg(long, value_name = "HOST[:CONTAINER][:rwm]")]
    pub(crate) device: Vec<String>,
    /// Parameter of the kernel that belongs to one of the container's own namespaces.
    #[arg(long, value_delimiter = ',', value_name = "NAME=VALUE")]
    pub(crate) sysctl: Vec<String>,
}
