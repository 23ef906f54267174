//! `sampan volume ls`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::table::Table;
use super::super::super::output::{json, template};

/// Lists volumes.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeLsArgs {
    /// Only those that pass: name, driver, scope, label, label!, opt, dangling, until, since.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Form of the output: `json`, or a Go template; with the prefix `table` it has headings.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Print no headings.
    #[arg(short, long)]
    noheading: bool,
    /// Print names alone.
    #[arg(short, long)]
    quiet: bool,
}

/// Prints the list.
pub(crate) fn run(args: VolumeLsArgs, context: &Context) -> Result<ExitCode, Error> {
    let (volumes, warnings) = context.engine()?.list_volumes(&args.filter)?;
    for warning in warnings {
        context.ui.warn(warning);
    }
    // As in Podman a form counts more.
    if args.quiet && args.format.is_none() {
        for volume in &volumes {
            context.ui.line(&volume.name)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    match &args.format {
        Some(format) if template::is_json(format) => json::print(&context.ui, &volumes)?,
        // As Podman: headings over nothing are nothing.
        _ if volumes.is_empty() => {}
        Some(format) => {
            let headings = [("Name", "VOLUME NAME")];
            template::print_reports(&context.ui, format, &volumes, &headings, !args.noheading)?;
        }
        None => {
            let mut table = Table::new((!args.noheading).then_some(&["DRIVER", "VOLUME NAME"]));
            for volume in &volumes {
                table.row([volume.driver, volume.name.as_str()]);
            }
            table.print(&context.ui)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
