//! What every verb gets: the caller's surroundings, the global flags, the terminal.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::config::Roots;
use crate::config::containers_conf::ContainersConf;
use crate::engine::unshare;
use crate::engine::{Engine, EngineConfig, StorageDriver, SyncPolicy};
use crate::types::detach_keys::{DetachKeys, InvalidDetachKeys};
use crate::types::progress::Progress;

use super::command::Global;
use super::error::Error;
use super::lower::FlagError;
use super::output::progress::{Bars, Quiet};
use super::output::ui::Ui;

/// The caller's surroundings, read once. Everything that depends on them takes this as an argument.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invocation {
    /// Working directory, absolute; none if it was removed.
    pub(crate) cwd: Option<PathBuf>,
    /// Variables whose name and value are UTF-8.
    pub(crate) env: BTreeMap<String, String>,
    /// Names of those whose value alone is not.
    pub(crate) env_not_utf8: BTreeSet<String>,
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
    /// The command line, for `inspect`.
    pub(crate) arguments: Vec<String>,
}

impl Invocation {
    /// Reads directory, environment and terminals of this process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub(crate) fn read() -> Self {
        let (mut env, mut env_not_utf8) = (BTreeMap::new(), BTreeSet::new());
        for (name, value) in Self::environment() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(env.insert(name, value)),
                (Ok(name), Err(_)) => drop(env_not_utf8.insert(name)),
                (Err(_), _) => {}
            }
        }
        Self {
            cwd: std::env::current_dir().ok(),
            env,
            env_not_utf8,
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            arguments: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        }
    }

    /// All variables, for a program that gets them as they are.
    #[expect(clippy::disallowed_methods, reason = "as above")]
    pub(crate) fn environment() -> impl Iterator<Item = (OsString, OsString)> {
        std::env::vars_os()
    }

    /// A variable that is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `path` as an absolute path, without looking at the file system.
    pub(crate) fn absolute(&self, path: &Path) -> Option<PathBuf> {
        if path.is_absolute() { Some(path.to_owned()) } else { Some(self.cwd.as_ref()?.join(path)) }
    }
}

/// What a verb works with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) invocation: Invocation,
    pub(crate) global: Global,
    pub(crate) ui: Ui,
    engine: OnceCell<Engine>,
    defaults: OnceCell<ContainersConf>,
}

impl Context {
    pub(crate) fn new(invocation: Invocation, global: Global) -> Self {
        let ui = Ui::new(&invocation);
        Self { invocation, global, ui, engine: OnceCell::new(), defaults: OnceCell::new() }
    }

    /// What containers.conf(5) sets, read at the first call.
    pub(crate) fn defaults(&self) -> Result<&ContainersConf, Error> {
        if let Some(defaults) = self.defaults.get() {
            return Ok(defaults);
        }
        let defaults = ContainersConf::load()?;
        Ok(self.defaults.get_or_init(|| defaults))
    }

    /// The keys that detach: the flag's, or the configuration's, which is not read where nobody types. `input`: our standard
    /// input is passed on.
    pub(crate) fn detach_keys(&self, flag: Option<DetachKeys>, input: bool) -> Result<DetachKeys, Error> {
        if let Some(keys) = flag {
            return Ok(keys);
        }
        if !input || !self.invocation.stdin_is_terminal {
            return Ok(DetachKeys::default());
        }
        let wrong = |error: InvalidDetachKeys| Error::Defaults(Box::new(Error::usage(error.to_string())));
        self.defaults()?
            .engine
            .detach_keys
            .as_ref()
            .map_or_else(|| Ok(DetachKeys::default()), |text| text.parse().map_err(wrong))
    }

