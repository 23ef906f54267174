//! `sampan system check`.

use std::process::ExitCode;

use crate::engine::check::CheckRequest;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{json, template};

/// Checks that the store and what runs are as they should be.
///
/// Looks at every record, at the names, modes, owners and sizes of all files of layers, and at what runs; with --full
/// or --repair also at the content of every file and every blob. The exit code is 0 if nothing is wrong, 1 if everything found was
/// repaired, and 2 if something is left. It may be run while other commands work.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Repair what can be repaired: damaged layers and records of images are made anew from the blobs that are kept.
    #[arg(short, long)]
    repair: bool,
    /// Do not read the content of files and blobs: the default without --repair.
    #[arg(short, long)]
    quick: bool,
    /// Read the content of all files and blobs.
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// The same as `--format=json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Prints the findings, one a line.
pub(crate) fn run(args: CheckArgs, context: &Context) -> Result<ExitCode, Error> {
    let request = CheckRequest { repair: args.repair, full: (args.full || args.repair) && !args.quick };
    let report = context.engine()?.system_check(request)?;
    match &args.format {
        _ if args.json => json::print(&context.ui, &report)?,
        Some(format) if template::is_json(format) => json::print(&context.ui, &report)?,
        Some(format) => template::print_rows(&context.ui, format, &report.findings, &[], true)?,
        None => {
            for finding in &report.findings {
                let state = match (finding.repaired, &finding.repair, &finding.failure) {
                    (true, ..) => " (repaired)".to_owned(),
                    (false, _, Some(failure)) => format!(" (not repaired: {failure})"),
                    (false, Some(_), None) if args.repair => " (not repaired)".to_owned(),
                    (false, Some(_), None) => " (can be repaired)".to_owned(),
                    (false, None, None) => String::new(),
                };
                context.ui.line(format!("{finding}{state}"))?;
            }
        }
    }
    Ok(ExitCode::from(report.exit_code()))
}
