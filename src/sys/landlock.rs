//! Landlock (`landlock(7)`, Linux 5.19): this process and its threads may open, make and remove files only beneath
//! given directories. A second wall behind the descriptors; where the kernel lacks it, nothing happens.
#![expect(unsafe_code, reason = "neither libc, nix nor rustix wraps Landlock")]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::error::{Errno, Error, Result};

const CREATE_RULESET_VERSION: libc::c_ulong = 1;
const RULE_PATH_BENEATH: libc::c_ulong = 1;

/// Rights of ABI 1: execute, write, read, readdir, remove dir and file, make char, dir, reg, sock, fifo, block, sym.
const RIGHTS_1: u64 = (1 << 13) - 1;
/// ABI 2: link and rename across directories. ABI 1 (Linux 5.13 to 5.18) refuses these whatever the rules say.
const RIGHT_REFER: u64 = 1 << 13;
/// ABI 3: truncate.
const RIGHT_TRUNCATE: u64 = 1 << 14;
/// ABI 5: ioctl of devices.
const RIGHT_IOCTL_DEV: u64 = 1 << 15;
/// Execute: never granted here.
const RIGHT_EXECUTE: u64 = 1;
/// ABI 4: bind and connect of TCP.
const NET_RIGHTS: u64 = 3;
/// ABI 6: abstract sockets and signals outside.
const SCOPES: u64 = 3;

#[repr(C)]
struct RulesetAttr {
    handled_access_fs: u64,
    handled_access_net: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct PathBeneathAttr {
    allowed_access: u64,
    parent_fd: i32,
}

/// Restricts this thread, and all that it starts, to `dirs`, TCP and execution excluded. Needs `no_new_privs`. False
/// where the kernel has no Landlock, or one that does not let hard links of layers be made.
pub(crate) fn restrict_to(dirs: &[BorrowedFd<'_>]) -> Result<bool> {
    // SAFETY: with this flag the kernel reads no memory and answers its version.
    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0_usize, 0_usize, CREATE_RULESET_VERSION) };
    if abi < 1 {
        return match Errno::last() {
            Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EPERM => Ok(false),
            errno => Err(Error::new("landlock_create_ruleset", "version", errno)),
        };
    }
    if abi < 2 {
        return Ok(false);
    }
    let mut rights = RIGHTS_1 | RIGHT_REFER;
    for (since, right) in [(3, RIGHT_TRUNCATE), (5, RIGHT_IOCTL_DEV)] {
        if abi >= since {
            rights |= right;
        }
    }
    let ruleset = create(&RulesetAttr {
        handled_access_fs: rights,
        handled_access_net: if abi >= 4 { NET_RIGHTS } else { 0 },
        scoped: if abi >= 6 { SCOPES } else { 0 },
    })?;
    for dir in dirs {
        let rule =
            PathBeneathAttr { allowed_access: rights & !(RIGHT_EXECUTE | RIGHT_IOCTL_DEV), parent_fd: dir.as_raw_fd() };
        // SAFETY: the rule lives until the call returns, and its type is the one of this rule type.
        let result = unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), RULE_PATH_BENEATH, &raw const rule, 0)
        };
        if result != 0 {
            return Err(Error::last("landlock_add_rule", dir.as_raw_fd().to_string()));
        }
    }
    // SAFETY: takes a descriptor and flags.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
    if result == 0 { Ok(true) } else { Err(Error::last("landlock_restrict_self", String::new())) }
}

fn create(attr: &RulesetAttr) -> Result<OwnedFd> {
    // Kernels that know fewer fields accept a longer structure whose unknown end is zero.
    // SAFETY: pointer and size belong to `attr`.
    let fd = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::from_ref(attr), size_of::<RulesetAttr>(), 0)
    };
    let Ok(fd @ 0..) = i32::try_from(fd) else {
        return Err(Error::last("landlock_create_ruleset", format!("{:#x}", attr.handled_access_fs)));
    };
    // SAFETY: the kernel has just made this descriptor for us (close-on-exec, landlock_create_ruleset(2)).
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
