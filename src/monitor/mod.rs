//! L4: one process per container (the part of conmon). May import: runtime, rootless, network, storage, sys, types.
#![forbid(unsafe_code)]

pub(crate) mod attach;
pub(crate) mod log;
mod output;
pub(crate) mod report;
pub(crate) mod restart;
mod start;
pub(crate) mod stdio;
pub(crate) mod supervise;

mod error;
pub(crate) mod exec_session;
mod exit;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod health;
mod hooks;
mod life;
mod rejoin;
pub(crate) mod request;
mod scratch;
pub(crate) mod spawn;

pub(crate) use error::Error;
