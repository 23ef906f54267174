//! The verbs of `sampan system`.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::{info, version};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum System {
    Info(info::InfoArgs),
    Version(version::VersionArgs),
}

pub(crate) fn run(verb: System, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        System::Info(args) => info::run(args, context),
        System::Version(args) => version::run(args, context),
    }
}
