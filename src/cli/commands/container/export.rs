//! `sampan export`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use crate::engine::containers::export::ExportOutput;
use crate::engine::standard;

/// Writes the root file system of a container to a tar.
///
/// What is mounted in the container is not part of it. `sampan import` makes an image of the tar.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// File to write; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name or id of the container.
    #[arg(value_name = "CONTAINER")]
    container: String,
}

/// Exports; prints nothing.
pub(crate) fn run(args: ExportArgs, context: &Context) -> Result<ExitCode, Error> {
    let output = match args.output {
        Some(path) => ExportOutput::Path(path),
        None if context.invocation.stdout_is_terminal => {
            return Err(Error::usage("standard output is a terminal: redirect it, or use --output"));
        }
        None => ExportOutput::Stream(standard::output()?),
    };
    context.engine()?.export(&args.container, output, context.progress(true).as_ref())?;
    Ok(ExitCode::SUCCESS)
}
