//! `sampan system check`.

use std::process::ExitCode;

use crate::engine::system_check::CheckRequest;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{json, template};

/// Checks that the store and what runs are as they should be.
///
/// The exit code is 0 if nothing is wrong, 1 if everything found was repaired, and 2 if something is left. It may be
/// run while other commands work.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Repair what can be repaired.
    #[arg(short, long)]
    repair: bool,
    /// Leave the content of blobs out.
    #[arg(short, long)]
    quick: bool,
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Prints the findings, one a line.
pub(crate) fn run(args: CheckArgs, context: &Context) -> Result<ExitCode, Error> {
    let request = CheckRequest { repair: args.repair, full: !args.quick };
    let report = context.engine()?.system_check(request)?;
    match &args.format {
        Some(format) if template::is_json(format) => json::print(&context.ui, &report)?,
        Some(format) => template::print_rows(&context.ui, format, &report.findings, &[], true)?,
        None => {
            for finding in &report.findings {
                let state = match (finding.repaired, &finding.repair, args.repair) {
                    (true, ..) => " (repaired)",
                    (false, Some(_), false) => " (can be repaired)",
                    (false, Some(_), true) => " (not repaired)",
                    (false, None, _) => "",
                };
                context.ui.line(format!("{}: {}: {}{state}", finding.invariant, finding.subject, finding.problem))?;
            }
        }
    }
    Ok(ExitCode::from(report.exit_code()))
}
