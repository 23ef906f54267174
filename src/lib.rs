//! Sampan: a rootless, daemonless container engine.
//!
//! Each folder is a layer, from L0 (values) to L6 (the command line), and imports only lower ones, by the arrows of
//! `tests/architecture.rs` (docs/architecture.md).

pub(crate) mod cli; // L6
pub(crate) mod config; // L2
pub(crate) mod engine; // L5
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub(crate) mod monitor; // L4
pub(crate) mod network; // L3
pub(crate) mod registry; // L3
pub(crate) mod rootless; // L3
pub(crate) mod runtime; // L3
pub(crate) mod specgen; // L2
pub(crate) mod storage; // L3
pub(crate) mod sys; // L1
pub(crate) mod types; // L0

/// Chooses the role, while this process is still single-threaded, and plays it.
pub fn main() -> std::process::ExitCode {
    // What we make must be ours to read and write, whatever the caller keeps from others.
    sys::process::umask(sys::process::umask(0o077) & 0o077);
    sys::prctl::survive_writes();
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == runtime::init::ROLE) {
        runtime::init::resume(arguments.next());
    }
    cli::main()
}

/// The command line's definition, from which man pages and completions are made. Call `build()` on it first.
pub fn command() -> clap::Command {
    cli::command()
}
