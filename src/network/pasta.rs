//! `pasta(1)`: copies the host's address into the container; connections keep their source address.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use crate::sys::descriptor;
use crate::sys::spawn::Spawn;
use crate::sys::{self, Result, stream};
use crate::types::port::{PortMapping, Protocol};

use super::error::Error;
use super::handle::Started;
use super::plan::{self, Helper, HelperOptions, NetworkPlan};

/// Where the container asks for names; pasta sends the question to the host's first name server.
const FORWARDER: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1));
/// Where the container reaches the host.
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 1, 2));

/// Options that would take the namespaces or the life of the process out of our hands.
const OURS: [&str; 12] = [
    "--netns",
    "--userns",
    "--netns-only",
    "-P",
    "--pid",
    "-f",
    "--foreground",
    "--runas",
    "-F",
    "--fd",
    "--help",
    "--version",
];

/// True if this pasta has `--map-guest-addr` (passt 2024-10). The name stands in the program's option table, and
/// reading it costs a tenth of starting the program; Debian's says "unknown version" anyway.
pub(super) fn is_modern(program: &Path) -> bool {
    const MARK: &[u8] = b"map-guest-addr";
    match sys::fs::read_limited(program, 16 << 20) {
        Ok(bytes) if bytes.starts_with(b"\x7fELF") => memchr::memmem::find(&bytes, MARK).is_some(),
        // A wrapper script, as Nix makes them: distributions that do so are not old.
        Ok(_) => true,
        Err(error) => {
            tracing::debug!(%error, "pasta cannot be read: taken for an old one");
            false
        }
    }
}

/// Refuses options that are ours, and words that are neither an option nor the value of the one before: pasta would take them for
/// a command or a process. Which options there are pasta knows.
pub(super) fn check(options: &[String]) -> std::result::Result<(), Error> {
    let mut takes_value = false;
    for option in options {
        let refused =
            |why: &str| Err(Error::Option { helper: Helper::Pasta, option: option.clone(), why: why.to_owned() });
        let name = option.split_once('=').map_or(option.as_str(), |(name, _)| name);
        if OURS.contains(&name) {
            return refused("Sampan sets it");
        }
        let is_option = option.starts_with('-');
        if !is_option && !takes_value {
            return refused("an option begins with -, and has one value at most");
        }
        takes_value = is_option && !option.contains('=');
    }
    Ok(())
}

/// The plan for pasta with the user's options.
pub(super) fn plan(program: PathBuf, options: &[String]) -> std::result::Result<NetworkPlan, Error> {
    let extra: Vec<String> = options.iter().filter(|option| !option.is_empty()).cloned().collect();
    check(&extra)?;
    let modern = is_modern(&program);
    let host = if let Some(given) = value_of(&extra, &["--map-guest-addr"]) {
        given.parse().ok()
    } else {
        modern.then_some(HOST)
    };
    let forwarder = value_of(&extra, &["--dns-forward"]).map_or(Some(FORWARDER), |given| given.parse().ok());
    let address = value_of(&extra, &["-a", "--address"]).and_then(|given| given.parse().ok()).or_else(plan::outbound);
    let options = HelperOptions::Pasta { extra, modern };
    Ok(plan::with_helper(Helper::Pasta, &program, options, [address, host, forwarder]))
}

/// Value of an option given as `-a VALUE` (two items) or `--name=VALUE`.
fn value_of<'a>(extra: &'a [String], names: &[&str]) -> Option<&'a str> {
    extra.iter().enumerate().find_map(|(index, item)| match item.split_once('=') {
        Some((name, value)) if names.contains(&name) => Some(value),
        None if names.contains(&item.as_str()) => extra.get(index + 1).map(String::as_str),
        _ => None,
    })
}

fn has(extra: &[String], names: &[&str]) -> bool {
    extra.iter().any(|item| names.contains(&item.split_once('=').map_or(item.as_str(), |(name, _)| name)))
}

