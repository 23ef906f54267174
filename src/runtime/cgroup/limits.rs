//! Resource flags into the files of cgroup v2. The conversions are those that crun and runc share.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sys;
use crate::sys::Errno;
use crate::types::resources::{DEFAULT_PERIOD, Resources};

use super::error::Error;

const MAX: &str = "max";

/// Controllers that these limits need. No limit (0, -1) is also what a host without the controller gives.
pub(crate) fn needed_controllers(resources: &Resources) -> Result<BTreeSet<&str>, Error> {
    let mut needed = BTreeSet::new();
    let bytes = [resources.memory, resources.memory_reservation];
    if bytes.into_iter().flatten().any(|bytes| bytes > 0) || resources.memory_swap.is_some_and(|bytes| bytes > 0) {
        needed.insert("memory");
    }
    let (shares, quota) = (resources.cpu_shares.unwrap_or(0), resources.cpu_quota.unwrap_or(0));
    if shares > 0 || quota > 0 || resources.cpu_period.is_some() {
        needed.insert("cpu");
    }
    if resources.cpuset_cpus.is_some() || resources.cpuset_mems.is_some() {
        needed.insert("cpuset");
    }
    if resources.pids_limit.is_some_and(|limit| limit > 0) {
        needed.insert("pids");
    }
    for name in resources.unified.keys() {
        let controller = check_unified_name(name)?;
        if controller != "cgroup" {
            needed.insert(controller);
        }
    }
    Ok(needed)
}

/// Accepts `controller.file` (and `cgroup.max.*`), nothing that leaves the cgroup or moves processes (C15); returns the
/// controller.
pub(crate) fn check_unified_name(name: &str) -> Result<&str, Error> {
    let invalid = || Error::FileName { name: name.to_owned() };
    let clean = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
    let (controller, rest) = name.split_once('.').ok_or_else(invalid)?;
    let own = controller != "cgroup" || name.starts_with("cgroup.max.");
    if !clean || controller.is_empty() || rest.is_empty() || name.contains("..") || !own {
        return Err(invalid());
    }
    Ok(controller)
}

/// One write: file, value, and whether its absence matters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Write {
    file: String,
    value: String,
    /// Not asked for by the user, or no limit: a cgroup without the file is fine.
    implied: bool,
}

/// Writes all limits into the cgroup `dir`, in which these controllers work.
pub(super) fn write(dir: &Path, controllers: &[String], resources: &Resources) -> Result<(), Error> {
    for Write { file, value, implied } in writes(controllers, resources) {
        match sys::fs::write_in_place(&dir.join(&file), value.as_bytes()) {
            Ok(()) => {}
            Err(error) if implied && error.is(Errno::ENOENT) => {
                tracing::debug!(file, "this kernel does not have the file");
            }
            Err(source) => return Err(Error::Limit { file, value, source }),
        }
    }
    Ok(())
}

fn writes(controllers: &[String], resources: &Resources) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut put = |file: &str, value: String, implied: bool| {
        writes.push(Write { file: file.to_owned(), value, implied });
    };
    if let Some(bytes) = resources.memory_reservation {
        put("memory.low", bytes.to_string(), bytes == 0);
    }
    if let Some(bytes) = resources.memory {
        put("memory.max", unlimited_if_zero(bytes), bytes == 0);
    }
    if let Some(value) = swap(resources) {
        put("memory.swap.max", value, resources.memory_swap.is_none_or(|bytes| bytes <= 0));
    }
    if let Some(shares) = resources.cpu_shares.filter(|shares| *shares != 0) {
        put("cpu.weight", weight(shares).to_string(), false);
    }
    if let Some(value) = bandwidth(resources) {
        put("cpu.max", value, resources.cpu_period.is_none() && resources.cpu_quota.is_none_or(|quota| quota <= 0));
    }
    for (file, value) in [("cpuset.cpus", &resources.cpuset_cpus), ("cpuset.mems", &resources.cpuset_mems)] {
        if let Some(list) = value {
            put(file, list.clone(), false);
        }
    }
    match resources.pids(controllers.iter().any(|controller| controller == "pids")) {
        Some(limit @ 1..) => put("pids.max", limit.to_string(), resources.pids_limit.is_none()),
        Some(_) => put("pids.max", MAX.to_owned(), true),
        None => {}
    }
    for (file, value) in &resources.unified {
        put(file, value.clone(), false);
    }
    writes
}

fn unlimited_if_zero(bytes: u64) -> String {
    if bytes == 0 { MAX.to_owned() } else { bytes.to_string() }
}

/// v1 counts memory and swap together, v2 swap alone.
fn swap(resources: &Resources) -> Option<String> {
    match u64::try_from(resources.memory_and_swap()?) {
        Err(_negative) => Some(MAX.to_owned()),
        Ok(both) => Some(both.saturating_sub(resources.memory.unwrap_or(0)).to_string()),
    }
}

