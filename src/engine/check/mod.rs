//! `system check`: the invariants of the store and of what runs, and their repair.

mod look;
mod mounts;
mod rebuild;
mod repair;
mod request;
mod running;
mod trees;

#[cfg(feature = "fuzzing")]
pub(crate) use mounts::mount_points;
pub(crate) use request::{CheckReport, CheckRequest};
