//! `sampan kill`.

use std::process::ExitCode;

use crate::types::signal::{InvalidSignal, Signal};

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;

/// Sends a signal to running containers.
#[derive(Debug, clap::Args)]
pub(crate) struct KillArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Signal by name or number.
    #[arg(short, long, value_name = "SIGNAL", default_value = "KILL", value_parser = signal)]
    signal: Signal,
}

fn signal(text: &str) -> Result<Signal, InvalidSignal> {
    text.parse()
}

/// Signals one after another and goes on after a failure.
pub(crate) fn run(args: KillArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let all = args.which.all;
    let mut worst = Worst::default();
    for (word, found) in engine.select(&args.which.selection(Vec::new(), false)?)? {
        let killed = found.and_then(|id| {
            if all && !engine.is_running(&id)? {
                return Ok(false);
            }
            engine.kill(&id, args.signal).map(|()| true)
        });
        match killed {
            Ok(true) => context.ui.line(word)?,
            Ok(false) => {}
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}
