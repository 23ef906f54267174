//! `sampan load`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::absolute;
use crate::engine::images::{ArchiveInput, LoadRequest};
use crate::engine::standard;

/// Takes images in from an archive.
///
/// Reads what `docker save` and `podman save` write (docker-archive), OCI archives and OCI layout directories, plain
/// or compressed with gzip, zstd, xz or bzip2. Prints the names that the images got, or the id of one without a name.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    /// Archive file or directory; standard input if not given.
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Trust policy file instead of containers-policy.json(5)'s.
    #[arg(long, value_name = "FILE", hide = true)]
    signature_policy: Option<PathBuf>,
    /// Say nothing while loading.
    #[arg(short, long)]
    quiet: bool,
}

/// Loads and prints one line for each name.
pub(crate) fn run(args: LoadArgs, context: &Context) -> Result<ExitCode, Error> {
    let input = match args.input {
        Some(path) => ArchiveInput::Path(path),
        None => standard_input(context, "the --input flag")?,
    };
    let signature_policy = absolute(context, "--signature-policy", args.signature_policy.as_deref())?;
    let progress = context.progress(args.quiet);
    let request = LoadRequest { input, form: None, platform: None, signature_policy };
    let loaded = context.engine()?.load(request, progress.as_ref())?;
    for image in loaded {
        for name in &image.names {
            context.ui.line(format_args!("Loaded image: {name}"))?;
        }
        if image.names.is_empty() {
            context.ui.line(format_args!("Loaded image: sha256:{}", image.image.record.id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Standard input, unless it is a terminal: nobody types a tar.
pub(super) fn standard_input(context: &Context, instead: &str) -> Result<ArchiveInput, Error> {
    if context.invocation.stdin_is_terminal {
        return Err(Error::usage(format!("cannot read from terminal, use command-line redirection or {instead}")));
    }
    Ok(ArchiveInput::Stream(standard::input()?))
}
