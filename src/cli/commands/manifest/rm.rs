//! `sampan manifest rm`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::image::remove;

/// Removes manifest lists. The images in them stay.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestRmArgs {
    /// A list that does not exist is no error.
    #[arg(short, long)]
    ignore: bool,
    /// Names of manifest lists.
    #[arg(value_name = "LIST", required = true)]
    lists: Vec<String>,
}

/// Removes one after another and goes on after a failure.
pub(crate) fn run(args: ManifestRmArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let mut worst = Worst::default();
    for text in args.lists {
        match engine.remove_list(&text) {
            Ok(removed) => remove::print(&removed, context)?,
            Err(error) if error.is_absent() && args.ignore => {}
            Err(error) => worst.report_removal(error),
        }
    }
    engine.sweep_images()?;
    Ok(worst.code())
}
