//! From the container's root to the program's user, in the order that keeps each step possible (K-A13).

use oci_spec::runtime::{Capabilities as OciCapabilities, Process};

use crate::runtime::error::Error;
use crate::runtime::user::Identity;
use crate::sys::process::{self, Rlimit};
use crate::sys::seccomp::Program;
use crate::sys::{self, caps, prctl};
use crate::types::capability::CapSet;

/// Capability masks: bit n is capability number n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::runtime) struct Capabilities {
    pub(in crate::runtime) bounding: u64,
    pub(in crate::runtime) permitted: u64,
    pub(in crate::runtime) ambient: u64,
}

fn identity(operation: &'static str) -> impl FnOnce(sys::Error) -> Error {
    move |source| Error::Identity { operation, source }
}

/// Raises every permitted capability into the ambient set, for the way across an exec with a uid that is not 0.
pub(super) fn keep_all_capabilities_across_exec() -> Result<(), Error> {
    let (effective, permitted, _) = caps::current().map_err(identity("read the capabilities"))?;
    caps::set(effective, permitted, permitted).map_err(identity("make the capabilities inheritable"))?;
    caps::set_ambient(permitted).map_err(identity("make the capabilities ambient"))
}

/// The capability sets in force for this user.
pub(in crate::runtime) fn capabilities(process: &Process) -> Capabilities {
    let Some(sets) = process.capabilities() else { return Capabilities::default() };
    let bits = |set: &Option<OciCapabilities>| set.as_ref().map_or(0, |set| CapSet::from_oci(set).bits());
    Capabilities { bounding: bits(sets.bounding()), permitted: bits(sets.permitted()), ambient: bits(sets.ambient()) }
}

/// Takes groups, ids, capabilities and filters. After this only the program's rights are left.
pub(in crate::runtime) fn assume(
    process: &Process,
    who: &Identity,
    wanted: Capabilities,
    filters: &[Program],
) -> Result<(), Error> {
    let no_new_privileges = process.no_new_privileges().unwrap_or(false);
    // To the end, not to what a /proc that belongs to the container says is the last one (case C18).
    caps::limit_bounding(wanted.bounding, 63).map_err(identity("limit the bounding set"))?;
    prctl::set_keep_caps(true).map_err(identity("keep capabilities across the change of user"))?;
    if let Some(groups) = &who.groups {
        match process::set_groups(groups) {
            // A user namespace with one id forbids setgroups: the caller's groups stay (K-B9).
            Err(error) if error.is(sys::Errno::EPERM) && groups.iter().all(|group| *group == who.gid) => {}
            result => result.map_err(identity("set the supplementary groups"))?,
        }
    }
    process::set_gid(who.gid).map_err(identity("set the group"))?;
    process::set_uid(who.uid).map_err(identity("set the user"))?;
    prctl::set_keep_caps(false).map_err(identity("keep capabilities across the change of user"))?;
    // Without no_new_privs a filter needs CAP_SYS_ADMIN, which is permitted still, but no longer effective after the
    // change of user. Later is better: a strict profile need not allow what we did until here.
    if !no_new_privileges && !filters.is_empty() {
        let (_, permitted, inheritable) = caps::current().map_err(identity("read the capabilities"))?;
        caps::set(permitted, permitted, inheritable).map_err(identity("raise the capabilities"))?;
        install(filters)?;
    }
    caps::set(wanted.permitted, wanted.permitted, wanted.ambient).map_err(identity("set the capabilities"))?;
    caps::set_ambient(wanted.ambient).map_err(identity("set the ambient capabilities"))?;
    if no_new_privileges {
        prctl::set_no_new_privs().map_err(identity("forbid new privileges"))?;
        install(filters)?;
    }
    Ok(())
}

fn install(filters: &[Program]) -> Result<(), Error> {
    filters.iter().try_for_each(Program::install).map_err(Error::Seccomp)
}

/// Resource limits, while we may still raise what we may.
pub(in crate::runtime) fn limit(process: &Process) -> Result<(), Error> {
    for limit in process.rlimits().iter().flatten() {
        let name = limit.typ().to_string();
        let resource = resource(&name).ok_or_else(|| Error::UnknownLimit(name.clone()))?;
        process::set_rlimit(resource, limit.soft(), limit.hard()).map_err(|source| Error::Limit { name, source })?;
    }
    Ok(())
}

/// Processes inherit it.
pub(super) fn set_oom_score(process: &Process) -> Result<(), Error> {
    if let Some(score) = process.oom_score_adj() {
        let path = std::path::Path::new("/proc/self/oom_score_adj");
        let written = sys::fs::write_in_place(path, score.to_string().as_bytes());
        written.map_err(|source| Error::Limit { name: "oom_score_adj".to_owned(), source })?;
    }
    Ok(())
}

fn resource(name: &str) -> Option<Rlimit> {
    Some(match name {
        "RLIMIT_AS" => Rlimit::RLIMIT_AS,
        "RLIMIT_CORE" => Rlimit::RLIMIT_CORE,
        "RLIMIT_CPU" => Rlimit::RLIMIT_CPU,
        "RLIMIT_DATA" => Rlimit::RLIMIT_DATA,
        "RLIMIT_FSIZE" => Rlimit::RLIMIT_FSIZE,
        "RLIMIT_LOCKS" => Rlimit::RLIMIT_LOCKS,
        "RLIMIT_MEMLOCK" => Rlimit::RLIMIT_MEMLOCK,
        "RLIMIT_MSGQUEUE" => Rlimit::RLIMIT_MSGQUEUE,
        "RLIMIT_NICE" => Rlimit::RLIMIT_NICE,
        "RLIMIT_NOFILE" => Rlimit::RLIMIT_NOFILE,
        "RLIMIT_NPROC" => Rlimit::RLIMIT_NPROC,
        "RLIMIT_RSS" => Rlimit::RLIMIT_RSS,
        "RLIMIT_RTPRIO" => Rlimit::RLIMIT_RTPRIO,
        "RLIMIT_RTTIME" => Rlimit::RLIMIT_RTTIME,
        "RLIMIT_SIGPENDING" => Rlimit::RLIMIT_SIGPENDING,
        "RLIMIT_STACK" => Rlimit::RLIMIT_STACK,
        _ => return None,
    })
}
