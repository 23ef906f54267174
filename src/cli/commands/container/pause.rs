//! `sampan pause`.

use std::process::ExitCode;

use crate::engine::{self, Engine};
use crate::types::id::ContainerId;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;

/// Freezes every process of running containers (needs a delegated cgroup v2).
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Only those that pass: KEY=VALUE, as in ps.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
}

/// One after another; goes on after a failure.
pub(crate) fn run(args: PauseArgs, context: &Context) -> Result<ExitCode, Error> {
    each(args.which, args.filter, context, Engine::pause)
}

/// Changes the state of each; of all containers only those that can take it are meant.
pub(super) fn each(
    which: SelectionFlags,
    filters: Vec<String>,
    context: &Context,
    change: impl Fn(&Engine, &ContainerId) -> Result<(), engine::Error>,
) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let all = which.all || !filters.is_empty();
    let mut worst = Worst::default();
    for (word, found) in engine.select(&which.selection(filters, false)?)? {
        match found.and_then(|id| change(engine, &id)) {
            Ok(()) => context.ui.line(word)?,
            Err(engine::Error::WrongStatus { .. }) if all => {}
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}
