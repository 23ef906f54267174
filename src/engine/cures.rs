//! What a rootless user needs from the host, and the command that brings it: the hints of errors and of
//! `system doctor` come from here, so that they say the same.

use std::path::Path;

use crate::network;
use crate::rootless::subid;
use crate::runtime::cgroup::{self, Available};
use crate::sys;
use crate::types::failure::FailureKind;

/// Something that the host has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// Linux 5.12 or later, with all kinds of namespaces.
    Kernel,
    /// A `/proc` that nothing covers, so that containers may have theirs.
    Proc,
    /// The kernel lets this user make user namespaces.
    UserNamespaces,
    /// Ranges in `/etc/subuid` and `/etc/subgid`.
    SubordinateIds,
    /// `newuidmap` and `newgidmap` with their privilege.
    IdMappers,
    /// The set-uid bit or the file capabilities of these programs.
    MapperPrivilege,
    /// Overlay mounts in a user namespace.
    Overlay,
    /// `/dev/fuse`.
    FuseDevice,
    /// The store can be written.
    StoreWritable,
    /// A store on a local file system.
    StoreElsewhere,
    /// `XDG_RUNTIME_DIR`.
    RuntimeDir,
    /// cgroup v2 with the controllers delegated.
    Cgroup,
    /// pasta or slirp4netns.
    NetworkHelper,
    /// A default route.
    Route,
    /// pasta of October 2024 or later.
    ModernPasta,
    /// `/dev/net/tun`.
    Tun,
    /// Echo requests.
    Ping,
    /// A port below the first one that users may bind.
    LowPort,
    /// Room on the file system of the store.
    Space,
    /// Room on the file system of the runroot.
    RunSpace,
    /// Processes of this user survive the logout.
    Linger,
    /// Instances and watches of `inotify(7)`.
    Inotify,
    /// Keys of `keyrings(7)`.
    Keyring,
}

/// A store where nobody else can have made the directory before.
const OWN_PLACE: &str = r#"DIR=$(mktemp -d -p /var/tmp); sampan --root "$DIR" …"#;

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
        let name = sys::user::name_of(sys::user::Database::Passwd, uid, path).ok().flatten();
        Self { user: name.unwrap_or_else(|| uid.to_string()) }
    }
}

impl Need {
    /// The need that a failure of this kind lacks.
    pub(crate) fn behind(kind: FailureKind) -> Option<Self> {
        match kind {
            FailureKind::IdMap => Some(Self::SubordinateIds),
            FailureKind::MapperPrivilege => Some(Self::MapperPrivilege),
            FailureKind::UserNamespace => Some(Self::UserNamespaces),
            FailureKind::Proc => Some(Self::Proc),
            FailureKind::Overlay => Some(Self::Overlay),
            FailureKind::Cgroup => Some(Self::Cgroup),
            FailureKind::NetworkHelper => Some(Self::NetworkHelper),
            FailureKind::Tun => Some(Self::Tun),
            FailureKind::NoRoute => Some(Self::Route),
            FailureKind::PortPrivileged => Some(Self::LowPort),
            FailureKind::NoSpace => Some(Self::Space),
            FailureKind::NoRunSpace => Some(Self::RunSpace),
            FailureKind::CommandNotFound
            | FailureKind::CommandNotInvokable
            | FailureKind::WorkDir
            | FailureKind::Mount
            | FailureKind::PortInUse
            | FailureKind::OutputFull
            | FailureKind::Seccomp
            | FailureKind::WrongContent
            | FailureKind::Stopped
            | FailureKind::Died
            | FailureKind::Processes
            | FailureKind::Other => None,
        }
    }

