//! `sampan attach`.

use std::os::fd::AsFd;
use std::process::ExitCode;

use crate::engine;
use crate::engine::containers::attach::{AttachOptions, AttachOutcome, AttachRequest};
use crate::types::detach_keys::DetachKeys;

use super::super::super::context::Context;
use super::super::super::error::{Error, print};
use super::super::super::exit;

/// Joins the streams of a running container.
///
/// The keys Ctrl-P Ctrl-Q leave it running. Ends with the container's exit code when the container ends.
#[derive(Debug, clap::Args)]
pub(crate) struct AttachArgs {
    /// Name or id.
    #[arg(value_name = "CONTAINER", required_unless_present = "latest", conflicts_with = "latest")]
    container: Option<String>,
    /// Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q).
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
    /// The container that was made last.
    #[arg(short, long)]
    latest: bool,
    /// Do not pass input on.
    #[arg(long)]
    no_stdin: bool,
    /// Pass signals on to the container (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", action = clap::ArgAction::Set,
        default_missing_value = "true", value_parser = crate::types::boolean::parse_bool)]
    sig_proxy: bool,
}

/// Attaches, and ends as the container does.
pub(crate) fn run(args: AttachArgs, context: &Context) -> Result<ExitCode, Error> {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    context.ui.flush()?;
    let keys = context.detach_keys(args.detach_keys, !args.no_stdin)?;
    let options = AttachOptions {
        stdin: (!args.no_stdin).then_some(stdin.as_fd()),
        keyboard: Some(stdin.as_fd()),
        stdout: Some(stdout.as_fd()),
        stderr: Some(stderr.as_fd()),
        detach_keys: keys,
        ..AttachOptions::default()
    };
    let request = AttachRequest { container: args.container.as_deref(), proxy_signals: args.sig_proxy, options };
    let outcome = context.engine()?.attach(request)?;
    exit_code(outcome)
}

/// The code of a command that stood for a container.
pub(crate) fn exit_code(outcome: AttachOutcome) -> Result<ExitCode, Error> {
    let code = match outcome {
        AttachOutcome::Exited(report) => exit::of_container(report.code),
        AttachOutcome::OutputLost(report, errno) => lost_output(report.code, engine::Error::OutputLost { errno })?,
        AttachOutcome::Detached => ExitCode::SUCCESS,
        AttachOutcome::OutputClosed => ExitCode::from(exit::NOBODY_READS),
        // The engine has made an error of it.
        AttachOutcome::Lost => ExitCode::from(exit::OURS),
    };
    Ok(code)
}

/// A program that has done well, and whose output is not where it was to go: nobody may take that for a success. The
/// code of one that failed tells more than ours.
pub(super) fn lost_output(code: i32, error: engine::Error) -> Result<ExitCode, Error> {
    let error = Error::Engine(error);
    if code == 0 {
        return Err(error);
    }
    print(&error);
    Ok(exit::of_container(code))
}
