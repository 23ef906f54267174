//! `system doctor`: what this host gives a rootless user, each need probed by using it, with the cure of what is missing.
//!
//! ```text
//! kernel.rs    version, user namespaces and the other kinds, /proc of an outer container, inotify, keyring
//! ids.rs       newuidmap and newgidmap, subordinate ranges and who else has them, supplementary groups
//! store.rs     file system of the store, runtime directory, overlay, /dev/fuse
//! control.rs   cgroup controllers, linger
//! uplink.rs    pasta, slirp4netns, /dev/net/tun, low ports, ping
//! ```

mod control;
mod examine;
mod finding;
mod ids;
mod kernel;
mod store;
mod uplink;

pub(crate) use examine::DoctorRequest;
pub(crate) use finding::Verdict;
#[cfg(feature = "fuzzing")]
pub(crate) use kernel::fuzzing;
