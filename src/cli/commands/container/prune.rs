//! `sampan container prune`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::prompt;
use super::super::pruned;

/// Removes every container that does not run.
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerPruneArgs {
    /// Only those that pass: label=, label!=, until=.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    force: bool,
}

/// Asks, and removes.
pub(crate) fn run(args: ContainerPruneArgs, context: &Context) -> Result<ExitCode, Error> {
    if !args.force && !prompt::confirm(context, "This will remove all non running containers.")? {
        return Ok(ExitCode::SUCCESS);
    }
    let report = context.engine()?.prune_containers(&args.filter)?;
    pruned::tell(report.removed, report.failed, context)
}
