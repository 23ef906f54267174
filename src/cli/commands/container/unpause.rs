//! `sampan unpause`.

use std::process::ExitCode;

use crate::engine::Engine;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::SelectionFlags;
use super::pause::each;

/// Lets paused containers go on.
#[derive(Debug, clap::Args)]
pub(crate) struct UnpauseArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Only those that pass: KEY=VALUE, as in ps.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
}

/// One after another; goes on after a failure.
pub(crate) fn run(args: UnpauseArgs, context: &Context) -> Result<ExitCode, Error> {
    each(args.which, args.filter, context, Engine::unpause)
}
