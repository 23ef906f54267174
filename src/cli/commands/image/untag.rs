//! `sampan untag`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Takes names away from an image. The image stays.
#[derive(Debug, clap::Args)]
pub(crate) struct UntagArgs {
    /// Name or id of the image.
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Names to take away; all if none is given.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Untags.
pub(crate) fn run(args: UntagArgs, context: &Context) -> Result<ExitCode, Error> {
    context.engine()?.untag_image(&args.image, &args.names)?;
    Ok(ExitCode::SUCCESS)
}
