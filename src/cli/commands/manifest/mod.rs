//! Verbs about manifest lists.

pub(crate) mod add;
pub(crate) mod annotate;
pub(crate) mod create;
mod entry_flags;
pub(crate) mod exists;
pub(crate) mod inspect;
pub(crate) mod push;
pub(crate) mod remove;
pub(crate) mod rm;
mod verbs;

pub(crate) use verbs::{Manifest, dispatch};