/// `cpu.max`: quota and period.
fn bandwidth(resources: &Resources) -> Option<String> {
    if resources.cpu_quota.is_none() && resources.cpu_period.is_none() {
        return None;
    }
    let quota = resources.cpu_quota.and_then(|quota| u64::try_from(quota).ok()).filter(|quota| *quota != 0);
    let quota = quota.map_or_else(|| MAX.to_owned(), |quota| quota.to_string());
    Some(format!("{quota} {}", resources.cpu_period.unwrap_or(DEFAULT_PERIOD)))
}

/// Shares (2 to 262144) to weight (1 to 10000), so that the ends meet and 1024 becomes 100.
fn weight(shares: u64) -> u64 {
    if shares <= 2 {
        return 1;
    }
    if shares >= 262_144 {
        return 10_000;
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^18")]
    let log = (shares as f64).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 10000")]
    let weight = 10_f64.powf(exponent).ceil() as u64;
    weight
}

#[cfg(test)]
mod tests {
    use super::{Resources, check_unified_name, needed_controllers, weight, writes};

    fn written(resources: &Resources) -> Vec<(String, String)> {
        let all = ["cpuset", "cpu", "memory", "pids"].map(str::to_owned);
        writes(&all, resources).into_iter().map(|write| (write.file, write.value)).collect()
    }

    #[test]
    fn shares_become_weights_as_in_crun_and_runc() {
        for (shares, expected) in
            [(0, 1), (2, 1), (512, 59), (1024, 100), (2048, 174), (262_144, 10_000), (999_999, 10_000)]
        {
            assert_eq!(weight(shares), expected, "{shares}");
        }
    }

    #[test]
    fn flags_become_files() {
        let none = Resources { pids_limit: Some(-1), ..Resources::default() };
        let mib = 1 << 20;
        for (resources, expected) in [
            (Resources::default(), vec![("pids.max", "2048")]),
            (Resources { default_pids_limit: Some(7), ..Resources::default() }, vec![("pids.max", "7")]),
            (Resources { default_pids_limit: Some(7), ..none.clone() }, vec![("pids.max", "max")]),
            (Resources { default_pids_limit: Some(0), ..Resources::default() }, vec![("pids.max", "max")]),
            (none.clone(), vec![("pids.max", "max")]),
            (
                Resources { memory: Some(mib), ..none.clone() },
                vec![("memory.max", "1048576"), ("memory.swap.max", "1048576"), ("pids.max", "max")],
            ),
            (
                Resources { memory: Some(mib), memory_swap: Some(3 << 20), ..none.clone() },
                vec![("memory.max", "1048576"), ("memory.swap.max", "2097152"), ("pids.max", "max")],
            ),
            (
                Resources { memory: Some(mib), memory_swap: Some(-1), ..none.clone() },
                vec![("memory.max", "1048576"), ("memory.swap.max", "max"), ("pids.max", "max")],
            ),
            (
                Resources { cpu_quota: Some(50_000), cpu_shares: Some(1024), ..none.clone() },
                vec![("cpu.weight", "100"), ("cpu.max", "50000 100000"), ("pids.max", "max")],
            ),
            (
                Resources { cpu_quota: Some(-1), cpu_period: Some(20_000), ..none.clone() },
                vec![("cpu.max", "max 20000"), ("pids.max", "max")],
            ),
            (
                Resources { cpuset_cpus: Some("0-1".into()), memory_reservation: Some(5), pids_limit: Some(7), ..none },
                vec![("memory.low", "5"), ("cpuset.cpus", "0-1"), ("pids.max", "7")],
            ),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(file, value)| (file.to_owned(), value.to_owned())).collect();
            assert_eq!(written(&resources), expected, "{resources:?}");
        }
    }

    #[test]
    fn c15_raw_files_stay_in_the_cgroup() {
        for (name, controller) in
            [("memory.high", "memory"), ("cgroup.max.depth", "cgroup"), ("hugetlb.2MB.max", "hugetlb")]
        {
            assert_eq!(check_unified_name(name).ok(), Some(controller), "{name}");
        }
        for name in [
            "../memory.max",
            "a/memory.max",
            "memory..max",
            "cgroup.procs",
            "cgroup.kill",
            "memory",
            ".max",
            "memory.",
            "",
        ] {
            assert!(check_unified_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn limits_name_their_controllers() {
        let mut resources = Resources { memory: Some(1), cpuset_mems: Some("0".into()), ..Resources::default() };
        resources.unified.insert("io.max".into(), "8:0 rbps=1".into());
        let needed = needed_controllers(&resources).map(|needed| needed.into_iter().collect::<Vec<_>>());
        assert_eq!(needed.ok(), Some(vec!["cpuset", "io", "memory"]));
        let unlimited = Resources {
            memory: Some(0),
            memory_swap: Some(-1),
            memory_reservation: Some(0),
            cpu_quota: Some(-1),
            cpu_shares: Some(0),
            pids_limit: Some(-1),
            ..Resources::default()
        };
        assert!(needed_controllers(&unlimited).expect("none").is_empty());
        assert!(writes(&[], &unlimited).iter().all(|write| write.implied), "they need not be there");
    }
}
