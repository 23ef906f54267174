//! What can go wrong with a container's network.

use std::net::IpAddr;
use std::time::Duration;

use crate::sys;
use crate::types::failure::FailureKind;
use crate::types::port::{PortMapping, Protocol};

use super::plan::Helper;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("a private network needs pasta or slirp4netns, and neither is in PATH")]
    NoHelper,
    #[error("{0} is not in PATH")]
    HelperMissing(Helper),
    #[error("--network={helper}: option {option:?}: {why}")]
    Option { helper: Helper, option: String, why: String },
    #[error("start {helper}")]
    Spawn {
        helper: Helper,
        #[source]
        source: sys::Error,
    },
    #[error("talk to {helper}")]
    Talk {
        helper: Helper,
        #[source]
        source: sys::Error,
    },
    #[error("{helper} ended before the network was ready: {said}")]
    Ended { helper: Helper, said: String },
    #[error("{helper} was not ready after {} s", .after.as_secs())]
    NotReady { helper: Helper, after: Duration },
    #[error("{helper} did not publish port {port}: {said}")]
    Publish { helper: Helper, port: PortMapping, said: String },
    #[error("publish port {port}: {helper} listens on IPv4 addresses only")]
    OtherFamily { helper: Helper, port: PortMapping },
    #[error("port {number}/{protocol} is in use by container {holder}")]
    PortHeld { number: u16, protocol: Protocol, holder: String },
    #[error("port {number}/{protocol} is in use on this host")]
    PortInUse {
        number: u16,
        protocol: Protocol,
        #[source]
        source: sys::Error,
    },
    #[error("port {number}/{protocol} is reserved: ports below {first} need a privilege")]
    PortPrivileged { number: u16, protocol: Protocol, first: u16 },
    #[error("address {address} of a published port is not one of this host's")]
    PortAddress {
        address: IpAddr,
        #[source]
        source: sys::Error,
    },
    #[error("no {count} consecutive free ports on this host")]
    NoFreePort { count: u16 },
    #[error("claim port {number}/{protocol}")]
    Claim {
        number: u16,
        protocol: Protocol,
        #[source]
        source: sys::Error,
    },
    #[error("{what} {text:?}: {why}")]
    Text { what: &'static str, text: String, why: &'static str },
    #[error("host-gateway has no address on this network: the container cannot reach the host")]
    NoHostGateway,
    #[error("stop {helper}")]
    Stop {
        helper: Helper,
        #[source]
        source: sys::Error,
    },
}

impl Error {
    /// What hints and exit codes go by when the error crosses a process border.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::NoHelper | Self::HelperMissing(_) | Self::Spawn { .. } => FailureKind::NetworkHelper,
            Self::Ended { said, .. } => reason(said),
            Self::PortHeld { .. } | Self::PortInUse { .. } | Self::NoFreePort { .. } => FailureKind::PortInUse,
            Self::PortPrivileged { .. } => FailureKind::PortPrivileged,
            _ => FailureKind::Other,
        }
    }
}

/// Why a helper that is installed gave up, by its last words.
fn reason(said: &str) -> FailureKind {
    if said.contains("/dev/net/tun") {
        FailureKind::Tun
    } else if said.contains("External interface") || said.contains("external interface") || said.contains("routable") {
        FailureKind::NoRoute
    } else {
        FailureKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::{FailureKind, reason};

    #[test]
    fn last_words_of_helpers() {
        for (said, kind) in [
            ("No external routable interface for IPv4; External interface not usable", FailureKind::NoRoute),
            ("Failed to open() /dev/net/tun: Permission denied", FailureKind::Tun),
            ("Couldn't load BPF", FailureKind::Other),
        ] {
            assert_eq!(reason(said), kind, "{said}");
        }
    }
}
