//! `sampan images`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::super::output::{json, table::Table, template, time};
use crate::engine::images::{ImageFilter, ImageSummary, image_digests};
use crate::types::reference::Reference;
use crate::types::size;

/// Lists images, newest first, one line for each name.
#[derive(Debug, clap::Args)]
pub(crate) struct ImagesArgs {
    /// Also nameless images that others are built on.
    #[arg(short, long)]
    all: bool,
    /// Show digests.
    #[arg(long)]
    digests: bool,
    /// Only images that match KEY=VALUE: id, digest, reference, label, dangling, before, since, until, containers,
    /// intermediate.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Form of the output: `json` or a Go template.
    #[arg(long, value_name = "FORMAT", conflicts_with = "quiet")]
    format: Option<String>,
    /// Do not shorten ids.
    #[arg(long)]
    no_trunc: bool,
    /// No headings.
    #[arg(short, long)]
    noheading: bool,
    /// Ids only.
    #[arg(short, long)]
    quiet: bool,
    /// Sort by created, id, repository, size or tag.
    #[arg(long, value_name = "KEY", default_value = "created", value_parser = ["created", "id", "repository", "size", "tag"])]
    sort: String,
    /// Only this name.
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
}

/// A row with Podman's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    repository: String,
    tag: String,
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Id")]
    full_id: String,
    digest: String,
    created: String,
    created_at: String,
    created_since: String,
    created_time: String,
    size: String,
    virtual_size: String,
    shared_size: String,
    containers: usize,
    dangling: bool,
    is_dangling: bool,
    is_read_only: bool,
    read_only: bool,
    labels: BTreeMap<String, String>,
    names: Vec<String>,
    history: Vec<String>,
    parent_id: String,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    #[serde(skip)]
    order: (Timestamp, u64),
}

/// An object of the JSON form: one for each image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    id: String,
    parent_id: String,
    repo_tags: Option<Vec<String>>,
    repo_digests: Vec<String>,
    size: u64,
    shared_size: u64,
    virtual_size: u64,
    labels: BTreeMap<String, String>,
    containers: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dangling: bool,
    names: Vec<String>,
    digest: String,
    history: Vec<String>,
    created: i64,
    created_at: String,
}

/// Prints the list.
pub(crate) fn run(args: ImagesArgs, context: &Context) -> Result<ExitCode, Error> {
    let now = Timestamp::now();
    let filters = args.filter.iter().map(|text| ImageFilter::parse(text, now)).collect::<Result<Vec<_>, _>>()?;
    let count = args.format.as_ref().is_some_and(|format| template::is_json(format) || format.contains("Containers"));
    let list = context.engine()?.images(&filters, args.image.as_deref(), args.all, count)?;
    for broken in list.broken {
        context.report(&crate::engine::Error::from(broken.error).into());
    }
    if args.format.as_deref().is_some_and(template::is_json) {
        let objects: Vec<Object> = list.images.iter().map(object).collect();
        json::print(&context.ui, &objects)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.quiet {
        for summary in &list.images {
            let id = &summary.image.record.id;
            if args.no_trunc { context.ui.line(format!("sha256:{id}"))? } else { context.ui.line(id.short())? }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows: Vec<Row> = list.images.iter().flat_map(|summary| rows(summary, &args, now)).collect();
    sort(&mut rows, &args.sort);
    if let Some(format) = &args.format {
        let headers = [("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT")];
        template::print_rows(&context.ui, format, &rows, &headers, !args.noheading)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut heading = vec!["REPOSITORY", "TAG"];
    heading.extend(args.digests.then_some("DIGEST"));
    heading.extend(["IMAGE ID", "CREATED", "SIZE"]);
    let mut table = Table::new((!args.noheading).then_some(heading.as_slice()));
    for row in &rows {
        let mut cells = vec![&row.repository, &row.tag];
        cells.extend(args.digests.then_some(&row.digest));
        cells.extend([&row.id, &row.created, &row.size]);
        table.row(cells);
    }
    table.print(&context.ui)?;
    Ok(ExitCode::SUCCESS)
}

fn sort(rows: &mut [Row], key: &str) {
    match key {
        "id" => rows.sort_by(|a, b| a.full_id.cmp(&b.full_id)),
        "repository" => rows.sort_by(|a, b| a.repository.cmp(&b.repository)),
        "tag" => rows.sort_by(|a, b| a.tag.cmp(&b.tag)),
        "size" => rows.sort_by_key(|row| row.order.1),
        // The engine has sorted them so.
        _ => {}
    }
}

/// One row for each name, or one for an image without a name.
fn rows(summary: &ImageSummary, args: &ImagesArgs, now: Timestamp) -> Vec<Row> {
    let names = &summary.image.names;
    if names.is_empty() {
        return vec![row(summary, None, args, now)];
    }
    names.iter().map(|name| row(summary, Some(name), args, now)).collect()
}

fn row(summary: &ImageSummary, name: Option<&Reference>, args: &ImagesArgs, now: Timestamp) -> Row {
    let record = &summary.image.record;
    let created = record.created.unwrap_or(record.stored);
    let none = || "<none>".to_owned();
    let names: Vec<String> = summary.image.names.iter().map(ToString::to_string).collect();
    let full_id = record.id.to_string();
    let size = size::human(record.size);
    let since = time::ago(created, now);
    Row {
        repository: name.map_or_else(none, Reference::repository),
        tag: name.and_then(Reference::tag).map_or_else(none, str::to_owned),
        id: if args.no_trunc { format!("sha256:{full_id}") } else { record.id.short().to_owned() },
        full_id,
        digest: record.digest.to_string(),
        created: since.clone(),
        created_at: time::go(created),
        created_since: since,
        created_time: time::go(created),
        virtual_size: size.clone(),
        size,
        shared_size: "0".to_owned(),
        containers: summary.containers.unwrap_or(0),
        dangling: summary.image.is_dangling(),
        is_dangling: summary.image.is_dangling(),
        is_read_only: false,
        read_only: false,
        labels: record.config.config.labels.clone(),
        history: names.clone(),
        repo_tags: names.clone(),
        names,
        parent_id: String::new(),
        repo_digests: image_digests(&summary.image),
        order: (created, record.size),
    }
}

fn object(summary: &ImageSummary) -> Object {
    let record = &summary.image.record;
    let created = record.created.unwrap_or(record.stored);
    let names: Vec<String> = summary.image.names.iter().map(ToString::to_string).collect();
    Object {
        id: record.id.to_string(),
        parent_id: String::new(),
        repo_tags: (!names.is_empty()).then(|| names.clone()),
        repo_digests: image_digests(&summary.image),
        size: record.size,
        shared_size: 0,
        virtual_size: record.size,
        labels: record.config.config.labels.clone(),
        containers: summary.containers.unwrap_or(0),
        dangling: summary.image.is_dangling(),
        history: names.clone(),
        names,
        digest: record.digest.to_string(),
        created: created.as_second(),
        created_at: created.to_string(),
    }
}
