//! The command line: global flags, the tree of verbs, dispatch.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use super::commands::{self, container, healthcheck, image, manifest, registry, system, volume};
use super::context::{Context, Invocation};
use super::error::Error;
use super::switches;

/// Runs containers without root and without a daemon.
///
/// Sampan pulls images, runs containers from them and looks after both, as an ordinary user. Its commands, flags,
/// output and exit codes are those of podman(1).
#[derive(Debug, Parser)]
#[command(
    name = "sampan",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    // Of a flag that is given twice the last one counts, as in Podman.
    args_override_self = true
)]
#[command(override_usage = "sampan [OPTIONS] COMMAND", subcommand_value_name = "COMMAND")]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Flags that stand before the verb.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Global {
    /// Directory of images, containers and volumes.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Directory of what can be rebuilt: state of running containers, sockets, locks.
    #[arg(long, value_name = "DIR")]
    pub(crate) runroot: Option<PathBuf>,
    /// How a root file system is put together: overlay, fuse-overlayfs or copy.
    #[arg(long, value_name = "DRIVER")]
    pub(crate) storage_driver: Option<String>,
    /// Option of the store, may be repeated: additionalimagestore=PATH, a store whose images may be used and are never
    /// written; sync=none, images that are stored are left to the kernel's writeback, and a power cut may damage them (default:
    /// sync=filesystem).
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) storage_opt: Vec<String>,
    /// Who makes the cgroups of containers: cgroupfs or systemd. Sampan takes what the host offers (sampan info); another
    /// wish is refused.
    #[arg(long, value_name = "MANAGER", value_parser = ["cgroupfs", "systemd"])]
    pub(crate) cgroup_manager: Option<String>,
    /// Messages on stderr: trace, debug, info, warn, error.
    #[arg(long, value_name = "LEVEL", value_parser = log_level)]
    pub(crate) log_level: Option<LevelFilter>,
}

// Verbs in the order of `sampan --help`. What help says of a verb is the comment of its arguments.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Verb {
    Attach(container::attach::AttachArgs),
    Completion(commands::completion::CompletionArgs),
    Create(Box<container::create::CreateArgs>),
    Cp(container::cp::CpArgs),
    Diff(container::diff::DiffArgs),
    Exec(container::exec::ExecArgs),
    Export(container::export::ExportArgs),
    Gc(system::gc::GcArgs),
    History(image::history::HistoryArgs),
    Images(image::list::ImagesArgs),
    Import(image::import::ImportArgs),
    Info(system::info::InfoArgs),
    Inspect(container::inspect::InspectArgs),
    Kill(container::kill::KillArgs),
    Load(image::load::LoadArgs),
    Login(registry::login::LoginArgs),
    Logout(registry::logout::LogoutArgs),
    Logs(container::logs::LogsArgs),
    Mount(container::mount::MountArgs),
    Pause(container::pause::PauseArgs),
    Port(container::port::PortArgs),
    Ps(container::list::PsArgs),
    Pull(image::pull::PullArgs),
    Push(Box<image::push::PushArgs>),
    Rename(container::rename::RenameArgs),
    Restart(container::restart::RestartArgs),
    Rm(container::remove::RmArgs),
    Rmi(image::remove::RmiArgs),
    Run(Box<container::run::RunArgs>),
    Save(image::save::SaveArgs),
    Search(Box<registry::search::SearchArgs>),
    Start(container::start::StartArgs),
    Stop(container::stop::StopArgs),
    Tag(image::tag::TagArgs),
    #[command(visible_alias = "umount")]
    Unmount(container::mount::UnmountArgs),
    Unpause(container::unpause::UnpauseArgs),
    Unshare(system::unshare::UnshareArgs),
    Untag(image::untag::UntagArgs),
    Version(system::version::VersionArgs),
    Wait(container::wait::WaitArgs),
    /// Looks after containers.
    #[command(subcommand)]
    Container(container::Container),
    /// Looks after the health of containers.
    #[command(subcommand)]
    Healthcheck(healthcheck::Healthcheck),
    /// Looks after images.
    #[command(subcommand)]
    Image(image::Image),
    /// Looks after manifest lists: one name for images of several platforms.
    #[command(subcommand)]
    Manifest(manifest::Manifest),
    /// Looks after Sampan itself.
    #[command(subcommand)]
    System(system::System),
    /// Looks after volumes.
    #[command(subcommand)]
    Volume(volume::Volume),
}

