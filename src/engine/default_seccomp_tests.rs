//! The default profile, run: specgen makes the section, the runtime compiles it, the kernel answers.

use crate::runtime::seccomp_profile;
use crate::specgen;
use crate::sys::seccomp::{Program, answer};
use crate::types::capability::{CapSet, Capability};
use crate::types::security::Security;

fn default(caps: CapSet) -> Program {
    let section =
        specgen::seccomp_section(&Security::default(), caps, None, (6, 18)).expect("valid").expect("confined");
    seccomp_profile::compile(&section).expect("valid")
}

const EPERM: i64 = -1;
const EBADF: i64 = -9;
const EFAULT: i64 = -14;
const EINVAL: i64 = -22;
const ENOSYS: i64 = -38;
const EAFNOSUPPORT: i64 = -97;
const ANY: u64 = u64::MAX;

/// Name, arguments, answer.
type Case = (&'static str, [u64; 4], i64);

fn check(caps: CapSet, cases: &[Case]) {
    let filter = [default(caps)];
    for (name, args, expected) in cases {
        let number = name.parse::<syscalls::Sysno>().expect("a system call").id();
        assert_eq!(answer(&filter, number.into(), *args), Some(*expected), "{name} {args:x?}");
    }
}

#[test]
fn c16_c20_c23_what_a_container_may_not_call() {
    check(
        CapSet::DEFAULT,
        &[
            // C23; the kernel takes the low half of the number.
            ("socket", [38, 5, 0, 0], EAFNOSUPPORT),
            ("socket", [0x26 | 1 << 32, 5, 0, 0], EAFNOSUPPORT),
            ("socket", [40, 1, 0, 0], EAFNOSUPPORT),
            ("socket", [16, 3, 9, 0], EINVAL),
            // C16.
            ("ioctl", [ANY, 0x5412, 0, 0], EPERM),
            ("ioctl", [ANY, 0x5412 | 1 << 32, 0, 0], EPERM),
            ("ioctl", [ANY, 0x541c, 0, 0], EPERM),
            // C20.
            ("add_key", [0; 4], EPERM),
            ("keyctl", [0; 4], EPERM),
            ("request_key", [0; 4], EPERM),
            ("userfaultfd", [1, 0, 0, 0], EPERM),
            ("bpf", [0; 4], EPERM),
            ("perf_event_open", [0; 4], EPERM),
            ("mount", [0; 4], EPERM),
            ("umount2", [0; 4], EPERM),
            ("fsopen", [0; 4], EPERM),
            ("open_tree", [0; 4], EPERM),
            ("pivot_root", [0; 4], EPERM),
            ("unshare", [0x1000_0000, 0, 0, 0], EPERM),
            ("setns", [ANY, 0, 0, 0], EPERM),
            ("clone", [0x1000_0011, 0, 0, 0], EPERM),
            ("clone", [0x2_0011, 0, 0, 0], EPERM),
            ("clone3", [0; 4], ENOSYS),
            ("open_by_handle_at", [0; 4], EPERM),
            ("kexec_load", [0; 4], EPERM),
            ("init_module", [0; 4], EPERM),
            ("swapon", [0; 4], EPERM),
            ("syslog", [3, 0, 0, 0], EPERM),
            ("clock_settime", [0; 4], EPERM),
            ("acct", [0; 4], EPERM),
            ("reboot", [0; 4], EPERM),
            ("personality", [0x4_0000, 0, 0, 0], EPERM),
            ("io_uring_setup", [1, 0, 0, 0], ENOSYS),
        ],
    );
}

#[test]
fn what_programs_need_reaches_the_kernel() {
    check(
        CapSet::DEFAULT,
        &[
            ("ioctl", [ANY, 0x5413, 0, 0], EBADF),
            ("read", [ANY, 0, 0, 0], EBADF),
            ("execve", [0; 4], EFAULT),
            ("openat2", [ANY, 0, 0, 0], EINVAL),
            ("faccessat2", [ANY, 0, 0, 0], EFAULT),
            ("close_range", [5, 4, 0, 0], EINVAL),
            ("fchmodat2", [ANY, 0, 0, 0], EFAULT),
            ("landlock_restrict_self", [ANY, 0, 0, 0], EBADF),
            ("chroot", [0; 4], EFAULT),
            ("personality", [0xffff_ffff, 0, 0, 0], 0),
            ("fchown", [ANY, 0, 0, 0], EBADF),
            ("seccomp", [99, 0, 0, 0], EINVAL),
        ],
    );
}

#[test]
fn capabilities_open_what_they_are_for() {
    let with = |capability| CapSet::DEFAULT.union(CapSet::of(&[capability]));
    check(
        with(Capability::SYS_ADMIN),
        &[
            ("setns", [ANY, 0, 0, 0], EBADF),
            ("clone3", [0; 4], EINVAL),
            ("umount2", [0; 4], EFAULT),
            ("keyctl", [0; 4], EPERM),
        ],
    );
    check(CapSet::EMPTY, &[("chroot", [0; 4], EPERM)]);
}

#[test]
fn a_start_pays_little_for_it() {
    let started = std::time::Instant::now();
    let program = default(CapSet::DEFAULT);
    let first = started.elapsed();
    assert!(program.len() < 1000, "{} instructions", program.len());
    // A debug build on a busy machine: the release build takes a hundredth of this.
    assert!(first < std::time::Duration::from_millis(500), "{first:?}");
}
