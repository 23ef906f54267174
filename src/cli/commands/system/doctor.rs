//! `sampan system doctor`.

use std::process::ExitCode;

use crate::engine::doctor::{DoctorRequest, Verdict};

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::table::Table;
use super::super::super::output::{json, template};

/// Shows what this host gives a rootless user, and the cure for what is missing.
///
/// Each need is tried out and is fine, degraded (containers run, and something is lost) or missing (containers with
/// default options do not run). The exit code is 1 if something is missing, and 0 otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Prints a table of the needs, and below it what is lost and how to cure it.
pub(crate) fn run(args: DoctorArgs, context: &Context) -> Result<ExitCode, Error> {
    let runtime_dir = context.invocation.var("XDG_RUNTIME_DIR").map(Into::into);
    let report = context.engine()?.doctor(&DoctorRequest { runtime_dir });
    match &args.format {
        Some(format) if template::is_json(format) => json::print(&context.ui, &report)?,
        Some(format) => template::print_rows(&context.ui, format, &report.findings, &[], true)?,
        None => {
            let mut table = Table::new(Some(&["NEED", "VERDICT", "FOUND"]));
            for finding in &report.findings {
                table.row([finding.need.as_str(), finding.verdict.name(), finding.found.as_str()]);
            }
            table.print(&context.ui)?;
            let mut ailing = report.findings.iter().filter(|finding| finding.verdict != Verdict::Fine).peekable();
            while let Some(finding) = ailing.next() {
                let (need, verdict, lost) = (&finding.need, finding.verdict.name(), &finding.lost);
                context.ui.line(format!("\n{need} ({verdict})\n  lost: {lost}"))?;
                // One cure for several needs in a row stands below the last.
                if ailing.peek().is_none_or(|next| next.cure != finding.cure) {
                    context.ui.line(format!("  cure: {}", finding.cure))?;
                }
            }
        }
    }
    Ok(ExitCode::from(report.exit_code()))
}
