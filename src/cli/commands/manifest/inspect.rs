//! `sampan manifest inspect`.

use std::process::ExitCode;

use serde::Serialize as _;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::AccessFlags;

/// Shows a manifest list of the store, or the manifest that a registry has under a name.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestInspectArgs {
    #[command(flatten)]
    access: AccessFlags,
    /// Name of a manifest list or of an image in a registry.
    #[arg(value_name = "LIST")]
    list: String,
}

/// Prints the document.
pub(crate) fn run(args: ManifestInspectArgs, context: &Context) -> Result<ExitCode, Error> {
    let access = args.access.access(context)?;
    let progress = context.progress(false);
    let bytes = context.engine()?.inspect_list(&args.list, &access, progress.as_ref())?;
    let document: serde_json::Value = serde_json::from_slice(&bytes).map_err(Error::Encode)?;
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut out = serde_json::Serializer::with_formatter(&mut text, indent);
    document.serialize(&mut out).map_err(Error::Encode)?;
    context.ui.line(String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}
