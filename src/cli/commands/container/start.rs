//! `sampan start`.

use std::os::fd::AsFd;
use std::process::ExitCode;

use crate::engine;
use crate::engine::containers::attach::{AttachOptions, AttachOutcome, AttachRequest};
use crate::engine::containers::run::{RunReport, StartOptions};
use crate::types::detach_keys::DetachKeys;
use crate::types::id::ContainerId;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit::Worst;
use super::super::super::flags::SelectionFlags;
use super::attach::exit_code;

/// Starts containers that do not run.
///
/// Those that join namespaces of others are started after these. With --attach there is one container, and the exit code
/// is its own; one that runs already is only attached to.
#[derive(Debug, clap::Args)]
pub(crate) struct StartArgs {
    /// Names or ids of containers.
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
    /// All containers.
    #[arg(long, conflicts_with_all = ["containers", "latest"])]
    all: bool,
    /// The container that was made last.
    #[arg(short, long, conflicts_with = "containers")]
    latest: bool,
    /// Only those that pass: KEY=VALUE, as in ps.
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Attach to output.
    #[arg(short, long)]
    attach: bool,
    /// Attach to input as well, if the container was made with --interactive or --tty.
    #[arg(short, long)]
    interactive: bool,
    /// Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q).
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
    /// Pass signals on to the container (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = crate::types::boolean::parse_bool)]
    sig_proxy: Option<bool>,
}

/// Starts some at a time and goes on after a failure.
pub(crate) fn run(args: StartArgs, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let attach = args.attach || args.interactive;
    if args.containers.is_empty() && args.filter.is_empty() && !args.all && !args.latest {
        return Err(Error::usage("name a container, or use --all, --latest or --filter"));
    }
    let every = args.all;
    let which = SelectionFlags { containers: args.containers, all: args.all, latest: args.latest, cidfile: Vec::new() };
    let selected = engine.select(&which.selection(args.filter, false)?)?;
    if attach {
        let [(_, Ok(id))] = selected.as_slice() else {
            return match selected.into_iter().find_map(|(_, found)| found.err()) {
                Some(error) => Err(error.into()),
                None => Err(Error::usage("--attach: exactly one container")),
            };
        };
        let keys = context.detach_keys(args.detach_keys, args.interactive)?;
        let session = Session { interactive: args.interactive, keys, proxy: args.sig_proxy.unwrap_or(true) };
        return attached(id, session, context);
    }
    let mut worst = Worst::default();
    // One that runs already is no error, as in Podman.
    for (word, started) in engine.start_each(selected.into_iter().map(|(word, found)| (word, found.map(Some)))) {
        match started {
            // Of all containers only those that did not run are worth a line.
            Ok(None) if every => {}
            Ok(started) => {
                started.iter().flat_map(|started| &started.warnings).for_each(|warning| context.ui.warn(warning));
                context.ui.line(word)?;
            }
            Err(error) => worst.report(error),
        }
    }
    Ok(worst.code())
}

struct Session {
    interactive: bool,
    keys: DetachKeys,
    proxy: bool,
}

fn attached(id: &ContainerId, session: Session, context: &Context) -> Result<ExitCode, Error> {
    let engine = context.engine()?;
    let (interactive, terminal) = engine.streams_of(id)?;
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    context.ui.flush()?;
    let attach = || AttachOptions {
        stdin: (session.interactive && (interactive || terminal)).then_some(stdin.as_fd()),
        ends_input: interactive,
        keyboard: Some(stdin.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        terminal,
        detach_keys: session.keys.clone(),
    };
    if engine.runs(id)? {
        let request = AttachRequest { container: Some(id.as_str()), proxy_signals: session.proxy, options: attach() };
        match engine.attach(request) {
            // It has ended since: as if we had come later.
            Err(engine::Error::WrongStatus { .. }) => {}
            attached => return exit_code(attached?),
        }
    }
    let options =
        StartOptions { attach: Some(attach()), proxy_signals: session.proxy, warn: &|text| context.ui.warn(text) };
    match engine.start_with(id, options)? {
        RunReport::Attached(AttachOutcome::Lost) => super::run::end_after_loss(engine, id),
        RunReport::Attached(outcome) => exit_code(outcome),
        RunReport::Detached => Ok(ExitCode::SUCCESS),
    }
}
