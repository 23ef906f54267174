//! Points at which something was left or lost once.

use nix::errno::Errno;
use syscalls::Sysno;

use super::sweep::regression;
use super::tracer::Action;
use crate::harness::requires;

#[test]
fn an_unreadable_proc_is_no_other_epoch() {
    requires!(userns, overlay);
    regression("stop", Sysno::openat, "/proc/1/stat", Action::Fail(Errno::EMFILE));
}

#[test]
fn a_name_half_written_is_swept() {
    requires!(userns, overlay);
    regression("tag", Sysno::rename, ".tmp", Action::Kill);
}

#[test]
fn an_unreadable_image_keeps_its_names() {
    requires!(userns, overlay);
    // `rmi` sweeps: of the looks at records, some are those of other images.
    super::sweep::every("rmi", Sysno::statx, Action::Fail(Errno::EIO), 12);
}

#[test]
fn an_image_goes_before_its_name() {
    requires!(userns, overlay);
    regression("rmi", Sysno::unlink, "/refs/", Action::Kill);
}

#[test]
fn an_anonymous_volume_never_outlives_a_creation_that_was_killed() {
    requires!(userns, overlay);
    regression("run_rm", Sysno::renameat2, "-> /var/tmp", Action::Kill);
    regression("run_rm", Sysno::renameat2, "/containers/", Action::Kill);
}

#[test]
fn an_anonymous_volume_never_outlives_a_removal_that_was_killed() {
    requires!(userns, overlay);
    regression("run_rm", Sysno::unlinkat, "state.json", Action::Kill);
    regression("rm", Sysno::unlinkat, "/ctr/", Action::Kill);
}
