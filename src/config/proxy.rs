//! `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, by the rules of Go's `net/http`, which Podman, Skopeo and Docker follow.

use std::net::IpAddr;

use super::environment;
use crate::types::secret::Secret;

/// The proxies of this process's environment. An address may hold a password.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    http: Option<Secret>,
    https: Option<Secret>,
    /// Hosts that are reached without one.
    exceptions: Vec<String>,
}

impl Proxies {
    /// Upper case wins over lower case.
    pub(crate) fn from_environment() -> Self {
        let either = |name: &str| environment::text(name).or_else(|| environment::text(&name.to_ascii_lowercase()));
        Self::new(either("HTTP_PROXY"), either("HTTPS_PROXY"), &either("NO_PROXY").unwrap_or_default())
    }

    fn new(http: Option<String>, https: Option<String>, exceptions: &str) -> Self {
        let split = exceptions.split([',', ' ']).map(|one| one.trim().to_ascii_lowercase());
        Self {
            http: http.map(Secret::from),
            https: https.map(Secret::from),
            exceptions: split.filter(|one| !one.is_empty()).collect(),
        }
    }

    /// The proxy for this peer. The loopback is always reached directly.
    pub(crate) fn for_peer(&self, https: bool, host: &str, port: u16) -> Option<&Secret> {
        let proxy = if https { self.https.as_ref() } else { self.http.as_ref() }?;
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let excepted = is_loopback || self.exceptions.iter().any(|one| matches(one, &host, address, port));
        (!excepted).then_some(proxy)
    }

    /// `HOST:PORT` of the proxy for this peer, without what logs in there.
    pub(crate) fn name_for_peer(&self, https: bool, host: &str, port: u16) -> Option<String> {
        let address = self.for_peer(https, host, port)?.expose();
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        Some(rest.split('/').next().unwrap_or_default().to_owned())
    }
}

/// `*`, an address, a network in CIDR form, `domain` (and all below it), `.domain` (only below it); each but the
/// network with a port if wanted.
fn matches(exception: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if exception == "*" {
        return true;
    }
    if let Some((network, length)) = exception.split_once('/') {
        let (Ok(network), Ok(length), Some(address)) = (network.parse::<IpAddr>(), length.parse::<u32>(), address)
        else {
            return false;
        };
        return covers(network, length, address);
    }
    let (name, wanted_port) = match exception.rsplit_once(':') {
        Some((name, text)) if !name.contains(':') || name.ends_with(']') => match text.parse::<u16>() {
            Ok(number) => (name, Some(number)),
            Err(_) => (exception, None),
        },
        _ => (exception, None),
    };
    if wanted_port.is_some_and(|wanted| wanted != port) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if let (Ok(wanted), Some(address)) = (name.parse::<IpAddr>(), address) {
        return wanted == address;
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn covers(network: IpAddr, length: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// Entry point of `fuzz/`: exceptions, and a peer behind a line's end. The loopback is never behind a proxy.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing(text: &str) {
    let (exceptions, host) = text.split_once('\n').unwrap_or((text, "registry.example"));
    let proxies = Proxies::new(None, Some(format!("http://u:secret@{host}")), exceptions);
    assert!(proxies.for_peer(true, "[::1]", 443).is_none() && proxies.for_peer(true, "127.0.0.2", 443).is_none());
    std::hint::black_box(proxies.name_for_peer(true, host, 443));
}

#[cfg(test)]
mod tests {
    use super::Proxies;

    #[test]
    fn a_name_holds_no_password() {
        for (address, name) in [
            ("http://u:p@w@proxy.example.org:3128/", "proxy.example.org:3128"),
            ("proxy:1", "proxy:1"),
            ("u:p@proxy", "proxy"),
        ] {
            let proxies = Proxies::new(None, Some(address.to_owned()), "");
            assert_eq!(proxies.name_for_peer(true, "example.org", 443).as_deref(), Some(name));
            assert_eq!(proxies.name_for_peer(false, "example.org", 80), None);
        }
    }

    #[test]
    fn who_is_reached_directly() {
        let exceptions = "internal.example.org, .below.example.net,*.star.example.com,192.0.2.7,10.0.0.0/8,[2001:db8::1]:5000,p.example.org:8443";
        let proxies = Proxies::new(Some("h".into()), Some("s".into()), exceptions);
        let direct = |host: &str, port| proxies.for_peer(true, host, port).is_none();
        for (host, port) in [
            ("localhost", 5000),
            ("127.0.0.3", 5000),
            ("[::1]", 443),
            ("INTERNAL.example.org", 443),
            ("a.internal.example.org", 443),
            ("a.below.example.net", 443),
            ("a.star.example.com", 443),
            ("192.0.2.7", 443),
            ("10.200.0.1", 5000),
            ("[2001:db8::1]", 5000),
            ("p.example.org", 8443),
        ] {
            assert!(direct(host, port), "{host}:{port}");
        }
        for (host, port) in [
            ("below.example.net", 443),
            ("notinternal.example.org", 443),
            ("11.0.0.1", 443),
            ("[2001:db8::1]", 443),
            ("p.example.org", 443),
            ("docker.io", 443),
        ] {
            assert!(!direct(host, port), "{host}:{port}");
        }
        assert_eq!(proxies.for_peer(true, "x.org", 1).map(|s| s.expose()), Some("s"));
        assert_eq!(proxies.for_peer(false, "x.org", 1).map(|s| s.expose()), Some("h"));
        assert!(Proxies::new(Some("h".into()), None, "*").for_peer(false, "x.org", 1).is_none());
        assert!(Proxies::new(Some("h".into()), None, "").for_peer(true, "x.org", 1).is_none());
    }
}
