//! `sampan restart`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;
use super::stop::seconds;

/// Stops containers and starts them again; one that does not run is started.
#[derive(Debug, clap::Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Only those that pass: KEY=VALUE, as in ps.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Of these only the ones that run.
    #[arg(long)]
    running: bool,
    /// Seconds until SIGKILL (default: the container's own, 10); 0: at once; -1: never.
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    time: Option<u32>,
}

/// Stops all side by side, then starts some at a time; a failure of one is no reason for the others.
pub(crate) fn run(mut args: RestartArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    if args.running && args.which.containers.is_empty() && !args.which.latest {
        args.which.all = true;
    }
    let mut worst = Worst::default();
    let mut selected = engine.select(&args.which.selection(args.filter, false)?)?;
    if args.running {
        // What cannot be read stays among them and is told.
        selected.retain(|(_, found)| found.as_ref().map_or(true, |id| engine.is_running(id).unwrap_or(true)));
    }
    for (word, restarted) in engine.restart(selected, args.time)? {
        match restarted {
            Ok(started) => {
                for warning in started.warnings {
                    context.ui.warn(warning);
                }
                context.ui.line(word)?;
            }
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}
