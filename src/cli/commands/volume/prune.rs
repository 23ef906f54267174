//! `sampan volume prune`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::prompt;
use super::super::pruned;

/// Removes every volume that no container uses.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumePruneArgs {
    /// Only those that pass: label, label!, anonymous, until, since.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    force: bool,
}

/// Shows what would go and asks, and removes.
pub(crate) fn run(args: VolumePruneArgs, context: &Context) -> Result<ExitCode, Error> {
    if !args.force {
        let names = context.engine()?.unused_volumes(&args.filter)?;
        if names.is_empty() {
            context.ui.line("No dangling volumes found")?;
            return Ok(ExitCode::SUCCESS);
        }
        let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let warning =
            "This will remove all volumes not used by at least one container. The following volumes will be removed:";
        if !prompt::confirm(context, &format!("{warning}\n{names}"))? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let report = context.engine()?.prune_volumes(&args.filter)?;
    pruned::tell(report.removed, report.failed, context)
}
