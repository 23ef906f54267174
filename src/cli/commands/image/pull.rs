//! `sampan pull`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

use super::super::super::exit::Worst;
use super::super::super::flags::{AccessFlags, PlatformFlags};
use crate::engine::images::{Place, PullRequest};
use crate::engine::{self, Engine};
use crate::types::id::ImageId;
use crate::types::progress::Progress;
use crate::types::pull_policy::PullPolicy;

/// Fetches images from a registry, an archive or a directory.
///
/// A name without a registry goes by the aliases and the search registries of registries.conf(5), or to docker.io.
/// Other places are docker-archive:FILE[:NAME], oci-archive:FILE[:NAME], oci:DIR[:NAME] and dir:DIR.
/// Prints the id of each image.
#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// When to pull: always, missing, newer or never.
    #[arg(long, value_name = "POLICY", default_value = "always")]
    policy: String,
    #[command(flatten)]
    platform: PlatformFlags,
    #[command(flatten)]
    access: AccessFlags,
    /// Pull every tag of the repository; one that cannot be had keeps none of the others back, and is an error in the end.
    #[arg(short, long, conflicts_with = "policy")]
    all_tags: bool,
    /// Say nothing while pulling.
    #[arg(short, long)]
    quiet: bool,
    /// Names of images.
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

/// Pulls one after another and goes on after a failure.
pub(crate) fn run(args: PullArgs, context: &Context) -> Result<ExitCode, Error> {
    let policy: PullPolicy = args
        .policy
        .parse()
        .map_err(|error: crate::types::pull_policy::InvalidPullPolicy| Error::usage(error.to_string()))?;
    let platform = args.platform.platform()?;
    let access = args.access.access(context)?;
    let progress = context.progress(args.quiet);
    let (engine, mut worst) = (context.engine()?, Worst::default());
    for name in args.images {
        let request = PullRequest { name, policy, platform: platform.clone(), access: access.clone() };
        let (ids, failed) = pull(engine, &request, args.all_tags, progress.as_ref());
        for id in ids {
            context.ui.line(id)?;
        }
        if let Some(error) = failed {
            // What came before it is told before it.
            context.ui.flush()?;
            worst.report(error);
        }
    }
    Ok(worst.code())
}

/// The images that one word has brought, and why not all of them came.
fn pull(
    engine: &Engine,
    request: &PullRequest,
    all_tags: bool,
    progress: &dyn Progress,
) -> (Vec<ImageId>, Option<engine::Error>) {
    let pulled = match Place::parse(&request.name).transpose() {
        // What is in a file has names, and no tags.
        Ok(Some(_)) if all_tags => Err(engine::Error::TagWithAllTags(request.name.clone())),
        Ok(Some(place)) => engine
            .pull_place(&place, request, progress)
            .map(|loaded| (loaded.into_iter().map(|one| one.image.record.id).collect(), None)),
        Ok(None) if all_tags => engine
            .pull_all_tags(request, progress)
            .map(|report| (report.pulled.into_iter().map(|one| one.image.record.id).collect(), report.failed)),
        Ok(None) => engine.pull(request, progress).map(|report| (vec![report.image.record.id], None)),
        Err(error) => Err(error),
    };
    pulled.unwrap_or_else(|error| (Vec::new(), Some(error)))
}
