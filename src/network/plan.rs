//! From the wish (`--network`, `-p`) and what is installed to what will be done.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sys;
use crate::types::id::ContainerId;
use crate::types::namespace::NetworkMode;
use crate::types::port::PortMapping;

use super::error::Error;
use super::options::SlirpOptions;
use super::{pasta, slirp4netns};

/// A program that connects a network namespace to the host's network without root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Helper {
    Pasta,
    Slirp4netns,
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pasta => "pasta",
            Self::Slirp4netns => "slirp4netns",
        })
    }
}

/// What the plan is made from.
#[derive(Debug)]
pub(crate) struct NetworkRequest<'a> {
    pub(crate) mode: &'a NetworkMode,
    /// `-p`.
    pub(crate) ports: &'a [PortMapping],
    /// `-P`: publish what `exposed` names and `ports` does not.
    pub(crate) publish_all: bool,
    /// `--expose` and the image's `EXPOSE`.
    pub(crate) exposed: &'a [PortMapping],
    /// Addresses of the host for ports that name none; empty: every address.
    pub(crate) host_ips: &'a [IpAddr],
    /// `PATH` of the caller.
    pub(crate) path: &'a str,
}

/// How a container gets its network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkPlan {
    pub(crate) scheme: Scheme,
    /// Ports to claim and publish. Those of the host are in the container's record; `ports::claim` chooses one that is 0.
    pub(crate) ports: Vec<PortMapping>,
    /// Ports were asked for that this mode cannot publish: worth a warning, as in Podman.
    pub(crate) ports_discarded: bool,
    /// The container's own address, if it is known beforehand.
    pub(crate) address: Option<IpAddr>,
    /// Where the container reaches the host: `host.containers.internal`, `host-gateway`.
    pub(crate) host: Option<IpAddr>,
    /// Name server that the helper offers.
    pub(crate) forwarder: Option<IpAddr>,
}

/// Which network namespace, and who connects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    /// A new namespace with `lo`.
    None,
    /// The host's.
    Host,
    /// Another container's.
    Container(ContainerId),
    /// The one bound at this path.
    Path(PathBuf),
    /// A new namespace, connected by a helper.
    Helper(HelperPlan),
}

/// A helper and how it will be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HelperPlan {
    pub(crate) helper: Helper,
    pub(crate) program: PathBuf,
    pub(crate) options: HelperOptions,
}

/// Options of either helper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HelperOptions {
    Pasta {
        /// As the user gave them, split into words.
        extra: Vec<String>,
        /// pasta is of 2024-10 or later: it has `--map-guest-addr`, and shows connections from the host's loopback
        /// under the gateway's address.
        modern: bool,
    },
    Slirp4netns(SlirpOptions),
}

impl NetworkPlan {
    /// The helper, if this network has one.
    pub(crate) fn helper(&self) -> Option<&HelperPlan> {
        match &self.scheme {
            Scheme::Helper(helper) => Some(helper),
            _ => None,
        }
    }

    fn without_helper(scheme: Scheme) -> Self {
        Self { scheme, ports: Vec::new(), ports_discarded: false, address: None, host: None, forwarder: None }
    }
}

/// What is wrong with the user's options, whatever this host has.
pub(crate) fn check_options(mode: &NetworkMode) -> Result<(), Error> {
    match mode {
        NetworkMode::Pasta { options } => pasta::check(options),
        NetworkMode::Slirp4netns { options } => SlirpOptions::parse(options).map(drop),
        _ => Ok(()),
    }
}

/// Decides mode, helper and addresses. Looks for programs, starts none.
pub(crate) fn plan(request: &NetworkRequest<'_>) -> Result<NetworkPlan, Error> {
    let mut plan = match request.mode {
        NetworkMode::None => {
            NetworkPlan { address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), ..NetworkPlan::without_helper(Scheme::None) }
        }
        NetworkMode::Host => {
            NetworkPlan { host: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), ..NetworkPlan::without_helper(Scheme::Host) }
        }
        NetworkMode::Container(id) => NetworkPlan::without_helper(Scheme::Container(id.clone())),
        NetworkMode::Path(path) => NetworkPlan::without_helper(Scheme::Path(path.clone())),
        NetworkMode::Private => private(request.path)?,
        NetworkMode::Pasta { options } => pasta::plan(find(Helper::Pasta, request.path)?, options)?,
        NetworkMode::Slirp4netns { options } => {
            slirp4netns::plan(find(Helper::Slirp4netns, request.path)?, SlirpOptions::parse(options)?)
        }
    };
    let wanted = wanted_ports(request);
    if request.mode.has_uplink() {
        only_ipv4(&plan, &wanted)?;
        plan.ports = wanted;
    } else {
        plan.ports_discarded = !wanted.is_empty();
    }
    Ok(plan)
}

/// slirp4netns forwards from no IPv6 address; it would say so when everything else is ready.
fn only_ipv4(plan: &NetworkPlan, wanted: &[PortMapping]) -> Result<(), Error> {
    let other = wanted.iter().find(|port| port.host_ip.is_some_and(|ip| ip.is_ipv6()));
    match (plan.helper(), other) {
        (Some(HelperPlan { helper: helper @ Helper::Slirp4netns, .. }), Some(port)) => {
            Err(Error::OtherFamily { helper: *helper, port: port.clone() })
        }
        _ => Ok(()),
    }
}

/// The helper of a private network for which the user names none; none if none is installed.
pub(crate) fn default_helper(path: &str) -> Option<Helper> {
    private(path).ok()?.helper().map(|helper| helper.helper)
}

