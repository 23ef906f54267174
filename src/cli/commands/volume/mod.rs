//! Verbs about volumes.

pub(crate) mod create;
pub(crate) mod exists;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod prune;
pub(crate) mod remove;
mod verbs;

pub(crate) use verbs::{Volume, dispatch};
