//! `sampan healthcheck run`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

/// Runs the health check of a container now: ends with 0 if it succeeds, with 1 if not.
#[derive(Debug, clap::Args)]
pub(crate) struct HealthcheckRunArgs {
    /// Name or id.
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// Checks, and says so if it fails.
pub(crate) fn run(args: HealthcheckRunArgs, context: &Context) -> Result<ExitCode, Error> {
    let healthy = context.engine()?.healthcheck(&args.container)?;
    if !healthy {
        context.ui.line("unhealthy")?;
    }
    Ok(ExitCode::from(u8::from(!healthy)))
}
