//! Everything that a start needs, worked out by the engine before the fork.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::network::NetworkPlan;
use crate::rootless::OuterWish;
use crate::runtime::bundle::Bundle;
use crate::storage::container_record::ContainerConfig;
use crate::storage::process_identity::ProcessIdentity;
use crate::types::health::HealthCheck;
use crate::types::id::ContainerId;

/// A container about to be started.
#[derive(Debug)]
pub(crate) struct StartRequest {
    pub(crate) config: ContainerConfig,
    pub(crate) bundle: Bundle,
    pub(crate) network: NetworkPlan,
    /// What the mounts whose changes are discarded are written to.
    pub(crate) scratches: Vec<Scratch>,
    /// The map that P shall have.
    pub(crate) wish: OuterWish,
    /// The containers whose namespaces are joined, with the init that the bundle's paths lead to. Their P is this one's, too.
    pub(crate) joined: Vec<(ContainerId, ProcessIdentity)>,
    /// Where the P comes from that is being made for this start.
    pub(crate) outer: Option<OwnedFd>,
    /// A connected socket of a foreground `run` or `start -a`, attached before the program starts.
    pub(crate) client: Option<OwnedFd>,
    /// The first signal of a stop.
    pub(crate) stop_signal: i32,
    /// The container's health check, if it has one.
    pub(crate) health: Option<Box<HealthRequest>>,
}

/// Where an overlay of a mount is written to (`-v SRC:/DST:O`, images), in a directory of its own.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) upper: PathBuf,
    pub(crate) work: PathBuf,
    /// The directory that the mount shows, or the top one of several: it has the mode.
    pub(crate) top: Option<PathBuf>,
}

/// A health check about to be run, once or again and again.
#[derive(Debug)]
pub(crate) struct HealthRequest {
    pub(crate) check: HealthCheck,
    /// The container's spec with the check's process section.
    pub(crate) bundle: Bundle,
    /// The map that P has, and where we are.
    pub(crate) wish: OuterWish,
}
