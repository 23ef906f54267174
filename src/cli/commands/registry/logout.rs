//! `sampan logout`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::switches::any_path;
use super::login::target;
use crate::config::auth_key::AuthKey;
use crate::config::auth_store::Removal;
use crate::engine::registries;

/// Forgets the credentials for a registry.
///
/// Takes them out of ~/.config/containers/auth.json, out of what `podman login` has written, and out of the credential
/// helper that these files name.
#[derive(Debug, clap::Args)]
pub(crate) struct LogoutArgs {
    /// Forget the credentials for all registries.
    #[arg(short, long, conflicts_with = "registry")]
    all: bool,
    /// File to take the credentials out of.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    authfile: Option<PathBuf>,
    /// Docker's configuration file to take the credentials out of.
    #[arg(long, value_name = "FILE", conflicts_with = "authfile")]
    compat_auth_file: Option<PathBuf>,
    /// The registry.
    #[arg(value_name = "REGISTRY")]
    registry: Option<String>,
}

/// Says what was forgotten.
pub(crate) fn run(args: LogoutArgs, context: &Context) -> Result<ExitCode, Error> {
    let target = target(context, args.authfile.as_ref(), args.compat_auth_file.as_ref())?;
    if args.all {
        registries::forget_all(&target)?;
        context.ui.line("Removed login credentials for all registries")?;
        return Ok(ExitCode::SUCCESS);
    }
    let registry = match args.registry {
        Some(registry) => registry,
        None => registries::default_host()?,
    };
    let key = AuthKey::parse(&registry)?;
    match registries::forget(&target, &key)? {
        Removal::Elsewhere(path) => context.ui.line(format!(
            "Not logged into {key} with Sampan or Podman. {} has credentials for it, which Docker keeps: use docker logout",
            path.display()
        ))?,
        _ => context.ui.line(format!("Removed login credentials for {key}"))?,
    }
    Ok(ExitCode::SUCCESS)
}
