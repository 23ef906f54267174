//! `sampan create`, and what it shares with `run`: flags → specification and image.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Subcommand;

use crate::config::user_file;
use crate::engine::Engine;
use crate::engine::containers::run::NewContainer;
use crate::engine::images::PullRequest;
use crate::types::pull_policy::{InvalidPullPolicy, PullPolicy};

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::CreateFlags;
use super::super::super::lower::{Surroundings, container_spec};

/// Makes a container without starting it, and prints its id.
///
/// Flags end at the image: what follows it is the command and its arguments.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_help_subcommand = true)]
#[command(override_usage = "sampan create [OPTIONS] IMAGE [COMMAND [ARG...]]")]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    flags: CreateFlags,
    #[command(subcommand)]
    words: Option<Words>,
}

/// Everything from the first word that is no flag on: clap reads no flags there.
#[derive(Debug, Subcommand)]
pub(crate) enum Words {
    #[command(external_subcommand)]
    Given(Vec<OsString>),
}

impl Words {
    pub(crate) fn list(words: Option<Self>) -> Vec<OsString> {
        words.map_or_else(Vec::new, |Self::Given(words)| words)
    }
}

/// Makes the container.
pub(crate) fn run(args: CreateArgs, context: &Context) -> Result<ExitCode, Error> {
    let new = prepare(&args.flags, &Words::list(args.words), context)?;
    let id = context.engine()?.create_container(new)?;
    context.ui.line(id)?;
    Ok(ExitCode::SUCCESS)
}

/// Lowers the flags, makes room for the name (`--replace`) and sees to it that the image is here.
pub(super) fn prepare(flags: &CreateFlags, words: &[OsString], context: &Context) -> Result<NewContainer, Error> {
    let around = Surroundings {
        at: &context.invocation,
        defaults: context.defaults()?,
        read: &|path| user_file::read(path).map_err(Error::from),
        container: &|word| Ok(context.engine()?.find_container(word)?),
        outer: &|| Ok(context.engine()?.wish()?.maps.clone()),
        fresh_volume: &Engine::fresh_volume_name,
    };
    let lowered = container_spec(flags, words, &around)?;
    for warning in &lowered.warnings {
        context.ui.warn(warning);
    }
    let engine = context.engine()?;
    let image = match &lowered.spec.image {
        None => None,
        Some(name) => {
            let policy: PullPolicy =
                flags.pull.pull.parse().map_err(|error: InvalidPullPolicy| Error::usage(error.to_string()))?;
            let request = PullRequest {
                name: name.clone(),
                policy,
                platform: flags.pull.platform.platform()?,
                access: flags.pull.access.access(context)?,
            };
            let progress = context.progress(flags.pull.quiet);
            Some(engine.resolve_image(&request, progress.as_ref())?)
        }
    };
    Ok(NewContainer { spec: lowered.spec, image, replace: flags.container.replace })
}
