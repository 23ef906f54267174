//! `sampan history`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

use serde::Serialize;

use super::super::super::output::{table::Table, template, time};
use crate::engine::images::HistoryEntry;
use crate::types::size;

/// Shows how an image was made, newest step first.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Dates for people: how long ago.
    #[arg(short = 'H', long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", value_parser = crate::types::boolean::parse_bool, action = clap::ArgAction::Set)]
    human: bool,
    /// Do not shorten ids and commands.
    #[arg(long)]
    no_trunc: bool,
    /// Ids only.
    #[arg(short, long)]
    quiet: bool,
    /// Name or id of the image.
    #[arg(value_name = "IMAGE")]
    image: String,
}

/// A row with Podman's names.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Created")]
    created: String,
    #[serde(rename = "CreatedAt")]
    created_at: String,
    #[serde(rename = "CreatedSince")]
    created_since: String,
    #[serde(rename = "CreatedBy")]
    created_by: String,
    #[serde(rename = "Size")]
    size: String,
    #[serde(rename = "Comment")]
    comment: String,
    #[serde(rename = "Tags")]
    tags: Vec<String>,
}

/// The JSON form has other names (Podman's historyReporter).
#[derive(Debug, Serialize)]
struct Plain {
    id: String,
    created: String,
    #[serde(rename = "CreatedBy")]
    created_by: String,
    size: u64,
    comment: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// The same time to the second: Podman has both.
    #[serde(rename = "Created")]
    created_seconds: String,
}

/// Prints the steps.
pub(crate) fn run(args: HistoryArgs, context: &Context) -> Result<ExitCode, Error> {
    let entries = context.engine()?.image_history(&args.image)?;
    if args.format.as_deref().is_some_and(template::is_json) {
        let plain: Vec<Plain> = entries.into_iter().map(plain).collect();
        super::super::super::output::json::print(&context.ui, &plain)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = jiff::Timestamp::now();
    let rows: Vec<Row> = entries.into_iter().map(|entry| row(entry, &args, now)).collect();
    if args.quiet {
        for row in &rows {
            context.ui.line(&row.id)?;
        }
    } else if let Some(format) = &args.format {
        let headers = [("CreatedBy", "CREATED BY"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT")];
        template::print_rows(&context.ui, format, &rows, &headers, true)?;
    } else {
        let mut table = Table::new(Some(&["ID", "CREATED", "CREATED BY", "SIZE", "COMMENT"]));
        for row in &rows {
            table.row([&row.id, &row.created, &row.created_by, &row.size, &row.comment]);
        }
        table.print(&context.ui)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(entry: HistoryEntry) -> Plain {
    Plain {
        id: entry.id.unwrap_or_else(|| "<missing>".to_owned()),
        created: entry.created.map_or_else(String::new, |created| created.to_string()),
        created_by: entry.created_by,
        size: entry.size,
        comment: entry.comment,
        tags: entry.tags,
        created_seconds: entry.created.map_or_else(String::new, time::rfc3339),
    }
}

fn row(entry: HistoryEntry, args: &HistoryArgs, now: jiff::Timestamp) -> Row {
    let shorten = |text: String, limit: usize| {
        let long = !args.no_trunc && text.chars().count() > limit;
        if long { format!("{}...", text.chars().take(limit - 3).collect::<String>()) } else { text }
    };
    let id = entry.id.unwrap_or_else(|| "<missing>".to_owned());
    let created_at = entry.created.map_or_else(String::new, time::go_seconds);
    let plain = entry.created.map_or_else(String::new, time::rfc3339);
    let since = entry.created.map_or_else(String::new, |created| time::ago(created, now));
    Row {
        id: if args.no_trunc || id.starts_with('<') { id } else { id[..12].to_owned() },
        created: if args.human { since.clone() } else { plain },
        created_at,
        created_since: since,
        created_by: shorten(entry.created_by, 45),
        size: size::human_short(entry.size),
        comment: entry.comment,
        tags: entry.tags,
    }
}
