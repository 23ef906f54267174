//! `sampan image inspect`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::{OURS, Worst};
use super::super::super::output::{json, template};
use crate::engine::WholeImages;

/// Shows everything about images, as JSON or by a template.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageInspectArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT", default_value = "json")]
    format: String,
    /// Names or ids of images.
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// Prints those that are there, and an error for each that is not.
pub(crate) fn run(args: ImageInspectArgs, context: &Context) -> Result<ExitCode, Error> {
    let mut worst = Worst::default();
    let (mut reports, mut images) = (Vec::new(), WholeImages::default());
    for image in &args.images {
        match context.engine()?.inspect_image(image, &mut images) {
            Ok(report) => reports.push(report),
            Err(error) => {
                context.report(&error.into());
                worst.note(OURS);
            }
        }
    }
    if template::is_json(&args.format) {
        json::print(&context.ui, &reports)?;
    } else {
        template::print_reports(&context.ui, &args.format, &reports, &[], false)?;
    }
    Ok(worst.code())
}
