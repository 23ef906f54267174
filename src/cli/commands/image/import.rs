//! `sampan import`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::load::standard_input;
use crate::engine::images::{ArchiveInput, ImportInput, ImportRequest};
use crate::types::platform::Platform;

/// Makes an image of a root file system in a tar.
///
/// The tar may be compressed with gzip, zstd, xz or bzip2. Prints the id of the image.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Instruction that changes the configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR.
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// Comment in the history of the image.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Architecture of the image; this machine's if not given.
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,
    /// Operating system of the image.
    #[arg(long, value_name = "OS")]
    os: Option<String>,
    /// Variant of the architecture, for example v7.
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,
    /// Say nothing while importing.
    #[arg(short, long)]
    quiet: bool,
    /// File with the tar, its address on the web, or - for standard input.
    #[arg(value_name = "FILE")]
    file: String,
    /// Name of the image; it has none if not given.
    #[arg(value_name = "NAME[:TAG]")]
    name: Option<String>,
}

/// Imports and prints the id.
pub(crate) fn run(args: ImportArgs, context: &Context) -> Result<ExitCode, Error> {
    let input = match args.file.as_str() {
        "-" => ImportInput::Archive(standard_input(context, "a file")?),
        web if web.starts_with("http://") || web.starts_with("https://") => ImportInput::Web(args.file),
        path => ImportInput::Archive(ArchiveInput::Path(path.into())),
    };
    let host = Platform::host();
    let (os, arch) = (args.os.unwrap_or(host.os), args.arch.unwrap_or(host.architecture));
    let request = ImportRequest {
        input,
        name: args.name,
        changes: args.change,
        message: args.message,
        platform: Platform::new(&os, &arch, args.variant.as_deref()),
    };
    let image = context.engine()?.import(request, context.progress(args.quiet).as_ref())?;
    context.ui.line(format_args!("sha256:{}", image.record.id))?;
    Ok(ExitCode::SUCCESS)
}