/// The whole command line after the program's name.
pub(super) fn arguments(extra: &[String], modern: bool, ports: &[PortMapping]) -> Vec<OsString> {
    let mut args: Vec<String> = ["-f", "-q", "--config-net"].map(str::to_owned).to_vec();
    let mut push = |items: &[&str]| args.extend(items.iter().map(|&item| item.to_owned()));
    if !has(extra, &["--dns-forward"]) {
        push(&["--dns-forward", &FORWARDER.to_string()]);
    }
    if modern && !has(extra, &["--map-guest-addr"]) {
        push(&["--map-guest-addr", &HOST.to_string()]);
    }
    // Podman's word for leaving `--no-map-gw` out; pasta itself has no such option.
    if !has(extra, &["--map-gw", "--no-map-gw"]) {
        push(&["--no-map-gw"]);
    }
    for (protocol, flag, long) in [(Protocol::Tcp, "-t", "--tcp-ports"), (Protocol::Udp, "-u", "--udp-ports")] {
        let before = ports.iter().filter(|port| port.protocol == protocol).count();
        for port in ports.iter().filter(|port| port.protocol == protocol) {
            push(&[flag, &forward(port)]);
        }
        if before == 0 && !has(extra, &[flag, long]) {
            push(&[flag, "none"]);
        }
    }
    for (flag, long) in [("-T", "--tcp-ns"), ("-U", "--udp-ns")] {
        if !has(extra, &[flag, long]) {
            push(&[flag, "none"]);
        }
    }
    args.extend(extra.iter().filter(|item| *item != "--map-gw").cloned());
    args.into_iter().map(OsString::from).collect()
}

/// `[ADDRESS/]FIRST[-LAST]:FIRST[-LAST]`.
fn forward(port: &PortMapping) -> String {
    let span = |first: u16| match port.range {
        1 => first.to_string(),
        n => format!("{first}-{}", first.saturating_add(n - 1)),
    };
    let address = port.host_ip.filter(|ip| !ip.is_unspecified()).map_or(String::new(), |ip| format!("{ip}/"));
    format!("{address}{}:{}", span(port.host_port), span(port.container_port))
}

/// Starts pasta. A pasta since 2024-08 closes every descriptor it does not know, except 0 to 2: so the namespaces are
/// its standard input and output, and its process id comes, as the ready signal, down the pipe of its messages.
pub(super) fn spawn(
    program: &Path,
    extra: &[String],
    modern: bool,
    ports: &[PortMapping],
    userns: Option<BorrowedFd<'_>>,
    netns: BorrowedFd<'_>,
) -> Result<Started> {
    let (messages, writer) = descriptor::pipe()?;
    stream::set_nonblocking(&messages, true)?;
    stream::set_nonblocking(&writer, true)?;
    let args = arguments(extra, modern, ports);
    tracing::debug!(program = %program.display(), ?args, "pasta");
    let mut spawn = Spawn::new(program).args(args).args(["-P", "/proc/self/fd/2", "--netns", "/proc/self/fd/1"]);
    spawn = match userns {
        Some(userns) => spawn.args(["--userns", "/proc/self/fd/0"]).stream(0, userns),
        None => spawn.arg("--netns-only"),
    };
    let child = spawn.stream(1, netns).stream(2, writer.as_fd()).die_with_parent().start()?;
    Ok(Started { child, messages, ready: None })
}

#[cfg(test)]
mod tests {
    use super::{arguments, check, plan};

    fn line(extra: &[&str], modern: bool, ports: &[&str]) -> String {
        let extra: Vec<String> = extra.iter().map(|&item| item.to_owned()).collect();
        let ports: Vec<_> = ports.iter().map(|text| text.parse().expect("valid")).collect();
        let args = arguments(&extra, modern, &ports);
        args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn command_lines() {
        assert_eq!(
            line(&[], false, &[]),
            "-f -q --config-net --dns-forward 169.254.1.1 --no-map-gw -t none -u none -T none -U none"
        );
        assert_eq!(
            line(&["--map-gw", "-T", "5201"], true, &["127.0.0.1:8000-8001:80-81", "53:53/udp"]),
            "-f -q --config-net --dns-forward 169.254.1.1 --map-guest-addr 169.254.1.2 -t 127.0.0.1/8000-8001:80-81 \
             -u 53:53 -U none -T 5201"
        );
        assert!(line(&[], true, &["[::1]:8080:80"]).contains("-t ::1/8080:80"));
    }

    #[test]
    fn our_options_are_refused() {
        for bad in ["--netns=/x", "-P", "--runas=0", "foo", "-T,80,81", "--mtu=5,6"] {
            let options: Vec<_> = bad.split(',').map(str::to_owned).collect();
            assert!(plan("/nowhere/pasta".into(), &options).is_err(), "{bad}");
        }
        assert!(check(&["-T", "80", "--mtu=5", "-4", "-u", "none"].map(str::to_owned)).is_ok());
        let made = plan("/nowhere/pasta".into(), &["--dns-forward=10.1.1.1".to_owned()]).expect("fine");
        assert_eq!(made.forwarder, Some([10, 1, 1, 1].into()));
        assert_eq!(made.host, None);
    }
}
