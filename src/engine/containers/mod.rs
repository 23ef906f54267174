//! Use cases around one container, a file for each verb.

pub(crate) mod create;
pub(crate) mod place;
pub(crate) mod run;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod stop;
