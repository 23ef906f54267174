//! `sampan wait`.

use std::process::ExitCode;
use std::time::Duration;

use crate::engine::containers::wait::{WaitCondition, WaitRequest};
use crate::types::duration::parse_duration;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;

/// Waits for containers to end and prints their exit codes, one line each.
#[derive(Debug, clap::Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Wait for this instead: created, running, paused, stopped, exited, removing, removed, healthy or unhealthy.
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = condition)]
    condition: Vec<WaitCondition>,
    /// How often to look, where looking is what it takes.
    #[arg(short, long, value_name = "DURATION", value_parser = interval)]
    interval: Option<Duration>,
    /// For a container that is not there print -1, and no error.
    #[arg(long)]
    ignore: bool,
}

fn condition(text: &str) -> Result<WaitCondition, String> {
    text.parse::<WaitCondition>().map_err(str::to_owned)
}

fn interval(text: &str) -> Result<Duration, String> {
    // Podman takes plain milliseconds, too.
    let milliseconds = text.parse().ok().map(Duration::from_millis);
    milliseconds.map_or_else(|| parse_duration(text).map_err(|error| error.to_string()), Ok)
}

/// Prints the codes in the order of the command line.
pub(crate) fn run(args: WaitArgs, context: &Context) -> Result<ExitCode, Error> {
    let ignore = args.ignore;
    let selection = args.which.without_filters()?;
    let request = WaitRequest { selection, conditions: args.condition, interval: args.interval };
    let mut worst = Worst::default();
    for (_, code) in context.engine()?.wait(&request)? {
        match code {
            Ok(code) => context.ui.line(code)?,
            Err(error) if ignore && error.is_absent() => context.ui.line(-1)?,
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}
