//! The way of containers to the network.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::engine::cures::{Caller, Need, setting};
use crate::network::{self, HelperOptions, NetworkPlan, NetworkRequest};
use crate::rootless::outer::Entered;
use crate::rootless::{Outer, OuterWish};
use crate::sys::namespace::{self, NsKind};
use crate::sys::{self, descriptor, process};
use crate::types::failure::chain;
use crate::types::namespace::NetworkMode;

use super::finding::Finding;

const HELPER: &str = "network";
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn findings(engine: &Engine, caller: &Caller, possible: bool) -> Vec<Finding> {
    vec![helper(engine, caller, possible), low_ports(caller), ping(caller)]
}

/// The helper that a container would get, at work in a namespace made for it.
fn helper(engine: &Engine, caller: &Caller, possible: bool) -> Finding {
    let lost = "containers on the network: only --network=none, host and container:ID work";
    let cure = || Need::NetworkHelper.cure(caller);
    let request = NetworkRequest {
        mode: &NetworkMode::Private,
        ports: &[],
        publish_all: false,
        exposed: &[],
        host_ips: &[],
        path: &engine.config.path,
    };
    let plan = match network::plan(&request) {
        Ok(plan) => plan,
        Err(error) => return Finding::missing(HELPER, chain(&error), lost, cure()),
    };
    let versions: Vec<String> = ["pasta", "slirp4netns"]
        .into_iter()
        .map(|name| engine.program(name, "--version"))
        .filter(|program| !program.executable.is_empty())
        .map(|program| format!("{} ({})", program.executable, program.version))
        .collect();
    let chosen = plan.helper().map(|helper| helper.helper.to_string()).unwrap_or_default();
    let found = format!("{}; {chosen} is used", versions.join(", "));
    if !sys::fs::is_read_write(Path::new("/dev/net/tun")) {
        return Finding::missing(HELPER, format!("{found}; no access to /dev/net/tun"), lost, Need::Tun.cure(caller));
    }
    if possible && let Err(why) = connect(engine, &plan) {
        return Finding::missing(HELPER, format!("{found}; {why}"), lost, cure());
    }
    // What the older ones lack, docs/podman-differences.md.
    match plan.helper().map(|helper| &helper.options) {
        Some(HelperOptions::Pasta { modern: false, .. }) => Finding::degraded(
            HELPER,
            format!("{found}, older than October 2024"),
            "an address for the host, answers by UDP to callers on this host, and services in containers on 127.0.0.1 \
             are exposed by published ports",
            Need::ModernPasta.cure(caller),
        ),
        Some(HelperOptions::Slirp4netns(_)) => Finding::degraded(
            HELPER,
            found,
            "answers by UDP to callers on this host's 127.0.0.1",
            Need::ModernPasta.cure(caller),
        ),
        _ => Finding::fine(HELPER, found),
    }
}

/// Starts the helper in the network namespace of a child, waits until it is ready, stops it.
fn connect(engine: &Engine, plan: &NetworkPlan) -> Result<(), String> {
    let text = |error: &dyn std::error::Error| chain(error);
    let (ready, tell) = descriptor::pipe().map_err(|error| text(&error))?;
    let (over, hold) = descriptor::pipe().map_err(|error| text(&error))?;
    let outer = Outer::find(OuterWish::single_id(), Path::new("/nonexistent"));
    match outer.enter().map_err(|error| text(&error))? {
        Entered::Child(child) => {
            drop((ready, hold));
            let there = child.ready().is_ok() && namespace::unshare(&[NsKind::Network]).is_ok();
            if there && sys::descriptor::write_all(tell.as_fd(), b"r").is_ok() {
                // Until the other end is closed.
                drop(sys::descriptor::read_byte(over.as_fd()));
            }
            process::exit_now(0)
        }
        Entered::Parent(mut parent) => {
            drop((tell, over));
            let mapped = parent.finish_map().map_err(|error| text(&error));
            let connected = mapped.and_then(|_| match sys::descriptor::read_byte(ready.as_fd()) {
                Ok(Some(_)) => try_helper(engine, plan, parent.child().pid()),
                _ => Err("no network namespace for the probe".to_owned()),
            });
            drop(hold);
            let ended = parent.into_child().wait().map_err(|error| text(&error));
            connected.and_then(|()| ended.map(drop))
        }
    }
}

fn try_helper(engine: &Engine, plan: &NetworkPlan, pid: process::Pid) -> Result<(), String> {
    let open = |kind| namespace::open(pid, kind).map_err(|error| chain(&error));
    let (userns, netns) = (open(NsKind::User)?, open(NsKind::Network)?);
    // The socket of slirp4netns.
    let dir = engine.store.layout().run_epoch().join(format!("doctor-{}", process::Pid::this()));
    sys::fs::mkdir_all(&dir, 0o700).map_err(|error| chain(&error))?;
    let answer = network::start(plan, &[], &dir, Some(userns.as_fd()), netns.as_fd()).and_then(|mut handle| {
        let ready = handle.wait_ready(Instant::now() + PATIENCE);
        let stopped = handle.stop();
        ready.and(stopped)
    });
    let removed = sys::fs::remove_tree(&dir).map_err(|error| chain(&error));
    answer.map_err(|error| chain(&error)).and(removed)
}

fn low_ports(caller: &Caller) -> Finding {
    const NAME: &str = "low ports";
    let first = network::first_unprivileged_port();
    let found = format!("ports from {first} on can be published");
    if first <= 80 {
        return Finding::fine(NAME, found);
    }
    let lost = format!("publishing of ports below {first}, such as 80 and 443");
    Finding::degraded(NAME, found, lost, Need::LowPort.cure(caller))
}

/// Opens the socket that the helpers send echo requests by (`icmp(7)`).
fn ping(caller: &Caller) -> Finding {
    const NAME: &str = "ping";
    let range = setting("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default().replace('\t', " ");
    match sys::netdev::try_ping_socket() {
        Ok(()) => Finding::fine(NAME, format!("groups {range}")),
        Err(error) => Finding::degraded(
            NAME,
            format!("groups {range}: {error}"),
            "ping from containers to the network",
            Need::Ping.cure(caller),
        ),
    }
}
