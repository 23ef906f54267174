//! `sampan image exists`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Tells by its exit code whether an image is in the store: 0 if it is, 1 if not.
#[derive(Debug, clap::Args)]
pub(crate) struct ExistsArgs {
    /// Name or id of the image.
    #[arg(value_name = "IMAGE")]
    image: String,
}

/// Looks.
pub(crate) fn run(args: ExistsArgs, context: &Context) -> Result<ExitCode, Error> {
    let exists = context.engine()?.image_exists(&args.image)?;
    Ok(if exists { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
