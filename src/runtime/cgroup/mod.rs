//! cgroup v2: which subtree is ours, a leaf per container, its limits, pausing, killing, counting.
//!
//! ```text
//! (a) delegated subtree we are in          (b) scope that the user's systemd makes       (c) none
//!     R/            controllers enabled        …/sampan-<id>-<n>.scope/                      no limits, no pause;
//!     ├─ sampan-host/  processes of R          ├─ monitor/   monitor, stage, helpers         killing by pidfd
//!     └─ sampan-<id>/  the container           └─ ctr/       the container
//! ```
//!
//! [`begin`] chooses and, in (b), sends the request; [`Pending::finish`] waits for it, so that systemd works while the caller
//! maps ids and mounts. Init is cloned into [`ContainerCgroup::dir`] with `CLONE_INTO_CGROUP | CLONE_NEWCGROUP` (K-A8).
//! Writing is allowed by the kernel only where the common ancestor is ours too, which is why (b) moves the monitor and the
//! stage as well. The process that calls this has one thread, and still has one afterwards.

mod cgroupfs;
mod container;
mod error;
mod freezer;
mod limits;
mod own;
mod select;
mod systemd;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use crate::types::cgroup::CgroupRecord;
#[cfg(feature = "fuzzing")]
pub(crate) use cgroupfs::fuzzing;
pub(crate) use container::{ContainerCgroup, remove};
pub(crate) use error::Error;
pub(crate) use own::below_user_slice;
pub(crate) use select::{Available, Request, Why, available, begin};
