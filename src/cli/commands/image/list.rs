//! `sampan images`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{json, table::Table, template, time};
use crate::engine::images::{ImageFilter, ImageSummary};
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
    /// Only images that match KEY=VALUE: id, digest, reference, reference!, label, label!, dangling, before, since,
    /// until, containers, intermediate, readonly, manifest.
    #[arg(short, long, value_name = "FILTER", conflicts_with = "image")]
    filter: Vec<String>,
    /// Show the names that the image has had.
    #[arg(long)]
    history: bool,
    /// Form of the output: `json` or a Go template.
    #[arg(long, value_name = "FORMAT")]
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

/// What the rows of one image share.
struct Shown<'a> {
    summary: &'a ImageSummary,
    names: Vec<String>,
    digests: Vec<String>,
}

/// One line: an image under one of its names, or without any.
type Line<'a, 'b> = (&'a Shown<'b>, Option<&'b Reference>);

/// A row of a template, with Podman's names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    repository: String,
    tag: &'a str,
    #[serde(rename = "ID")]
    id: Cow<'a, str>,
    #[serde(rename = "Id")]
    full_id: &'a str,
    digest: String,
    created: String,
    created_at: String,
    created_since: String,
    created_time: String,
    size: String,
    virtual_size: u64,
    shared_size: u64,
    containers: usize,
    dangling: bool,
    is_dangling: bool,
    is_read_only: bool,
    read_only: bool,
    labels: &'a BTreeMap<String, String>,
    names: &'a [String],
    history: String,
    parent_id: &'a str,
    repo_tags: &'a [String],
    repo_digests: &'a [String],
}

/// An object of the JSON form: one for each image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Object<'a> {
    id: &'a str,
    parent_id: &'a str,
    repo_tags: Option<&'a [String]>,
    repo_digests: &'a [String],
    size: u64,
    shared_size: u64,
    virtual_size: u64,
    labels: &'a BTreeMap<String, String>,
    containers: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dangling: bool,
    names: &'a [String],
    digest: String,
    history: &'a [String],
    created: i64,
    created_at: String,
}

