//! `sampan unshare`.

use std::ffi::OsString;
use std::process::ExitCode;

use super::super::super::context::{Context, Invocation};
use super::super::super::error::Error;
use super::super::super::exit;
use crate::engine::unshare::UnshareRequest;

/// Runs a program in the user namespace of containers, with a mount namespace of its own.
///
/// There you are root, the files of containers belong to whom they belong to inside, and images and containers can be
/// mounted. Without a command, the shell of $SHELL. The program finds CONTAINERS_GRAPHROOT and CONTAINERS_RUNROOT in its
/// environment. Exit code: the program's; 125 ours, 126 it cannot be executed, 127 it is not there.
#[derive(Debug, clap::Args)]
pub(crate) struct UnshareArgs {
    /// Also join the network namespace of rootless networks: refused, as there is none yet.
    #[arg(long, hide = true)]
    rootless_netns: bool,
    /// Program and its arguments.
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Runs it.
pub(crate) fn run(args: UnshareArgs, context: &Context) -> Result<ExitCode, Error> {
    if args.rootless_netns {
        return Err(Error::usage(
            "--rootless-netns is not supported yet: there are no networks that outlive a container",
        ));
    }
    let mut command = args.command;
    if command.is_empty() {
        command.extend(context.invocation.var("SHELL").map(OsString::from));
    }
    let environment = Invocation::environment().collect();
    context.ui.flush()?;
    let code = context.engine()?.unshare(&UnshareRequest { command, environment })?;
    Ok(exit::of_container(code))
}
