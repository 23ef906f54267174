//! `sampan system prune`.

use std::process::ExitCode;
use std::time::Duration;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::output::prompt;
use crate::engine::system_prune::{SystemPruneReport, SystemPruneRequest};
use crate::types::size;

/// Removes containers that do not run, images without a name, and what killed commands have left.
///
/// With --keep-size and --unused-for it collects images that have not been used for long: an image is used when it is
/// pulled, loaded or imported, and when a container is made of it. What a pull that is under way relies on stays.
#[derive(Debug, clap::Args)]
pub(crate) struct SystemPruneArgs {
    /// Also every image that no container uses, and downloads that were cut off.
    #[arg(short, long)]
    all: bool,
    /// Only what matches: label=, label!=, until=.
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Do not ask.
    #[arg(short, long)]
    force: bool,
    /// Images that no container uses go, longest unused first, until all images take at most this much of the disk.
    #[arg(long, value_name = "SIZE", value_parser = bytes, conflicts_with = "filter")]
    keep_size: Option<u64>,
    /// Also images that no container uses and that were not used for so long: 36h, 30d, 2w.
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "filter")]
    unused_for: Option<Duration>,
    /// Also every volume that no container uses, with its data.
    #[arg(long)]
    volumes: bool,
}

/// A size with its unit.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    size::parse_bytes(text).map_err(|error| error.to_string())
}

/// A number and one of s, m, h, d, w.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("{text:?}: a number and one of s, m, h, d, w");
    let unit = text.chars().next_back().ok_or_else(invalid)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return Err(invalid()),
    };
    let number: u64 = text[..text.len() - 1].parse().ok().ok_or_else(invalid)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(invalid)
}

/// Asks, prunes, prints what went.
pub(crate) fn run(args: SystemPruneArgs, context: &Context) -> Result<ExitCode, Error> {
    if args.volumes && args.filter.iter().any(|filter| filter.starts_with("until")) {
        return Err(Error::usage("the \"until\" filter does not go with --volumes: volumes are of no age"));
    }
    if !args.force && !prompt::confirm(context, &warning(&args))? {
        return Ok(ExitCode::SUCCESS);
    }
    let request = SystemPruneRequest {
        all: args.all,
        volumes: args.volumes,
        filters: args.filter,
        unused_for: args.unused_for,
        keep_size: args.keep_size,
    };
    tell(context.engine()?.system_prune(&request)?, context)
}

/// What went, and what did not.
pub(super) fn tell(report: SystemPruneReport, context: &Context) -> Result<ExitCode, Error> {
    print(&report, context)?;
    let mut worst = Worst::default();
    for error in report.failed {
        worst.report(error);
    }
    Ok(worst.code())
}

fn warning(args: &SystemPruneArgs) -> String {
    let mut lines = vec!["This command removes:".to_owned(), "- all stopped containers".to_owned()];
    if args.volumes {
        lines.push("- all volumes not used by at least one container".to_owned());
    }
    lines.push(if args.all {
        "- all images without at least one container associated with them".to_owned()
    } else {
        "- all dangling images".to_owned()
    });
    if args.unused_for.is_some() {
        lines.push("- all images that no container uses and that were not used for so long".to_owned());
    }
    if let Some(budget) = args.keep_size {
        lines.push(format!("- images that no container uses, until all take at most {}", size::human(budget)));
    }
    lines.join("\n\t") + "\n"
}

fn print(report: &SystemPruneReport, context: &Context) -> Result<(), Error> {
    let lists: [(&str, Vec<String>); 3] = [
        ("Deleted Containers", report.containers.iter().map(ToString::to_string).collect()),
        ("Deleted Volumes", report.volumes.iter().map(ToString::to_string).collect()),
        ("Deleted Images", report.images.iter().map(ToString::to_string).collect()),
    ];
    for (heading, names) in lists {
        if !names.is_empty() {
            context.ui.line(heading)?;
        }
        for name in names {
            context.ui.line(name)?;
        }
    }
    context.ui.line(format!("Total reclaimed space: {}", size::human(report.reclaimed)))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("2w").map(|d| d.as_secs()), Ok(14 * 24 * 3600));
        assert_eq!(duration("36h").map(|d| d.as_secs()), Ok(36 * 3600));
        for bad in ["", "d", "7", "1y", "-1d", "99999999999999999999w"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
