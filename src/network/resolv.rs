//! The container's `resolv.conf(5)`.

use std::net::IpAddr;

use super::error::Error;
use super::plan::{NetworkPlan, Scheme};

/// glibc reads at most three name servers (MAXNS), and six search domains before 2.26.
const MAX_SERVERS: usize = 3;

/// What the file is made from.
#[derive(Debug)]
pub(crate) struct ResolvInput<'a> {
    pub(crate) plan: &'a NetworkPlan,
    /// Text of the host's `/etc/resolv.conf`, or of that of the container whose network this is; empty if there is none.
    pub(crate) host: &'a str,
    /// Text of `/run/systemd/resolve/resolv.conf`: the real servers behind the stub 127.0.0.53.
    pub(crate) resolved: Option<&'a str>,
    /// `--dns`, `--dns-search` (a single `.` = none), `--dns-option`.
    pub(crate) servers: &'a [IpAddr],
    pub(crate) search: &'a [String],
    pub(crate) options: &'a [String],
}

#[derive(Debug, Default)]
struct Parsed {
    servers: Vec<String>,
    search: Vec<String>,
    options: Vec<String>,
}

/// The text. In the network of the host or of another container that one's file serves as it is, unless a flag says
/// otherwise.
pub(crate) fn resolv_conf(input: &ResolvInput<'_>) -> Result<String, Error> {
    let flags = !(input.servers.is_empty() && input.search.is_empty() && input.options.is_empty());
    let foreign = matches!(input.plan.scheme, Scheme::Host | Scheme::Path(_) | Scheme::Container(_));
    if foreign && !flags {
        return Ok(input.host.to_owned());
    }
    let mut host = parse(input.host);
    // The stub listens on the host's loopback only.
    if !foreign
        && host.servers.iter().any(|server| server == "127.0.0.53")
        && let Some(resolved) = input.resolved
    {
        host.servers = parse(resolved).servers;
    }
    let servers = if input.servers.is_empty() {
        inherited(&host.servers, input.plan, foreign)
    } else {
        input.servers.iter().map(ToString::to_string).collect()
    };
    let search = match input.search {
        [] => host.search,
        [dot] if dot == "." || dot.is_empty() => Vec::new(),
        given => given.iter().map(|domain| checked("--dns-search", domain)).collect::<Result<_, _>>()?,
    };
    let options = match input.options {
        [] => host.options,
        given => given.iter().map(|option| checked("--dns-option", option)).collect::<Result<_, _>>()?,
    };
    Ok(compose(&search, &servers, &options))
}

/// The helper's forwarder first (it follows the host when that roams), then the host's servers that a container can
/// reach.
fn inherited(host: &[String], plan: &NetworkPlan, foreign: bool) -> Vec<String> {
    if foreign {
        return host.to_vec();
    }
    let forwarder = plan.forwarder.filter(|_| !host.is_empty()).map(|ip| ip.to_string());
    let reachable = host.iter().filter(|server| {
        // `fe80::1%eth0` names a device that the container does not have.
        server.parse::<IpAddr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
    });
    let mut servers: Vec<String> = forwarder.into_iter().collect();
    servers.extend(reachable.cloned());
    servers.truncate(MAX_SERVERS);
    servers
}

fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        match words.next().as_deref() {
            Some("nameserver") => parsed.servers.extend(words.next()),
            // The last of `search` and `domain` counts.
            Some("search" | "domain") => parsed.search = words.collect(),
            Some("options") => parsed.options.extend(words),
            _ => {}
        }
    }
    parsed
}

fn compose(search: &[String], servers: &[String], options: &[String]) -> String {
    let mut text = String::new();
    if !search.is_empty() {
        text.push_str(&format!("search {}\n", search.join(" ")));
    }
    for server in servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if !options.is_empty() {
        text.push_str(&format!("options {}\n", options.join(" ")));
    }
    text
}

/// One word without control characters, or a line could be smuggled in (case F02).
fn checked(what: &'static str, text: &str) -> Result<String, Error> {
    if text.is_empty() || text.len() > 255 || text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '#') {
        return Err(Error::Text { what, text: text.to_owned(), why: "one word of at most 255 characters" });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ResolvInput, resolv_conf};
    use crate::network::plan::{NetworkPlan, Scheme};

    fn plan(scheme: Scheme, forwarder: Option<&str>) -> NetworkPlan {
        NetworkPlan {
            scheme,
            ports: Vec::new(),
            ports_discarded: false,
            address: None,
            host: None,
            forwarder: forwarder.map(|ip| ip.parse().expect("valid")),
        }
    }

    fn text(plan: &NetworkPlan, host: &str, resolved: Option<&str>) -> String {
        resolv_conf(&ResolvInput { plan, host, resolved, servers: &[], search: &[], options: &[] }).expect("valid")
    }

    #[test]
    fn inherited_servers() {
        let private = plan(Scheme::None, Some("169.254.1.1"));
        let host = "# comment\nsearch a.example b.example\nnameserver 127.0.0.1\nnameserver 9.9.9.9\noptions edns0\n";
        assert_eq!(
            text(&private, host, None),
            "search a.example b.example\nnameserver 169.254.1.1\nnameserver 9.9.9.9\noptions edns0\n"
        );
        assert_eq!(
            text(&private, "nameserver 127.0.0.53\n", Some("nameserver 10.1.1.1\nnameserver fe80::1%eth0\n")),
            "nameserver 169.254.1.1\nnameserver 10.1.1.1\n"
        );
        assert_eq!(text(&private, "", None), "");
        assert_eq!(text(&plan(Scheme::Host, None), host, None), host);
        let donor = Scheme::Container("0".repeat(64).parse().expect("an id"));
        assert_eq!(text(&plan(donor, None), host, None), host);
    }

    #[test]
    fn flags_win_and_f02_is_refused() {
        let private = plan(Scheme::None, Some("10.0.2.3"));
        let made = resolv_conf(&ResolvInput {
            plan: &private,
            host: "search old\nnameserver 1.1.1.1\n",
            resolved: None,
            servers: &["8.8.8.8".parse().expect("valid")],
            search: &[".".to_owned()],
            options: &["ndots:1".to_owned()],
        });
        assert_eq!(made.expect("valid"), "nameserver 8.8.8.8\noptions ndots:1\n");
        for bad in ["a\nnameserver 6.6.6.6", "a b", ""] {
            let search = [bad.to_owned(), "x".to_owned()];
            let input =
                ResolvInput { plan: &private, host: "", resolved: None, servers: &[], search: &search, options: &[] };
            assert!(resolv_conf(&input).is_err(), "{bad:?}");
        }
    }
}
