//! The whole of `run` and `create`: flags and words → [`ContainerSpec`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::containers_conf::ContainersConf;
use crate::types::container_spec::{ContainerSpec, ImageVolume, LogConfig, LogDriver};
use crate::types::namespace::NamespaceMode;
use crate::types::restart::RestartPolicy;
use crate::types::size::{parse_bytes, parse_decimal_bytes};

use super::super::error::Error;
use super::super::flags::{ContainerFlags, CreateFlags, LifeFlags, LogFlags};
use super::given::given;
use super::invalid::{FlagError, unsupported, wrong};
use super::surroundings::{Surroundings, without_dots};
use super::{defaults, environment, health, idmap, mounts, network, resources, security};

/// What the flags come to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lowered {
    pub(crate) spec: ContainerSpec,
    /// Lines that the user should read.
    pub(crate) warnings: Vec<String>,
}

/// Lowers the flags, the image (or the root file system's path) and the command.
pub(crate) fn container_spec(
    flags: &CreateFlags,
    words: &[OsString],
    around: &Surroundings<'_>,
) -> Result<Lowered, Error> {
    lower(flags, words, around).map_err(|error| {
        let without = Surroundings { defaults: &ContainersConf::default(), ..*around };
        // The flags alone are right: the user has to look elsewhere.
        if lower(flags, words, &without).is_ok() { Error::Defaults(Box::new(error)) } else { error }
    })
}

fn lower(flags: &CreateFlags, words: &[OsString], around: &Surroundings<'_>) -> Result<Lowered, Error> {
    let flags = &defaults::filled(given(flags), around);
    let mut warnings = Vec::new();
    let mut spec = ContainerSpec { create_command: around.at.arguments.clone(), ..ContainerSpec::default() };
    process(&flags.container, words, around, &mut spec)?;
    life(&flags.life, around, &mut spec)?;
    spec.log = log(&flags.log, around)?;
    spec.userns = idmap::userns(&flags.security, around)?;
    spec.pid = security::namespace("pid", flags.security.pid.as_deref(), around)?;
    spec.no_shm = flags.security.ipc.as_deref() == Some("none");
    spec.ipc_unshared = flags.security.ipc.as_deref() == Some("private");
    spec.ipc = security::namespace("ipc", flags.security.ipc.as_deref(), around)?;
    spec.uts = security::namespace("uts", flags.security.uts.as_deref(), around)?;
    spec.cgroupns = security::namespace("cgroupns", flags.resources.cgroupns.as_deref(), around)?;
    network::network(&flags.network, around, &mut spec, &mut warnings)?;
    let own_ipc = spec.ipc == NamespaceMode::Private;
    spec.security = security::security(&flags.security, around, own_ipc, spec.network().is_own())?;
    spec.security.read_only = flags.mounts.read_only.unwrap_or(false);
    spec.security.read_only_tmpfs = flags.mounts.read_only_tmpfs.unwrap_or(true);
    spec.mounts = mounts::mounts(&flags.mounts, around)?;
    for text in &flags.mounts.volumes_from {
        spec.volumes_from.push(mounts::volumes_from(text)?);
    }
    spec.image_volume = match flags.mounts.image_volume.as_deref() {
        None | Some("anonymous" | "bind") => ImageVolume::Anonymous,
        Some("tmpfs") => ImageVolume::Tmpfs,
        Some("ignore") => ImageVolume::Ignore,
        Some(text) => return Err(wrong("image-volume", text, "anonymous, tmpfs or ignore").into()),
    };
    let shm_size = flags.mounts.shm_size.as_ref();
    let own_default = around.defaults.containers.shm_size.as_ref().filter(|_| own_ipc);
    if let Some(text) = shm_size.or(own_default) {
        if spec.ipc != NamespaceMode::Private {
            return Err(wrong("shm-size", text, "the container has no /dev/shm of its own").into());
        }
        spec.shm_size = Some(parse_bytes(text).map_err(|error| wrong("shm-size", text, error))?);
    }
    limits(flags, around, &mut spec)?;
    if flags.container.hostname.is_some() && spec.uts != NamespaceMode::Private {
        return Err(FlagError::Conflict("hostname", "uts").into());
    }
    Ok(Lowered { spec, warnings })
}

