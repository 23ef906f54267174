//! Use cases around one container, a file for each verb.

pub(crate) mod attach;
pub(crate) mod create;
mod idmaps;
pub(crate) mod logs;
mod names;
mod place;
pub(crate) mod signal;
pub(crate) mod signal_proxy;
pub(crate) mod start;
pub(crate) mod stop;
