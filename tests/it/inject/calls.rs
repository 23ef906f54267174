//! Which system calls are worth a kill before them, and which errors each may really return.

use nix::errno::Errno;
use syscalls::Sysno;

/// How much a kill before the call can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Changes what another process can see: every one is tried.
    State,
    /// Reads: a sample is tried.
    Other,
    /// Memory and the like: never.
    None,
}

/// The weight of a call with these first arguments.
pub(super) fn weight(call: Sysno, args: [u64; 6]) -> Weight {
    use Sysno as S;
    match call {
        S::openat if args[2] & CREATES != 0 => Weight::State,
        S::fcntl if args[1] == u64::try_from(libc::F_SETFL).unwrap() => Weight::State,
        S::mkdir | S::mkdirat | S::rename | S::renameat | S::renameat2 | S::link | S::linkat | S::unlink | S::unlinkat | S::rmdir
        | S::symlink | S::symlinkat | S::mknodat | S::write | S::writev | S::pwrite64 | S::pwritev | S::ftruncate | S::fallocate
        | S::chmod | S::fchmod | S::fchmodat | S::fchmodat2 | S::fchown | S::fchownat | S::lchown | S::utimensat | S::setxattr
        | S::fsetxattr | S::lsetxattr | S::fsync | S::fdatasync | S::syncfs | S::flock | S::mount | S::umount2 | S::fsopen
        | S::fsconfig | S::fsmount | S::move_mount | S::open_tree | S::mount_setattr | S::pivot_root | S::fork | S::vfork
        | S::clone | S::clone3 | S::execve | S::execveat | S::unshare | S::setns | S::setsid | S::kill | S::pidfd_send_signal
        | S::sendmsg | S::sendto | S::connect | S::bind | S::listen | S::accept4 | S::exit_group | S::copy_file_range | S::sendfile
        | S::splice | S::setuid | S::setresuid | S::setgroups | S::prctl | S::seccomp | S::capset | S::ioctl | S::chdir | S::fchdir
        | S::socketpair | S::pipe2 => Weight::State,
        S::brk | S::mmap | S::munmap | S::mprotect | S::mremap | S::madvise | S::futex | S::getrandom | S::sched_yield
        | S::rt_sigprocmask | S::rt_sigreturn | S::rt_sigaction | S::sigaltstack | S::set_robust_list | S::rseq | S::arch_prctl
        | S::set_tid_address | S::clock_gettime | S::exit | S::restart_syscall | S::poll | S::gettid | S::getpid => Weight::None,
        _ => Weight::Other,
    }
}

#[expect(clippy::cast_sign_loss, reason = "flags, positive by definition")]
const CREATES: u64 = (libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64;

/// Errors that the kernel may answer to this call where a disk is full or broken, a signal comes, or a limit is reached.
pub(super) fn errors(call: Sysno, args: [u64; 6]) -> &'static [Errno] {
    use Errno as E;
    use Sysno as S;
    match call {
        S::openat if args[2] & CREATES != 0 => &[E::ENOSPC, E::EMFILE, E::EIO, E::EINTR, E::ENOMEM],
        S::openat => &[E::EMFILE, E::EIO, E::ENOMEM],
        S::openat2 => &[E::EMFILE, E::EIO, E::EAGAIN, E::ENOMEM],
        S::write | S::writev | S::pwrite64 => &[E::ENOSPC, E::EIO, E::EINTR],
        S::read | S::pread64 => &[E::EIO, E::EINTR],
        S::mkdir | S::mkdirat | S::symlink | S::symlinkat | S::link | S::linkat | S::rename | S::renameat | S::renameat2 | S::mknodat => {
            &[E::ENOSPC, E::EIO, E::ENOMEM]
        }
        S::unlink | S::unlinkat | S::rmdir => &[E::EIO, E::ENOMEM],
        S::fsync | S::fdatasync | S::syncfs => &[E::EIO, E::ENOSPC],
        S::ftruncate | S::fallocate | S::copy_file_range | S::sendfile => &[E::ENOSPC, E::EIO, E::EINTR],
        S::fchmod | S::fchmodat | S::fchmodat2 | S::fchown | S::fchownat | S::utimensat => &[E::EIO],
        S::setxattr | S::fsetxattr | S::lsetxattr => &[E::ENOSPC, E::EIO],
        S::getdents64 | S::statx | S::newfstatat => &[E::EIO, E::ENOMEM],
        S::flock => &[E::EINTR, E::ENOMEM],
        S::clone | S::clone3 | S::fork | S::vfork => &[E::EAGAIN, E::ENOMEM],
        S::pipe2 | S::socketpair | S::socket | S::epoll_create1 | S::eventfd2 | S::memfd_create | S::signalfd4 | S::timerfd_create
        | S::pidfd_open => &[E::EMFILE, E::ENOMEM],
        S::mount | S::fsopen | S::fsmount | S::move_mount | S::open_tree | S::mount_setattr | S::umount2 | S::setns | S::unshare => {
            &[E::ENOMEM]
        }
        S::wait4 | S::waitid | S::epoll_wait | S::epoll_pwait | S::ppoll | S::poll => &[E::EINTR],
        S::sendmsg | S::recvmsg | S::sendto | S::recvfrom => &[E::EINTR, E::ENOMEM],
        S::accept4 => &[E::EINTR, E::EMFILE],
        S::connect => &[E::EAGAIN, E::EINTR],
        S::bind | S::listen => &[E::ENOMEM],
        _ => &[],
    }
}
