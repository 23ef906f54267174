//! The verbs of `sampan volume`.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::{create, exists, inspect, list, prune, remove};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Volume {
    Create(create::VolumeCreateArgs),
    Exists(exists::VolumeExistsArgs),
    Inspect(inspect::VolumeInspectArgs),
    #[command(visible_alias = "list")]
    Ls(list::VolumeLsArgs),
    Prune(prune::VolumePruneArgs),
    #[command(visible_alias = "remove")]
    Rm(remove::VolumeRmArgs),
}

/// Runs the verb.
pub(crate) fn dispatch(verb: Volume, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        Volume::Create(args) => create::run(args, context),
        Volume::Exists(args) => exists::run(args, context),
        Volume::Inspect(args) => inspect::run(args, context),
        Volume::Ls(args) => list::run(args, context),
        Volume::Prune(args) => prune::run(args, context),
        Volume::Rm(args) => remove::run(args, context),
    }
}
