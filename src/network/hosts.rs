//! The container's `/etc/hosts` and `/etc/hostname`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::Error;
use super::plan::{NetworkPlan, Scheme};

/// What the file is made from.
#[derive(Debug)]
pub(crate) struct HostsInput<'a> {
    pub(crate) plan: &'a NetworkPlan,
    /// Text of the file to begin with: the host's `/etc/hosts`, or that of the container whose network this is.
    pub(crate) base: &'a str,
    pub(crate) hostname: &'a str,
    /// The container's name: another name for the same address.
    pub(crate) name: &'a str,
    /// `--add-host`: names, and the address or none for `host-gateway`.
    pub(crate) add: &'a [(Vec<String>, Option<IpAddr>)],
}

/// Names under which a container finds the host.
const HOST_NAMES: [&str; 2] = ["host.containers.internal", "host.docker.internal"];

/// The text: `--add-host` first, because the first line with a name wins; then the base; then what is missing of
/// localhost, the host and the container itself.
pub(crate) fn hosts(input: &HostsInput<'_>) -> Result<String, Error> {
    let mut lines = Lines::default();
    let joins = matches!(input.plan.scheme, Scheme::Container(_));
    let host = if joins { known_host(input.base) } else { input.plan.host };
    for (names, address) in input.add {
        let address = address.or(host).ok_or(Error::NoHostGateway)?;
        let names = names.iter().map(|name| checked(name)).collect::<Result<Vec<_>, _>>()?;
        lines.add(address, names);
    }
    for line in input.base.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        let names = words.filter(|name| checked(name).is_ok() && !HOST_NAMES.contains(name));
        lines.add(address, names.map(str::to_owned).collect());
    }
    if !lines.has_localhost() {
        lines.add(IpAddr::V4(Ipv4Addr::LOCALHOST), vec!["localhost".to_owned()]);
        lines.add(IpAddr::V6(Ipv6Addr::LOCALHOST), vec!["localhost".to_owned()]);
    }
    if let Some(host) = host {
        lines.add(host, HOST_NAMES.map(str::to_owned).to_vec());
    }
    // In the host's network the host's own file names it already.
    let own = if joins { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { input.plan.address };
    if input.plan.scheme != Scheme::Host
        && let Some(own) = own
    {
        let mut names = vec![checked(input.hostname)?];
        if !input.name.is_empty() && input.name != input.hostname {
            names.push(checked(input.name)?);
        }
        lines.add(own, names);
    }
    Ok(lines.lines.into_iter().map(|(address, names)| format!("{address}\t{}\n", names.join(" "))).collect())
}

/// Where the container whose file this is finds the host.
fn known_host(base: &str) -> Option<IpAddr> {
    base.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| HOST_NAMES.contains(&name)).then_some(address)
    })
}

/// Text of `/etc/hostname`.
pub(crate) fn hostname_file(hostname: &str) -> Result<String, Error> {
    checked_hostname(hostname).map(|name| format!("{name}\n"))
}

/// A host name that `sethostname(2)` and the two files take: at most 64 bytes (`HOST_NAME_MAX`), case F02.
fn checked_hostname(name: &str) -> Result<&str, Error> {
    let fine = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && !name.starts_with('-');
    let why = "1 to 64 letters, digits, '-', '.' or '_'";
    if fine { Ok(name) } else { Err(Error::Text { what: "host name", text: name.to_owned(), why }) }
}

/// Lines so far. A list of another container may be long: each name is looked up, not searched for.
#[derive(Debug, Default)]
struct Lines {
    lines: Vec<(IpAddr, Vec<String>)>,
    /// Names that have their address; localhost has one of each family.
    taken: BTreeSet<(String, Option<bool>)>,
}

impl Lines {
    /// Adds a line with those names that no line of the same family has yet.
    fn add(&mut self, address: IpAddr, mut names: Vec<String>) {
        names.retain(|name| {
            let family = (name == "localhost").then_some(address.is_ipv4());
            self.taken.insert((name.clone(), family))
        });
        if !names.is_empty() {
            self.lines.push((address, names));
        }
    }