/// The better helper that is installed: a modern pasta, slirp4netns, an old pasta.
///
/// A pasta before 2024-10 hands connections to a published port that come from the host itself to the container's
/// loopback as 127.0.0.1, so that services bound to it alone are exposed (case C27), and gives no address for the
/// host; slirp4netns has neither fault.
fn private(path: &str) -> Result<NetworkPlan, Error> {
    let pasta_program = sys::spawn::find_program("pasta", path);
    if let Some(program) = pasta_program.as_ref().filter(|program| pasta::is_modern(program)) {
        return pasta::plan(program.clone(), &[]);
    }
    if let Some(program) = sys::spawn::find_program("slirp4netns", path) {
        return Ok(slirp4netns::plan(program, SlirpOptions::default()));
    }
    pasta_program.map_or(Err(Error::NoHelper), |program| pasta::plan(program, &[]))
}

fn find(helper: Helper, path: &str) -> Result<PathBuf, Error> {
    sys::spawn::find_program(&helper.to_string(), path).ok_or(Error::HelperMissing(helper))
}

/// The ports of `-p` and `-P`.
pub(crate) fn wanted_ports(request: &NetworkRequest<'_>) -> Vec<PortMapping> {
    let mut wanted: Vec<PortMapping> = Vec::new();
    for port in request.ports {
        add(port, request.host_ips, &mut wanted);
    }
    if request.publish_all {
        for exposed in request.exposed {
            let published = wanted.iter().any(|port| {
                port.protocol == exposed.protocol
                    && port.container_port <= exposed.container_port
                    && u32::from(exposed.container_port) + u32::from(exposed.range)
                        <= u32::from(port.container_port) + u32::from(port.range)
            });
            if !published {
                let open = PortMapping { host_ip: None, host_port: 0, ..exposed.clone() };
                add(&open, request.host_ips, &mut wanted);
            }
        }
    }
    wanted
}

/// Adds what is not there yet: the port, or where it names no address, the port at each of these.
fn add(port: &PortMapping, host_ips: &[IpAddr], wanted: &mut Vec<PortMapping>) {
    let at = |ip: &IpAddr| PortMapping { host_ip: Some(*ip), ..port.clone() };
    let open = port.host_ip.is_none() && !host_ips.is_empty();
    for port in if open { host_ips.iter().map(at).collect() } else { vec![port.clone()] } {
        if !wanted.contains(&port) {
            wanted.push(port);
        }
    }
}

/// The address that this host shows to the outside, which pasta copies into the container.
pub(super) fn outbound() -> Option<IpAddr> {
    sys::netdev::outbound_address()
}

/// A plan for a helper that is already found.
pub(super) fn with_helper(
    helper: Helper,
    program: &Path,
    options: HelperOptions,
    addresses: [Option<IpAddr>; 3],
) -> NetworkPlan {
    let [address, host, forwarder] = addresses;
    NetworkPlan {
        scheme: Scheme::Helper(HelperPlan { helper, program: program.to_owned(), options }),
        ports: Vec::new(),
        ports_discarded: false,
        address,
        host,
        forwarder,
    }
}

#[cfg(test)]
mod tests {
    use super::{NetworkRequest, Scheme, plan};
    use crate::network::Error;
    use crate::types::namespace::NetworkMode;

    fn request<'a>(mode: &'a NetworkMode, ports: &'a [crate::types::port::PortMapping]) -> NetworkRequest<'a> {
        NetworkRequest { mode, ports, publish_all: false, exposed: &[], host_ips: &[], path: "/nowhere" }
    }

    #[test]
    fn ports_need_an_uplink() {
        let ports = ["8080:80".parse().expect("valid")];
        let made = plan(&request(&NetworkMode::None, &ports)).expect("none needs nothing");
        assert!(made.ports_discarded && made.ports.is_empty());
        assert_eq!(made.scheme, Scheme::None);
        assert!(matches!(plan(&request(&NetworkMode::Private, &ports)), Err(Error::NoHelper)));
        let forced = NetworkMode::Pasta { options: Vec::new() };
        assert!(matches!(plan(&request(&forced, &ports)), Err(Error::HelperMissing(_))));
    }

    #[test]
    fn slirp4netns_publishes_no_ipv6_address() {
        let slirp = crate::network::slirp4netns::plan("/slirp4netns".into(), super::SlirpOptions::default());
        for (port, fits) in [("8080:80", true), ("127.0.0.1:8080:80", true), ("[::1]:8080:80", false)] {
            let ports = [port.parse().expect("valid")];
            assert_eq!(super::only_ipv4(&slirp, &ports).is_ok(), fits, "{port}");
        }
    }

    #[test]
    fn publish_all_takes_what_is_not_published() {
        let ports = ["8080-8081:80-81".parse().expect("valid")];
        let exposed = ["81", "90/udp"].map(|text| text.parse().expect("valid"));
        let wanted = |ports, host_ips| {
            let mode = &NetworkMode::Private;
            let request = NetworkRequest { mode, ports, publish_all: true, exposed: &exposed, host_ips, path: "" };
            super::wanted_ports(&request).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(wanted(&ports, &[]), ["0.0.0.0:8080-8081->80-81/tcp", "0.0.0.0:0->90/udp"]);
        let loopback = ["127.0.0.1", "::1"].map(|text| text.parse().expect("an address"));
        let expected =
            ["127.0.0.1:8080-8081->80-81/tcp", "[::1]:8080-8081->80-81/tcp", "127.0.0.1:0->90/udp", "[::1]:0->90/udp"];
        assert_eq!(wanted(&ports, &loopback), expected);
        let named = ["192.0.2.1:5:81", "0.0.0.0:90:90/udp"].map(|text| text.parse().expect("valid"));
        assert_eq!(wanted(&named, &loopback), ["192.0.2.1:5->81/tcp", "0.0.0.0:90->90/udp"]);
    }
}
