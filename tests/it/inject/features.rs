//! Features of the kernel that are no calls of their own, taken away at the call that asks for them, and a look at whether
//! `fault/kernels.rs` knows all the calls that are made.

use std::collections::BTreeSet;

use nix::errno::Errno;
use syscalls::Sysno;

use super::sweep::{calls, each, first_answered, without, without_asking_again};
use super::tracer::Action;
use crate::fault::kernels::is_never_taken_away;
use crate::harness::requires;

#[test]
fn without_layers_one_by_one() {
    requires!(userns, overlay);
    without("run", Sysno::fsconfig, "lowerdir+", Errno::EINVAL);
}

#[test]
fn without_time_namespaces() {
    requires!(userns, overlay);
    without("run", Sysno::statx, "/ns/time", Errno::ENOENT);
}

/// `PIDFD_GET_INFO`: nobody knows the exit code, and all else is the same.
#[test]
fn without_exit_codes_of_other_peoples_children() {
    requires!(userns, overlay);
    without_asking_again("stop_lost", Sysno::ioctl, "0xc040ff0b", Errno::ENOTTY);
}

/// tmpfs before Linux 6.6: volumes there are filled without a mark.
#[test]
fn without_attributes_of_users() {
    requires!(userns, overlay);
    without("fill", Sysno::fsetxattr, "", Errno::EOPNOTSUPP);
    without("fill", Sysno::fgetxattr, "", Errno::EOPNOTSUPP);
}

/// Each Landlock knows more rights than the one before; the first one refuses every link and rename from one directory to
/// another, and is not used.
#[test]
fn with_older_landlocks() {
    requires!(userns, overlay);
    first_answered("import", Sysno::landlock_create_ruleset, 1..=6);
}

/// Before Linux 5.8 a pidfd is none of its descriptors: the refusal is one line.
#[test]
fn without_setns_of_a_pidfd() {
    requires!(userns, overlay);
    each("exec", Sysno::setns, "", Action::Fail(Errno::EINVAL));
}

/// Ours and those of the libraries beneath us.
#[test]
fn every_newer_call_that_is_made_is_taken_away() {
    requires!(userns, overlay);
    let made = ["import", "run", "exec", "fill"].into_iter().flat_map(calls).map(|call| call.point.call);
    let missed: BTreeSet<_> = made.filter(|call| is_never_taken_away(*call)).map(|call| call.name()).collect();
    assert!(missed.is_empty(), "tests/it/fault/kernels.rs must take them away: {missed:?}");
}
