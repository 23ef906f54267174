//! `slirp4netns(1)`: a private network 10.0.2.0/24 behind address translation in user space.

use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::sys::descriptor;
use crate::sys::spawn::Spawn;
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, Errno, Result, socket};
use crate::types::port::PortMapping;

use super::error::Error;
use super::handle::Started;
use super::options::SlirpOptions;
use super::plan::{self, Helper, HelperOptions, NetworkPlan};

/// Name of the API socket in the container's run directory. slirp4netns gets it through a descriptor of that
/// directory: the whole path is longer than `sun_path`.
const API_SOCKET: &str = "slirp4netns.sock";

/// Time that slirp4netns has for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ports to publish once slirp4netns answers.
#[derive(Debug)]
pub(super) struct Publish {
    ports: Vec<PortMapping>,
    guest: IpAddr,
}

/// The plan for slirp4netns with the user's options.
pub(super) fn plan(program: PathBuf, options: SlirpOptions) -> NetworkPlan {
    let v4 = |n| Some(IpAddr::V4(options.address(n)));
    // Without the host's loopback number 2 leads nowhere, but the host's own address works (as in Podman).
    let host = if options.allow_host_loopback { v4(2) } else { plan::outbound() };
    let addresses = [v4(100), host, v4(3)];
    plan::with_helper(Helper::Slirp4netns, &program, HelperOptions::Slirp4netns(options), addresses)
}

fn arguments(options: &SlirpOptions) -> Vec<String> {
    let mut args = vec!["--configure".to_owned(), format!("--mtu={}", options.mtu)];
    args.push(format!("--cidr={}/{}", options.cidr.0, options.cidr.1));
    // Its sandbox wants to be root of the namespace by setegid(0), which not every id map has.
    args.push("--enable-seccomp".to_owned());
    if !options.allow_host_loopback {
        args.push("--disable-host-loopback".to_owned());
    }
    if options.enable_ipv6 {
        args.push("--enable-ipv6".to_owned());
    }
    args.extend(options.outbound_addr.iter().map(|address| format!("--outbound-addr={address}")));
    args.extend(options.outbound_addr6.iter().map(|address| format!("--outbound-addr6={address}")));
    args
}

/// Starts slirp4netns with the namespaces, the ready pipe and the directory of its socket as inherited descriptors.
pub(super) fn spawn(
    program: &Path,
    options: &SlirpOptions,
    ports: &[PortMapping],
    run_dir: &Path,
    userns: Option<BorrowedFd<'_>>,
    netns: BorrowedFd<'_>,
) -> Result<Started> {
    let (messages, said) = descriptor::pipe()?;
    stream::set_nonblocking(&messages, true)?;
    stream::set_nonblocking(&said, true)?;
    let (ready, ready_writer) = descriptor::pipe()?;
    stream::set_nonblocking(&ready, true)?;
    let directory = std::os::fd::OwnedFd::from(sys::fs::open(run_dir)?);
    let by_number = |fd: BorrowedFd<'_>| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let mut spawn = Spawn::new(program).args(arguments(options));
    if !ports.is_empty() {
        // One that a killed run left would be in the way.
        sys::fs::remove_file(&run_dir.join(API_SOCKET))?;
        spawn =
            spawn.arg(format!("--api-socket={}/{API_SOCKET}", by_number(directory.as_fd()))).inherit(directory.as_fd());
    }
    if let Some(userns) = userns {
        spawn = spawn.arg(format!("--userns-path={}", by_number(userns))).inherit(userns);
    }
    let child = spawn
        .arg(format!("--ready-fd={}", ready_writer.as_raw_fd()))
        .arg("--netns-type=path")
        .args([by_number(netns), "tap0".to_owned()])
        .inherit(netns)
        .inherit(ready_writer.as_fd())
        .stream(1, said.as_fd())
        .stream(2, said.as_fd())
        .die_with_parent()
        .start()?;
    let publish = Publish { ports: ports.to_vec(), guest: IpAddr::V4(options.address(100)) };
    Ok(Started { child, messages, ready: Some((ready, run_dir.join(API_SOCKET), publish)) })
}

impl Publish {
    /// Publishes each port, by one request on a connection of its own, as slirp4netns wants it.
    pub(super) fn run(&self, api: &Path) -> std::result::Result<(), Error> {
        for port in &self.ports {
            for offset in 0..port.range {
                let answer = ask(api, self.request(port, offset).as_bytes())
                    .map_err(|source| Error::Talk { helper: Helper::Slirp4netns, source })?;
                let answer: Value = serde_json::from_slice(&answer).unwrap_or(Value::Null);
                if answer.get("return").is_none() {
                    let said = answer.pointer("/error/desc").and_then(Value::as_str).unwrap_or("no answer").to_owned();
                    return Err(Error::Publish { helper: Helper::Slirp4netns, port: port.clone(), said });
                }
            }
        }
        Ok(())
    }

    fn request(&self, port: &PortMapping, offset: u16) -> String {
        let host = port.host_ip.map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.to_string());
        json!({
            "execute": "add_hostfwd",
            "arguments": {
                "proto": port.protocol.to_string(),
                "host_addr": host,
                "host_port": port.host_port.saturating_add(offset),
                "guest_addr": self.guest.to_string(),
                "guest_port": port.container_port.saturating_add(offset),
            }
        })
        .to_string()
    }
}

/// One request and its whole answer.
fn ask(api: &Path, request: &[u8]) -> Result<Vec<u8>> {
    let connection = socket::connect(api)?;
    stream::write_all(&connection, request)?;
    socket::shut_down_sending(&connection)?;
    let mut answer = Vec::new();
    let mut chunk = [0; 512];
    while answer.len() < 1 << 16 {
        if !sys::wait_readable(connection.as_fd(), Some(PATIENCE))? {
            return Err(sys::Error::new("poll", format!("{api:?}: no answer"), Errno::ETIMEDOUT));
        }
        match stream::read(&connection, &mut chunk)? {
            Transfer::Bytes(count) => answer.extend_from_slice(&chunk[..count]),
            Transfer::End => break,
            Transfer::WouldBlock => {}
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::{Publish, arguments};
    use crate::network::options::SlirpOptions;

    #[test]
    fn requests_and_arguments() {
        let publish = Publish { ports: Vec::new(), guest: [10, 0, 2, 100].into() };
        let port = "127.0.0.1:8000-8001:80-81/udp".parse().expect("valid");
        assert_eq!(
            publish.request(&port, 1),
            r#"{"execute":"add_hostfwd","arguments":{"proto":"udp","host_addr":"127.0.0.1","host_port":8001,"guest_addr":"10.0.2.100","guest_port":81}}"#
        );
        assert!(arguments(&SlirpOptions::default()).contains(&"--disable-host-loopback".to_owned()));
    }
}