impl Verb {
    fn run(self, context: &Context) -> Result<ExitCode, Error> {
        match self {
            Self::Attach(args) => container::attach::run(args, context),
            Self::Completion(args) => commands::completion::run(args, context),
            Self::Create(args) => container::create::run(*args, context),
            Self::Cp(args) => container::cp::run(args, context),
            Self::Diff(args) => container::diff::run(args, context),
            Self::Exec(args) => container::exec::run(args, context),
            Self::Export(args) => container::export::run(args, context),
            Self::Gc(args) => system::gc::run(&args, context),
            Self::History(args) => image::history::run(args, context),
            Self::Images(args) => image::list::run(args, context),
            Self::Import(args) => image::import::run(args, context),
            Self::Info(args) => system::info::run(args, context),
            Self::Inspect(args) => container::inspect::run(args, context),
            Self::Kill(args) => container::kill::run(args, context),
            Self::Load(args) => image::load::run(args, context),
            Self::Login(args) => registry::login::run(args, context),
            Self::Logout(args) => registry::logout::run(args, context),
            Self::Logs(args) => container::logs::run(args, context),
            Self::Mount(args) => container::mount::run(args, context),
            Self::Pause(args) => container::pause::run(args, context),
            Self::Port(args) => container::port::run(args, context),
            Self::Ps(args) => container::list::run(args, context),
            Self::Pull(args) => image::pull::run(args, context),
            Self::Push(args) => image::push::run(*args, context),
            Self::Rename(args) => container::rename::run(args, context),
            Self::Restart(args) => container::restart::run(args, context),
            Self::Rm(args) => container::remove::run(args, context),
            Self::Rmi(args) => image::remove::run(args, context),
            Self::Run(args) => container::run::run(*args, context),
            Self::Save(args) => image::save::run(args, context),
            Self::Search(args) => registry::search::run(*args, context),
            Self::Start(args) => container::start::run(args, context),
            Self::Stop(args) => container::stop::run(args, context),
            Self::Tag(args) => image::tag::run(args, context),
            Self::Unmount(args) => container::mount::run_unmount(args, context),
            Self::Unpause(args) => container::unpause::run(args, context),
            Self::Unshare(args) => system::unshare::run(args, context),
            Self::Untag(args) => image::untag::run(args, context),
            Self::Version(args) => system::version::run(args, context),
            Self::Wait(args) => container::wait::run(args, context),
            Self::Container(verb) => container::dispatch(verb, context),
            Self::Healthcheck(verb) => healthcheck::dispatch(verb, context),
            Self::Image(verb) => image::run(verb, context),
            Self::Manifest(verb) => manifest::dispatch(verb, context),
            Self::System(verb) => system::run(verb, context),
            Self::Volume(verb) => volume::dispatch(verb, context),
        }
    }
}

/// The whole tree, for man pages and completions. Call `build()` on it: subcommands are made on demand.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// The role of an ordinary command line.
pub(crate) fn main() -> ExitCode {
    let cli = match parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => return super::misuse::print(&error),
    };
    let invocation = Invocation::read();
    start_log(cli.global.log_level.or_else(|| invocation.var("RUST_LOG").and_then(|level| log_level(level).ok())));
    let context = Context::new(invocation, cli.global);
    let result = cli.verb.run(&context).and_then(|code| context.ui.flush().map(|()| code));
    result.unwrap_or_else(|error| {
        // What was written before the error comes before it; if that fails too, the first error is the one to tell.
        drop(context.ui.flush());
        super::error::print(&error);
        error.exit_code()
    })
}

/// Parses; what clap alone refuses, of a flag with a boolean value or of a value that looks like a flag, is settled first.
/// That needs the whole tree, which is not made where nobody writes so.
pub(super) fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let arguments = in_long_words(arguments);
    match Cli::try_parse_from(&arguments) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::TooManyValues | ErrorKind::UnknownArgument | ErrorKind::InvalidValue
            ) =>
        {
            let mut whole = command();
            whole.build();
            let settled = switches::settled(&whole, &arguments);
            Cli::try_parse_from(&settled).map_err(|error| in_full(error, &settled))
        }
        other => other.map_err(|error| in_full(error, &arguments)),
    }
}

