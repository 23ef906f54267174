//! Published ports (`-p`): `[[ip:][hostPort[-end]]:]ctrPort[-end][/proto]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// A range of published ports. `host_port` 0 means: choose free ones, when the container is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PortMapping {
    /// Address on the host; none = every address.
    pub(crate) host_ip: Option<IpAddr>,
    pub(crate) host_port: u16,
    pub(crate) container_port: u16,
    /// Number of ports, at least 1.
    pub(crate) range: u16,
    pub(crate) protocol: Protocol,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid port {text:?}: {why}")]
pub(crate) struct InvalidPort {
    text: String,
    why: &'static str,
}

impl FromStr for PortMapping {
    type Err = InvalidPort;

    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        let invalid = |why| InvalidPort { text: text.to_owned(), why };
        let (rest, protocol) = match text.split_once('/') {
            None => (text, Protocol::Tcp),
            Some((rest, proto)) => match proto.to_ascii_lowercase().as_str() {
                "tcp" => (rest, Protocol::Tcp),
                "udp" => (rest, Protocol::Udp),
                "sctp" => return Err(invalid("sctp cannot be published without root")),
                _ => return Err(invalid("the protocol must be tcp or udp")),
            },
        };
        let (host_ip, rest) = split_ip(rest).ok_or_else(|| invalid("the address is not an IP address"))?;
        let (host, container) = match rest.rsplit_once(':') {
            Some((host, container)) => (Some(host), container),
            None if host_ip.is_some() => return Err(invalid("the container port is missing")),
            None => (None, rest),
        };
        let (container_port, range) =
            port_range(container).ok_or_else(|| invalid("container port: 1 to 65535, or FIRST-LAST"))?;
        let host_port = match host {
            None | Some("") => 0,
            Some(host) => {
                let (first, len) = port_range(host).ok_or_else(|| invalid("host port: 1 to 65535, or FIRST-LAST"))?;
                if len != range {
                    return Err(invalid("host and container ranges differ in length"));
                }
                first
            }
        };
        Ok(Self { host_ip, host_port, container_port, range, protocol })
    }
}

impl PortMapping {
    /// True if both want the same port of the host at an address that they share: `0.0.0.0`, like none, is every one. Ports that
    /// are still to be chosen never clash.
    pub(crate) fn claims_same(&self, other: &Self) -> bool {
        let ports = |mapping: &Self| {
            let first = u32::from(mapping.host_port);
            first..first + u32::from(mapping.range)
        };
        let (ours, theirs) = (ports(self), ports(other));
        let address = |mapping: &Self| mapping.host_ip.filter(|ip| !ip.is_unspecified());
        let share_address = address(self).is_none_or(|ours| address(other).is_none_or(|theirs| ours == theirs));
        self.protocol == other.protocol
            && share_address
            && self.host_port != 0
            && other.host_port != 0
            && ours.start < theirs.end
            && theirs.start < ours.end
    }
}

/// A single `EXPOSE` or `--expose` item: `port[-end][/proto]` without the host part.
pub(crate) fn parse_exposed(text: &str) -> Result<PortMapping, InvalidPort> {
    if text.contains(':') {
        return Err(InvalidPort { text: text.to_owned(), why: "PORT[-END][/PROTO]" });
    }
    text.parse()
}

/// Splits a leading address off; the outer `None` means that there is one and it is wrong.
fn split_ip(text: &str) -> Option<(Option<IpAddr>, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (v6, rest) = rest.split_once(']')?;
        return Some((Some(IpAddr::V6(v6.parse().ok()?)), rest.strip_prefix(':')?));
    }
    match text.matches(':').count() {
        0 | 1 => Some((None, text)),
        2 => {
            let (ip, rest) = text.split_once(':')?;
            if ip.is_empty() { Some((None, rest)) } else { Some((Some(IpAddr::V4(ip.parse().ok()?)), rest)) }
        }
        _ => None,
    }
}

/// First port and number of ports of `80` or `80-90`.
fn port_range(text: &str) -> Option<(u16, u16)> {
    let port =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok())?.filter(|p| *p != 0);
    match text.split_once('-') {
        None => Some((port(text)?, 1)),
        Some((first, last)) => {
            let (first, last) = (port(first)?, port(last)?);
            Some((first, last.checked_sub(first)?.checked_add(1)?))
        }
    }
}

impl fmt::Display for PortMapping {
    /// As `ps` prints it: `0.0.0.0:8080->80/tcp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host_ip {
            Some(IpAddr::V6(v6)) => write!(f, "[{v6}]")?,
            Some(IpAddr::V4(v4)) => write!(f, "{v4}")?,
            None => write!(f, "0.0.0.0")?,
        }
        let span = |f: &mut fmt::Formatter<'_>, first: u16| match self.range {
            1 => write!(f, "{first}"),
            n => write!(f, "{first}-{}", first.saturating_add(n - 1)),
        };
        write!(f, ":")?;
        span(f, self.host_port)?;
        write!(f, "->")?;
        span(f, self.container_port)?;
        write!(f, "/{}", self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::PortMapping;

    #[test]
    fn f04_port_grammar() {
        for (text, shown) in [
            ("80", "0.0.0.0:0->80/tcp"),
            ("8080:80", "0.0.0.0:8080->80/tcp"),
            ("127.0.0.1::80/udp", "127.0.0.1:0->80/udp"),
            ("127.0.0.1:1-3:4-6", "127.0.0.1:1-3->4-6/tcp"),
            ("[::1]:8080:80", "[::1]:8080->80/tcp"),
            (":80", "0.0.0.0:0->80/tcp"),
        ] {
            assert_eq!(text.parse::<PortMapping>().expect(text).to_string(), shown);
        }
        for text in [
            "",
            "0",
            "65536",
            "80-70",
            "1-65535:1",
            "::1:80:80",
            "a:b:c:d",
            ":",
            "80/sctp",
            "80/x",
            "1.2.3:80:80",
            "+80",
            "80:",
        ] {
            assert!(text.parse::<PortMapping>().is_err(), "{text:?}");
        }
    }
}
