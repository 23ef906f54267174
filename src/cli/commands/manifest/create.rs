//! `sampan manifest create`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::AccessFlags;
use super::entry_flags::annotations;
use crate::engine::images::{AddRequest, EntryChange};

/// Makes a manifest list, with images or without.
///
/// Prints the id of the list: the digest that it would have in a registry, which changes with its images.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestCreateArgs {
    /// Every image of the lists that are named.
    #[arg(long)]
    all: bool,
    /// Add to the list if it exists.
    #[arg(short, long)]
    amend: bool,
    /// Annotation of the list.
    #[arg(long, value_name = "KEY=VALUE")]
    annotation: Vec<String>,
    #[command(flatten)]
    access: AccessFlags,
    /// Name of the manifest list.
    #[arg(value_name = "LIST")]
    list: String,
    /// Names of images.
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

/// Creates and prints the id.
pub(crate) fn run(args: ManifestCreateArgs, context: &Context) -> Result<ExitCode, Error> {
    let (annotations, access) = (annotations(&args.annotation)?, args.access.access(context)?);
    let all = args.all;
    let request = |image| AddRequest { image, all, change: EntryChange::default(), access: access.clone() };
    let images: Vec<_> = args.images.into_iter().map(request).collect();
    let progress = context.progress(false);
    let id = context.engine()?.create_list(&args.list, &images, args.amend, &annotations, progress.as_ref())?;
    context.ui.line(id.hex())?;
    Ok(ExitCode::SUCCESS)
}
