//! The container's `/etc/hosts` and `/etc/hostname`.

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
    let mut lines: Vec<(IpAddr, Vec<String>)> = Vec::new();
    let joins = matches!(input.plan.scheme, Scheme::Container(_));
    let host = if joins { known_host(input.base) } else { input.plan.host };
    for (names, address) in input.add {
        let address = address.or(host).ok_or(Error::NoHostGateway)?;
        let names = names.iter().map(|name| checked(name)).collect::<Result<Vec<_>, _>>()?;
        add(&mut lines, address, names);
    }
    for line in input.base.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        let names = words.filter(|name| checked(name).is_ok() && !HOST_NAMES.contains(name));
        add(&mut lines, address, names.map(str::to_owned).collect());
    }
    if !lines.iter().any(|(_, names)| names.iter().any(|name| name == "localhost")) {
        lines.push((IpAddr::V4(Ipv4Addr::LOCALHOST), vec!["localhost".to_owned()]));
        lines.push((IpAddr::V6(Ipv6Addr::LOCALHOST), vec!["localhost".to_owned()]));
    }
    if let Some(host) = host {
        add(&mut lines, host, HOST_NAMES.map(str::to_owned).to_vec());
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
        add(&mut lines, own, names);
    }
    Ok(lines.into_iter().map(|(address, names)| format!("{address}\t{}\n", names.join(" "))).collect())
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

/// Adds a line with those names that no line of the same family has yet.
fn add(lines: &mut Vec<(IpAddr, Vec<String>)>, address: IpAddr, mut names: Vec<String>) {
    names.retain(|name| {
        !lines
            .iter()
            .any(|(other, taken)| taken.contains(name) && (name != "localhost" || other.is_ipv4() == address.is_ipv4()))
    });
    if !names.is_empty() {
        lines.push((address, names));
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
