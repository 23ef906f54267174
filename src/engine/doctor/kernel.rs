//! The kernel: its version, namespaces, `/proc`, quotas.

use std::path::Path;

use crate::engine::cures::{Caller, Need, setting};
use crate::rootless::{Outer, OuterWish, worker};
use crate::sys::clone::Forked;
use crate::sys::mount::{Attributes, FsContext};
use crate::sys::namespace::{self, NsKind};
use crate::sys::{self, process};
use crate::types::failure::{Failure, FailureKind, chain};

use super::examine::number;
use super::finding::Finding;

/// Id-mapped mounts and `mount_setattr(2)`.
const FLOOR: (u32, u32) = (5, 12);
/// Instances and watches below which ordinary programs in containers run dry.
const INOTIFY: (u64, u64) = (128, 8192);

pub(super) fn version() -> Finding {
    let (major, minor) = process::kernel_version();
    let found = setting("/proc/sys/kernel/osrelease").unwrap_or_else(|| format!("{major}.{minor}"));
    if (major, minor) >= FLOOR {
        return Finding::fine("kernel", format!("Linux {found}"));
    }
    let lost = format!("containers need Linux {}.{}", FLOOR.0, FLOOR.1);
    Finding::missing("kernel", format!("Linux {found}"), lost, Need::Kernel.cure(&Caller { user: String::new() }))
}

/// A child in a new user namespace with one id, which needs no helper program.
fn alone() -> Outer {
    Outer::find(OuterWish::single_id(), Path::new("/nonexistent"))
}

/// Makes one. AppArmor's gate lets it be made and takes its capabilities away, so the child maps itself and unshares once
/// more.
pub(super) fn user_namespaces(caller: &Caller) -> Result<Finding, Finding> {
    const NAME: &str = "user namespaces";
    let refused = |error: sys::Error| Failure::from_error(FailureKind::UserNamespace, &error);
    match worker::run(&alone(), || namespace::unshare(&[NsKind::Mount]).map_err(refused)) {
        Ok(()) => {
            let limit = number("/proc/sys/user/max_user_namespaces");
            let limit = limit.map_or_else(String::new, |limit| format!(", at most {limit}"));
            Ok(Finding::fine(NAME, format!("can be made{limit}")))
        }
        Err(error) => {
            Err(Finding::missing(NAME, chain(&error), "no container can be made", Need::UserNamespaces.cure(caller)))
        }
    }
}

/// All other kinds, each by unsharing it.
pub(super) fn other_namespaces(caller: &Caller) -> Finding {
    const NAME: &str = "namespaces";
    const KINDS: [NsKind; 7] =
        [NsKind::Mount, NsKind::Uts, NsKind::Ipc, NsKind::Network, NsKind::Cgroup, NsKind::Pid, NsKind::Time];
    let probed: Result<Vec<String>, _> = worker::run(&alone(), || {
        let refused = KINDS.into_iter().filter(|kind| namespace::unshare(&[*kind]).is_err());
        Ok(refused.map(|kind| kind.proc_name().to_owned()).collect())
    });
    match probed {
        Ok(refused) if refused.is_empty() => Finding::fine(NAME, "mnt uts ipc net cgroup pid time"),
        // The time namespace came with Linux 5.6 and can be left out of a kernel.
        Ok(refused) if refused == ["time"] => {
            Finding::degraded(NAME, "no time namespaces", "containers see the host's clocks", Need::Kernel.cure(caller))
        }
        Ok(refused) => Finding::missing(
            NAME,
            format!("refused: {}", refused.join(" ")),
            "containers need all of them",
            Need::UserNamespaces.cure(caller),
        ),
        Err(error) => Finding::missing(NAME, chain(&error), "unknown", Need::UserNamespaces.cure(caller)),
    }
}

/// Whether a new `/proc` may be mounted: not below an outer container that covers parts of its own (K-B3).
pub(super) fn proc(caller: &Caller) -> Finding {
    const NAME: &str = "/proc";
    let refused = |error: sys::Error| Failure::from_error(FailureKind::Mount, &error);
    let mounted: Result<i32, _> = worker::run(&alone(), || {
        namespace::unshare(&[NsKind::Pid]).map_err(refused)?;
        match sys::clone::fork().map_err(refused)? {
            // Only a process in the new pid namespace can mount its /proc.
            Forked::Child => {
                let mounted = FsContext::open("proc").and_then(|proc| proc.mount(Attributes::default()));
                process::exit_now(mounted.map_or_else(|error| error.errno as i32, |_| 0))
            }
            Forked::Parent(child) => child.wait().map(process::ExitStatus::code).map_err(refused),
        }
    });
    match mounted {
        Ok(0) => Finding::fine(NAME, "can be mounted"),
        Ok(errno) => Finding::missing(
            NAME,
            format!("mount refused: {:?}", sys::Errno::from_raw(errno)),
            "containers with a pid namespace; a container around us covers parts of /proc",
            Need::Proc.cure(caller),
        ),
        Err(error) => Finding::missing(NAME, chain(&error), "unknown", Need::Proc.cure(caller)),
    }
}

/// Makes an instance and compares the limits.
pub(super) fn inotify(caller: &Caller) -> Finding {
    const NAME: &str = "inotify";
    let instances = number("/proc/sys/fs/inotify/max_user_instances").unwrap_or(0);
    let watches = number("/proc/sys/fs/inotify/max_user_watches").unwrap_or(0);
    let found = format!("{instances} instances, {watches} watches");
    match sys::inotify::Inotify::new() {
        Ok(_) if instances >= INOTIFY.0 && watches >= INOTIFY.1 => Finding::fine(NAME, found),
        Ok(_) => Finding::degraded(NAME, found, "programs that watch many files", Need::Inotify.cure(caller)),
        Err(error) => Finding::degraded(
            NAME,
            format!("{found}: {error}"),
            "sampan logs --follow polls, programs in containers cannot watch files",
            Need::Inotify.cure(caller),
        ),
    }
}

/// Each container takes a session keyring of the user's quota; without one it keeps that of the caller.
pub(super) fn keyring(caller: &Caller) -> Option<Finding> {
    const NAME: &str = "keyring";
    let text = setting("/proc/key-users")?;
    let (uid, _) = process::ids();
    let (used, most) = key_quota(&text, uid).or_else(|| Some((0, number("/proc/sys/kernel/keys/maxkeys")?)))?;
    let found = format!("{used} of {most} keys");
    Some(if used.saturating_mul(5) >= most.saturating_mul(4) {
        Finding::degraded(NAME, found, "containers beyond that share the caller's keyring", Need::Keyring.cure(caller))
    } else {
        Finding::fine(NAME, found)
    })
}

/// `UID: USAGE NKEYS/NIKEYS QNKEYS/MAXKEYS QNBYTES/MAXBYTES` (`keyrings(7)`).
fn key_quota(text: &str, uid: u32) -> Option<(u64, u64)> {
    let wanted = format!("{uid}:");
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(&wanted))?;
    let (used, most) = line.split_whitespace().nth(3)?.split_once('/')?;
    Some((used.parse().ok()?, most.parse().ok()?))
}

/// Entry point of `fuzz/`: `/proc/key-users`.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing(text: &str) {
    std::hint::black_box(key_quota(text, 1000));
}

#[cfg(test)]
mod tests {
    use super::key_quota;

    #[test]
    fn key_users() {
        let text = "    0:     9 8/8 3/1000000 48/25000000\n 1502:     2 2/2 180/200 28/20000\n";
        assert_eq!(key_quota(text, 1502), Some((180, 200)));
        assert_eq!(key_quota(text, 150), None);
    }
}
