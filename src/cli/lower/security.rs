//! `--security-opt`, `--cap-*`, `--device`, `--sysctl`, and the small namespaces.

use std::path::{Path, PathBuf};

use crate::types::boolean::parse_bool;
use crate::types::capability::{CapSet, Capability};
use crate::types::namespace::NamespaceMode;
use crate::types::security::{DeviceSpec, IPC_SYSCTLS, SeccompMode, Security, Unmask};

use super::super::error::Error;
use super::super::flags::SecurityFlags;
use super::invalid::{FlagError, unsupported, wrong};
use super::surroundings::{Surroundings, without_dots};

/// Podman's own default, which distributions write out; ours covers every group (docs/podman-differences.md).
const PODMAN_PING_RANGE: &str = "net.ipv4.ping_group_range=0 0";

/// What the flags say of privileges; `own_ipc` and `own_net` tell which parameters the container may set.
pub(super) fn security(
    flags: &SecurityFlags,
    around: &Surroundings<'_>,
    own_ipc: bool,
    own_net: bool,
) -> Result<Security, Error> {
    let mut security = Security {
        privileged: flags.privileged,
        cap_add: capabilities("cap-add", &flags.cap_add)?,
        cap_drop: capabilities("cap-drop", &flags.cap_drop)?,
        read_only_tmpfs: true,
        ..Security::default()
    };
    for text in &flags.security_opt {
        option(text, &mut security, around)?;
    }
    let defaults = &around.defaults.containers;
    if let Some(names) = &defaults.default_capabilities {
        let names = capabilities("cap-add", names)?;
        let set: Vec<Capability> = names.iter().filter_map(|name| name.parse().ok()).collect();
        // Distributions write the usual set out: of that every record would tell.
        let usual = set.len() == names.len() && CapSet::of(&set) == CapSet::DEFAULT;
        security.cap_default = (!usual).then_some(names);
    }
    let profile = defaults.seccomp_profile.as_ref().filter(|profile| !profile.is_empty() && !flags.privileged);
    if let (SeccompMode::Default, Some(profile)) = (&security.seccomp, profile) {
        option(&format!("seccomp={profile}"), &mut security, around)?;
    }
    for text in &flags.device {
        let device = device(text)?;
        // Of two in one place the later counts.
        security.devices.retain(|known| known.container != device.container);
        security.devices.push(device);
    }
    let owns = |namespace| match namespace {
        Namespace::Ipc => own_ipc,
        Namespace::Network => own_net,
    };
    let sysctls = defaults.default_sysctls.iter().flatten();
    for text in sysctls.filter(|text| *text != PODMAN_PING_RANGE) {
        let sysctl = sysctl(text)?;
        if owns(sysctl.namespace) {
            security.sysctl.insert(sysctl.key, sysctl.value);
        }
    }
    for text in &flags.sysctl {
        let sysctl = sysctl(text)?;
        if !owns(sysctl.namespace) {
            let name = sysctl.namespace.name();
            return Err(wrong("sysctl", text, format!("it needs {name} namespace of the container's own")).into());
        }
        security.sysctl.insert(sysctl.key, sysctl.value);
    }
    Ok(security)
}

fn capabilities(flag: &'static str, names: &[String]) -> Result<Vec<String>, FlagError> {
    let check = |text: &String| {
        let known = text.eq_ignore_ascii_case("all") || text.parse::<Capability>().is_ok();
        if known { Ok(text.clone()) } else { Err(wrong(flag, text, "there is no such capability")) }
    };
    names.iter().map(check).collect()
}

fn option(text: &str, security: &mut Security, around: &Surroundings<'_>) -> Result<(), FlagError> {
    // Docker's older form has a colon.
    let (key, value) = match text.split_once(['=', ':']) {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    };
    let paths = |value: &str| -> Result<Vec<PathBuf>, FlagError> {
        let path = |path: &str| match Path::new(path) {
            path if path.is_absolute() => Ok(without_dots(path)),
            _ => Err(wrong("security-opt", text, "paths are absolute, with : between")),
        };
        value.split(':').filter(|part| !part.is_empty()).map(path).collect()
    };
    match (key, value) {
        ("no-new-privileges", None) => security.no_new_privileges = true,
        ("no-new-privileges", Some(value)) => {
            security.no_new_privileges = parse_bool(value).map_err(|why| wrong("security-opt", text, why))?;
        }
        ("seccomp", Some("unconfined")) => security.seccomp = SeccompMode::Unconfined,
        ("seccomp", Some(path)) if !path.is_empty() => {
            security.seccomp = SeccompMode::File(around.host_path(path.as_ref())?);
        }
        ("mask", Some(value)) => security.mask.extend(paths(value)?),
        ("unmask", Some(value)) if value.eq_ignore_ascii_case("all") => security.unmask = Unmask::All,
        ("systempaths", Some("unconfined")) => security.unmask = Unmask::All,
        ("unmask", Some(value)) => {
            let more = paths(value)?.into_iter().map(|path| path.to_string_lossy().into_owned());
            match &mut security.unmask {
                Unmask::All => {}
                Unmask::Paths(known) => known.extend(more),
                Unmask::None => security.unmask = Unmask::Paths(more.collect()),
            }
        }
        ("apparmor", Some("unconfined")) => security.apparmor = Some("unconfined".to_owned()),
        ("apparmor", Some(profile)) if !profile.is_empty() => return Err(unsupported("security-opt", text)),
        ("label", Some(label)) if is_label(label) => security.label.push(label.to_owned()),
        ("label", _) => {
            let why = "label=disable, nested, user:, role:, type:, level: or filetype: with a value";
            return Err(wrong("security-opt", text, why));
        }
        ("proc-opts", Some(options)) => security.proc_opts.extend(options.split(',').map(str::to_owned)),
        _ => {
            let why = "seccomp=, no-new-privileges, mask=, unmask=, proc-opts=, apparmor=, label= or systempaths=";
            return Err(wrong("security-opt", text, why));
        }
    }
    Ok(())
}

