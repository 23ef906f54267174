//! `--network=slirp4netns:OPTIONS`, with Podman's names.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::types::boolean::parse_bool;

use super::error::Error;
use super::plan::Helper;

/// Options of slirp4netns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SlirpOptions {
    /// The container may connect to 127.0.0.1 of the host, as 10.0.2.2.
    pub(crate) allow_host_loopback: bool,
    pub(crate) mtu: u32,
    /// First address of a /N network, and N.
    pub(crate) cidr: (Ipv4Addr, u8),
    pub(crate) enable_ipv6: bool,
    /// Address or interface from which connections go out.
    pub(crate) outbound_addr: Option<String>,
    pub(crate) outbound_addr6: Option<String>,
}

impl Default for SlirpOptions {
    fn default() -> Self {
        Self {
            allow_host_loopback: false,
            mtu: 65520,
            cidr: (Ipv4Addr::new(10, 0, 2, 0), 24),
            // Podman's default is true; slirp4netns routes nothing where the host has no IPv6.
            enable_ipv6: false,
            outbound_addr: None,
            outbound_addr6: None,
        }
    }
}

impl SlirpOptions {
    /// Reads `NAME=VALUE` items.
    pub(crate) fn parse(items: &[String]) -> Result<Self, Error> {
        let mut options = Self::default();
        for item in items.iter().filter(|item| !item.is_empty()) {
            let invalid =
                |why: &str| Error::Option { helper: Helper::Slirp4netns, option: item.clone(), why: why.to_owned() };
            let (name, value) = item.split_once('=').ok_or_else(|| invalid("NAME=VALUE"))?;
            let flag = || parse_bool(value).map_err(|error| invalid(&error.to_string()));
            match name {
                "allow_host_loopback" => options.allow_host_loopback = flag()?,
                "enable_ipv6" => options.enable_ipv6 = flag()?,
                "mtu" => {
                    let mtu = value.parse().ok().filter(|mtu| (68..=65521).contains(mtu));
                    options.mtu = mtu.ok_or_else(|| invalid("a number from 68 to 65521"))?;
                }
                "cidr" => {
                    options.cidr = cidr(value).ok_or_else(|| invalid("ADDRESS/PREFIX with a prefix of at most 25"))?;
                }
                "outbound_addr" => {
                    options.outbound_addr =
                        Some(outbound::<Ipv4Addr>(value).ok_or_else(|| invalid("an IPv4 address or an interface"))?);
                }
                "outbound_addr6" => {
                    options.outbound_addr6 =
                        Some(outbound::<Ipv6Addr>(value).ok_or_else(|| invalid("an IPv6 address or an interface"))?);
                }
                // Connections are forwarded by slirp4netns itself, which keeps the source address; RootlessKit, which
                // does not, is no part of Sampan.
                "port_handler" if value == "slirp4netns" => {}
                "port_handler" if value == "rootlesskit" => {
                    return Err(invalid("Sampan publishes ports by slirp4netns only (port_handler=slirp4netns)"));
                }
                "port_handler" => return Err(invalid("slirp4netns")),
                _ => {
                    return Err(invalid(
                        "known are allow_host_loopback, mtu, cidr, enable_ipv6, outbound_addr, outbound_addr6, port_handler",
                    ));
                }
            }
        }
        Ok(options)
    }

    /// Address number `n` of the network: 2 is the host, 3 the name server, 100 the container.
    pub(crate) fn address(&self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.cidr.0) + n)
    }
}

fn cidr(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let (address, prefix) = (address.parse::<Ipv4Addr>().ok()?, prefix.parse::<u8>().ok()?);
    // slirp4netns wants the network's address, and room for number 100.
    let host_bits = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    ((1..=25).contains(&prefix) && u32::from(address) & host_bits == 0).then_some((address, prefix))
}

fn outbound<T: std::str::FromStr>(text: &str) -> Option<String> {
    let interface = !text.is_empty()
        && text.len() < 16
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
        && !text.starts_with('-');
    (text.parse::<T>().is_ok() || interface).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::SlirpOptions;

    #[test]
    fn slirp_options() {
        let parse = |items: &[&str]| SlirpOptions::parse(&items.iter().map(|&i| i.to_owned()).collect::<Vec<_>>());
        let options = parse(&["mtu=1500", "cidr=10.9.0.0/24", "allow_host_loopback=true", "port_handler=slirp4netns"])
            .expect("valid");
        assert_eq!((options.mtu, options.address(100).to_string().as_str()), (1500, "10.9.0.100"));
        assert!(options.allow_host_loopback);
        for bad in [
            "mtu=1",
            "cidr=10.0.2.1/24",
            "cidr=10.0.2.0/26",
            "allow_host_loopback=yes",
            "x=y",
            "mtu",
            "port_handler=rootlesskit",
        ] {
            assert!(parse(&[bad]).is_err(), "{bad}");
        }
        assert!(parse(&["outbound_addr=-x"]).is_err());
    }
}
