//! `sampan pull`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

use super::super::super::flags::{AccessFlags, PlatformFlags};
use crate::engine::images::{Place, PullRequest};
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

/// Pulls one after another; the first failure ends it.
pub(crate) fn run(args: PullArgs, context: &Context) -> Result<ExitCode, Error> {
    let policy: PullPolicy = args
        .policy
        .parse()
        .map_err(|error: crate::types::pull_policy::InvalidPullPolicy| Error::usage(error.to_string()))?;
    let platform = args.platform.platform()?;
    let access = args.access.access(context)?;
    let progress = context.progress(args.quiet);
    for name in args.images {
        let place = Place::parse(&name).transpose()?;
        let request = PullRequest { name, policy, platform: platform.clone(), access: access.clone() };
        if let Some(place) = place {
            for loaded in context.engine()?.pull_place(&place, &request, progress.as_ref())? {
                context.ui.line(&loaded.image.record.id)?;
            }
            continue;
        }
        if args.all_tags {
            let report = context.engine()?.pull_all_tags(&request, progress.as_ref())?;
            for pulled in report.pulled {
                context.ui.line(&pulled.image.record.id)?;
            }
            report.failed.map_or(Ok(()), Err)?;
            continue;
        }
        let report = context.engine()?.pull(&request, progress.as_ref())?;
        context.ui.line(&report.image.record.id)?;
    }
    Ok(ExitCode::SUCCESS)
}
