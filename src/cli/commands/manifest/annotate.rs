//! `sampan manifest annotate`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::entry_flags::EntryFlags;

/// Changes what an entry of a manifest list says of its image.
///
/// Prints the id of the list.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestAnnotateArgs {
    #[command(flatten)]
    entry: EntryFlags,
    /// The annotations are the list's, not an entry's.
    #[arg(long, conflicts_with_all = ["arch", "features", "os", "os_features", "os_version", "variant"])]
    index: bool,
    /// Name of the manifest list.
    #[arg(value_name = "LIST")]
    list: String,
    /// Digest of the entry, or the name of its image.
    #[arg(value_name = "IMAGE", required_unless_present = "index", conflicts_with = "index")]
    image: Option<String>,
}

/// Changes and prints the id.
pub(crate) fn run(args: ManifestAnnotateArgs, context: &Context) -> Result<ExitCode, Error> {
    let change = args.entry.change()?;
    let id = context.engine()?.annotate_list(&args.list, args.image.as_deref(), &change)?;
    context.ui.line(id.hex())?;
    Ok(ExitCode::SUCCESS)
}