    fn has_localhost(&self) -> bool {
        [true, false].iter().any(|ipv4| self.taken.contains(&("localhost".to_owned(), Some(*ipv4))))
    }
}

/// A name without white space, control characters and `#`.
fn checked(name: &str) -> Result<String, Error> {
    let fine = !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b'/' && b != b'\\');
    let why = "a host name of at most 253 characters without spaces";
    if fine { Ok(name.to_owned()) } else { Err(Error::Text { what: "--add-host", text: name.to_owned(), why }) }
}

#[cfg(test)]
mod tests {
    use super::{HostsInput, hostname_file, hosts};
    use crate::network::plan::{NetworkPlan, Scheme};

    fn plan(host: Option<&str>) -> NetworkPlan {
        NetworkPlan {
            scheme: Scheme::None,
            ports: Vec::new(),
            ports_discarded: false,
            address: Some([10, 0, 2, 100].into()),
            host: host.map(|ip| ip.parse().expect("valid")),
            forwarder: None,
        }
    }

    #[test]
    fn the_file() {
        let plan = plan(Some("169.254.1.2"));
        let input = HostsInput {
            plan: &plan,
            base: "127.0.0.1 localhost\n::1 localhost ip6-localhost # six\n10.1.1.1 db web\nbad line\n",
            hostname: "3f2a",
            name: "web1",
            add: &[(vec!["db".into()], Some([1, 2, 3, 4].into())), (vec!["gw".into()], None)],
        };
        assert_eq!(
            hosts(&input).expect("valid"),
            "1.2.3.4\tdb\n169.254.1.2\tgw\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n10.1.1.1\tweb\n\
             169.254.1.2\thost.containers.internal host.docker.internal\n10.0.2.100\t3f2a web1\n"
        );
    }

    #[test]
    fn in_the_network_of_another_container() {
        let plan = NetworkPlan {
            scheme: Scheme::Container("0".repeat(64).parse().expect("an id")),
            address: None,
            ..plan(None)
        };
        let input = HostsInput {
            plan: &plan,
            base: "127.0.0.1\tlocalhost\n169.254.1.2\thost.containers.internal host.docker.internal\n10.0.2.100\tdonor\n",
            hostname: "3f2a",
            name: "second",
            add: &[(vec!["gw".into()], None)],
        };
        assert_eq!(
            hosts(&input).expect("valid"),
            "169.254.1.2\tgw\n127.0.0.1\tlocalhost\n10.0.2.100\tdonor\n\
             169.254.1.2\thost.containers.internal host.docker.internal\n127.0.0.1\t3f2a second\n"
        );
    }

    #[test]
    fn f02_injection_is_refused() {
        let with = |name: &str, host| {
            let add = [(vec![name.to_owned()], Some([1, 1, 1, 1].into()))];
            hosts(&HostsInput { plan: &plan(host), base: "", hostname: "h", name: "", add: &add })
        };
        for bad in ["a\n2.2.2.2 b", "a b", "", "a#b"] {
            assert!(with(bad, None).is_err(), "{bad:?}");
        }
        assert_eq!(
            with("ok", None).expect("valid"),
            "1.1.1.1\tok\n127.0.0.1\tlocalhost\n::1\tlocalhost\n10.0.2.100\th\n"
        );
        let gateway = [(vec!["x".to_owned()], None)];
        let input = HostsInput { plan: &plan(None), base: "", hostname: "h", name: "", add: &gateway };
        assert!(hosts(&input).is_err());
        for bad in [String::new(), "a".repeat(300), "a b".into(), "a\nb".into(), "-a".into()] {
            assert!(hostname_file(&bad).is_err(), "{bad:?}");
        }
        assert_eq!(hostname_file("web-1").expect("valid"), "web-1\n");
    }
}
