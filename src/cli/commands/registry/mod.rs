//! Verbs about registries.

pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod search;
