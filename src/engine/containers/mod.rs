//! Use cases around one container, a file for each verb.

pub(crate) mod create;
mod idmaps;
mod names;
mod place;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod stop;
