//! Verbs about Sampan itself: `sampan system …`, `info`, `version`.

mod verbs;
pub(crate) mod version;

pub(crate) use verbs::{System, run};
