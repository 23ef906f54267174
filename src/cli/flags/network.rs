//! Network of the container.

use crate::types::boolean::parse_bool;

/// Network.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkFlags {
    /// Network: private, none, host, pasta[:OPTIONS], slirp4netns[:OPTIONS], container:NAME or ns:PATH.
    #[arg(long, visible_alias = "net", value_name = "MODE")]
    pub(crate) network: Vec<String>,
    /// Publish a port.
    #[arg(short, long, value_delimiter = ',', value_name = "[[IP:][PORT]:]CONTAINERPORT[/PROTO]")]
    pub(crate) publish: Vec<String>,
    /// Publish every exposed port on a random one.
    #[arg(short = 'P', long)]
    pub(crate) publish_all: bool,
    /// Expose a port.
    #[arg(long, value_delimiter = ',', value_name = "PORT[/PROTO]")]
    pub(crate) expose: Vec<String>,
    /// Name server; none: leave /etc/resolv.conf as the image has it.
    #[arg(long, value_delimiter = ',', value_name = "ADDRESS")]
    pub(crate) dns: Vec<String>,
    /// Domain that names are looked up in; . for none.
    #[arg(long, value_delimiter = ',', value_name = "DOMAIN")]
    pub(crate) dns_search: Vec<String>,
    /// Option of resolv.conf(5).
    #[arg(long, visible_alias = "dns-opt", value_delimiter = ',', value_name = "OPTION")]
    pub(crate) dns_option: Vec<String>,
    /// Line of /etc/hosts; the address may be host-gateway.
    #[arg(long, value_delimiter = ',', value_name = "NAME[;NAME]:ADDRESS")]
    pub(crate) add_host: Vec<String>,
    /// Leave /etc/hosts as the image has it.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub(crate) no_hosts: Option<bool>,
}
