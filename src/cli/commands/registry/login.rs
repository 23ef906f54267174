//! `sampan login`.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgAction;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::flags::absolute;
use super::super::super::output::prompt;
use super::super::super::switches::any_path;
use crate::config::auth_file::Credentials;
use crate::config::auth_key::AuthKey;
use crate::config::auth_store::AuthTarget;
use crate::engine::images::Access;
use crate::engine::registries::{self, LoginRequest};
use crate::types::boolean::parse_bool;
use crate::types::secret::Secret;

/// Longest password that is read from standard input.
const LONGEST: u64 = 64 << 10;

/// Logs in at a registry, and keeps the credentials.
///
/// They are kept in ~/.config/containers/auth.json, which outlives a reboot and which Podman and Skopeo read, too; or
/// by the credential helper that this file names. REGISTRY can name a namespace or a repository of the registry:
/// r.example.org/team. Without it, the first search registry of registries.conf(5) is meant, or docker.io.
#[derive(Debug, clap::Args)]
pub(crate) struct LoginArgs {
    /// Name of the user.
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// Password. Other users see it in the list of processes: better use --password-stdin.
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<Secret>,
    /// Read the password from standard input.
    #[arg(long, conflicts_with = "password")]
    password_stdin: bool,
    /// Print the name of the user who is logged in.
    #[arg(long)]
    get_login: bool,
    /// File to keep the credentials in.
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    authfile: Option<PathBuf>,
    /// Docker's configuration file to keep the credentials in.
    #[arg(long, value_name = "FILE", conflicts_with = "authfile")]
    compat_auth_file: Option<PathBuf>,
    /// Directory with certificates for the registry: *.crt of authorities, *.cert and *.key of ours.
    #[arg(long, value_name = "DIR", value_parser = any_path())]
    cert_dir: Option<PathBuf>,
    /// Use HTTPS and verify certificates.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool, action = ArgAction::Set)]
    tls_verify: Option<bool>,
    /// Say where the credentials are kept.
    #[arg(short, long)]
    verbose: bool,
    /// The registry.
    #[arg(value_name = "REGISTRY")]
    registry: Option<String>,
}

/// Asks for what is missing, checks it at the registry, keeps it.
pub(crate) fn run(args: LoginArgs, context: &Context) -> Result<ExitCode, Error> {
    let _cores = registries::hide_secrets();
    let request = request(&args, context)?;
    let key = request.key.to_string();
    let current = registries::current(&request)?;
    if args.get_login {
        let user = current.map(|found| found.user().to_owned());
        context.ui.line(user.ok_or(crate::engine::Error::NotLoggedIn(key))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let asks = args.username.is_none() && args.password.is_none() && !args.password_stdin;
    if asks && let Some(current) = &current {
        context.ui.line(format!("Authenticating with existing credentials for {key}"))?;
        match registries::check(&request, current) {
            Ok(()) => {
                context.ui.line(format!("Existing credentials are valid. Already logged in to {key}"))?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) if error.is_wrong_password() => {
                context.ui.note("Existing credentials are invalid, please enter valid username and password");
            }
            Err(error) => return Err(error.into()),
        }
    }
    let credentials = credentials(args.username, args.password, args.password_stdin, current.as_ref(), context)?;
    registries::check(&request, &credentials)?;
    let place = registries::keep(&request, &credentials)?;
    if args.verbose {
        context.ui.line(format!("Used: {place}"))?;
    }
    context.ui.line("Login Succeeded!")?;
    Ok(ExitCode::SUCCESS)
}

fn request(args: &LoginArgs, context: &Context) -> Result<LoginRequest, Error> {
    let registry = match &args.registry {
        Some(registry) => registry.clone(),
        None => registries::default_host()?,
    };
    let access = Access {
        tls_verify: args.tls_verify,
        cert_dir: absolute(context, "--cert-dir", args.cert_dir.as_deref())?,
        ..Access::default()
    };
    let target = target(context, args.authfile.as_ref(), args.compat_auth_file.as_ref())?;
    Ok(LoginRequest { key: AuthKey::parse(&registry)?, target, access })
}

/// The file that the flags of `login` and `logout` name.
pub(super) fn target(
    context: &Context,
    authfile: Option<&PathBuf>,
    docker: Option<&PathBuf>,
) -> Result<AuthTarget, Error> {
    let own = absolute(context, "--authfile", authfile.map(PathBuf::as_path))?.map(AuthTarget::File);
    let docker = absolute(context, "--compat-auth-file", docker.map(PathBuf::as_path))?.map(AuthTarget::Docker);
    Ok(own.or(docker).unwrap_or(AuthTarget::Usual))
}

fn credentials(
    user: Option<String>,
    password: Option<Secret>,
    from_stdin: bool,
    current: Option<&Credentials>,
    context: &Context,
) -> Result<Credentials, Error> {
    let password = if from_stdin {
        if user.is_none() {
            return Err(Error::usage("--password-stdin needs --username"));
        }
        Some(from_standard_input()?)
    } else {
        password
    };
    if (user.is_none() || password.is_none()) && !context.invocation.stdin_is_terminal {
        return Err(Error::usage("there is no terminal to ask for the password: use --username and --password-stdin"));
    }
    let user = match user {
        Some(user) => user,
        None => ask_user(current.map(Credentials::user).filter(|user| !user.is_empty()), context)?,
    };
    if user.is_empty() || user.contains(':') {
        return Err(Error::usage("the name of a user is not empty and holds no ':'"));
    }
    let password = match password {
        Some(password) => password,
        None => prompt::ask_password(context)?,
    };
    Ok(Credentials::Password { user, password })
}

/// Nothing but Enter means the one in brackets.
fn ask_user(current: Option<&str>, context: &Context) -> Result<String, Error> {
    match current {
        Some(current) => context.ui.prompt(&format!("Username ({current}): "))?,
        None => context.ui.prompt("Username: ")?,
    }
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Error::Input)?;
    match answer.trim() {
        "" => Ok(current.unwrap_or_default().to_owned()),
        answer => Ok(answer.to_owned()),
    }
}

/// All of it without its line breaks, as Podman takes it: `echo` puts one at its end, a file may have more.
fn from_standard_input() -> Result<Secret, Error> {
    let mut text = String::new();
    std::io::stdin().lock().take(LONGEST).read_to_string(&mut text).map_err(Error::Input)?;
    let text = Secret::from(text);
    let password = Secret::new(text.expose().lines().collect::<String>());
    if password.is_empty() { Err(Error::usage("standard input holds no password")) } else { Ok(password) }
}
