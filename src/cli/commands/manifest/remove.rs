//! `sampan manifest remove`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Takes an image out of a manifest list.
///
/// Prints the id of the list.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestRemoveArgs {
    /// Name of the manifest list.
    #[arg(value_name = "LIST")]
    list: String,
    /// Digest of the entry, or the name of its image.
    #[arg(value_name = "IMAGE")]
    image: String,
}

/// Removes and prints the id.
pub(crate) fn run(args: ManifestRemoveArgs, context: &Context) -> Result<ExitCode, Error> {
    let id = context.engine()?.remove_from_list(&args.list, &args.image)?;
    context.ui.line(id.hex())?;
    Ok(ExitCode::SUCCESS)
}
