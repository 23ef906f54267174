//! New processes: `fork(2)` and `clone3(2)`. Only single-threaded processes may come here.
#![expect(unsafe_code, reason = "fork and clone3 duplicate the whole process")]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::error::{Call, Errno, Error, Result};
use super::process::{Pid, PidFd};
use super::raw;

/// Wider than the constant of the libc crate.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What is new for the child of [`clone3`].
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct CloneOptions<'a> {
    /// `CLONE_NEW*` flags.
    pub(crate) namespaces: i32,
    /// The child becomes a child of our parent (`CLONE_PARENT`), who gets no exit signal (K-B7).
    pub(crate) sibling: bool,
    /// The child is born in this cgroup (`CLONE_INTO_CGROUP`, Linux 5.7).
    pub(crate) cgroup: Option<BorrowedFd<'a>>,
}

/// Which side of a fork we are.
#[derive(Debug)]
pub(crate) enum Forked {
    Child,
    Parent(PidFd),
}

/// `fork(2)` with a pidfd for the child; by the old `clone(2)` where a sandbox around us hides `clone3(2)`, as containers' do.
pub(crate) fn fork() -> Result<Forked> {
    match clone3(CloneOptions::default()) {
        Err(hidden) if hidden.is(Errno::ENOSYS) => fork_classic(),
        forked => forked,
    }
}

/// `fork(2)` by the old `clone(2)`: for a process whose seccomp filter refuses `clone3(2)`.
pub(crate) fn fork_classic() -> Result<Forked> {
    debug_assert!(single_threaded(), "a process with threads must not fork");
    // SAFETY: one thread, as asserted above and promised by `lib::main`.
    match unsafe { nix::unistd::fork() }.call("fork", String::new)? {
        nix::unistd::ForkResult::Child => Ok(Forked::Child),
        nix::unistd::ForkResult::Parent { child } => {
            let pid =
                Pid::from_raw(child.as_raw()).ok_or(nix::errno::Errno::ESRCH).call("fork", || "no child".to_owned())?;
            PidFd::open(pid).map(Forked::Parent)
        }
    }
}

/// `clone3(2)` with the memory copied, as by `fork(2)`.
pub(crate) fn clone3(options: CloneOptions<'_>) -> Result<Forked> {
    debug_assert!(single_threaded(), "a process with threads must not fork");
    let mut pidfd: libc::c_int = -1;
    let mut flags = u64::from(options.namespaces.cast_unsigned()) | libc::CLONE_PIDFD as u64;
    let mut args = raw::CloneArgs {
        pidfd: std::ptr::from_mut(&mut pidfd) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..raw::CloneArgs::default()
    };
    if options.sibling {
        flags |= libc::CLONE_PARENT as u64;
        args.exit_signal = 0;
    }
    if let Some(cgroup) = options.cgroup {
        flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    args.flags = flags;
    // SAFETY: no CLONE_VM and no CLONE_THREAD; one thread, as asserted above and promised by `lib::main`.
    match unsafe { raw::clone3(&args) }? {
        0 => Ok(Forked::Child),
        pid => {
            // SAFETY: the kernel wrote a new descriptor for us.
            let fd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let pid = pid.ok_or(nix::errno::Errno::ESRCH).call("clone3", || "pid out of range".to_owned())?;
            Ok(Forked::Parent(PidFd::from_parts(pid, fd)))
        }
    }
}

/// The child takes over: a sibling of this process (`CLONE_PARENT`, no exit signal) in the same memory goes on where this one
/// is, which leaves with 0 as soon as the other has executed a program or ended, and does nothing else any more. So no page
/// table is copied, and no page written by both is. Answers the child's number as this process's pid namespace has it.
pub(crate) fn hand_over() -> Result<Pid> {
    debug_assert!(single_threaded(), "a process with threads must not fork");
    // Written by the kernel before the child runs, into the memory that it has too.
    let mut number: libc::pid_t = 0;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID;
    let args = raw::CloneArgs {
        flags: u64::from(flags.cast_unsigned()),
        parent_tid: std::ptr::from_mut(&mut number) as u64,
        ..raw::CloneArgs::default()
    };
    // SAFETY: CLONE_VFORK is there; one thread, as asserted above and promised by `lib::main`.
    let answer = unsafe { raw::clone3_and_leave(&args) };
    if answer < 0 {
        let errno = i32::try_from(-answer).unwrap_or(libc::EAGAIN);
        return Err(Error::new("clone3", format!("flags={flags:#x}"), Errno::from_raw(errno)));
    }
    // SAFETY: a local variable; the kernel, of which the compiler knows nothing, has written to it.
    let number = unsafe { std::ptr::read_volatile(&raw const number) };
    Pid::from_raw(number).ok_or(Errno::ESRCH).call("clone3", || "no number".to_owned())
}

/// False only if two threads were seen: a directory that cannot be read tells nothing.
fn single_threaded() -> bool {
    std::fs::read_dir("/proc/self/task").map_or(true, |tasks| tasks.flatten().count() <= 1)
}
