//! Which system calls are worth a kill before them, and which errors each may really return.

use nix::errno::Errno;
use syscalls::Sysno;

/// How much a kill before the call can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Changes what another process can see: every one is tried.
    State,
    /// Reads, or changes the process alone and the namespaces that die with it: a kill before it leaves what a kill before
    /// the next call of [`Weight::State`] leaves. A sample is tried, for the moments that differ.
    Other,
    /// Memory and the like: never.
    None,
}

/// Calls of [`Weight::State`]. A message that is received is gone for the others who hold the socket.
const STATE: &str = "mkdir mkdirat rename renameat renameat2 link linkat unlink unlinkat rmdir symlink symlinkat mknod \
    mknodat write writev pwrite64 pwritev pwritev2 truncate ftruncate fallocate chmod fchmod fchmodat fchmodat2 chown fchown \
    fchownat lchown utimensat setxattr fsetxattr lsetxattr removexattr fremovexattr lremovexattr fsync fdatasync syncfs \
    flock mount umount2 pivot_root fork vfork clone clone3 execve execveat unshare setns kill tkill tgkill \
    pidfd_send_signal sendmsg sendmmsg sendto recvmsg recvmmsg recvfrom shutdown connect bind listen accept accept4 \
    exit_group copy_file_range sendfile splice tee ioctl close_range";

/// `fsconfig` with this command makes the file system: overlay writes its work directory.
const FSCONFIG_CMD_CREATE: u64 = 6;

/// Calls of [`Weight::None`].
const NONE: &str = "brk mmap munmap mprotect mremap madvise futex getrandom sched_yield rt_sigprocmask rt_sigreturn \
    rt_sigaction sigaltstack set_robust_list rseq arch_prctl set_tid_address clock_gettime exit restart_syscall poll gettid \
    getpid";

/// The weight of a call with these first arguments.
pub(super) fn weight(call: Sysno, args: [u64; 6]) -> Weight {
    let among = |list: &str| list.split_whitespace().any(|name| name == call.name());
    let mounts = call == Sysno::fsconfig && args[1] == FSCONFIG_CMD_CREATE;
    if creates(call, args) || mounts || among(STATE) {
        Weight::State
    } else if among(NONE) {
        Weight::None
    } else {
        Weight::Other
    }
}

/// An open that makes or empties a file. The tracer puts the flags of `openat2`, which are in memory, where those of
/// `openat` are.
fn creates(call: Sysno, args: [u64; 6]) -> bool {
    let flags = libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY);
    [Sysno::openat, Sysno::openat2].contains(&call) && args[2] & u64::from(flags.cast_unsigned()) != 0
}

/// Calls, and the errors that the kernel may answer to them where a disk is full or broken, a signal comes, or a limit is
/// reached.
const ERRORS: [(&str, &[Errno]); 23] = [
    ("openat", &[Errno::EMFILE, Errno::EIO, Errno::ENOMEM]),
    ("openat2", &[Errno::EMFILE, Errno::EIO, Errno::EAGAIN, Errno::ENOMEM]),
    ("write writev pwrite64", &[Errno::ENOSPC, Errno::EIO, Errno::EINTR]),
    ("read pread64", &[Errno::EIO, Errno::EINTR]),
    (
        "mkdir mkdirat symlink symlinkat link linkat rename renameat renameat2 mknodat",
        &[Errno::ENOSPC, Errno::EIO, Errno::ENOMEM],
    ),
    ("unlink unlinkat rmdir", &[Errno::EIO, Errno::ENOMEM]),
    ("fsync fdatasync syncfs", &[Errno::EIO, Errno::ENOSPC]),
    ("ftruncate fallocate copy_file_range sendfile", &[Errno::ENOSPC, Errno::EIO, Errno::EINTR]),
    ("fchmod fchmodat fchmodat2 fchown fchownat utimensat", &[Errno::EIO]),
    ("setxattr fsetxattr lsetxattr", &[Errno::ENOSPC, Errno::EIO]),
    ("removexattr fremovexattr lremovexattr", &[Errno::EIO, Errno::ENOSPC]),
    (
        "getxattr fgetxattr lgetxattr listxattr flistxattr llistxattr readlink readlinkat fstat stat lstat statfs fstatfs",
        &[Errno::EIO, Errno::ENOMEM],
    ),
    ("dup dup2 dup3", &[Errno::EMFILE]),
    ("execve execveat seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self", &[Errno::ENOMEM]),
    ("getdents64 statx newfstatat", &[Errno::EIO, Errno::ENOMEM]),
    ("flock", &[Errno::EINTR, Errno::ENOMEM]),
    ("clone clone3 fork vfork", &[Errno::EAGAIN, Errno::ENOMEM]),
    (
        "pipe2 socketpair socket epoll_create1 eventfd2 memfd_create signalfd4 timerfd_create pidfd_open",
        &[Errno::EMFILE, Errno::ENOMEM],
    ),
    (
        "mount fsopen fsconfig fsmount move_mount open_tree mount_setattr umount2 setns unshare bind listen",
        &[Errno::ENOMEM],
    ),
    ("wait4 waitid epoll_wait epoll_pwait ppoll poll", &[Errno::EINTR]),
    ("sendmsg recvmsg sendto recvfrom", &[Errno::EINTR, Errno::ENOMEM]),
    ("accept4", &[Errno::EINTR, Errno::EMFILE]),
    ("connect", &[Errno::EAGAIN, Errno::EINTR]),
];

/// `F_DUPFD` and `F_DUPFD_CLOEXEC`: what else `fcntl` does needs no room in the table of descriptors.
const DUPLICATES: [u64; 2] = [0, 1030];

/// Errors that are tried at a call.
pub(super) fn errors(call: Sysno, args: [u64; 6]) -> &'static [Errno] {
    if creates(call, args) {
        return &[Errno::ENOSPC, Errno::EMFILE, Errno::EIO, Errno::EINTR, Errno::ENOMEM];
    }
    if call == Sysno::fcntl && DUPLICATES.contains(&args[1]) {
        return &[Errno::EMFILE];
    }
    let row = ERRORS.iter().find(|(names, _)| names.split_whitespace().any(|name| name == call.name()));
    row.map_or(&[], |(_, errors)| errors)
}
