//! `--cap-add`, `--cap-drop`, `--privileged` → capability sets (case C14).

use crate::types::capability::{CapSet, Capability};
use crate::types::security::Security;

use super::error::Error;

/// The sets of a process in the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CapabilitySets {
    pub(crate) bounding: CapSet,
    /// Effective and permitted; the kernel's rules for execve(2) decide what the program keeps of it.
    pub(crate) permitted: CapSet,
    /// Inheritable and ambient: empty, but for capabilities that were added by name for a user who is not root.
    pub(crate) ambient: CapSet,
}

/// Computes the sets. `root`: the process runs as the container's uid 0, as far as the text of `--user` tells.
pub(crate) fn capability_sets(security: &Security, root: bool, last_cap: u8) -> Result<CapabilitySets, Error> {
    let add = parse(&security.cap_add, last_cap)?;
    let drop = parse(&security.cap_drop, last_cap)?;
    let bounding = bounding(security, &add, &drop, last_cap)?;
    if root {
        return Ok(CapabilitySets { bounding, permitted: bounding, ambient: CapSet::EMPTY });
    }
    // Another user gets what was asked for by name and nothing else, as with Podman.
    let asked = named(&add, CapSet::all(last_cap)).intersection(bounding);
    Ok(CapabilitySets { bounding, permitted: asked, ambient: asked })
}

struct List {
    all: bool,
    named: CapSet,
}

fn parse(names: &[String], last_cap: u8) -> Result<List, Error> {
    let mut list = List { all: false, named: CapSet::EMPTY };
    for name in names {
        if name.eq_ignore_ascii_case("all") {
            list.all = true;
            continue;
        }
        let capability: Capability = name.parse().map_err(Error::Capability)?;
        if capability.number() > last_cap {
            return Err(Error::CapabilityTooNew(capability.name()));
        }
        list.named = list.named.union(CapSet::of(&[capability]));
    }
    Ok(list)
}

fn named(list: &List, all: CapSet) -> CapSet {
    if list.all { all } else { list.named }
}

fn bounding(security: &Security, add: &List, drop: &List, last_cap: u8) -> Result<CapSet, Error> {
    if let Some(both) = add.named.intersection(drop.named).iter().next() {
        return Err(Error::CapabilityTwice(both.name()));
    }
    let all = CapSet::all(last_cap);
    if add.all && drop.all {
        return Err(Error::CapabilityTwice("ALL".to_owned()));
    }
    if security.privileged || add.all {
        return Ok(if drop.all { add.named } else { all.without(drop.named) });
    }
    if drop.all {
        return Ok(add.named);
    }
    let default = match &security.cap_default {
        Some(names) => named(&parse(names, last_cap)?, all),
        None => CapSet::DEFAULT.intersection(all),
    };
    Ok(default.union(add.named).without(drop.named))
}

#[cfg(test)]
mod tests {
    use super::{CapSet, Capability, Error, capability_sets};
    use crate::types::security::Security;

    fn sets(add: &[&str], drop: &[&str], privileged: bool, root: bool) -> Result<(u64, u64, u64), Error> {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let security = Security { cap_add: list(add), cap_drop: list(drop), privileged, ..Security::default() };
        capability_sets(&security, root, 40).map(|s| (s.bounding.bits(), s.permitted.bits(), s.ambient.bits()))
    }

    #[test]
    fn c14_capability_sets() {
        let default = CapSet::DEFAULT.bits();
        let all = CapSet::all(40).bits();
        let admin = CapSet::of(&[Capability::SYS_ADMIN]).bits();
        let chown = CapSet::of(&[Capability::CHOWN]).bits();
        let ok = |sets: Result<_, Error>| sets.expect("valid");
        assert_eq!(ok(sets(&[], &[], false, true)), (default, default, 0));
        assert_eq!(ok(sets(&[], &[], false, false)), (default, 0, 0));
        assert_eq!(ok(sets(&["sys_admin"], &[], false, true)), (default | admin, default | admin, 0));
        assert_eq!(ok(sets(&["CAP_SYS_ADMIN"], &[], false, false)), (default | admin, admin, admin));
        assert_eq!(ok(sets(&["CHOWN"], &["all"], false, true)), (chown, chown, 0));
        assert_eq!(ok(sets(&["ALL"], &["CHOWN"], false, true)), (all & !chown, all & !chown, 0));
        assert_eq!(ok(sets(&[], &[], true, true)), (all, all, 0));
        assert_eq!(ok(sets(&[], &["sys_admin"], true, true)), (all & !admin, all & !admin, 0));
        assert_eq!(ok(sets(&[], &["ALL"], false, true)), (0, 0, 0));
        assert!(matches!(sets(&["FROB"], &[], false, true), Err(Error::Capability(_))));
        assert!(matches!(sets(&["ALL"], &["ALL"], false, true), Err(Error::CapabilityTwice(_))));
        assert!(matches!(sets(&["CHOWN"], &["CHOWN"], false, true), Err(Error::CapabilityTwice(_))));
    }
}
