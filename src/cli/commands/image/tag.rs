//! `sampan tag`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Gives an image further names.
#[derive(Debug, clap::Args)]
pub(crate) struct TagArgs {
    /// Name or id of the image.
    #[arg(value_name = "IMAGE")]
    image: String,
    /// New names. Without a registry they are localhost/NAME.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// Tags.
pub(crate) fn run(args: TagArgs, context: &Context) -> Result<ExitCode, Error> {
    context.engine()?.tag_image(&args.image, &args.names)?;
    Ok(ExitCode::SUCCESS)
}
