//! Use cases around one container, a file for each verb.

pub(crate) mod attach;
mod auto_range;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod exec;
pub(crate) mod filter;
mod host_facts;
mod idmaps;
pub(crate) mod inspect;
pub(crate) mod inspect_report;
pub(crate) mod list;
pub(crate) mod logs;
mod mounts;
mod names;
mod pause;
mod place;
pub(crate) mod ports;
pub(crate) mod prune;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod run;
pub(crate) mod select;
pub(crate) mod signal;
pub(crate) mod signal_proxy;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod wait;
