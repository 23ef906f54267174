//! `sampan kill`.

use std::process::ExitCode;

use crate::types::signal::{InvalidSignal, Signal};

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;

/// Sends a signal to running containers; after SIGKILL waits until they have ended.
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
    let (mut worst, mut killed) = (Worst::default(), Vec::new());
    for (word, found) in engine.select(&args.which.without_filters()?)? {
        let sent = found.and_then(|id| {
            if all && !engine.is_running(&id)? {
                return Ok(None);
            }
            engine.kill(&id, args.signal).map(Some)
        });
        match sent {
            Ok(Some(run)) => {
                killed.push(run);
                context.ui.line(word)?;
            }
            Ok(None) => {}
            Err(error) => worst.report(error),
        }
    }
    // As Podman, after all of them have it.
    for run in killed.iter().filter(|_| args.signal == Signal::KILL) {
        engine.wait_for_killed(run)?;
    }
    Ok(worst.code())
}
