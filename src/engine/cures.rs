//! What a rootless user needs from the host, and the command that brings it: the hints of errors and of
//! `system doctor` come from here, so that they say the same.

use std::path::Path;

use crate::sys;
use crate::types::failure::FailureKind;

/// Something that the host has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// The kernel lets this user make user namespaces.
    UserNamespaces,
    /// Ranges in `/etc/subuid` and `/etc/subgid`.
    SubordinateIds,
    /// `newuidmap` and `newgidmap` with their privilege.
    IdMappers,
    /// Overlay mounts in a user namespace.
    Overlay,
    /// cgroup v2 with the controllers delegated.
    Cgroup,
    /// pasta or slirp4netns.
    NetworkHelper,
    /// A port below the first one that users may bind.
    LowPort,
    /// Room on the file system of the store.
    Space,
    /// Processes of this user survive the logout.
    Linger,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Name in the password file, or the number.
    pub(crate) user: String,
}

impl Caller {
    /// The user of this process; `path` is the PATH to look for helper programs in.
    pub(crate) fn this(path: &str) -> Self {
        let uid = sys::fs::effective_uid();
        let name = sys::user::name_of(uid, path).ok().flatten();
        Self { user: name.unwrap_or_else(|| uid.to_string()) }
    }
}

impl Need {
    /// The need that a failure of this kind lacks.
    pub(crate) fn behind(kind: FailureKind) -> Option<Self> {
        match kind {
            FailureKind::IdMap => Some(Self::SubordinateIds),
            FailureKind::UserNamespace => Some(Self::UserNamespaces),
            FailureKind::Overlay => Some(Self::Overlay),
            FailureKind::Cgroup => Some(Self::Cgroup),
            FailureKind::NetworkHelper => Some(Self::NetworkHelper),
            FailureKind::PortPrivileged => Some(Self::LowPort),
            FailureKind::NoSpace => Some(Self::Space),
            FailureKind::CommandNotFound
            | FailureKind::CommandNotInvokable
            | FailureKind::Mount
            | FailureKind::PortInUse
            | FailureKind::Seccomp
            | FailureKind::Died
            | FailureKind::Other => None,
        }
    }

    /// The exact commands, as one line.
    pub(crate) fn cure(self, caller: &Caller) -> String {
        let user = &caller.user;
        match self {
            Self::UserNamespaces => user_namespaces(),
            Self::SubordinateIds => format!(
                "give {user} subordinate ids that nobody else has: sudo usermod --add-subuids 100000-165535 \
                 --add-subgids 100000-165535 {user}"
            ),
            Self::IdMappers => {
                "install newuidmap and newgidmap with their privilege: sudo apt install uidmap (Fedora: shadow-utils)"
                    .to_owned()
            }
            Self::Overlay => {
                "this kernel has no overlay mounts for users (Linux 5.11 has): sudo apt install fuse-overlayfs, or \
                 use --storage-driver=copy"
                    .to_owned()
            }
            Self::Cgroup => {
                "let systemd delegate the controllers: as root, mkdir -p /etc/systemd/system/user@.service.d && printf \
                 '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > \
                 /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload, then log in again"
                    .to_owned()
            }
            Self::NetworkHelper => {
                "install a network helper: sudo apt install passt (or slirp4netns), or use --network=none or host"
                    .to_owned()
            }
            Self::LowPort => format!(
                "publish a port from {0} on, or let users bind lower ones: sudo sysctl \
                 net.ipv4.ip_unprivileged_port_start=80",
                first_free_port()
            ),
            Self::Space => {
                "free some space: sampan rmi of images and sampan volume rm of volumes that are not needed".to_owned()
            }
            Self::Linger => format!("let processes survive the logout: loginctl enable-linger {user}"),
        }
    }
}

/// Which of the gates is shut decides the command.
fn user_namespaces() -> String {
    let is = |path: &str, wanted: &str| setting(path).as_deref() == Some(wanted);
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return "allow user namespaces: sudo sysctl user.max_user_namespaces=15000".to_owned();
    }
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return "allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1".to_owned();
    }
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor keeps this program from user namespaces: install contrib/apparmor/sampan as \
                /etc/apparmor.d/sampan and run sudo systemctl reload apparmor"
            .to_owned();
    }
    "the kernel or the container around us refuses user namespaces: see sampan system doctor".to_owned()
}

/// `net.ipv4.ip_unprivileged_port_start`.
fn first_free_port() -> u16 {
    setting("/proc/sys/net/ipv4/ip_unprivileged_port_start").and_then(|text| text.parse().ok()).unwrap_or(1024)
}

fn setting(path: &str) -> Option<String> {
    sys::fs::read_to_string(Path::new(path)).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Caller, Need};

    #[test]
    fn cures_name_the_user_and_a_command() {
        let caller = Caller { user: "ann".to_owned() };
        assert!(Need::SubordinateIds.cure(&caller).ends_with("--add-subgids 100000-165535 ann"));
        assert!(Need::Linger.cure(&caller).contains("enable-linger ann"));
        assert!(Need::Cgroup.cure(&caller).contains("Delegate="));
    }
}
