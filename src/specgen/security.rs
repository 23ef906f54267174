//! Masked and read-only paths, and sysctls.

use std::collections::{BTreeMap, HashMap};

use crate::types::container_spec::ContainerSpec;
use crate::types::glob;
use crate::types::idmap::{Extent, IdMap};
use crate::types::namespace::NamespaceMode;
use crate::types::security::{IPC_SYSCTLS, Unmask};

use super::error::Error;
use super::placement::Placement;

/// What Podman or Docker hide: state of the machine that no container needs. Without `thermal_throttle` of each processor,
/// which would be a mount for each; nor `/sys/dev/block`, which Podman 5 shows: what is there is in `/sys/block` as well.
const MASKED: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

/// What can be read but not written.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Masked and read-only paths in force.
pub(super) fn hidden_paths(spec: &ContainerSpec) -> (Vec<String>, Vec<String>) {
    let security = &spec.security;
    let mut masked: Vec<String> = Vec::new();
    let mut read_only: Vec<String> = Vec::new();
    if !security.privileged {
        let mut defaults: Vec<&str> = MASKED.to_vec();
        if !spec.network().is_own() {
            // The host's sysfs is bound there, not one of the container's own.
            defaults.push("/sys/kernel");
        }
        let shown = |path: &&str| !unmasked(&security.unmask, path);
        masked.extend(defaults.into_iter().filter(shown).map(str::to_owned));
        read_only.extend(READ_ONLY.into_iter().filter(shown).map(str::to_owned));
    }
    if security.read_only && !security.read_only_tmpfs {
        // With all that is mounted below it; it must be filled before it is frozen.
        read_only.push("/dev".to_owned());
    }
    for path in &security.mask {
        let path = path.to_string_lossy().into_owned();
        if !masked.contains(&path) {
            masked.push(path);
        }
    }
    (masked, read_only)
}

fn unmasked(unmask: &Unmask, path: &str) -> bool {
    match unmask {
        Unmask::None => false,
        Unmask::All => true,
        Unmask::Paths(patterns) => patterns
            .iter()
            .flat_map(|pattern| pattern.split(':'))
            .any(|pattern| pattern.eq_ignore_ascii_case("all") || glob::matches(pattern.trim_end_matches('/'), path)),
    }
}

/// The `sysctl` section: the user's, and who may open ICMP sockets without a privilege.
pub(super) fn sysctls(spec: &ContainerSpec, at: &Placement, outer: &IdMap) -> Result<HashMap<String, String>, Error> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let own_network = spec.network().is_own();
    if own_network && let Some((low, high)) = ping_range(&at.maps.gid, outer) {
        all.insert("net.ipv4.ping_group_range".to_owned(), format!("{low} {high}"));
    }
    for (name, value) in &spec.security.sysctl {
        let dotted = dotted(name).ok_or_else(|| Error::Sysctl(name.clone()))?;
        let (own, namespace) = if IPC_SYSCTLS.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.") {
            (matches!(spec.ipc, NamespaceMode::Private), "IPC")
        } else if dotted.starts_with("net.") {
            (own_network, "network")
        } else if dotted == "kernel.domainname" {
            (matches!(spec.uts, NamespaceMode::Private), "UTS")
        } else {
            return Err(Error::Sysctl(name.clone()));
        };
        if !own {
            return Err(Error::SysctlNamespace { name: name.clone(), namespace });
        }
        all.insert(dotted, value.clone());
    }
    Ok(all.into_iter().collect())
}

/// The name with dots between its parts. As with sysctl(8) the first separator tells which of `.` and `/` it is, and the
/// other one stands for a dot in a part. It becomes a path below /proc/sys, which it must not leave.
fn dotted(name: &str) -> Option<String> {
    let swapped = |c| match c {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    let slashes = name.find(['.', '/']).is_some_and(|at| name[at..].starts_with('/'));
    let dotted: String = if slashes { name.chars().map(swapped).collect() } else { name.to_owned() };
    let path: String = dotted.chars().map(swapped).collect();
    let sound = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..") && !path.contains('\0');
    sound.then_some(dotted)
}

/// The widest range that the kernel accepts: it compares ids of the initial namespace, so the ends are the container's
/// ids that are the lowest and the highest there (net/ipv4/sysctl_net_ipv4.c, `ipv4_ping_group_range`).
fn ping_range(map: &IdMap, outer: &IdMap) -> Option<(u32, u32)> {
    let ends = map.extents().iter().flat_map(|Extent { inside, outside, len }| {
        let last = len - 1;
        [(outer.to_outside(*outside), *inside), (outer.to_outside(outside + last), inside + last)]
    });
    let ends: Vec<(u32, u32)> = ends.filter_map(|(host, inside)| Some((host?, inside))).collect();
    let (low, high) = (ends.iter().min()?.1, ends.iter().max()?.1);
    Some(if low <= high { (low, high) } else { (low, low) })
}

#[cfg(test)]
mod tests {
    use super::{hidden_paths, ping_range, unmasked};
    use crate::types::container_spec::ContainerSpec;
    use crate::types::idmap::{Extent, IdMap};
    use crate::types::security::Unmask;

    #[test]
    fn unmask_takes_globs_and_lists() {
        let paths = |text: &str| Unmask::Paths(vec![text.to_owned()]);
        assert!(unmasked(&Unmask::All, "/proc/kcore"));
        assert!(unmasked(&paths("/proc/*"), "/proc/kcore"));
        assert!(unmasked(&paths("/sys/firmware:/proc/kcore"), "/proc/kcore"));
        assert!(unmasked(&paths("ALL"), "/proc/sys"));
        assert!(!unmasked(&paths("/proc"), "/proc/kcore"));
        assert!(!unmasked(&Unmask::None, "/proc/kcore"));
        let mut spec = ContainerSpec::default();
        spec.security.unmask = paths("/proc/sys");
        spec.security.mask = vec!["/etc/x".into(), "/proc/keys".into()];
        let (masked, read_only) = hidden_paths(&spec);
        assert!(!read_only.contains(&"/proc/sys".to_owned()));
        assert_eq!(masked.iter().filter(|path| *path == "/proc/keys").count(), 1);
        assert!(masked.contains(&"/etc/x".to_owned()));
    }

    #[test]
    fn ping_range_is_one_that_the_kernel_takes() {
        let map = |lines: &[(u32, u32, u32)]| {
            let extents =
                lines.iter().map(|(inside, outside, len)| Extent { inside: *inside, outside: *outside, len: *len });
            IdMap::new(extents.collect()).expect("valid")
        };
        let outer = map(&[(0, 1000, 1), (1, 100_000, 65536)]);
        let default = map(&[(0, 0, 1), (1, 1, 65536)]);
        assert_eq!(ping_range(&default, &outer), Some((0, 65536)));
        let keep = map(&[(0, 1, 1000), (1000, 0, 1), (1001, 1001, 64536)]);
        assert_eq!(ping_range(&keep, &outer), Some((1000, 65536)));
        assert_eq!(ping_range(&map(&[(0, 1, 65536)]), &outer), Some((0, 65535)));
        assert_eq!(ping_range(&map(&[(70, 0, 1)]), &outer), Some((70, 70)));
        assert_eq!(ping_range(&IdMap::default(), &outer), None);
    }
}
