//! `sampan volume rm`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;

/// Removes volumes.
///
/// Exit code 1: no such volume, 2: a container uses it.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeRmArgs {
    /// All volumes.
    #[arg(short, long, conflicts_with = "volumes")]
    all: bool,
    /// Remove the containers that use them, too.
    #[arg(short, long)]
    force: bool,
    /// Names of volumes.
    #[arg(value_name = "VOLUME", required_unless_present = "all")]
    volumes: Vec<String>,
}

/// Removes one after another and goes on after a failure.
pub(crate) fn run(args: VolumeRmArgs, context: &Context) -> Result<ExitCode, Error> {
    let mut worst = Worst::default();
    for (_, removed) in context.engine()?.remove_volumes(&args.volumes, args.all, args.force)? {
        match removed {
            Ok(name) => context.ui.line(name)?,
            Err(error) => {
                let error = Error::from(error);
                worst.note(error.removal_code());
                context.report(&error);
            }
        }
    }
    Ok(worst.code())
}