/// Prints the list.
pub(crate) fn run(args: ImagesArgs, context: &Context) -> Result<ExitCode, Error> {
    let now = Timestamp::now();
    let filters = args.filter.iter().map(|text| ImageFilter::parse(text, now)).collect::<Result<Vec<_>, _>>()?;
    let details = args.format.as_ref().is_some_and(|format| {
        template::is_json(format) || ["Containers", "ParentId", "json"].iter().any(|word| format.contains(word))
    });
    let list = context.engine()?.images(&filters, args.image.as_deref(), args.all, details)?;
    for error in list.broken {
        context.report(&crate::engine::Error::from(error).into());
    }
    let shown: Vec<Shown> = list.images.iter().map(|summary| Shown::new(summary, &args)).collect();
    let mut lines: Vec<Line> = shown.iter().flat_map(lines).collect();
    sort(&mut lines, &args.sort);
    // As in Podman: JSON before `--quiet`, and that before a template.
    if args.quiet && !args.format.as_deref().is_some_and(template::is_json) {
        let mut seen = BTreeSet::new();
        for (shown, _) in lines {
            if seen.insert(&shown.summary.image.id) {
                context.ui.line(shown.id(&args))?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    match &args.format {
        Some(format) if template::is_json(format) => {
            let mut seen = BTreeSet::new();
            lines.retain(|(shown, _)| seen.insert((&shown.summary.image.id, shown.summary.image.is_read_only())));
            json::print(&context.ui, &lines.iter().map(|(shown, _)| shown.object()).collect::<Vec<_>>())?;
        }
        Some(format) => {
            let rows: Vec<Row> = lines.iter().map(|(shown, name)| shown.row(*name, &args, now)).collect();
            let headers =
                [("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT"), ("ReadOnly", "R/O")];
            template::print_rows(&context.ui, format, &rows, &headers, !args.noheading)?;
        }
        None => table(&lines, &args, now).print(&context.ui)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The table: nothing is made that it does not show.
fn table(lines: &[Line], args: &ImagesArgs, now: Timestamp) -> Table {
    let read_only = lines.iter().any(|(shown, _)| shown.summary.image.is_read_only());
    let mut heading = vec!["REPOSITORY", "TAG"];
    heading.extend(args.digests.then_some("DIGEST"));
    heading.extend(["IMAGE ID", "CREATED", "SIZE"]);
    heading.extend(args.history.then_some("HISTORY"));
    heading.extend(read_only.then_some("R/O"));
    let mut table = Table::new((!args.noheading).then_some(heading.as_slice()));
    for (shown, name) in lines {
        let image = &shown.summary.image;
        let mut cells: Vec<Cow<str>> = vec![repository(*name).into(), tag(*name).into()];
        cells.extend(args.digests.then(|| image.digest_of(*name).to_string().into()));
        cells.extend([shown.id(args), time::ago(image.created(), now).into(), size::human_short(image.size).into()]);
        cells.extend(args.history.then(|| shown.history().into()));
        cells.extend(read_only.then(|| image.is_read_only().to_string().into()));
        table.row(cells);
    }
    table
}

fn sort(lines: &mut [Line], key: &str) {
    match key {
        "id" => lines.sort_by(|(a, _), (b, _)| a.summary.image.id.as_str().cmp(b.summary.image.id.as_str())),
        "repository" => lines.sort_by_key(|(_, name)| repository(*name)),
        "tag" => lines.sort_by(|(_, a), (_, b)| tag(*a).cmp(tag(*b))),
        "size" => lines.sort_by_key(|(shown, _)| shown.summary.image.size),
        // The engine has sorted them so.
        _ => {}
    }
}

/// One line for each name with a tag; if there is none, one for the first name, or for none.
fn lines<'a, 'b>(shown: &'a Shown<'b>) -> Vec<Line<'a, 'b>> {
    let names = &shown.summary.image.names;
    let tagged: Vec<Line> = names.iter().filter(|name| name.tag().is_some()).map(|name| (shown, Some(name))).collect();
    if tagged.is_empty() { vec![(shown, names.first())] } else { tagged }
}

const NONE: &str = "<none>";

fn repository(name: Option<&Reference>) -> String {
    name.map_or_else(|| NONE.to_owned(), Reference::repository)
}

fn tag(name: Option<&Reference>) -> &str {
    name.and_then(Reference::tag).unwrap_or(NONE)
}

impl<'b> Shown<'b> {
    /// Names and digests as text are made only for the forms that show them.
    fn new(summary: &'b ImageSummary, args: &ImagesArgs) -> Self {
        let image = &summary.image;
        let texts = args.format.is_some() || args.history;
        Self {
            summary,
            names: if texts { image.names.iter().map(ToString::to_string).collect() } else { Vec::new() },
            digests: if texts { image.repo_digests() } else { Vec::new() },
        }
    }

    fn parent(&self) -> &str {
        self.summary.parent.as_ref().map_or("", |parent| parent.as_str())
    }

    fn id(&self, args: &ImagesArgs) -> Cow<'b, str> {
        let id = &self.summary.image.id;
        if args.no_trunc { format!("sha256:{id}").into() } else { id.short().into() }
    }

    /// The names that the image has: which it had before is not recorded.
    fn history(&self) -> String {
        self.names.join(", ")
    }

    fn row<'a>(&'a self, name: Option<&'a Reference>, args: &ImagesArgs, now: Timestamp) -> Row<'a> {
        let image = &self.summary.image;
        let since = time::ago(image.created(), now);
        let at = time::go_seconds(image.created());
        Row {
            repository: repository(name),
            tag: tag(name),
            id: self.id(args),
            full_id: image.id.as_str(),
            digest: image.digest_of(name).to_string(),
            created: since.clone(),
            created_at: at.clone(),
            created_since: since,
            created_time: at,
            size: size::human_short(image.size),
            virtual_size: image.size,
            shared_size: 0,
            containers: self.summary.containers.unwrap_or(0),
            dangling: image.is_dangling(),
            is_dangling: image.is_dangling(),
            is_read_only: image.is_read_only(),
            read_only: image.is_read_only(),
            labels: image.labels(),
            names: &self.names,
            history: self.history(),
            parent_id: self.parent(),
            repo_tags: &self.names,
            repo_digests: &self.digests,
        }
    }

    fn object(&self) -> Object<'_> {
        let image = &self.summary.image;
        Object {
            id: image.id.as_str(),
            parent_id: self.parent(),
            repo_tags: (!self.names.is_empty()).then_some(&self.names),
            repo_digests: &self.digests,
            size: image.size,
            shared_size: 0,
            virtual_size: image.size,
            labels: image.labels(),
            containers: self.summary.containers.unwrap_or(0),
            read_only: image.is_read_only(),
            dangling: image.is_dangling(),
            history: &self.names,
            names: &self.names,
            digest: image.digest.to_string(),
            created: image.created().as_second(),
            created_at: time::rfc3339(image.created()),
        }
    }
}
