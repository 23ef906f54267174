//! The `process` section.

use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxCapabilities, PosixRlimit, PosixRlimitBuilder, PosixRlimitType, Process, User};

use crate::types::capability::CapSet;
use crate::types::container_spec::ContainerSpec;
use crate::types::host::HostFacts;
use crate::types::image_config::ImageConfig;
use crate::types::namespace::UsernsMode;
use crate::types::resources::Ulimit;

use super::capabilities::capability_sets;
use super::environment::environment;
use super::error::Error;
use super::placement::Placement;
use super::volumes::clean;

/// Default `nofile` and `nproc`, lowered to what the caller may have.
const DEFAULT_ULIMIT: u64 = 1_048_576;

/// Builds the section. The user is left as text (`user.username`) for init, which can see the root file system; its
/// numbers are those of the text where it has any.
pub(super) fn process(
    spec: &ContainerSpec,
    image: &ImageConfig,
    host: &HostFacts,
    at: &Placement,
) -> Result<Process, Error> {
    let mut process = Process::default();
    process.set_terminal(Some(spec.tty));
    process.set_args(Some(arguments(spec, image)?));
    process.set_env(Some(environment(spec, image, &at.hostname, spec.tty || at.terminal)?));
    process.set_cwd(workdir(spec, image)?);
    let text = user(spec, image, host);
    let name = text.split(':').next().unwrap_or_default();
    let sets = capability_sets(&spec.security, matches!(name, "" | "0" | "root"), host.last_cap)?;
    let set = |set: CapSet| Some(set.to_oci());
    let mut capabilities = LinuxCapabilities::default();
    capabilities.set_bounding(set(sets.bounding)).set_effective(set(sets.permitted)).set_permitted(set(sets.permitted));
    capabilities.set_inheritable(set(sets.ambient)).set_ambient(set(sets.ambient));
    process.set_capabilities(Some(capabilities));
    process.set_user(oci_user(&text, spec.umask_in_force()));
    process.set_rlimits(Some(rlimits(&spec.ulimits, spec.host_ulimits, host)?));
    process.set_no_new_privileges(Some(spec.security.no_new_privileges));
    process.set_oom_score_adj(spec.oom_score_adj);
    process.set_apparmor_profile(spec.security.apparmor.clone().filter(|profile| profile != "unconfined"));
    Ok(process)
}

/// What runs: `--entrypoint` and the command, or the image's ENTRYPOINT and CMD. A new entry point drops the image's
/// CMD, for which it was not made.
pub(crate) fn arguments(spec: &ContainerSpec, image: &ImageConfig) -> Result<Vec<String>, Error> {
    let image = &image.config;
    let entrypoint = spec.entrypoint.as_ref().or(image.entrypoint.as_ref());
    let mut args = entrypoint.filter(|list| list.as_slice() != [""]).cloned().unwrap_or_default();
    if !spec.command.is_empty() {
        args.extend(spec.command.iter().cloned());
    } else if spec.entrypoint.is_none() {
        args.extend(image.cmd.iter().flatten().cloned());
    }
    match args.is_empty() {
        true if image.cmd.iter().flatten().next().is_some() => Err(Error::DroppedCommand),
        true => Err(Error::NoCommand),
        false => Ok(args),
    }
}

/// The user in force, as text: `--user`, the caller with keep-id, the image's USER, or nothing (root).
pub(crate) fn user(spec: &ContainerSpec, image: &ImageConfig, host: &HostFacts) -> String {
    if let Some(user) = &spec.user {
        return user.clone();
    }
    if let UsernsMode::KeepId { uid, gid, .. } = spec.userns {
        return format!("{}:{}", uid.unwrap_or(host.uid), gid.unwrap_or(host.gid));
    }
    image.config.user.clone()
}

fn oci_user(text: &str, umask: u32) -> User {
    let mut parts = text.splitn(2, ':').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut user = User::default();
    user.set_uid(parts.next().unwrap_or(0)).set_gid(parts.next().unwrap_or(0));
    user.set_umask(Some(umask));
    user.set_username((!text.is_empty()).then(|| text.to_owned()));
    user
}

fn workdir(spec: &ContainerSpec, image: &ImageConfig) -> Result<PathBuf, Error> {
    if let Some(path) = &spec.workdir {
        return clean(path).ok_or_else(|| Error::Workdir(path.clone()));
    }
    // An image's may be relative: to the root, there is nothing else.
    let path = Path::new("/").join(&image.config.working_dir);
    clean(&path).filter(|_| !image.config.working_dir.contains('\0')).ok_or(Error::Workdir(path))
}

fn rlimits(wishes: &[Ulimit], inherit: bool, host: &HostFacts) -> Result<Vec<PosixRlimit>, Error> {
    let mut list = Vec::new();
    for wish in wishes {
        let unknown = || Error::UnknownUlimit(wish.name.clone());
        let name = format!("RLIMIT_{}", wish.name.to_ascii_uppercase());
        let typ: PosixRlimitType = name.parse().ok().ok_or_else(unknown)?;
        let caller = caller_limit(typ, host);
        let number = |value: i64| u64::try_from(value).ok().or(caller).unwrap_or(u64::MAX);
        let (soft, hard) = (number(wish.soft), number(wish.hard));
        if soft > hard {
            return Err(Error::UlimitOrder { name: wish.name.clone(), soft, hard });
        }
        if let Some(limit) = caller.filter(|limit| hard > *limit) {
            return Err(Error::UlimitTooHigh { name: wish.name.clone(), wish: hard, hard: limit });
        }
        list.retain(|known: &PosixRlimit| known.typ() != typ);
        list.push(rlimit(typ, soft, hard));
    }
    for typ in [PosixRlimitType::RlimitNofile, PosixRlimitType::RlimitNproc] {
        if !inherit && !list.iter().any(|known| known.typ() == typ) {
            let limit = DEFAULT_ULIMIT.min(caller_limit(typ, host).unwrap_or(DEFAULT_ULIMIT));
            list.push(rlimit(typ, limit, limit));
        }
    }
    Ok(list)
}

/// The caller's own hard limit, which nobody in a user namespace can raise; none = not known here, init lowers
/// `u64::MAX` to it.
fn caller_limit(typ: PosixRlimitType, host: &HostFacts) -> Option<u64> {
    match typ {
        PosixRlimitType::RlimitNofile => Some(host.nofile_hard),
        PosixRlimitType::RlimitNproc => Some(host.nproc_hard),
        _ => None,
    }
}

fn rlimit(typ: PosixRlimitType, soft: u64, hard: u64) -> PosixRlimit {
    PosixRlimitBuilder::default().typ(typ).soft(soft).hard(hard).build().expect("every field is set")
}