/// Words of SELinux's that Podman knows. Nothing here is labelled (docs/podman-differences.md).
fn is_label(text: &str) -> bool {
    match text.split_once(':') {
        None => matches!(text, "disable" | "nested"),
        Some((key, value)) => matches!(key, "user" | "role" | "type" | "level" | "filetype") && !value.is_empty(),
    }
}

/// `HOST[:CONTAINER][:rwm]`.
fn device(text: &str) -> Result<DeviceSpec, FlagError> {
    if !text.starts_with('/') {
        // A name of the container device interface, `vendor.com/class=name`.
        return Err(if text.contains('=') {
            unsupported("device", text)
        } else {
            wrong("device", text, "an absolute path")
        });
    }
    let is_access = |text: &str| !text.is_empty() && text.len() <= 3 && text.chars().all(|c| "rwm".contains(c));
    let parts: Vec<&str> = text.split(':').collect();
    let (host, container, access) = match parts.as_slice() {
        [host] => (*host, *host, "rwm"),
        [host, access] if is_access(access) => (*host, *host, *access),
        [host, container] => (*host, *container, "rwm"),
        [host, container, access] if is_access(access) => (*host, *container, *access),
        _ => return Err(wrong("device", text, "HOST[:CONTAINER][:rwm]")),
    };
    if !container.starts_with('/') {
        return Err(wrong("device", text, "the path in the container is absolute"));
    }
    Ok(DeviceSpec {
        host: without_dots(host.as_ref()),
        container: without_dots(container.as_ref()),
        access: access.to_owned(),
    })
}

/// The namespace that a parameter of the kernel belongs to.
#[derive(Clone, Copy)]
enum Namespace {
    Ipc,
    Network,
}

impl Namespace {
    fn name(self) -> &'static str {
        match self {
            Self::Ipc => "an ipc",
            Self::Network => "a network",
        }
    }
}

struct Sysctl {
    key: String,
    value: String,
    namespace: Namespace,
}

fn sysctl(text: &str) -> Result<Sysctl, FlagError> {
    let (key, value) = text.split_once('=').ok_or_else(|| wrong("sysctl", text, "NAME=VALUE"))?;
    if key.contains(|c: char| c.is_whitespace() || c == '/') || key.split('.').any(str::is_empty) {
        return Err(wrong("sysctl", text, "NAME=VALUE, dots between the parts of the name"));
    }
    let namespace = if IPC_SYSCTLS.contains(&key) || key.starts_with("fs.mqueue.") {
        Namespace::Ipc
    } else if key.starts_with("net.") {
        Namespace::Network
    } else {
        return Err(wrong("sysctl", text, "it belongs to the host, not to a namespace"));
    };
    Ok(Sysctl { key: key.to_owned(), value: value.to_owned(), namespace })
}

/// `--pid`, `--ipc`, `--uts`, `--cgroupns`.
pub(super) fn namespace(
    flag: &'static str,
    text: Option<&str>,
    around: &Surroundings<'_>,
) -> Result<NamespaceMode, Error> {
    let Some(text) = text else { return Ok(NamespaceMode::Private) };
    let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
    match (kind, rest) {
        ("" | "private", None) => Ok(NamespaceMode::Private),
        ("shareable" | "none", None) if flag == "ipc" => Ok(NamespaceMode::Private),
        ("host", None) => Ok(NamespaceMode::Host),
        ("container", Some(name)) => (around.container)(name).map(NamespaceMode::Container),
        ("ns", Some(path)) => Ok(NamespaceMode::Path(around.host_path(path.as_ref())?)),
        _ => Err(wrong(flag, text, "private, host, container:NAME or ns:PATH").into()),
    }
}
