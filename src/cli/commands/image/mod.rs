//! Verbs about images.

pub(crate) mod exists;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod mount;
pub(crate) mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod remove;
pub(crate) mod save;
pub(crate) mod tag;
pub(crate) mod tree;
pub(crate) mod untag;
mod verbs;

pub(crate) use verbs::{Image, run};
