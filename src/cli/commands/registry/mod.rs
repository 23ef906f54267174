//! Verbs about registries.

pub(crate) mod login;
pub(crate) mod logout;
