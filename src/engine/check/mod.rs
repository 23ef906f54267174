//! `system check`: the invariants of the store and of what runs, and their repair.

mod look;
mod mounts;
mod rebuild;
mod repair;
mod request;
mod running;
mod trees;

pub(crate) use request::{CheckReport, CheckRequest};
