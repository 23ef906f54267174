//! `sampan exec`.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::user_file;
use crate::engine;
use crate::engine::containers::attach::AttachOptions;
use crate::engine::containers::exec::ExecReport;
use crate::engine::containers::run::StartOptions;
use crate::types::detach_keys::DetachKeys;
use crate::types::exec_spec::ExecSpec;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit;
use super::super::super::lower::{FlagError, variables};
use super::super::super::switches::any_path;
use super::create::Words;

/// Runs another program in a running container.
///
/// Flags end at the container: what follows it is the command and its arguments. The exit code is the program's; 125 if
/// Sampan itself failed, 126 if the command could not be executed, 127 if there is no such command.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true, override_usage = "sampan exec [OPTIONS] CONTAINER COMMAND [ARG...]")]
pub(crate) struct ExecArgs {
    /// File with the id of the container, as --cidfile of run wrote it: then no container is named.
    #[arg(long, value_name = "FILE", conflicts_with = "latest")]
    cidfile: Option<PathBuf>,
    /// Run it in the background and print the id of the session.
    #[arg(short, long)]
    detach: bool,
    /// Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q).
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
    /// Variable of the environment; NAME alone copies the caller's, PRE* every one that begins so.
    #[arg(short, long, value_name = "NAME[=VALUE]", allow_hyphen_values = true)]
    env: Vec<String>,
    /// File of variables, one NAME=VALUE per line.
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Keep stdin open.
    #[arg(short, long)]
    interactive: bool,
    /// The container that was made last: then no container is named.
    #[arg(short, long)]
    latest: bool,
    /// Give the program every capability of the container's user namespace.
    #[arg(long)]
    privileged: bool,
    /// Give the program a terminal.
    #[arg(short, long)]
    tty: bool,
    /// User, by name or number, and group.
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Working directory in the container.
    #[arg(short, long, value_name = "DIR", value_parser = any_path())]
    workdir: Option<PathBuf>,
    #[command(subcommand)]
    words: Option<Words>,
}

/// Runs the program.
pub(crate) fn run(args: ExecArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let mut words = Words::list(args.words);
    let container = if args.latest {
        engine.latest_container()?.ok_or(engine::Error::NoContainers)?
    } else if let Some(path) = &args.cidfile {
        let bytes = user_file::read(path)?;
        let id = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().trim().to_owned();
        engine.find_container(&id)?
    } else if words.is_empty() {
        return Err(Error::usage("name a container and a command"));
    } else {
        let name = words.remove(0);
        engine.find_container(&name.to_string_lossy())?
    };
    let spec = ExecSpec {
        command: command(&words)?,
        env: variables(&args.env, &args.env_file, &context.invocation, &|path| {
            user_file::read(path).map_err(Error::from)
        })?,
        // As in scripts: an empty text is none.
        user: args.user.filter(|user| !user.is_empty() && user != ":"),
        workdir: args.workdir.filter(|path| !path.as_os_str().is_empty()),
        tty: args.tty,
        interactive: args.interactive,
        privileged: args.privileged,
    };
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    context.ui.flush()?;
    let keys = context.detach_keys(args.detach_keys, args.interactive && !args.detach)?;
    let attach = (!args.detach).then(|| AttachOptions {
        stdin: args.interactive.then_some(stdin.as_fd()),
        ends_input: args.interactive,
        keyboard: Some(stdin.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        terminal: args.tty,
        detach_keys: keys,
    });
    match engine.exec(
        &container,
        &spec,
        StartOptions { attach, proxy_signals: true, warn: &|text| context.ui.warn(text) },
    )? {
        ExecReport::Exited { code } => Ok(exit::of_container(code)),
        ExecReport::Detached { id } if args.detach => {
            context.ui.line(id)?;
            Ok(ExitCode::SUCCESS)
        }
        ExecReport::Detached { .. } => Ok(ExitCode::SUCCESS),
        ExecReport::OutputLost { code, errno } => super::attach::lost_output(code, engine::Error::OutputLost { errno }),
        ExecReport::OutputClosed => Ok(ExitCode::from(exit::NOBODY_READS)),
        ExecReport::Lost => Err(Error::ExecLost),
    }
}

fn command(words: &[OsString]) -> Result<Vec<String>, Error> {
    if words.is_empty() {
        return Err(Error::usage("name a command to run"));
    }
    let text = |(index, word): (usize, &OsString)| {
        word.to_str().map(str::to_owned).ok_or(Error::Flag(FlagError::NotUtf8(index + 1)))
    };
    words.iter().enumerate().map(text).collect()
}
