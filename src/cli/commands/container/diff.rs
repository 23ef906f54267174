//! `sampan diff`, `sampan container diff`, `sampan image diff`.

use std::process::ExitCode;

use serde::Serialize;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{json, table::clean};
use crate::engine;
use crate::engine::diff::{Change, ChangeKind, DiffKind};

/// Shows what a container or an image changed.
///
/// A container is compared with its image, an image with all but its last layer; with two arguments, the first one with
/// the second. A line is A (added), C (changed) or D (deleted) and a path. A name is looked for among the containers
/// first.
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    form: Form,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "names")]
    latest: bool,
    /// A container or an image, and what to compare it with.
    #[arg(value_name = "NAME", required_unless_present = "latest", num_args = 1..=2)]
    names: Vec<String>,
}

/// Shows what a container changed of its image.
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerDiffArgs {
    #[command(flatten)]
    form: Form,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "containers")]
    latest: bool,
    /// A container, and another one to compare it with.
    #[arg(value_name = "CONTAINER", required_unless_present = "latest", num_args = 1..=2)]
    containers: Vec<String>,
}

/// Shows what the last layer of an image changed, or what is different from another image.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageDiffArgs {
    #[command(flatten)]
    form: Form,
    /// An image, and another one to compare it with.
    #[arg(value_name = "IMAGE", required = true, num_args = 1..=2)]
    images: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Form {
    /// Form of the output: `json`.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    format: Option<String>,
}

/// The JSON form.
#[derive(Debug, Default, Serialize)]
struct Lists<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<&'a str>,
}

/// `sampan diff`.
pub(crate) fn run(args: DiffArgs, context: &Context) -> Result<ExitCode, Error> {
    show(args.names, args.latest, DiffKind::Any, &args.form, context)
}

/// `sampan container diff`.
pub(crate) fn run_container(args: ContainerDiffArgs, context: &Context) -> Result<ExitCode, Error> {
    show(args.containers, args.latest, DiffKind::Container, &args.form, context)
}

/// `sampan image diff`.
pub(crate) fn run_image(args: ImageDiffArgs, context: &Context) -> Result<ExitCode, Error> {
    show(args.images, false, DiffKind::Image, &args.form, context)
}

fn show(
    mut names: Vec<String>,
    latest: bool,
    kind: DiffKind,
    form: &Form,
    context: &Context,
) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    if latest {
        let latest = engine.latest_container()?.ok_or(engine::Error::NoContainers)?;
        names.push(latest.to_string());
    }
    let Some(name) = names.first() else { return Err(Error::usage("a container or an image must be named")) };
    let changes = engine.diff(name, names.get(1).map(String::as_str), kind)?;
    if form.format.is_some() {
        json::print(&context.ui, &lists(&changes))?;
        return Ok(ExitCode::SUCCESS);
    }
    for change in &changes {
        let letter = match change.kind {
            ChangeKind::Changed => 'C',
            ChangeKind::Added => 'A',
            ChangeKind::Deleted => 'D',
        };
        context.ui.line(format!("{letter} {}", clean(&change.path)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lists(changes: &[Change]) -> Lists<'_> {
    let mut lists = Lists::default();
    for change in changes {
        match change.kind {
            ChangeKind::Changed => lists.changed.push(&change.path),
            ChangeKind::Added => lists.added.push(&change.path),
            ChangeKind::Deleted => lists.deleted.push(&change.path),
        }
    }
    lists
}