/// `help [VERB…]` and `-v`, as other programs of this kind have them.
fn in_long_words(mut arguments: Vec<OsString>) -> Vec<OsString> {
    match arguments.get(1).and_then(|word| word.to_str()) {
        Some("help") => {
            arguments.remove(1);
            arguments.push("--help".into());
        }
        Some("-v") => arguments[1] = "--version".into(),
        _ => {}
    }
    arguments
}

/// Help once more, now that every verb is made: the lists of verbs are to say what each is good for.
fn in_full(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        return error;
    }
    let mut whole = command();
    whole.build();
    whole.try_get_matches_from(arguments).err().unwrap_or(error)
}

/// Podman's levels (logrus); those that Sampan does not tell apart are joined.
fn log_level(text: &str) -> Result<LevelFilter, String> {
    match text.to_ascii_lowercase().as_str() {
        "trace" => Ok(LevelFilter::TRACE),
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "error" | "fatal" | "panic" => Ok(LevelFilter::ERROR),
        _ => Err("trace, debug, info, warn or error".to_owned()),
    }
}

fn start_log(level: Option<LevelFilter>) {
    let level = level.unwrap_or(LevelFilter::WARN);
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // Fails only if a subscriber is there already: then that one stays.
    drop(log.with_ansi(false).try_init());
}

#[cfg(test)]
mod tests {
    use super::{command, parse};

    fn words(line: &str) -> Vec<std::ffi::OsString> {
        line.split(' ').map(Into::into).collect()
    }

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn help_says_what_each_verb_is_good_for() {
        for line in [
            "sampan",
            "sampan --help",
            "sampan help",
            "sampan container --help",
            "sampan help container",
            "sampan image -h",
        ] {
            let help = parse(words(line)).expect_err(line).render().to_string();
            let verbs =
                help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
            let bare: Vec<&str> = verbs.filter(|line| line.split_whitespace().count() < 3).collect();
            assert!(help.contains("Commands:") && bare.is_empty(), "{line}: {bare:?}");
        }
    }

    #[test]
    fn short_words_for_help_and_version() {
        let text = |line| parse(words(line)).expect_err(line).render().to_string();
        assert_eq!(text("sampan help run"), text("sampan run --help"));
        assert_eq!(text("sampan -v"), text("sampan --version"));
    }

    #[test]
    fn go_flags_take_a_value() {
        for good in ["sampan system check --repair=true", "sampan system check --repair=false"] {
            if command().find_subcommand("system").is_some_and(|system| system.find_subcommand("check").is_some()) {
                parse(words(good)).expect(good);
            }
        }
        assert!(parse(words("sampan --nope version")).is_err());
        for (line, privileged) in [
            ("sampan exec --privileged --privileged c true", true),
            ("sampan exec --privileged --privileged=false c true", false),
            ("sampan exec --privileged=true --privileged=0 c true", false),
            ("sampan exec --privileged=false --privileged c true", true),
            ("sampan exec --privileged=false c true --privileged", false),
        ] {
            let told = format!("{:?}", parse(words(line)).expect(line));
            assert!(told.contains(&format!("privileged: {privileged}")), "{line}: {told}");
        }
        for line in ["sampan ps --format -{{.ID}} -a", "sampan ps -a --format=-{{.ID}}"] {
            let told = format!("{:?}", parse(words(line)).expect(line));
            assert!(told.contains("Some(\"-{{.ID}}\")") && told.contains("all: true"), "{line}: {told}");
        }
        for (line, value) in [
            ("sampan import -m -note a.tar", "\"-note\""),
            ("sampan run --rm --label -a=b x", "\"-a=b\""),
            ("sampan run --rm --label -- x", "\"--\""),
            ("sampan run -iw --rm x", "\"--rm\""),
        ] {
            let told = format!("{:?}", parse(words(line)).expect(line));
            assert!(told.contains(value), "{line}: {told}");
        }
        assert!(parse(words("sampan ps --format")).is_err());
        let told = format!("{:?}", parse(words("sampan exec -w /a -e A=1 -w /b -e B=2 c true")).expect("parses"));
        assert!(told.contains("workdir: Some(\"/b\")") && told.contains("env: [\"A=1\", \"B=2\"]"), "{told}");
    }
}
