//! The verbs of `sampan container`: the same as at the top, and a few that are only here.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::{
    attach, cp, create, diff, exec, exists, export, inspect, kill, list, logs, mount, pause, port, prune, remove,
    rename, restart, run, start, stop, unpause, wait,
};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Container {
    Attach(attach::AttachArgs),
    Cp(cp::CpArgs),
    Create(Box<create::CreateArgs>),
    Diff(diff::ContainerDiffArgs),
    Exec(exec::ExecArgs),
    Export(export::ExportArgs),
    Exists(exists::ContainerExistsArgs),
    Inspect(inspect::ContainerInspectArgs),
    Kill(kill::KillArgs),
    #[command(visible_aliases = ["ls", "ps"])]
    List(list::PsArgs),
    Logs(logs::LogsArgs),
    Mount(mount::MountArgs),
    Pause(pause::PauseArgs),
    Port(port::PortArgs),
    Prune(prune::ContainerPruneArgs),
    Rename(rename::RenameArgs),
    Restart(restart::RestartArgs),
    Rm(remove::RmArgs),
    Run(Box<run::RunArgs>),
    Start(start::StartArgs),
    Stop(stop::StopArgs),
    #[command(visible_alias = "umount")]
    Unmount(mount::UnmountArgs),
    Unpause(unpause::UnpauseArgs),
    Wait(wait::WaitArgs),
}

/// Runs the verb.
pub(crate) fn dispatch(verb: Container, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        Container::Attach(args) => attach::run(args, context),
        Container::Cp(args) => cp::run(args, context),
        Container::Create(args) => create::run(*args, context),
        Container::Diff(args) => diff::run_container(args, context),
        Container::Exec(args) => exec::run(args, context),
        Container::Export(args) => export::run(args, context),
        Container::Exists(args) => exists::run(args, context),
        Container::Inspect(args) => inspect::run_container(args, context),
        Container::Kill(args) => kill::run(args, context),
        Container::List(args) => list::run(args, context),
        Container::Logs(args) => logs::run(args, context),
        Container::Mount(args) => mount::run(args, context),
        Container::Pause(args) => pause::run(args, context),
        Container::Port(args) => port::run(args, context),
        Container::Prune(args) => prune::run(args, context),
        Container::Rename(args) => rename::run(args, context),
        Container::Restart(args) => restart::run(args, context),
        Container::Rm(args) => remove::run(args, context),
        Container::Run(args) => run::run(*args, context),
        Container::Start(args) => start::run(args, context),
        Container::Stop(args) => stop::run(args, context),
        Container::Unmount(args) => mount::run_unmount(args, context),
        Container::Unpause(args) => unpause::run(args, context),
        Container::Wait(args) => wait::run(args, context),
    }
}
