//! The verbs of `sampan manifest`.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::{add, annotate, create, exists, inspect, push, remove, rm};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Manifest {
    Add(add::ManifestAddArgs),
    Annotate(annotate::ManifestAnnotateArgs),
    Create(create::ManifestCreateArgs),
    Exists(exists::ManifestExistsArgs),
    Inspect(inspect::ManifestInspectArgs),
    Push(push::ManifestPushArgs),
    Remove(remove::ManifestRemoveArgs),
    Rm(rm::ManifestRmArgs),
}

/// Runs the verb.
pub(crate) fn dispatch(verb: Manifest, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        Manifest::Add(args) => add::run(args, context),
        Manifest::Annotate(args) => annotate::run(args, context),
        Manifest::Create(args) => create::run(args, context),
        Manifest::Exists(args) => exists::run(args, context),
        Manifest::Inspect(args) => inspect::run(args, context),
        Manifest::Push(args) => push::run(args, context),
        Manifest::Remove(args) => remove::run(args, context),
        Manifest::Rm(args) => rm::run(args, context),
    }
}
