//! Capabilities (`capabilities(7)`): names ↔ numbers, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names by number, without `CAP_` (include/uapi/linux/capability.h).
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// A name that is no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability {0:?}")]
pub(crate) struct UnknownCapability(String);

/// One capability that has a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Capability(u8);

impl Capability {
    pub(crate) const CHOWN: Self = Self(0);
    pub(crate) const DAC_OVERRIDE: Self = Self(1);
    pub(crate) const FOWNER: Self = Self(3);
    pub(crate) const FSETID: Self = Self(4);
    pub(crate) const KILL: Self = Self(5);
    pub(crate) const SETGID: Self = Self(6);
    pub(crate) const SETUID: Self = Self(7);
    pub(crate) const SETPCAP: Self = Self(8);
    pub(crate) const NET_BIND_SERVICE: Self = Self(10);
    pub(crate) const SYS_CHROOT: Self = Self(18);
    #[cfg(test)]
    pub(crate) const SYS_ADMIN: Self = Self(21);
    pub(crate) const SETFCAP: Self = Self(31);

    /// The number that the kernel uses.
    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// `CAP_CHOWN`.
    pub(crate) fn name(self) -> String {
        format!("CAP_{}", NAMES[usize::from(self.0)])
    }
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// Case does not count, `CAP_` may be left out.
    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        let upper = text.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let number = (0..).zip(NAMES).find_map(|(number, name)| (name == bare).then_some(number));
        number.map(Self).ok_or_else(|| UnknownCapability(text.to_owned()))
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES[usize::from(self.0)])
    }
}

/// A set of capabilities, as the kernel keeps it: bit n = capability n.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CapSet(u64);

impl CapSet {
    pub(crate) const EMPTY: Self = Self(0);

    /// What a container has by default: Podman's eleven.
    pub(crate) const DEFAULT: Self = Self::of(&[
        Capability::CHOWN,
        Capability::DAC_OVERRIDE,
        Capability::FOWNER,
        Capability::FSETID,
        Capability::KILL,
        Capability::NET_BIND_SERVICE,
        Capability::SETFCAP,
        Capability::SETGID,
        Capability::SETPCAP,
        Capability::SETUID,
        Capability::SYS_CHROOT,
    ]);

    /// The set of the capabilities listed.
    pub(crate) const fn of(list: &[Capability]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < list.len() {
            bits |= 1 << list[index].0;
            index += 1;
        }
        Self(bits)
    }

    /// All that a kernel with this `cap_last_cap` and this program know.
    pub(crate) fn all(last_cap: u8) -> Self {
        let known = NAMES.len().min(usize::from(last_cap) + 1);
        Self((1 << known) - 1)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn contains(self, capability: Capability) -> bool {
        self.0 >> capability.0 & 1 == 1
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members that have a name, by number.
    pub(crate) fn iter(self) -> impl Iterator<Item = Capability> {
        (0..).take(NAMES.len()).map(Capability).filter(move |capability| self.contains(*capability))
    }

    /// As the OCI runtime spec has it.
    pub(crate) fn to_oci(self) -> oci_spec::runtime::Capabilities {
        self.iter().filter_map(|capability| NAMES[usize::from(capability.0)].parse().ok()).collect()
    }

    /// From the OCI runtime spec.
    pub(crate) fn from_oci(set: &oci_spec::runtime::Capabilities) -> Self {
        let parsed: Vec<Capability> = set.iter().filter_map(|capability| capability.to_string().parse().ok()).collect();
        Self::of(&parsed)
    }
}

impl FromIterator<Capability> for CapSet {
    fn from_iter<I: IntoIterator<Item = Capability>>(list: I) -> Self {
        list.into_iter().fold(Self::EMPTY, |set, capability| set.union(Self::of(&[capability])))
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{CapSet, Capability, NAMES};

    #[test]
    fn names_and_numbers() {
        for (text, number) in [("CHOWN", 0), ("cap_sys_admin", 21), ("Cap_Checkpoint_Restore", 40), ("setfcap", 31)] {
            assert_eq!(text.parse::<Capability>().map(Capability::number), Ok(number), "{text}");
        }
        for text in ["", "CAP_", "CAP_CAP_CHOWN", "ALL", "SYS ADMIN", "41"] {
            assert!(text.parse::<Capability>().is_err(), "{text}");
        }
    }

    #[test]
    fn sets_survive_the_oci_spec() {
        let all = CapSet::all(255);
        assert_eq!(all.iter().count(), NAMES.len());
        assert_eq!(CapSet::from_oci(&all.to_oci()), all);
        assert_eq!(CapSet::DEFAULT.bits(), 0x8004_05fb, "as /proc/self/status shows it in Podman's containers");
        assert_eq!(CapSet::all(37).iter().count(), 38);
    }
}
