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
}

/// One after another; goes on after a failure.
pub(crate) fn run(args: UnpauseArgs, context: &Context) -> Result<ExitCode, Error> {
    each(args.which, context, Engine::unpause)
}
