//! Use cases around one container, a file for each verb.

pub(crate) mod filter;
pub(crate) mod inspect;
pub(crate) mod inspect_report;
pub(crate) mod list;
pub(crate) mod prune;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod select;
pub(crate) mod wait;
