//! `sampan system df`.

use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{table::Table, template, time};
use crate::engine::disk_usage::{DiskUsage, KindUsage};
use crate::types::size::human;

/// Shows what images, containers and volumes take of the disk.
///
/// Sizes are those of the disk, as du(1) counts them: holes take nothing, files with several names count once, layers
/// that images share count once. RECLAIMABLE is what the fitting prune gives back.
#[derive(Debug, clap::Args)]
pub(crate) struct DfArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(long, value_name = "FORMAT", conflicts_with = "verbose")]
    format: Option<String>,
    /// Each image, container and volume by itself.
    #[arg(short, long)]
    verbose: bool,
}

/// A line of the summary with Podman's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    r#type: &'static str,
    total: usize,
    active: usize,
    raw_size: u64,
    raw_reclaimable: u64,
    total_count: usize,
    size: String,
    reclaimable: String,
}

impl Row {
    fn new(kind: &KindUsage) -> Self {
        let percent = (kind.reclaimable * 100 + kind.size / 2).checked_div(kind.size).unwrap_or(0);
        Self {
            r#type: kind.name,
            total: kind.total,
            active: kind.active,
            raw_size: kind.size,
            raw_reclaimable: kind.reclaimable,
            total_count: kind.total,
            size: human(kind.size),
            reclaimable: format!("{} ({percent}%)", human(kind.reclaimable)),
        }
    }
}

/// Prints the summary, or everything.
pub(crate) fn run(args: DfArgs, context: &Context) -> Result<ExitCode, Error> {
    let usage = context.engine()?.disk_usage()?;
    if args.verbose {
        verbose(&usage, context)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Row> = usage.kinds.iter().map(Row::new).collect();
    if let Some(format) = &args.format {
        // As in Podman: the word is the list, the template each row by itself.
        if template::is_json(format) && format.trim() != "json" {
            for row in &rows {
                context.ui.line(serde_json::to_string(row).map_err(Error::Encode)?)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        template::print_rows(&context.ui, format, &rows, &[], true)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(Some(&["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]));
    for row in &rows {
        let (total, active) = (row.total.to_string(), row.active.to_string());
        table.row([row.r#type, &total, &active, &row.size, &row.reclaimable]);
    }
    table.print(&context.ui)?;
    Ok(ExitCode::SUCCESS)
}

fn verbose(usage: &DiskUsage, context: &Context) -> Result<(), Error> {
    let now = Timestamp::now();
    context.ui.line("Images space usage:\n")?;
    let headings = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"];
    let mut table = Table::new(Some(&headings));
    for image in &usage.images {
        let none = || "<none>".to_owned();
        // A row for each name, as Podman has it; one for an image without any.
        let names = image.names.iter().map(Some).chain(image.names.is_empty().then_some(None));
        for name in names {
            table.row([
                name.map_or_else(none, |name| name.repository()),
                name.and_then(|name| name.tag()).map_or_else(none, str::to_owned),
                image.id.short().to_owned(),
                time::ago(image.created, now),
                human(image.shared + image.unique),
                human(image.shared),
                human(image.unique),
                image.containers.to_string(),
            ]);
        }
    }
    table.print(&context.ui)?;
    context.ui.line("\nContainers space usage:\n")?;
    let headings = ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"];
    let mut table = Table::new(Some(&headings));
    for container in &usage.containers {
        table.row([
            container.id.short().to_owned(),
            container.image.clone(),
            container.command.join(" "),
            container.volumes.to_string(),
            human(container.size),
            time::ago(container.created, now),
            container.status.to_string(),
            container.name.clone(),
        ]);
    }
    table.print(&context.ui)?;
    context.ui.line("\nLocal Volumes space usage:\n")?;
    let mut table = Table::new(Some(&["VOLUME NAME", "LINKS", "SIZE"]));
    for volume in &usage.volumes {
        table.row([volume.name.clone(), volume.links.to_string(), human(volume.size)]);
    }
    table.print(&context.ui)
}
