//! The verbs of `sampan healthcheck`.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::run;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Healthcheck {
    Run(run::HealthcheckRunArgs),
}

/// Runs the verb.
pub(crate) fn dispatch(verb: Healthcheck, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        Healthcheck::Run(args) => run::run(args, context),
    }
}
