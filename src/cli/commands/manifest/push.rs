//! `sampan manifest push`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgAction;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::{AccessFlags, FormFlags, absolute};
use crate::engine::images::{LayerForm, PushRequest, write_digest};
use crate::types::boolean::parse_bool;

/// Sends a manifest list and its images to a registry, an archive or a directory.
///
/// Layers that are not here are fetched from where their image was found. Without a destination the list goes where its
/// own name says.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestPushArgs {
    /// Send all images, not only this machine's.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set)]
    all: bool,
    /// File to write the digest of the list to.
    #[arg(long, value_name = "FILE")]
    digestfile: Option<PathBuf>,
    #[command(flatten)]
    form: FormFlags,
    /// Say nothing while pushing.
    #[arg(short, long)]
    quiet: bool,
    /// Remove the list when it has been sent.
    #[arg(short = 'p', long, visible_alias = "purge")]
    rm: bool,
    /// Send no signatures. None are ever sent.
    #[arg(long)]
    remove_signatures: bool,
    #[command(flatten)]
    access: AccessFlags,
    /// Name of the manifest list.
    #[arg(value_name = "LIST")]
    list: String,
    /// Where to.
    #[arg(value_name = "DESTINATION")]
    destination: Option<String>,
}

/// Pushes; prints nothing.
pub(crate) fn run(args: ManifestPushArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let digestfile = absolute(context, "--digestfile", args.digestfile.as_deref())?;
    let (format, layers) = match args.form.form()? {
        // Nothing is compressed that nobody wants so: what a list names is what it was made of.
        (format, LayerForm::Squeezed) => (format, LayerForm::Kept),
        form => form,
    };
    let request = PushRequest {
        destination: Some(engine.list_destination(&args.list, args.destination)?),
        image: args.list.clone(),
        format,
        layers,
        all: args.all,
        access: args.access.access(context)?,
    };
    let report = engine.push(&request, context.progress(args.quiet).as_ref())?;
    if let Some(path) = digestfile {
        write_digest(&path, &report.digest)?;
    }
    if args.rm {
        engine.remove_list(&args.list)?;
        engine.sweep_images()?;
    }
    Ok(ExitCode::SUCCESS)
}
