//! `sampan completion`.

use std::process::ExitCode;

use clap::ValueEnum;
use clap_complete::Shell;

use super::super::command::command;
use super::super::context::Context;
use super::super::error::Error;

/// Shells that completion is written for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum KnownShell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script that completes commands in a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionArgs {
    /// Shell that the script is for.
    #[arg(value_name = "SHELL")]
    shell: KnownShell,
}

/// Prints the script.
pub(crate) fn run(args: CompletionArgs, context: &Context) -> Result<ExitCode, Error> {
    let shell = match args.shell {
        KnownShell::Bash => Shell::Bash,
        KnownShell::Zsh => Shell::Zsh,
        KnownShell::Fish => Shell::Fish,
    };
    let mut tree = command();
    tree.build();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree, "sampan", &mut script);
    context.ui.write(&script)?;
    Ok(ExitCode::SUCCESS)
}
