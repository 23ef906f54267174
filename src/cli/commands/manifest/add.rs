//! `sampan manifest add`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::AccessFlags;
use super::entry_flags::EntryFlags;
use crate::engine::images::AddRequest;

/// Adds images to a manifest list.
///
/// An image that is here is taken from the store, another one from its registry; docker:// asks the registry in any
/// case. Its layers stay there until the list is pushed. Prints the id of the list.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestAddArgs {
    /// Every image of the list that IMAGE names.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    entry: EntryFlags,
    #[command(flatten)]
    access: AccessFlags,
    /// Name of the manifest list.
    #[arg(value_name = "LIST")]
    list: String,
    /// Names of images.
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// Adds and prints the id.
pub(crate) fn run(args: ManifestAddArgs, context: &Context) -> Result<ExitCode, Error> {
    let (change, access) = (args.entry.change()?, args.access.access(context)?);
    let progress = context.progress(false);
    let mut id = None;
    for image in args.images {
        let request = AddRequest { image, all: args.all, change: change.clone(), access: access.clone() };
        id = Some(context.engine()?.add_to_list(&args.list, &request, progress.as_ref())?);
    }
    id.map_or(Ok(()), |id| context.ui.line(id.hex()))?;
    Ok(ExitCode::SUCCESS)
}
