//! The verbs of `sampan system`.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::{check, df, doctor, info, prune, version};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum System {
    Check(check::CheckArgs),
    Df(df::DfArgs),
    Doctor(doctor::DoctorArgs),
    Info(info::InfoArgs),
    Prune(prune::SystemPruneArgs),
    Version(version::VersionArgs),
}

pub(crate) fn run(verb: System, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        System::Check(args) => check::run(args, context),
        System::Df(args) => df::run(args, context),
        System::Doctor(args) => doctor::run(args, context),
        System::Info(args) => info::run(args, context),
        System::Prune(args) => prune::run(args, context),
        System::Version(args) => version::run(args, context),
    }
}
