//! `sampan image prune`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

use super::super::super::output::prompt;
use crate::engine::images::ImageFilter;
use crate::types::size;

/// Removes images that no container uses.
#[derive(Debug, clap::Args)]
pub(crate) struct ImagePruneArgs {
    /// Also those that have a name.
    #[arg(short, long)]
    all: bool,
    /// Do not ask.
    #[arg(short, long)]
    force: bool,
    /// Only images that match: until, label, label!, and those of images.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
}

/// Asks, prunes, prints what went.
pub(crate) fn run(args: ImagePruneArgs, context: &Context) -> Result<ExitCode, Error> {
    let now = jiff::Timestamp::now();
    let filters = args.filter.iter().map(|text| ImageFilter::parse(text, now)).collect::<Result<Vec<_>, _>>()?;
    let which =
        if args.all { "all images without at least one container associated with them" } else { "all dangling images" };
    if !args.force && !prompt::confirm(context, &format!("This command removes {which}."))? {
        return Ok(ExitCode::SUCCESS);
    }
    let report = context.engine()?.prune_images(args.all, &filters)?;
    // One id may have been that of several images: the same layers under other manifests.
    let mut told = std::collections::BTreeSet::new();
    for image in report.images.iter().filter(|image| told.insert(image.to_string())) {
        context.ui.line(image)?;
    }
    if report.reclaimed > 0 {
        context.ui.note(format!("Total reclaimed space: {}", size::human(report.reclaimed)));
    }
    Ok(ExitCode::SUCCESS)
}
