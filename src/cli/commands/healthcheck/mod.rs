//! Verbs about health checks.

pub(crate) mod run;
mod verbs;

pub(crate) use verbs::{Healthcheck, dispatch};
