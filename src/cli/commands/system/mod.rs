//! Verbs about Sampan itself: `sampan system …`, `info`, `version`.

pub(crate) mod check;
pub(crate) mod df;
pub(crate) mod doctor;
pub(crate) mod gc;
pub(crate) mod info;
pub(crate) mod prune;
pub(crate) mod unshare;
mod verbs;
pub(crate) mod version;

pub(crate) use verbs::{System, run};
