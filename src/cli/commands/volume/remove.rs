//! `sampan volume rm`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::container::stop::seconds;
use crate::engine::volumes::RemoveVolumes;

/// Removes volumes.
///
/// Exit code 1: no such volume, 2: a container uses it.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeRmArgs {
    /// All volumes.
    #[arg(short, long, conflicts_with = "volumes")]
    all: bool,
    /// Remove the containers that use them, too; a volume that is not there is no error.
    #[arg(short, long)]
    force: bool,
    /// With --force: seconds between the stop signal and SIGKILL.
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true, requires = "force", value_parser = seconds)]
    time: Option<u32>,
    /// Names of volumes.
    #[arg(value_name = "VOLUME", required_unless_present = "all")]
    volumes: Vec<String>,
}

/// Removes one after another and goes on after a failure.
pub(crate) fn run(args: VolumeRmArgs, context: &Context) -> Result<ExitCode, Error> {
    let mut worst = Worst::default();
    let request = RemoveVolumes { words: args.volumes, all: args.all, force: args.force, time: args.time };
    for (_, removed) in context.engine()?.remove_volumes(&request)? {
        match removed {
            Ok(name) => context.ui.line(name)?,
            Err(error) if args.force && error.is_absent() => {}
            Err(error) => worst.report_removal(error),
        }
    }
    Ok(worst.code())
}