    /// The exact commands, as one line.
    pub(crate) fn cure(self, caller: &Caller) -> String {
        let user = &caller.user;
        match self {
            Self::Kernel => "boot a kernel of Linux 5.12 or later with all namespaces: sudo apt full-upgrade".to_owned(),
            Self::Proc => {
                "start the container around us with an uncovered /proc: podman run --security-opt unmask=ALL, or \
                 docker run --security-opt systempaths=unconfined"
                    .to_owned()
            }
            Self::UserNamespaces => user_namespaces(),
            Self::SubordinateIds => {
                let first = subid::first_free();
                let range = format!("{first}-{}", first.saturating_add(65535));
                format!(
                    "give {user} subordinate ids that nobody else has: sudo usermod --add-subuids {range} \
                     --add-subgids {range} {user}"
                )
            }
            Self::IdMappers => {
                "install newuidmap and newgidmap with their privilege: sudo apt install uidmap (Fedora: shadow-utils)"
                    .to_owned()
            }
            Self::MapperPrivilege => {
                "give them their privilege back: sudo chmod u+s \"$(command -v newuidmap)\" \"$(command -v newgidmap)\" \
                 (or start what is around us, a container or a unit, without no-new-privileges)"
                    .to_owned()
            }
            Self::Overlay => {
                "use fuse-overlayfs (sudo apt install fuse-overlayfs) or --storage-driver=copy; the kernel's overlay \
                 needs Linux 5.11 and a store on ext4, xfs or btrfs, not on another overlay"
                    .to_owned()
            }
            Self::FuseDevice => "let users open the device: sudo modprobe fuse && sudo chmod 0666 /dev/fuse".to_owned(),
            Self::StoreWritable => format!("make your home writable, or choose another place: {OWN_PLACE}"),
            Self::StoreElsewhere => format!("put the store on a local file system (ext4, xfs, btrfs): {OWN_PLACE}"),
            Self::RuntimeDir => {
                "log in through logind (ssh or a console, not su or sudo): sudo machinectl shell $USER@, or export \
                 XDG_RUNTIME_DIR=/run/user/$(id -u)"
                    .to_owned()
            }
            Self::Cgroup => {
                if let Available::None(why) = cgroup::available() {
                    return why.cure("all");
                }
                "let systemd delegate the controllers: as root, mkdir -p /etc/systemd/system/user@.service.d && printf \
                 '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > \
                 /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload, then log in again"
                    .to_owned()
            }
            Self::NetworkHelper => {
                "install a network helper: sudo apt install passt (or slirp4netns), or use --network=none or host"
                    .to_owned()
            }
            Self::Route => "this host has no default route: connect it to a network, or use --network=slirp4netns, none \
                            or host"
                .to_owned(),
            Self::ModernPasta => "install pasta of October 2024 or later (Debian 13 and Fedora 41 have it), and slirp4netns \
                                  until then: sudo apt install passt slirp4netns"
                .to_owned(),
            Self::Tun => "let users open the device: sudo modprobe tun && sudo chmod 0666 /dev/net/tun".to_owned(),
            Self::Ping => {
                "let users send echo requests: sudo sysctl net.ipv4.ping_group_range=\"0 2147483647\"".to_owned()
            }
            Self::LowPort => format!(
                "publish a port from {0} on, or let users bind lower ones: sudo sysctl \
                 net.ipv4.ip_unprivileged_port_start=80",
                network::first_unprivileged_port()
            ),
            Self::Space => "free some space: sampan rm of containers, sampan rmi of images, sampan volume rm of volumes, \
                            and sampan system prune --all of all that no container uses, and of downloads that were cut off"
                .to_owned(),
            Self::RunSpace => "make room there: not the store is full, but the file system of the runroot; df -h and du -xah \
                               with its path show by what"
                .to_owned(),
            Self::Linger => format!("let processes survive the logout: loginctl enable-linger {user}"),
            Self::Inotify => "raise the limits: sudo sysctl fs.inotify.max_user_instances=1024 \
                              fs.inotify.max_user_watches=524288"
                .to_owned(),
            Self::Keyring => "raise the quota: sudo sysctl kernel.keys.maxkeys=20000 kernel.keys.maxbytes=2000000".to_owned(),
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
        let program = sys::process::own_executable().unwrap_or_else(|_| Path::new("/usr/bin/sampan").to_owned());
        return format!(
            "let AppArmor allow this program user namespaces (contrib/apparmor/sampan does it for the usual places): \
             printf 'abi <abi/4.0>,\\nprofile sampan \"{}\" flags=(unconfined) {{\\n  userns,\\n}}\\n' | \
             sudo tee /etc/apparmor.d/sampan && sudo apparmor_parser -r /etc/apparmor.d/sampan",
            program.display()
        );
    }
    "the kernel or the container around us refuses user namespaces: see sampan system doctor".to_owned()
}

/// A setting of the kernel, such as `/proc/sys/kernel/…`; none if it cannot be read.
pub(in crate::engine) fn setting(path: &str) -> Option<String> {
    sys::fs::read_to_string(Path::new(path)).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Caller, Need};

    #[test]
    fn cures_name_the_user_and_a_command() {
        let caller = Caller { user: "ann".to_owned() };
        let ids = Need::SubordinateIds.cure(&caller);
        assert!(ids.contains("--add-subuids ") && ids.ends_with(" ann"), "{ids}");
        assert!(Need::Linger.cure(&caller).contains("enable-linger ann"));
        assert!(!Need::Cgroup.cure(&caller).is_empty());
        for place in [Need::StoreWritable, Need::StoreElsewhere] {
            assert!(place.cure(&caller).contains("mktemp -d"), "a name that nobody can foresee");
        }
    }
}
