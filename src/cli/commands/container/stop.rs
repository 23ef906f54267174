//! `sampan stop`.

use std::process::ExitCode;

use crate::engine::containers::stop::Stopped;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;

/// Stops containers: the stop signal, then after a while SIGKILL.
#[derive(Debug, clap::Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Only those that pass: KEY=VALUE, as in ps.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// A container that is not there is no error.
    #[arg(short, long)]
    ignore: bool,
    /// Seconds until SIGKILL (default: the container's own, 10); 0: at once; -1: never.
    #[arg(short, long, alias = "timeout", value_name = "SECONDS", allow_negative_numbers = true, value_parser = seconds)]
    time: Option<u32>,
}

/// Seconds; -1 is Podman's word for "for ever".
pub(in crate::cli::commands) fn seconds(text: &str) -> Result<u32, String> {
    if text == "-1" { Ok(u32::MAX) } else { text.parse().map_err(|error| format!("{error}")) }
}

/// Stops all side by side; a failure of one is no reason for the others.
pub(crate) fn run(args: StopArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let every = args.which.all || !args.filter.is_empty();
    let mut worst = Worst::default();
    let selected = engine.select(&args.which.selection(args.filter, args.ignore)?)?;
    for (word, stopped) in engine.stop(selected, args.time)? {
        match stopped {
            // Of all containers only those that ran are worth a line.
            Ok(Stopped::Already) if every => {}
            Ok(stopped) => {
                if let Stopped::Killed { signal, seconds } = stopped {
                    context.ui.warn(format!(
                        "StopSignal {signal} failed to stop container {word} in {seconds} seconds, resorting to SIGKILL"
                    ));
                }
                context.ui.line(word)?;
            }
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}
