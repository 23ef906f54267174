//! `sampan mount` and `sampan unmount`.

use std::process::ExitCode;

use serde::Serialize;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::mounted::{self, Row, Shape};
use crate::engine;
use crate::engine::mounts::MountedContainer;

/// Mounts the root file system of containers and prints where; without a container, lists those that are mounted.
///
/// Works in the shell of `sampan unshare`, and lasts as long as that. A container that runs is shown as it sees itself,
/// volumes and all.
#[derive(Debug, clap::Args)]
pub(crate) struct MountArgs {
    /// Mount all containers.
    #[arg(short, long, conflicts_with_all = ["containers", "latest"])]
    all: bool,
    /// Form of the output: `json`.
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    format: Option<String>,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "containers")]
    latest: bool,
    /// Print ids in full.
    #[arg(long)]
    no_trunc: bool,
    /// Names or ids of containers.
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Takes mounts of containers away.
#[derive(Debug, clap::Args)]
pub(crate) struct UnmountArgs {
    /// Unmount all containers.
    #[arg(short, long, conflicts_with_all = ["containers", "latest"])]
    all: bool,
    /// Also while it is in use; an unmount here never waits, so that nothing is different.
    #[arg(short, long)]
    force: bool,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "containers")]
    latest: bool,
    /// Names or ids of containers.
    #[arg(value_name = "CONTAINER", required_unless_present_any = ["all", "latest"])]
    containers: Vec<String>,
}

/// Podman's JSON.
#[derive(Debug, Serialize)]
struct Object {
    id: String,
    #[serde(rename = "Names")]
    names: Vec<String>,
    mountpoint: String,
}

/// Mounts, or lists.
pub(crate) fn run(args: MountArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let wanted = if args.all { engine.all_containers()? } else { named(args.containers, args.latest, context)? };
    let mut worst = Worst::default();
    let mounted = if wanted.is_empty() && !args.all {
        engine.mounted_containers()?
    } else {
        mounted::each(&wanted, &mut worst, |word| engine.mount_container(word))
    };
    // As Podman: who mounts gets paths, who asks for what is mounted a table.
    let alone = args.all || !wanted.is_empty();
    let rows = mounted.into_iter().map(|container| Row {
        name: if args.no_trunc { container.id.to_string() } else { container.id.short().to_owned() },
        object: object(&container),
        path: container.path,
    });
    mounted::print(rows.collect(), Shape::of(args.format.as_deref(), alone), context)?;
    Ok(worst.code())
}

fn object(container: &MountedContainer) -> Object {
    Object {
        id: container.id.to_string(),
        names: vec![container.name.clone()],
        mountpoint: container.path.display().to_string(),
    }
}

/// Unmounts.
pub(crate) fn run_unmount(args: UnmountArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let containers = if args.all {
        engine.mounted_containers()?.into_iter().map(|container| container.id.to_string()).collect()
    } else {
        named(args.containers, args.latest, context)?
    };
    let mut worst = Worst::default();
    for container in containers {
        match engine.unmount_container(&container) {
            Ok(name) => context.ui.line(name)?,
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}

fn named(mut containers: Vec<String>, latest: bool, context: &Context) -> Result<Vec<String>, Error> {
    if latest {
        let latest = context.engine()?.latest_container()?.ok_or(engine::Error::NoContainers)?;
        containers.push(latest.to_string());
    }
    Ok(containers)
}
