//! L6: the only clap, the only stdout and stderr, the only exit codes. May import: engine, types, config.
//!
//! A verb is one file in `commands/<noun>/<verb>.rs`: a clap `Args` struct, whose doc comments are the manual, and
//! `fn run(args, &Context) -> Result<ExitCode, Error>`. Whatever depends on the caller (directory, environment,
//! terminal) is read once, into [`context::Invocation`].
#![forbid(unsafe_code)]

mod command;
mod commands;
mod context;
mod differences;
mod error;
mod exit;
mod flags;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod hints;
mod lower;
mod misuse;
mod output;
mod switches;

pub(crate) use command::{command, main};
