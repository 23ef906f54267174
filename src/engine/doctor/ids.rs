//! Subordinate ids, and the programs that map them.

use std::path::Path;

use crate::engine::Engine;
use crate::engine::cures::{Caller, Need};
use crate::rootless::wish::SingleReason;
use crate::rootless::{Outer, OuterWish, subid, worker};
use crate::sys::{self, process};
use crate::types::failure::chain;

use super::finding::Finding;

const MAPPERS: &str = "newuidmap, newgidmap";
const RANGES: &str = "subordinate ids";
const GROUPS: &str = "supplementary groups";
/// Ids that images take for granted: uid 65534 is `nobody`.
const ENOUGH: u64 = 65536;
const SINGLE: &str = "containers have one user (single-id mode): other users, chown to them, and user switching";

pub(super) fn findings(engine: &Engine, caller: &Caller, possible: bool) -> Vec<Finding> {
    let wish = match engine.wish() {
        Ok(wish) => wish,
        Err(error) => {
            let cure = Need::SubordinateIds.cure(caller);
            return vec![Finding::missing(RANGES, chain(&error), "no container can be made", cure)];
        }
    };
    let mut findings = vec![mappers(wish, caller, possible), ranges(wish, caller, &engine.config.path)];
    findings.extend(groups(wish, caller));
    findings
}

/// Presence and privilege by what the wish found, then by mapping a namespace.
fn mappers(wish: &OuterWish, caller: &Caller, possible: bool) -> Finding {
    let cure = || Need::IdMappers.cure(caller);
    match &wish.single {
        Some(SingleReason::NoMapper) => Finding::degraded(MAPPERS, "not in PATH", SINGLE, cure()),
        Some(SingleReason::PowerlessMapper(program)) => {
            let found = format!("{} has neither the set-uid bit nor capabilities", program.display());
            Finding::degraded(MAPPERS, found, SINGLE, Need::MapperPrivilege.cure(caller))
        }
        Some(SingleReason::NoSubIds) => Finding::fine(MAPPERS, "installed; nothing to map"),
        None if !possible => Finding::fine(MAPPERS, "installed; not tried"),
        None => match worker::run(&Outer::find(wish.clone(), Path::new("/nonexistent")), || Ok(())) {
            Ok(()) => Finding::fine(MAPPERS, "map ids"),
            Err(error) => {
                Finding::missing(MAPPERS, chain(&error), "no container can be made", Need::MapperPrivilege.cure(caller))
            }
        },
    }
}

fn ranges(wish: &OuterWish, caller: &Caller, path: &str) -> Finding {
    if wish.single == Some(SingleReason::NoSubIds) {
        return Finding::degraded(
            RANGES,
            "none in /etc/subuid and /etc/subgid",
            SINGLE,
            Need::SubordinateIds.cure(caller),
        );
    }
    let (uid, _) = process::ids();
    let name = sys::user::name_of(sys::user::Database::Passwd, uid, path).ok().flatten();
    match subid::of_user(name.as_deref(), uid, path) {
        Ok(ids) if ids.is_usable() => {
            let count = |ranges: &[subid::Range]| ranges.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
            let (uids, gids) = (count(&ids.uid), count(&ids.gid));
            let found = format!("{uids} uids, {gids} gids");
            match subid::shared(name.as_deref(), uid) {
                Ok(others) if !others.is_empty() => Finding::degraded(
                    RANGES,
                    format!("{found}; shared with {}", others.join(", ")),
                    "the wall between containers of these users: each may read the other's files",
                    Need::SubordinateIds.cure(caller),
                ),
                Ok(_) if uids.min(gids) < ENOUGH => Finding::degraded(
                    RANGES,
                    found,
                    "images that use ids up to 65535, such as nobody",
                    Need::SubordinateIds.cure(caller),
                ),
                Ok(_) => Finding::fine(RANGES, found),
                Err(error) => Finding::degraded(RANGES, chain(&error), "unknown", Need::SubordinateIds.cure(caller)),
            }
        }
        // There is no mapper for them either, or the maps would say so.
        _ => Finding::degraded(RANGES, "none", SINGLE, Need::SubordinateIds.cure(caller)),
    }
}

/// In single-id mode nobody can drop groups: programs in containers keep those of the caller (K-B9).
fn groups(wish: &OuterWish, caller: &Caller) -> Option<Finding> {
    wish.single.as_ref()?;
    let (_, gid) = process::ids();
    let mut groups: Vec<String> = process::groups().ok()?.into_iter().filter(|g| *g != gid).map(group_name).collect();
    groups.dedup();
    Some(if groups.is_empty() {
        Finding::fine(GROUPS, "none")
    } else {
        Finding::degraded(
            GROUPS,
            groups.join(" "),
            "the wall before what these groups may touch: containers keep them in single-id mode",
            Need::SubordinateIds.cure(caller),
        )
    })
}

fn group_name(gid: u32) -> String {
    let text = sys::fs::read_to_string(Path::new("/etc/group")).unwrap_or_default();
    let name = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| gid.to_string())
}