    /// The engine, opened at the first call: `--help` and `version` need no store.
    pub(crate) fn engine(&self) -> Result<&Engine, Error> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        if let Some(wanted) = &self.global.cgroup_manager {
            let ours = crate::engine::info::cgroup_manager();
            // Where nothing is delegated there are no cgroups to manage: that is what cgroupfs means there, too.
            if ours != wanted && (ours, wanted.as_str()) != ("none", "cgroupfs") {
                return Err(Error::usage(format!("--cgroup-manager={wanted}: here it is {ours} (sampan info)")));
            }
        }
        let engine = Engine::open(self.engine_config()?)?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// Flags win over the environment.
    fn engine_config(&self) -> Result<EngineConfig, Error> {
        let absolute = |path: &Option<PathBuf>| match path {
            Some(path) => {
                let gone = || FlagError::NoDirectory(path.to_string_lossy().into_owned());
                self.invocation.absolute(path).ok_or_else(gone).map(Some)
            }
            None => Ok(None),
        };
        // In `sampan unshare` the store is that of the shell around us.
        let in_unshare = self.invocation.var(unshare::CONFIGURED) == Some("done");
        let told = |name: &str| self.invocation.var(name).filter(|_| in_unshare).map(PathBuf::from);
        let root = absolute(&self.global.root)?.or_else(|| told("CONTAINERS_GRAPHROOT"));
        let runroot = absolute(&self.global.runroot)?.or_else(|| told("CONTAINERS_RUNROOT"));
        let roots = Roots::find(root, runroot)?;
        let driver = self.global.storage_driver.as_deref().or_else(|| self.invocation.var("STORAGE_DRIVER"));
        let (additional_stores, sync) = self.storage_options()?;
        Ok(EngineConfig {
            graphroot: roots.graphroot,
            runroot: roots.runroot,
            runroot_given: roots.runroot_given,
            in_unshare,
            additional_stores,
            sync,
            storage_driver: driver.map(storage_driver).transpose()?,
            path: self.invocation.var("PATH").unwrap_or(DEFAULT_PATH).to_owned(),
        })
    }

    /// `--storage-opt`, with or without a driver's name before the key; `SAMPAN_STORAGE_OPTS` has them separated by commas.
    fn storage_options(&self) -> Result<(Vec<PathBuf>, SyncPolicy), Error> {
        let told = self
            .invocation
            .var("SAMPAN_STORAGE_OPTS")
            .unwrap_or_default()
            .split(',')
            .filter(|option| !option.is_empty());
        let flags = self.global.storage_opt.iter().map(String::as_str);
        let options: Vec<&str> = if self.global.storage_opt.is_empty() { told.collect() } else { flags.collect() };
        let (mut stores, mut sync) = (Vec::new(), SyncPolicy::default());
        for option in options {
            let invalid =
                |why: &str| FlagError::Value { flag: "storage-opt", value: option.to_owned(), why: why.to_owned() };
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            match (key.rsplit_once('.').map_or(key, |(_, key)| key), value) {
                ("additionalimagestore", path) if Path::new(path).is_absolute() => stores.push(path.into()),
                ("additionalimagestore", _) => return Err(invalid("the path must be absolute").into()),
                ("sync", "filesystem") => sync = SyncPolicy::Filesystem,
                ("sync", "none") => sync = SyncPolicy::None,
                ("sync", _) => return Err(invalid("filesystem or none").into()),
                _ => return Err(invalid("there are additionalimagestore=PATH and sync=filesystem|none").into()),
            }
        }
        Ok((stores, sync))
    }

    /// Bars when stderr is a terminal, plain lines otherwise, nothing with `quiet`.
    pub(crate) fn progress(&self, quiet: bool) -> Box<dyn Progress> {
        let bars = Bars::new(self.ui.is_live());
        if quiet { Box::new(Quiet(bars)) } else { Box::new(bars) }
    }

    /// Prints an error and its hint, and goes on: for verbs that work on several objects.
    pub(crate) fn report(&self, error: &Error) {
        super::error::print(error);
    }
}

/// Where helper programs are looked for if the caller has no PATH.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn storage_driver(name: &str) -> Result<StorageDriver, FlagError> {
    match name {
        "overlay" => Ok(StorageDriver::Overlay),
        "fuse-overlayfs" => Ok(StorageDriver::FuseOverlayfs),
        // Podman's driver that copies.
        "copy" | "vfs" => Ok(StorageDriver::Copy),
        _ => Err(FlagError::Value {
            flag: "storage-driver",
            value: name.to_owned(),
            why: "overlay, fuse-overlayfs or copy".to_owned(),
        }),
    }
}
