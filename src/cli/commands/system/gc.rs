//! `sampan gc`.

use std::process::ExitCode;
use std::time::Duration;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::prune;

/// Removes images that have not been used for long, and what nothing refers to.
///
/// An image is used when it is pulled, loaded or imported, and when a container is made of it. Containers, volumes, images
/// of containers and what a pull that is under way relies on stay. It does not ask: a timer may run it. `system prune`
/// takes the same options and also removes containers that do not run.
#[derive(Debug, clap::Args)]
pub(crate) struct GcArgs {
    /// Images that no container uses go, longest unused first, until all images take at most this much of the disk.
    #[arg(long, value_name = "SIZE", value_parser = prune::bytes)]
    keep_size: Option<u64>,
    /// Images that no container uses and that were not used for so long: 36h, 30d, 2w.
    #[arg(long, value_name = "DURATION", value_parser = prune::duration)]
    unused_for: Option<Duration>,
}

/// Collects, and prints what went.
pub(crate) fn run(args: &GcArgs, context: &Context) -> Result<ExitCode, Error> {
    prune::tell(context.engine()?.collect_garbage(args.unused_for, args.keep_size)?, context)
}
