//! Capability sets of this process (`capabilities(7)`), as bit masks: bit n is capability number n.

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities,
};

use super::error::{Call, Errno, Result};

/// Drops every capability up to `last` that is not in `keep` from the bounding set.
pub(crate) fn limit_bounding(keep: u64, last: u8) -> Result<()> {
    for number in 0..=last {
        if keep & (1 << number) == 0 {
            let set = CapabilitySet::from_bits_retain(1 << number);
            match remove_capability_from_bounding_set(set) {
                // A number that this kernel does not know.
                Err(rustix::io::Errno::INVAL) => {}
                result => result.call("prctl", || format!("PR_CAPBSET_DROP, {number}"))?,
            }
        }
    }
    Ok(())
}

/// Sets effective, permitted and inheritable capabilities.
pub(crate) fn set(effective: u64, permitted: u64, inheritable: u64) -> Result<()> {
    let sets = CapabilitySets {
        effective: CapabilitySet::from_bits_retain(effective),
        permitted: CapabilitySet::from_bits_retain(permitted),
        inheritable: CapabilitySet::from_bits_retain(inheritable),
    };
    set_capabilities(None, sets)
        .call("capset", || format!("effective={effective:#x}, permitted={permitted:#x}, inheritable={inheritable:#x}"))
}

/// Effective, permitted and inheritable capabilities of this process.
pub(crate) fn current() -> Result<(u64, u64, u64)> {
    let sets = capabilities(None).call("capget", String::new)?;
    Ok((sets.effective.bits(), sets.permitted.bits(), sets.inheritable.bits()))
}

/// Makes the ambient set exactly this; each must be permitted and inheritable.
pub(crate) fn set_ambient(wanted: u64) -> Result<()> {
    match clear_ambient_capability_set() {
        // No ambient set before Linux 4.3.
        Err(rustix::io::Errno::INVAL) if wanted == 0 => return Ok(()),
        result => result.call("prctl", || "PR_CAP_AMBIENT_CLEAR_ALL".to_owned())?,
    }
    for number in 0..64 {
        if wanted & (1 << number) != 0 {
            configure_capability_in_ambient_set(CapabilitySet::from_bits_retain(1 << number), true)
                .call("prctl", || format!("PR_CAP_AMBIENT_RAISE, {number}"))?;
        }
    }
    Ok(())
}

/// Number of the last capability that the running kernel knows.
pub(crate) fn last() -> Result<u8> {
    let path = std::path::Path::new("/proc/sys/kernel/cap_last_cap");
    let text = super::fs::read_to_string(path)?;
    text.trim().parse().ok().ok_or(Errno::EINVAL).call("read", || format!("{path:?}: {text:?}"))
}
