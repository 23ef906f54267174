//! `sampan container exists`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Ends with 0 if there is such a container, with 1 if not.
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerExistsArgs {
    /// Name or id.
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// Looks.
pub(crate) fn run(args: ContainerExistsArgs, context: &Context) -> Result<ExitCode, Error> {
    let found = context.engine()?.container_exists(&args.container)?;
    Ok(ExitCode::from(u8::from(!found)))
}