fn process(
    flags: &ContainerFlags,
    words: &[OsString],
    around: &Surroundings<'_>,
    spec: &mut ContainerSpec,
) -> Result<(), Error> {
    let words = utf8(words)?;
    let (first, command) = words.split_first().ok_or(FlagError::NoImage)?;
    if first.is_empty() {
        return Err(FlagError::NoImage.into());
    }
    if flags.rootfs {
        if first.contains(':') {
            return Err(unsupported("rootfs", first).into());
        }
        spec.rootfs = Some(around.host_path(first.as_ref())?);
    } else {
        spec.image = Some(first.clone());
    }
    spec.command = command.to_vec();
    // As in scripts: an empty text is none.
    let name = flags.name.as_deref().filter(|name| !name.is_empty());
    // Docker's names begin with a slash.
    spec.name = name
        .map(|text| text.strip_prefix('/').unwrap_or(text).parse().map_err(|e| wrong("name", text, e)))
        .transpose()?;
    if flags.replace && spec.name.is_none() {
        return Err(FlagError::Needs { flag: "replace", needs: "name" }.into());
    }
    spec.entrypoint = flags.entrypoint.as_deref().map(entrypoint);
    spec.env = environment::environment(flags, around)?;
    spec.unset_env.clone_from(&flags.unsetenv);
    spec.unset_env_all = flags.unsetenv_all;
    let directory = flags.workdir.as_deref().filter(|path| !path.as_os_str().is_empty());
    spec.workdir = directory.map(workdir).transpose()?;
    spec.user = flags.user.as_deref().map(user).transpose()?;
    spec.group_add.clone_from(&flags.group_add);
    if flags.group_add.iter().any(|group| group == "keep-groups") && flags.group_add.len() > 1 {
        return Err(wrong("group-add", "keep-groups", "it excludes every other group").into());
    }
    spec.interactive = flags.interactive;
    spec.tty = flags.tty;
    spec.hostname = flags.hostname.as_deref().map(network::hostname).transpose()?;
    spec.init = flags.init.unwrap_or(false);
    spec.labels = labels(flags, around)?;
    for text in &flags.annotation {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| wrong("annotation", text, "KEY=VALUE"))?;
        spec.annotations.insert(key.to_owned(), value.to_owned());
    }
    if let Some(text) = &flags.tz {
        let ok = !text.is_empty()
            && !text.starts_with('/')
            && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
        if !ok {
            return Err(wrong("tz", text, "a zone like Europe/Berlin, or local").into());
        }
        spec.timezone = Some(text.clone());
    }
    if let Some(text) = &flags.umask {
        let mask = u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777 && text.len() <= 4);
        spec.umask = Some(mask.ok_or_else(|| wrong("umask", text, "octal, 0000 to 0777"))?);
    }
    Ok(())
}

fn life(flags: &LifeFlags, around: &Surroundings<'_>, spec: &mut ContainerSpec) -> Result<(), Error> {
    spec.remove = flags.rm;
    if let Some(text) = &flags.restart {
        spec.restart = text.parse().map_err(|error| wrong("restart", text, error))?;
        // It goes when it has ended, which these never let it.
        if spec.remove && matches!(spec.restart, RestartPolicy::Always | RestartPolicy::UnlessStopped) {
            return Err(FlagError::Conflict("rm", "restart").into());
        }
    }
    if let Some(text) = &flags.stop_signal {
        spec.stop_signal = Some(text.parse().map_err(|error| wrong("stop-signal", text, error))?);
    }
    if let Some(text) = &flags.stop_timeout {
        // -1 is Podman's word for "wait for ever".
        let seconds = if text == "-1" { Ok(u32::MAX) } else { text.parse::<u32>() };
        spec.stop_timeout = Some(seconds.map_err(|error| wrong("stop-timeout", text, error))?);
    }
    spec.timeout = flags.timeout.filter(|seconds| *seconds > 0);
    health::health(&flags.health, spec)?;
    spec.cidfile = flags.cidfile.as_deref().map(|path| around.host_path(path)).transpose()?;
    spec.pidfile = flags.pidfile.as_deref().map(|path| around.host_path(path)).transpose()?;
    Ok(())
}

