//! `sampan manifest exists`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Tells by its exit code whether a manifest list is in the store: 0 if it is, 1 if not.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestExistsArgs {
    /// Name of the manifest list.
    #[arg(value_name = "LIST")]
    list: String,
}

/// Looks.
pub(crate) fn run(args: ManifestExistsArgs, context: &Context) -> Result<ExitCode, Error> {
    let exists = context.engine()?.list_exists(&args.list)?;
    Ok(if exists { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
