//! `sampan volume prune`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::pruned;

/// Removes every volume that no container uses.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumePruneArgs {
    /// Only those that pass, as in volume ls.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    force: bool,
}

/// Asks, and removes.
pub(crate) fn run(args: VolumePruneArgs, context: &Context) -> Result<ExitCode, Error> {
    if !args.force && !context.ui.confirm("This removes every volume that no container uses, with its data.")? {
        return Ok(ExitCode::SUCCESS);
    }
    let report = context.engine()?.prune_volumes(&args.filter)?;
    pruned::tell(report.removed, report.failed, context)
}
