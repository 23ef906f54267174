//! `sampan rename`.

use std::process::ExitCode;

use crate::types::name::ContainerName;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Gives a container another name.
#[derive(Debug, clap::Args)]
pub(crate) struct RenameArgs {
    /// Name or id.
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// New name.
    #[arg(value_name = "NAME")]
    name: ContainerName,
}

/// Renames it.
pub(crate) fn run(args: RenameArgs, context: &Context) -> Result<ExitCode, Error> {
    context.engine()?.rename(&args.container, &args.name)?;
    Ok(ExitCode::SUCCESS)
}
