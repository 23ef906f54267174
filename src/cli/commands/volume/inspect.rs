//! `sampan volume inspect`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::{OURS, Worst};
use super::super::super::output::{json, template};

/// Shows everything about volumes.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeInspectArgs {
    /// All volumes.
    #[arg(short, long, conflicts_with = "volumes")]
    all: bool,
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Names of volumes.
    #[arg(value_name = "VOLUME", required_unless_present = "all")]
    volumes: Vec<String>,
}

/// Prints the volumes as one JSON array, or each by the template.
pub(crate) fn run(args: VolumeInspectArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let mut worst = Worst::default();
    let mut found = if args.all { engine.inspect_all_volumes()? } else { Vec::new() };
    for name in &args.volumes {
        match engine.inspect_volume(name) {
            Ok(report) => found.push(report),
            Err(error) => {
                worst.note(OURS);
                context.report(&error.into());
            }
        }
    }
    match &args.format {
        Some(format) if !template::is_json(format) => template::print_reports(&context.ui, format, &found, &[], false)?,
        _ => json::print(&context.ui, &found)?,
    }
    Ok(worst.code())
}
