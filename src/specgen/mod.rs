//! L2: `ContainerSpec` + image configuration + host facts → OCI runtime spec. Pure: no I/O; what only the engine can
//! know (paths of volumes, ids cut to P, namespaces to join) comes in as [`Placement`].
//!
//! The user stays as written (`process.user.username`), for init to look up in the container's root.
#![forbid(unsafe_code)]

mod annotations;
mod capabilities;
mod environment;
mod error;
mod generate;
mod mounts;
mod namespaces;
mod placement;
mod process;
mod resources;
mod seccomp;
mod security;
#[cfg(test)]
mod tests;
mod volumes;

pub(crate) use annotations::labels;
pub(crate) use capabilities::capability_sets;
pub(crate) use environment::environment;
pub(crate) use error::Error;
pub(crate) use generate::generate;
pub(crate) use placement::{Joined, PlacedMount, PlacedSource, Placement};
pub(crate) use process::{arguments, user};
pub(crate) use seccomp::section as seccomp_section;
pub(crate) use volumes::image_volumes;
