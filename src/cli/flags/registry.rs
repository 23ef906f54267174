//! Flags of the verbs that talk to registries.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgAction;

use super::super::context::Context;
use super::super::error::Error;
use super::super::output::prompt;
use super::super::switches::any_path;
use crate::config::auth_file::Credentials;
use crate::engine::images::{Access, Retry};
use crate::types::boolean::parse_bool;
use crate::types::duration::parse_duration;
use crate::types::platform::Platform;
use crate::types::secret::Secret;

/// Which of the platforms of an image.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PlatformFlags {
    /// Operating system, architecture and variant of the image.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<String>,
    /// Operating system of the image.
    #[arg(long, alias = "override-os", value_name = "OS", conflicts_with = "platform")]
    pub(crate) os: Option<String>,
    /// Architecture of the image.
    #[arg(long, alias = "override-arch", value_name = "ARCH", conflicts_with = "platform")]
    pub(crate) arch: Option<String>,
    /// Variant of the architecture, for example v7.
    #[arg(long, alias = "override-variant", value_name = "VARIANT", conflicts_with = "platform")]
    pub(crate) variant: Option<String>,
}

/// How to reach and to convince the registry.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct AccessFlags {
    /// File with credentials for registries.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    pub(crate) authfile: Option<PathBuf>,
    /// Credentials for the registry.
    #[arg(long, value_name = "USER[:PASSWORD]")]
    pub(crate) creds: Option<Secret>,
    /// Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours.
    #[arg(long, value_name = "DIR", value_parser = any_path())]
    pub(crate) cert_dir: Option<PathBuf>,
    /// Use HTTPS and verify certificates.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set)]
    pub(crate) tls_verify: Option<bool>,
    /// How often a failed request is made again.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) retry: u32,
    /// Delay before each new try; doubling from one second on if not given.
    #[arg(long, value_name = "DURATION", value_parser = delay)]
    pub(crate) retry_delay: Option<Duration>,
    /// Trust policy file instead of containers-policy.json(5)'s.
    #[arg(long, value_name = "FILE", hide = true, value_parser = any_path())]
    pub(crate) signature_policy: Option<PathBuf>,
}

fn delay(text: &str) -> Result<Duration, String> {
    // Podman takes plain seconds, too.
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.map_or_else(|| parse_duration(text).map_err(|error| error.to_string()), Ok)
}

impl PlatformFlags {
    /// None if nothing was asked for.
    pub(crate) fn platform(&self) -> Result<Option<Platform>, Error> {
        // As in scripts: an empty text is none.
        let given = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        let (os, architecture, variant) = (given(&self.os), given(&self.arch), given(&self.variant));
        if let Some(text) = given(&self.platform) {
            return text
                .parse()
                .map(Some)
                .map_err(|error: crate::types::platform::InvalidPlatform| Error::usage(error.to_string()));
        }
        if os.is_none() && architecture.is_none() && variant.is_none() {
            return Ok(None);
        }
        let host = Platform::host();
        let (os, architecture) = (os.unwrap_or(host.os), architecture.unwrap_or(host.architecture));
        Ok(Some(Platform::new(&os, &architecture, variant.as_deref())))
    }
}

impl AccessFlags {
    /// The same in the engine's words.
    pub(crate) fn access(&self, context: &Context) -> Result<Access, Error> {
        let credentials = self
            .creds
            .as_ref()
            .filter(|text| !text.expose().is_empty())
            .map(|text| credentials(text, context))
            .transpose()?;
        let auth_file = absolute(context, "--authfile", self.authfile.as_deref())?;
        let cert_dir = absolute(context, "--cert-dir", self.cert_dir.as_deref())?;
        let retry = Retry { count: self.retry, delay: self.retry_delay };
        let signature_policy = absolute(context, "--signature-policy", self.signature_policy.as_deref())?;
        Ok(Access { tls_verify: self.tls_verify, credentials, auth_file, cert_dir, retry, signature_policy })
    }
}

/// What `--creds` says. As Podman, a terminal is asked for a password that is not there; `USER:` says that there is none.
pub(crate) fn credentials(text: &Secret, context: &Context) -> Result<Credentials, Error> {
    let given = Credentials::from_flag(text.expose());
    let given = given.ok_or_else(|| Error::usage("--creds: USER[:PASSWORD] without a user"))?;
    if text.expose().contains(':') || !context.invocation.stdin_is_terminal {
        return Ok(given);
    }
    Ok(Credentials::Password { user: given.user().to_owned(), password: prompt::ask_password(context)? })
}

/// A path of the command line as an absolute one; an empty one is none.
pub(crate) fn absolute(context: &Context, flag: &str, path: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    let gone = || Error::usage(format!("{flag}: the working directory is gone"));
    path.filter(|path| !path.as_os_str().is_empty())
        .map(|path| context.invocation.absolute(path).ok_or_else(gone))
        .transpose()
}
