//! Host names to addresses. The binary is static, and glibc's resolver would load NSS libraries of the host into it;
//! so the host's own `getent` is asked (`getent(1)`), which honours `/etc/nsswitch.conf`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::sys;

/// Where `getent` is looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// As many addresses as ureq keeps.
const MOST: usize = 16;

#[derive(Debug)]
pub(super) struct HostResolver;

impl Resolver for HostResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default);
        let addresses = addresses(uri.host().unwrap_or_default()).map_err(|why| {
            tracing::debug!(host = uri.host(), why, "no address");
            ureq::Error::HostNotFound
        })?;
        let mut result = self.empty();
        for address in addresses.into_iter().take(MOST) {
            result.push(SocketAddr::new(address, port));
        }
        Ok(result)
    }
}

/// At least one address of `host`, or why there is none.
pub(super) fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    // RFC 6761, section 6.3: these names are the loopback, whatever a name server says.
    if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    if host.is_empty() || host.starts_with('-') {
        return Err("this is not a host name".to_owned());
    }
    let getent = find_getent().ok_or("the program getent is not installed (package libc-bin)")?;
    let answer = sys::spawn::Spawn::new(getent).args(["ahosts", host]).die_with_parent().output(1 << 16);
    let (status, output) = answer.map_err(|error| error.to_string())?;
    let found = parse(&String::from_utf8_lossy(&output));
    match found.is_empty() {
        false => Ok(found),
        true if status.code() == 2 => Err("no such host".to_owned()),
        true => Err(format!("getent ended with code {}", status.code())),
    }
}

fn find_getent() -> Option<PathBuf> {
    sys::spawn::find_program("getent", PATH)
}

/// Lines `ADDRESS TYPE [NAME]`, one for each socket type.
pub(super) fn parse(text: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for line in text.lines() {
        let first = line.split_ascii_whitespace().next().unwrap_or_default();
        // A link-local address comes with its zone (`fe80::1%eth0`), which an `IpAddr` cannot say: left out.
        if let Ok(address) = first.parse()
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{addresses, parse};

    #[test]
    fn literals_and_localhost_need_no_lookup() {
        assert_eq!(addresses("127.0.0.1").expect("literal"), ["127.0.0.1".parse::<std::net::IpAddr>().expect("v4")]);
        assert_eq!(addresses("[::1]").expect("literal"), ["::1".parse::<std::net::IpAddr>().expect("v6")]);
        assert_eq!(addresses("LocalHost").expect("localhost").len(), 2);
        assert!(addresses("-x").is_err());
    }

    #[test]
    fn getent_output() {
        let text =
            "192.0.2.1      STREAM r.example.org\n192.0.2.1      DGRAM  \n2001:db8::1     STREAM\nfe80::1%eth0 RAW\n";
        assert_eq!(parse(text).len(), 2);
    }
}
