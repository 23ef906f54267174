//! `--network`, `-p`, `--dns*`, `--add-host`, `--hostname`.

use std::net::IpAddr;

use crate::types::container_spec::ContainerSpec;
use crate::types::namespace::NetworkMode;
use crate::types::port::{self, PortMapping};

use super::super::error::Error;
use super::super::flags::NetworkFlags;
use super::invalid::{FlagError, unsupported, wrong};
use super::surroundings::Surroundings;

/// Fills in the network; what the user should know goes to `warnings`.
pub(super) fn network(
    flags: &NetworkFlags,
    around: &Surroundings<'_>,
    spec: &mut ContainerSpec,
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    spec.network = match flags.network.as_slice() {
        // `pasta` is what is taken first anyway.
        [] if around.defaults.network.default_rootless_network_cmd.as_deref() == Some("slirp4netns") => {
            Some(NetworkMode::Slirp4netns { options: Vec::new() })
        }
        [] => None,
        [one] => Some(mode(one, around)?),
        [_, second, ..] => return Err(wrong("network", second, "more than one network is not supported yet").into()),
    };
    for text in &flags.publish {
        let port: PortMapping = text.parse().map_err(|error| wrong("publish", text, error))?;
        if spec.ports.contains(&port) {
            continue;
        }
        if let Some(other) = spec.ports.iter().find(|other| other.claims_same(&port)) {
            return Err(wrong(
                "publish",
                text,
                format!("{other} is published, too: a port of the host leads to one place"),
            )
            .into());
        }
        spec.ports.push(port);
    }
    for text in &flags.expose {
        port::parse_exposed(text).map_err(|error| wrong("expose", text, error))?;
        spec.expose.push(text.clone());
    }
    spec.publish_all = flags.publish_all;
    if !spec.ports.is_empty() || spec.publish_all {
        for text in around.defaults.network.default_host_ips.iter().flatten() {
            spec.host_ips.push(text.parse().map_err(|error| wrong("publish", text, error))?);
        }
    }
    if !spec.network().has_uplink() && (!spec.ports.is_empty() || spec.publish_all) {
        let mode = spec.network().name();
        warnings.push(format!(
            "Port mappings have been discarded because \"{mode}\" network namespace mode does not support them"
        ));
        spec.ports.clear();
        spec.host_ips.clear();
        spec.publish_all = false;
    }
    dns(flags, spec)?;
    spec.add_host = flags.add_host.iter().map(|text| add_host(text)).collect::<Result<_, _>>()?;
    spec.no_hosts = flags.no_hosts.unwrap_or(false);
    if spec.no_hosts && !spec.add_host.is_empty() {
        return Err(FlagError::Conflict("no-hosts", "add-host").into());
    }
    Ok(())
}

fn mode(text: &str, around: &Surroundings<'_>) -> Result<NetworkMode, Error> {
    let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
    let options = |rest: Option<&str>| -> Vec<String> {
        rest.unwrap_or("").split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect()
    };
    match (kind, rest) {
        ("none", None) => Ok(NetworkMode::None),
        ("host", None) => Ok(NetworkMode::Host),
        ("" | "private" | "default", None) => Ok(NetworkMode::Private),
        ("pasta", rest) => Ok(NetworkMode::Pasta { options: options(rest) }),
        ("slirp4netns", rest) => Ok(NetworkMode::Slirp4netns { options: options(rest) }),
        ("container", Some(name)) => (around.container)(name).map(NetworkMode::Container),
        ("ns", Some(path)) => Ok(NetworkMode::Path(around.host_path(path.as_ref())?)),
        ("none" | "host" | "private", Some(_)) => Err(wrong("network", text, "this mode takes no options").into()),
        // `bridge`, and names of networks.
        _ => Err(unsupported("network", text).into()),
    }
}

fn dns(flags: &NetworkFlags, spec: &mut ContainerSpec) -> Result<(), FlagError> {
    for text in &flags.dns {
        if text == "none" {
            spec.no_resolv_conf = true;
            continue;
        }
        spec.dns.push(text.parse::<IpAddr>().map_err(|error| wrong("dns", text, error))?);
    }
    if spec.no_resolv_conf && !spec.dns.is_empty() {
        return Err(wrong("dns", "none", "no other server goes with it"));
    }
    for text in &flags.dns_search {
        if text != "." && !is_domain(text) {
            return Err(wrong("dns-search", text, "a domain name, or ."));
        }
        spec.dns_search.push(text.clone());
    }
    for text in &flags.dns_option {
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(wrong("dns-option", text, "one word"));
        }
        spec.dns_options.push(text.clone());
    }
    Ok(())
}

/// `NAME[;NAME…]:ADDRESS`; the address may be in brackets, or `host-gateway`.
fn add_host(text: &str) -> Result<(Vec<String>, Option<IpAddr>), FlagError> {
    let (names, address) = text.split_once(':').ok_or_else(|| wrong("add-host", text, "NAME:ADDRESS"))?;
    let names: Vec<String> = names.split(';').map(str::to_owned).collect();
    if !names.iter().all(|name| is_domain(name)) {
        return Err(wrong("add-host", text, "a name has letters, digits, '.', '-' and '_'"));
    }
    if address == "host-gateway" {
        return Ok((names, None));
    }
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    let address = bare.parse().map_err(|error| wrong("add-host", text, error))?;
    Ok((names, Some(address)))
}

/// Checks `--hostname`: sethostname(2) takes 64 bytes, and the name goes into `/etc/hosts` (case F02).
pub(super) fn hostname(text: &str) -> Result<String, FlagError> {
    if text.len() > 64 {
        return Err(wrong("hostname", text, "at most 64 characters"));
    }
    if is_domain(text) {
        Ok(text.to_owned())
    } else {
        Err(wrong("hostname", text, "letters, digits, '.', '-' and '_'"))
    }
}

fn is_domain(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    !text.is_empty() && text.len() <= 253 && text.trim_end_matches('.').split('.').all(part)
}
