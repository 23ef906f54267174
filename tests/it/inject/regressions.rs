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

/// `rmi -f` passes over what is not there: an image that could not be read is.
#[test]
fn an_unreadable_image_is_not_called_gone() {
    requires!(userns, overlay);
    super::sweep::each("rmi", Sysno::openat, ".json", Action::Fail(Errno::EIO));
    super::sweep::each("rmi", Sysno::openat, "+new:1", Action::Fail(Errno::EIO));
}

/// What a container that cannot be read now needs is not taken from it.
#[test]
fn an_unreadable_container_keeps_what_it_needs() {
    requires!(userns, overlay);
    super::sweep::each("in_use", Sysno::openat, "config.json", Action::Fail(Errno::EIO));
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

#[test]
fn an_image_never_outlives_an_import_that_could_not_name_it() {
    requires!(userns, overlay);
    regression("import", Sysno::rename, "/refs/", Action::Kill);
    regression("import", Sysno::rename, "/refs/", Action::Fail(Errno::ENOSPC));
}

#[test]
fn a_name_leads_to_a_whole_image_whatever_fails_while_it_moves() {
    requires!(userns, overlay);
    super::sweep::each("import_over", Sysno::fsync, "/images", Action::Fail(Errno::EIO));
    regression("import_over", Sysno::rename, "/refs/", Action::Kill);
    regression("import_over", Sysno::rename, "/refs/", Action::Fail(Errno::EIO));
}

#[test]
fn a_cgroup_that_cannot_be_removed_is_not_forgotten() {
    requires!(userns, overlay, cgroup);
    regression("run_rm", Sysno::rmdir, "/sampan-", Action::Fail(Errno::ENOMEM));
}

#[test]
fn a_container_that_cannot_be_read_now_keeps_nothing_and_loses_nothing() {
    requires!(userns, overlay);
    regression("rm", Sysno::openat, "config.json", Action::Fail(Errno::EIO));
}

#[test]
fn an_exec_session_never_outlives_its_supervisor() {
    requires!(userns, overlay);
    regression("exec", Sysno::unlink, "/exec/", Action::Kill);
    regression("exec_detached", Sysno::unlink, "/exec/", Action::Kill);
}

#[test]
fn a_container_whose_init_cannot_be_told_does_not_run() {
    requires!(userns, overlay);
    // The looks at init and monitor for the state, in the CLI and in the monitor.
    super::sweep::each("restart", Sysno::openat, "/stat", Action::Fail(Errno::EIO));
}

#[test]
fn a_full_disk_leaves_no_half_of_a_file() {
    requires!(userns, overlay);
    super::sweep::each_tidied("volume_create", Sysno::fdatasync, "/meta.json", Errno::ENOSPC);
    super::sweep::each_tidied("rename", Sysno::fdatasync, ".tmp", Errno::ENOSPC);
    super::sweep::each_tidied("run", Sysno::write, ".tmp", Errno::ENOSPC);
}

/// Without its monitor, only the look at its init tells that a container runs.
#[test]
fn a_container_that_cannot_be_told_to_run_is_not_called_stopped() {
    requires!(userns, overlay);
    super::sweep::each("stop_lost", Sysno::openat, "/stat", Action::Fail(Errno::EIO));
}

#[test]
fn a_new_epoch_begins_when_every_container_could_be_read() {
    requires!(userns, overlay);
    super::sweep::each("recover", Sysno::openat, "config.json", Action::Fail(Errno::EIO));
}

#[test]
fn a_word_that_cannot_be_sent_leaves_nobody_waiting() {
    requires!(userns, overlay);
    super::sweep::each("run", Sysno::sendmsg, "", Action::Fail(Errno::ENOMEM));
    super::sweep::each("exec", Sysno::sendmsg, "", Action::Fail(Errno::ENOMEM));
    super::sweep::each("run_rm", Sysno::sendmsg, "", Action::Fail(Errno::ENOMEM));
}

#[test]
fn a_runtime_directory_that_cannot_be_looked_at_is_not_replaced() {
    requires!(userns, overlay);
    // The first look of all is at `$XDG_RUNTIME_DIR`; the next ones are at the store's marks.
    super::sweep::every("restart", Sysno::statx, Action::Fail(Errno::EIO), 3);
}

/// No memory at one moment is no kernel without overlay for the rest of the boot.
#[test]
fn an_error_that_passes_chooses_no_driver() {
    requires!(userns, overlay);
    super::sweep::each("probe", Sysno::fsopen, "", Action::Fail(Errno::ENOMEM));
    super::sweep::each("probe", Sysno::fsmount, "", Action::Fail(Errno::EMFILE));
}
