//! `sampan image mount` and `image unmount`.

use std::process::ExitCode;

use serde::Serialize;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::mounted::{self, Row, Shape};
use crate::engine::WholeImages;
use crate::engine::mounts::MountedImage;

/// Mounts the root file system of images read-only and prints where; without an image, lists those that are mounted.
///
/// Works in the shell of `sampan unshare`, and lasts as long as that.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageMountArgs {
    /// Mount all images.
    #[arg(short, long, conflicts_with = "images")]
    all: bool,
    /// Form of the output: `json`.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    format: Option<String>,
    /// Names or ids of images.
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

/// Takes mounts of images away.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageUnmountArgs {
    /// Unmount all images.
    #[arg(short, long, conflicts_with = "images")]
    all: bool,
    /// Also while it is in use; an unmount here never waits, so that nothing is different.
    #[arg(short, long)]
    force: bool,
    /// Names or ids of images.
    #[arg(value_name = "IMAGE", required_unless_present = "all")]
    images: Vec<String>,
}

/// Podman's JSON.
#[derive(Debug, Serialize)]
struct Object {
    id: String,
    #[serde(rename = "Names")]
    names: Vec<String>,
    #[serde(rename = "Repositories")]
    repositories: Vec<String>,
    mountpoint: String,
}

/// Mounts, or lists.
pub(crate) fn run(args: ImageMountArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let (mut worst, mut images) = (Worst::default(), WholeImages::default());
    let mounted = if args.images.is_empty() && !args.all {
        engine.mounted_images()?
    } else {
        let wanted = if args.all { &engine.all_images()? } else { &args.images };
        mounted::each(wanted, &mut worst, |word| engine.mount_image(word, &mut images))
    };
    let rows = mounted.into_iter().map(|image| Row {
        name: image.names.first().map_or_else(|| image.id.to_string(), ToString::to_string),
        object: object(&image),
        path: image.path,
    });
    mounted::print(rows.collect(), Shape::of(args.format.as_deref(), args.images.len() == 1), context)?;
    Ok(worst.code())
}

fn object(image: &MountedImage) -> Object {
    Object {
        id: image.id.to_string(),
        names: vec![image.digest.clone()],
        repositories: image.names.iter().map(ToString::to_string).collect(),
        mountpoint: image.path.display().to_string(),
    }
}

/// Unmounts.
pub(crate) fn run_unmount(args: ImageUnmountArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let images = if args.all {
        engine.mounted_images()?.into_iter().map(|image| image.id.to_string()).collect()
    } else {
        args.images
    };
    let mut worst = Worst::default();
    for image in images {
        match engine.unmount_image(&image) {
            Ok(id) => context.ui.line(id)?,
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}
