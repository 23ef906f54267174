//! `sampan rm`.

use std::process::ExitCode;

use crate::engine::containers::remove::RemoveRequest;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;
use super::stop::seconds;

/// Removes containers that do not run.
///
/// Exit code 1: no such container, 2: it runs or is paused.
#[derive(Debug, clap::Args)]
pub(crate) struct RmArgs {
    #[command(flatten)]
    which: SelectionFlags,
    /// Only those that pass: KEY=VALUE, as in ps.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Kill what runs; a container that is not there is no error.
    #[arg(short, long)]
    force: bool,
    /// A container that is not there is no error.
    #[arg(short, long)]
    ignore: bool,
    /// Its anonymous volumes, too.
    #[arg(short, long)]
    volumes: bool,
    /// The containers that share its namespaces, too.
    #[arg(long)]
    depend: bool,
    /// With --force: seconds between the stop signal and SIGKILL.
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true, requires = "force", value_parser = seconds)]
    time: Option<u32>,
}

/// Removes one after another and goes on after a failure.
pub(crate) fn run(args: RmArgs, context: &Context) -> Result<ExitCode, Error> {
    let request = RemoveRequest {
        selection: args.which.selection(args.filter, args.ignore || args.force)?,
        force: args.force,
        volumes: args.volumes,
        depend: args.depend,
        time: args.time,
    };
    let mut worst = Worst::default();
    for (word, removed) in context.engine()?.remove(&request)? {
        match removed {
            Ok(()) => context.ui.line(word)?,
            Err(error) => worst.report_removal(error),
        }
    }
    Ok(worst.code())
}