fn log(flags: &LogFlags, around: &Surroundings<'_>) -> Result<LogConfig, FlagError> {
    let driver = match flags.log_driver.as_deref() {
        None | Some("" | "k8s-file" | "json-file") => LogDriver::K8sFile,
        Some("none") => LogDriver::None,
        Some(text @ ("journald" | "passthrough" | "passthrough-tty")) => return Err(unsupported("log-driver", text)),
        Some(text) => return Err(wrong("log-driver", text, "k8s-file or none")),
    };
    let mut log = LogConfig { driver, ..LogConfig::default() };
    for text in &flags.log_opt {
        let (key, value) = text.split_once('=').ok_or_else(|| wrong("log-opt", text, "KEY=VALUE"))?;
        match key {
            "path" => log.path = Some(around.host_path(value.as_ref())?),
            "max-size" => {
                let size = parse_decimal_bytes(value).map_err(|error| wrong("log-opt", text, error))?;
                if size == 0 {
                    return Err(wrong("log-opt", text, "a size above 0"));
                }
                log.max_size = size;
            }
            "max-file" => {
                let files = value.parse().ok().filter(|files| *files > 0);
                log.max_files = files.ok_or_else(|| wrong("log-opt", text, "a number above 0"))?;
            }
            "tag" => log.tag = Some(value.to_owned()),
            _ => return Err(wrong("log-opt", text, "path, max-size, max-file or tag")),
        }
    }
    Ok(log)
}

fn limits(flags: &CreateFlags, around: &Surroundings<'_>, spec: &mut ContainerSpec) -> Result<(), Error> {
    let flags = &flags.resources;
    spec.resources = resources::resources(flags)?;
    spec.resources.default_pids_limit = around.defaults.containers.pids_limit;
    for text in &flags.ulimit {
        if text == "host" {
            spec.host_ulimits = true;
            spec.ulimits.clear();
            continue;
        }
        let limit = resources::ulimit(text)?;
        spec.ulimits.retain(|known| known.name != limit.name);
        spec.ulimits.push(limit);
    }
    if let Some(adjustment) = flags.oom_score_adj {
        if !(-1000..=1000).contains(&adjustment) {
            return Err(wrong("oom-score-adj", &adjustment.to_string(), "-1000 to 1000").into());
        }
        spec.oom_score_adj = Some(adjustment);
    }
    if let Some(text) = &flags.cgroups {
        spec.cgroups = resources::cgroups(text)?;
    }
    if let Some(path) = &flags.cgroup_parent {
        let relative = path.strip_prefix("/").unwrap_or(path);
        if relative.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(wrong("cgroup-parent", &path.to_string_lossy(), "a path without dots").into());
        }
        spec.cgroup_parent = Some(path.clone());
    }
    Ok(())
}

/// `--entrypoint`: a JSON array of strings, or one program; the empty text removes the image's.
fn entrypoint(text: &str) -> Vec<String> {
    if text.starts_with('[')
        && let Ok(words) = serde_json::from_str::<Vec<String>>(text)
    {
        return words;
    }
    if text.is_empty() { Vec::new() } else { vec![text.to_owned()] }
}

fn workdir(path: &std::path::Path) -> Result<PathBuf, FlagError> {
    if path.is_absolute() {
        Ok(without_dots(path))
    } else {
        Err(wrong("workdir", &path.to_string_lossy(), "an absolute path"))
    }
}

fn user(text: &str) -> Result<String, FlagError> {
    // A group alone goes with root.
    let whole = if text.starts_with(':') && text.len() > 1 { format!("0{text}") } else { text.to_owned() };
    let bad = text.is_empty() || text.matches(':').count() > 1 || text.contains(|c: char| c.is_control() || c == '/');
    if bad { Err(wrong("user", text, "USER[:GROUP]")) } else { Ok(whole) }
}

fn labels(flags: &ContainerFlags, around: &Surroundings<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut labels = BTreeMap::new();
    let mut add = |text: &str| {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        labels.insert(key.to_owned(), value.to_owned());
        !key.is_empty()
    };
    for path in &flags.label_file {
        for (number, line) in environment::lines("label-file", path, &(around.read)(path)?)? {
            let bad =
                |why| FlagError::Line { flag: "--label-file", path: path.display().to_string(), line: number, why };
            if line.split('=').next().is_some_and(|name| name.contains(char::is_whitespace)) {
                return Err(bad("the name has a blank in it").into());
            }
            if !add(&line) {
                return Err(bad("the name is missing").into());
            }
        }
    }
    for text in &flags.label {
        if !add(text) {
            return Err(wrong("label", text, "KEY[=VALUE]").into());
        }
    }
    Ok(labels)
}

/// Words of the command line as text (case F09).
fn utf8(words: &[OsString]) -> Result<Vec<String>, FlagError> {
    let text =
        |(index, word): (usize, &OsString)| word.to_str().map(str::to_owned).ok_or(FlagError::NotUtf8(index + 1));
    words.iter().enumerate().map(text).collect()
}
