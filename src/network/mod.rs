//! L3: network of a container. May import: sys, types.
//!
//! ```text
//! engine   plan::plan(request)           which mode, which helper, which addresses; refuses bad options
//! engine   resolv::resolv_conf, hosts::hosts     text of the files, pure
//! monitor  ports::claim                  a published port belongs to one container of this user
//! monitor  handle::start(plan, …)        spawns pasta or slirp4netns into the namespaces, returns at once
//! init     sys::netdev::loopback_up      in its own network namespace (mode `none`; helpers do it too)
//! monitor  NetworkHandle::{ready_fd, advance} or wait_ready     before the program is executed
//! monitor  NetworkHandle::stop, drop of the ports               after the exit
//! ```
//!
//! Helpers run in the foreground as children of the monitor, die with it, and get the namespaces as inherited
//! descriptors, never by a pid (K-B1).
#![forbid(unsafe_code)]

mod error;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod handle;
mod hosts;
mod options;
mod pasta;
mod plan;
mod ports;
mod resolv;
mod slirp4netns;

pub(crate) use error::Error;
pub(crate) use handle::{DyingHelper, NetworkHandle, start};
pub(crate) use hosts::{HostsInput, hostname_file, hosts};
#[cfg(feature = "fuzzing")]
pub(crate) use plan::Scheme;
pub(crate) use plan::{HelperOptions, NetworkPlan, NetworkRequest, check_options, default_helper, plan, wanted_ports};
pub(crate) use ports::{ClaimedPorts, PortHolder, choose as choose_ports, claim, first_unprivileged_port};
pub(crate) use resolv::{ResolvInput, resolv_conf};
