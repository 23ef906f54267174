//! `sampan run`.

use std::os::fd::AsFd;
use std::process::ExitCode;

use crate::engine::Engine;
use crate::engine::containers::attach::{AttachOptions, AttachOutcome};
use crate::engine::containers::run::{RunReport, StartOptions};
use crate::engine::images::RemoveImageRequest;
use crate::types::detach_keys::DetachKeys;
use crate::types::id::ContainerId;
use crate::types::restart::RestartPolicy;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::exit;
use super::super::super::flags::CreateFlags;
use super::attach::exit_code;
use super::create::{Words, prepare};

/// Makes a container, starts it and stays attached to it.
///
/// Flags end at the image: what follows it is the command and its arguments. The exit code is the container's; 125 if
/// Sampan itself failed, 126 if the command could not be executed, 127 if there is no such command.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
#[command(override_usage = "sampan run [OPTIONS] IMAGE [COMMAND [ARG...]]")]
pub(crate) struct RunArgs {
    /// Run it in the background and print its id.
    #[arg(short, long, conflicts_with = "attach")]
    detach: bool,
    /// Attach only to these: stdin, stdout, stderr.
    #[arg(short, long, value_delimiter = ',', value_name = "STREAM", value_parser = stream)]
    attach: Vec<&'static str>,
    /// Keys that detach: characters and ctrl-<character>, separated by commas; empty: none (default ctrl-p,ctrl-q).
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
    /// Remove the container after it has ended (--rm), and then the image if no other container uses it.
    #[arg(long, conflicts_with = "detach")]
    rmi: bool,
    /// Pass signals on to the container (default true).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = crate::types::boolean::parse_bool)]
    sig_proxy: Option<bool>,
    #[command(flatten)]
    flags: CreateFlags,
    #[command(subcommand)]
    words: Option<Words>,
}

fn stream(text: &str) -> Result<&'static str, String> {
    match text.to_ascii_lowercase().as_str() {
        "stdin" => Ok("stdin"),
        "stdout" => Ok("stdout"),
        "stderr" => Ok("stderr"),
        _ => Err("stdin, stdout or stderr".to_owned()),
    }
}

/// Runs the container.
pub(crate) fn run(args: RunArgs, context: &Context) -> Result<ExitCode, Error> {
    // What is wrong with the store shows below, after what is wrong with the flags.
    if let Ok(engine) = context.engine() {
        engine.begin_outer();
    }
    let mut new = prepare(&args.flags, &Words::list(args.words), context)?;
    if args.rmi && new.spec.restart != RestartPolicy::No {
        return Err(Error::usage("--rmi: not together with --restart"));
    }
    new.spec.remove |= args.rmi;
    new.spec.remove_image = args.rmi;
    let image = new.image.as_ref().filter(|_| args.rmi);
    let image = image.map(|found| match &found.name {
        Some(name) => name.to_string(),
        None => found.image.record.id.to_string(),
    });
    let engine = context.engine()?;
    let (interactive, tty) = (new.spec.interactive, new.spec.tty);
    if tty && interactive && !args.detach && !context.invocation.stdin_is_terminal {
        context.ui.warn("The input device is not a TTY. The --tty and --interactive flags might not work properly");
    }
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let wants = |name| args.attach.is_empty() || args.attach.contains(&name);
    context.ui.flush()?;
    let input = interactive && wants("stdin");
    let keys = context.detach_keys(args.detach_keys, input && !args.detach)?;
    let attach = (!args.detach).then(|| AttachOptions {
        stdin: input.then_some(stdin.as_fd()),
        ends_input: interactive,
        keyboard: Some(stdin.as_fd()),
        stdout: wants("stdout").then_some(stdout.as_fd()),
        stderr: wants("stderr").then_some(stderr.as_fd()),
        terminal: tty,
        detach_keys: keys,
    });
    let options =
        StartOptions { attach, proxy_signals: args.sig_proxy.unwrap_or(true), warn: &|text| context.ui.warn(text) };
    let (id, report) = engine.run(new, options)?;
    match report {
        RunReport::Detached => {
            if engine.detached_ends_at_logout() {
                context.ui.warn("the container ends when you log out: keep it by `loginctl enable-linger`");
            }
            context.ui.line(id)?;
            Ok(ExitCode::SUCCESS)
        }
        RunReport::Attached(AttachOutcome::Lost) => {
            context.ui.warn("the connection to the container was lost: its monitor is gone");
            end_after_loss(engine, &id)
        }
        RunReport::Attached(outcome) => {
            if let (Some(image), AttachOutcome::Exited(_) | AttachOutcome::OutputLost(..)) = (image, &outcome) {
                remove_image(image, context)?;
            }
            exit_code(outcome)
        }
    }
}

/// How a container ended whose monitor is gone, if anybody saw it.
pub(super) fn end_after_loss(engine: &Engine, id: &ContainerId) -> Result<ExitCode, Error> {
    let exit = engine.wait_for_exit(id)?;
    match exit.error {
        Some(why) if exit.code < 0 => Err(Error::EndUnknown { why }),
        _ => Ok(exit::of_container(exit.code)),
    }
}

/// `--rmi`: the container is gone; the image goes unless somebody else uses it.
fn remove_image(text: String, context: &Context) -> Result<(), Error> {
    let engine = context.engine()?;
    match engine.remove_image(&RemoveImageRequest { text, ..RemoveImageRequest::default() }) {
        Ok(_) => Ok(engine.sweep_images()?),
        Err(error) if error.is_in_use() || error.is_absent() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
