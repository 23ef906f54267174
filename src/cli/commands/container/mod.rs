//! Verbs about containers.

pub(crate) mod attach;
pub(crate) mod logs;
