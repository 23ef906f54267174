//! `sampan inspect`, and `sampan container inspect`.

use std::process::ExitCode;

use serde_json::Value;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::{OURS, Worst};
use super::super::super::output::{json, template};
use crate::engine::{self, WholeImages};

/// Shows everything about containers, images and volumes.
///
/// A name is looked for among the containers first, then the images, then the volumes.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Kind of the objects: container, image, volume or all.
    #[arg(short, long, value_name = "TYPE", default_value = "all", value_parser = ["all", "container", "image", "volume"])]
    r#type: String,
    /// Count the bytes of containers.
    #[arg(short, long)]
    size: bool,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "names")]
    latest: bool,
    /// Names or ids.
    #[arg(value_name = "NAME", required_unless_present = "latest")]
    names: Vec<String>,
}

/// Shows everything about containers.
#[derive(Debug, clap::Args)]
pub(crate) struct ContainerInspectArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Count the bytes.
    #[arg(short, long)]
    size: bool,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "containers")]
    latest: bool,
    /// Names or ids of containers.
    #[arg(value_name = "CONTAINER", required_unless_present = "latest")]
    containers: Vec<String>,
}

/// Prints the objects as one JSON array, or each by the template.
pub(crate) fn run(args: InspectArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let mut names = args.names;
    let mut kind = args.r#type.as_str();
    if args.latest {
        let latest = engine.latest_container()?.ok_or(engine::Error::NoContainers)?;
        names.insert(0, latest.to_string());
        kind = "container";
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let mut images = WholeImages::default();
    for name in &names {
        match inspect(name, kind, args.size, &mut images, context) {
            Ok(value) => found.push(value),
            Err(error) => missing.push(error),
        }
    }
    match &args.format {
        Some(format) if !template::is_json(format) => {
            // The name that templates of Docker's time have for it.
            for report in &mut found {
                if let Some(state) = report.get_mut("State").and_then(Value::as_object_mut)
                    && let Some(health) = state.get("Health").cloned()
                {
                    state.insert("Healthcheck".to_owned(), health);
                }
            }
            template::print_reports(&context.ui, format, &found, &[], false)?;
        }
        _ => json::print(&context.ui, &found)?,
    }
    let mut worst = Worst::default();
    context.ui.flush()?;
    for error in missing {
        worst.note(OURS);
        context.report(&error);
    }
    Ok(worst.code())
}

/// `sampan container inspect`.
pub(crate) fn run_container(args: ContainerInspectArgs, context: &Context) -> Result<ExitCode, Error> {
    let ContainerInspectArgs { format, size, latest, containers } = args;
    run(InspectArgs { format, r#type: "container".to_owned(), size, latest, names: containers }, context)
}

fn inspect(name: &str, kind: &str, size: bool, images: &mut WholeImages, context: &Context) -> Result<Value, Error> {
    let engine = context.engine()?;
    let all = kind == "all";
    if all || kind == "container" {
        match engine.inspect(name, size) {
            Err(error) if all && error.is_absent() => {}
            report => return serde_json::to_value(report?).map_err(Error::Encode),
        }
    }
    if all || kind == "image" {
        match engine.inspect_image(name, images) {
            Err(error) if all && (error.is_absent() || error.is_bad_name()) => {}
            report => return serde_json::to_value(report?).map_err(Error::Encode),
        }
    }
    match engine.inspect_volume(name) {
        Err(error) if all && error.is_absent() => Err(Error::usage(format!("no such object: {name:?}"))),
        report => serde_json::to_value(report?).map_err(Error::Encode),
    }
}
