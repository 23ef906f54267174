//! `sampan volume exists`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Ends with 0 if there is such a volume, with 1 if not.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeExistsArgs {
    /// Name of the volume.
    #[arg(value_name = "VOLUME")]
    volume: String,
}

/// Looks.
pub(crate) fn run(args: VolumeExistsArgs, context: &Context) -> Result<ExitCode, Error> {
    let found = context.engine()?.volume_exists(&args.volume)?;
    Ok(ExitCode::from(u8::from(!found)))
}
