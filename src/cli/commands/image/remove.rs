//! `sampan rmi`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

use super::super::super::exit::Worst;
use crate::engine::images::{RemoveImageRequest, RemovedImage};

/// Removes images, or names of them.
///
/// An image with several names loses the one that is given; with the last name it is removed. Exit code 1: no such
/// image, 2: a container uses it.
#[derive(Debug, clap::Args)]
pub(crate) struct RmiArgs {
    /// Remove all images.
    #[arg(short, long, conflicts_with = "images")]
    all: bool,
    /// Also if the image has several names, and with the containers that use it.
    #[arg(short, long)]
    force: bool,
    /// An image that is not there is no error; --force implies it.
    #[arg(short, long)]
    ignore: bool,
    /// Keep the nameless images that these were built on.
    #[arg(long)]
    no_prune: bool,
    /// Names or ids of images.
    #[arg(value_name = "IMAGE", required_unless_present = "all")]
    images: Vec<String>,
}

/// Removes one after another and goes on after a failure.
pub(crate) fn run(args: RmiArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let images = if args.all {
        let list = engine.images(&[], None, true, false)?;
        list.images
            .into_iter()
            .filter(|image| !image.image.is_read_only())
            .map(|image| image.image.id.to_string())
            .collect()
    } else {
        args.images
    };
    let mut worst = Worst::default();
    let mut removed_any = false;
    for text in images {
        let request =
            RemoveImageRequest { text, force: args.force, several_names: args.all, keep_parents: args.no_prune };
        match engine.remove_image(&request) {
            Ok(removed) => {
                removed_any = true;
                print(&removed, context)?;
            }
            // Twice in one line.
            Err(error) if error.is_absent() && (args.ignore || args.force || args.all) => {}
            Err(error) => worst.report_removal(error),
        }
    }
    if removed_any {
        context.ui.flush()?;
        engine.sweep_images()?;
    }
    Ok(worst.code())
}

/// What was removed, a line for each name and each image.
pub(in crate::cli) fn print(removed: &RemovedImage, context: &Context) -> Result<(), Error> {
    for name in &removed.untagged {
        context.ui.line(format!("Untagged: {name}"))?;
    }
    removed.deleted.iter().try_for_each(|id| context.ui.line(format!("Deleted: {id}")))
}
