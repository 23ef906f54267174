//! `--memory*`, `--cpu*`, `--pids-limit`, `--ulimit`, `--cgroup*`.

use crate::types::resources::{CgroupsMode, DEFAULT_PERIOD, Resources, Ulimit};
use crate::types::size::parse_bytes;

use super::super::flags::ResourceFlags;
use super::invalid::{FlagError, wrong};

/// Names of setrlimit(2) without `RLIMIT_`.
const RLIMITS: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// The cgroup's part.
pub(super) fn resources(flags: &ResourceFlags) -> Result<Resources, FlagError> {
    let mut resources = Resources { pids_limit: flags.pids_limit, ..Resources::default() };
    memory(flags, &mut resources)?;
    cpu(flags, &mut resources)?;
    for text in &flags.cgroup_conf {
        let (file, value) = text.split_once('=').ok_or_else(|| wrong("cgroup-conf", text, "FILE=VALUE"))?;
        if file.is_empty() || file.contains('/') || !file.contains('.') || file.contains("..") {
            return Err(wrong("cgroup-conf", text, "the file is one of a cgroup's own, like memory.high"));
        }
        resources.unified.insert(file.to_owned(), value.to_owned());
    }
    Ok(resources)
}

fn memory(flags: &ResourceFlags, resources: &mut Resources) -> Result<(), FlagError> {
    let size = |flag, text: &Option<String>| -> Result<Option<u64>, FlagError> {
        let Some(text) = text else { return Ok(None) };
        // 0 is Podman's word for no limit.
        Ok(Some(parse_bytes(text).map_err(|error| wrong(flag, text, error))?).filter(|bytes| *bytes > 0))
    };
    resources.memory = size("memory", &flags.memory)?;
    resources.memory_reservation = size("memory-reservation", &flags.memory_reservation)?;
    if let (Some(reservation), Some(memory)) = (resources.memory_reservation, resources.memory)
        && reservation > memory
    {
        let text = flags.memory_reservation.as_deref().unwrap_or("");
        return Err(wrong("memory-reservation", text, "it must not be above --memory"));
    }
    if let Some(text) = &flags.memory_swap {
        if text == "-1" {
            resources.memory_swap = Some(-1);
            return Ok(());
        }
        let Some(swap) = size("memory-swap", &flags.memory_swap)? else { return Ok(()) };
        let Some(memory) = resources.memory else {
            return Err(FlagError::Needs { flag: "memory-swap", needs: "memory" });
        };
        if swap < memory {
            return Err(wrong("memory-swap", text, "it counts memory and swap together, so not below --memory"));
        }
        resources.memory_swap = Some(i64::try_from(swap).map_err(|error| wrong("memory-swap", text, error))?);
    }
    Ok(())
}

fn cpu(flags: &ResourceFlags, resources: &mut Resources) -> Result<(), FlagError> {
    if let Some(text) = &flags.cpus {
        if flags.cpu_quota.is_some() {
            return Err(FlagError::Conflict("cpus", "cpu-quota"));
        }
        if flags.cpu_period.is_some() {
            return Err(FlagError::Conflict("cpus", "cpu-period"));
        }
        let quota = cpus(text).ok_or_else(|| wrong("cpus", text, "a number of processors, like 1.5"))?;
        if quota > 0 {
            if quota < 1000 {
                return Err(wrong("cpus", text, "the kernel's smallest share is 0.01"));
            }
            resources.cpu_quota = Some(quota);
            resources.cpu_period = Some(DEFAULT_PERIOD);
        }
    } else {
        resources.cpu_quota = flags.cpu_quota.filter(|quota| *quota != 0);
        resources.cpu_period = flags.cpu_period.filter(|period| *period != 0);
        if let Some(quota) = resources.cpu_quota.filter(|quota| *quota != -1 && *quota < 1000) {
            return Err(wrong("cpu-quota", &quota.to_string(), "at least 1000 microseconds, or -1"));
        }
        if let Some(period) = resources.cpu_period.filter(|period| !(1000..=1_000_000).contains(period)) {
            return Err(wrong("cpu-period", &period.to_string(), "1000 to 1000000 microseconds"));
        }
    }
    resources.cpu_shares = flags.cpu_shares.filter(|shares| *shares != 0);
    let list = |flag, text: &Option<String>| match text {
        Some(text) if !is_cpu_list(text) => Err(wrong(flag, text, "a list like 0-3,5")),
        other => Ok(other.clone()),
    };
    resources.cpuset_cpus = list("cpuset-cpus", &flags.cpuset_cpus)?;
    resources.cpuset_mems = list("cpuset-mems", &flags.cpuset_mems)?;
    Ok(())
}

/// Microseconds per period of a decimal number of processors.
fn cpus(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? };
    let fraction = format!("{fraction:0<5}")[..5].parse::<i64>().ok()?;
    whole.checked_mul(i64::try_from(DEFAULT_PERIOD).ok()?)?.checked_add(fraction)
}

/// The list format of `cpuset(7)`.
fn is_cpu_list(text: &str) -> bool {
    let item = |item: &str| {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        matches!((first.parse::<u16>(), last.parse::<u16>()), (Ok(first), Ok(last)) if first <= last)
    };
    text.split(',').all(item)
}

/// `--ulimit TYPE=SOFT[:HARD]`.
pub(super) fn ulimit(text: &str) -> Result<Ulimit, FlagError> {
    let grammar = || wrong("ulimit", text, "TYPE=SOFT[:HARD], numbers or -1 for as much as this user may have");
    let (name, limits) = text.split_once('=').ok_or_else(grammar)?;
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("rlimit_").unwrap_or(&name).to_owned();
    if !RLIMITS.contains(&name.as_str()) {
        return Err(wrong("ulimit", text, format!("the type is one of {}", RLIMITS.join(", "))));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| match text {
        "unlimited" => Some(-1),
        text => text.parse::<i64>().ok().filter(|n| *n >= -1),
    };
    let (soft, hard) = (number(soft).ok_or_else(grammar)?, number(hard).ok_or_else(grammar)?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(wrong("ulimit", text, "the soft limit is above the hard one"));
    }
    Ok(Ulimit { name, soft, hard })
}

/// `--cgroups`.
pub(super) fn cgroups(text: &str) -> Result<CgroupsMode, FlagError> {
    match text {
        "enabled" => Ok(CgroupsMode::Enabled),
        "disabled" => Ok(CgroupsMode::Disabled),
        "no-conmon" => Ok(CgroupsMode::NoConmon),
        "split" => Ok(CgroupsMode::Split),
        _ => Err(wrong("cgroups", text, "enabled, disabled, no-conmon or split")),
    }
}
