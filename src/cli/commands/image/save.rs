//! `sampan save`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use crate::engine::images::{Access, Form, LayerForm, ManifestFormat, Output, SaveRequest, SavedNames};
use crate::engine::standard;
use crate::types::reference::Reference;

/// Writes images to an archive or a directory.
///
/// Without --multi-image-archive the further arguments are names that the image gets in the archive. Blobs go out as
/// they are in the store; only docker-archive wants plain layers. Nothing is at the path before everything is written.
#[derive(Debug, clap::Args)]
pub(crate) struct SaveArgs {
    /// Compress plain layers with gzip; for docker-dir.
    #[arg(long)]
    compress: bool,
    /// Form of the archive: docker-archive, oci-archive, oci-dir or docker-dir.
    #[arg(long, value_name = "FORMAT", default_value = "docker-archive")]
    format: String,
    /// Take all arguments for images.
    #[arg(short, long)]
    multi_image_archive: bool,
    /// File or directory to write; standard output if not given.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Say nothing while saving.
    #[arg(short, long)]
    quiet: bool,
    /// Write layers without compression; those of a docker-archive are always so.
    #[arg(long)]
    uncompressed: bool,
    /// Names or ids of images.
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// Saves; prints nothing.
pub(crate) fn run(args: SaveArgs, context: &Context) -> Result<ExitCode, Error> {
    let (form, format) = match args.format.as_str() {
        "docker-archive" => (Form::DockerArchive, None),
        "oci-archive" => (Form::OciArchive, None),
        "oci-dir" => (Form::OciDir, None),
        "docker-dir" => (Form::Dir, Some(ManifestFormat::Docker)),
        other => {
            return Err(Error::usage(format!(
                "--format {other:?}: docker-archive, oci-archive, oci-dir or docker-dir"
            )));
        }
    };
    if args.compress && form != Form::Dir {
        return Err(Error::usage("--compress is for --format docker-dir"));
    }
    let output = match args.output {
        Some(path) => Output::Path(path),
        None if !form.is_tar() => {
            return Err(Error::usage(format!("--format {} writes a directory: name it with --output", args.format)));
        }
        None if context.invocation.stdout_is_terminal => {
            return Err(Error::usage("standard output is a terminal: redirect it, or use --output"));
        }
        None => Output::Stream(standard::output()?),
    };
    let mut images = args.images;
    let mut names = Vec::new();
    if !args.multi_image_archive {
        for text in images.drain(1..) {
            let name = Reference::local(&text).map_err(|error| Error::usage(error.to_string()))?;
            if name.digest().is_some() {
                return Err(Error::usage(format!("{text:?} cannot be given as a name: it holds a digest")));
            }
            names.push(name);
        }
    }
    let layers = match (args.compress, args.uncompressed) {
        (true, _) => LayerForm::Squeezed,
        (_, true) => LayerForm::Plain,
        _ => LayerForm::Kept,
    };
    let names = SavedNames::AsAsked(names);
    let request = SaveRequest { images, form, output, names, format, layers, all: false, access: Access::default() };
    context.engine()?.save(&request, context.progress(args.quiet).as_ref())?;
    Ok(ExitCode::SUCCESS)
}
