//! `sampan pause`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;

/// Freezes every process of running containers (needs a delegated cgroup v2).
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    which: SelectionFlags,
}

/// One after another; goes on after a failure.
pub(crate) fn run(args: PauseArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let all = args.which.all;
    let mut worst = Worst::default();
    for (word, found) in engine.select(&args.which.selection(Vec::new(), false)?)? {
        match found.and_then(|id| engine.pause(&id)) {
            Ok(()) => context.ui.line(word)?,
            // `--all` means those that can be.
            Err(crate::engine::Error::WrongStatus { .. }) if all => {}
            Err(error) => {
                let error = Error::from(error);
                worst.note(error.code());
                context.report(&error);
            }
        }
    }
    Ok(worst.code())
}
