//! System calls that neither nix nor rustix wraps, by number.
#![expect(unsafe_code, reason = "libc::syscall is the only way to these calls")]

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::error::{Error, Result};
use super::process::{ExitStatus, Pid};

/// Arguments of `clone3(2)` that we use. The structure of Linux 5.7 (with `cgroup`).
#[derive(Debug, Default, Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct CloneArgs {
    pub(super) flags: u64,
    pub(super) pidfd: u64,
    pub(super) child_tid: u64,
    pub(super) parent_tid: u64,
    pub(super) exit_signal: u64,
    pub(super) stack: u64,
    pub(super) stack_size: u64,
    pub(super) tls: u64,
    pub(super) set_tid: u64,
    pub(super) set_tid_size: u64,
    pub(super) cgroup: u64,
}

/// `clone3(2)` without a stack of its own: the child goes on where the parent is, as after `fork(2)`.
///
/// # Safety
/// The process has one thread, and `flags` do not share memory with the child.
pub(super) unsafe fn clone3(args: &CloneArgs) -> Result<libc::c_long> {
    // SAFETY: `args` lives through the call and has the size that is passed; the caller upholds the rest.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::from_ref(args), size_of::<CloneArgs>()) };
    if pid < 0 { Err(Error::last("clone3", format!("flags={:#x}", args.flags))) } else { Ok(pid) }
}

/// `clone3(2)` for a child that takes this process's place: the parent never returns. When the child has executed a program or
/// ended (`CLONE_VFORK`), the parent closes its descriptors and exits with 0, all without touching memory: with `CLONE_VM` that
/// is the child's, stack included. Answers 0 in the child, or minus the errno if there is no child.
///
/// # Safety
/// The process has one thread, and `flags` name `CLONE_VFORK` if they name `CLONE_VM`.
pub(super) unsafe fn clone3_and_leave(args: &CloneArgs) -> libc::c_long {
    let answer: libc::c_long;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel keeps all registers but rax, rcx and r11; what the parent changes further down nobody sees.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jle 2f",
            "mov eax, {close_range}",
            "xor edi, edi",
            "mov esi, -1",
            "xor edx, edx",
            "syscall",
            "mov eax, {exit_group}",
            "xor edi, edi",
            "syscall",
            "ud2",
            "2:",
            close_range = const libc::SYS_close_range,
            exit_group = const libc::SYS_exit_group,
            inlateout("rax") libc::SYS_clone3 => answer,
            in("rdi") std::ptr::from_ref(args),
            in("rsi") size_of::<CloneArgs>(),
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel keeps all registers but x0; what the parent changes further down nobody sees.
    unsafe {
        std::arch::asm!(
            "svc #0",
            "cmp x0, #0",
            "b.le 2f",
            "mov x8, #{close_range}",
            "mov x0, #0",
            "mov w1, #-1",
            "mov x2, #0",
            "svc #0",
            "mov x8, #{exit_group}",
            "mov x0, #0",
            "svc #0",
            "brk #1",
            "2:",
            close_range = const libc::SYS_close_range,
            exit_group = const libc::SYS_exit_group,
            in("x8") libc::SYS_clone3,
            inlateout("x0") std::ptr::from_ref(args) => answer,
            in("x1") size_of::<CloneArgs>(),
        );
    }
    #[cfg(target_arch = "riscv64")]
    // SAFETY: the kernel keeps all registers but a0; what the parent changes further down nobody sees.
    unsafe {
        std::arch::asm!(
            "ecall",
            "blez a0, 2f",
            "li a7, {close_range}",
            "li a0, 0",
            "li a1, -1",
            "li a2, 0",
            "ecall",
            "li a7, {exit_group}",
            "li a0, 0",
            "ecall",
            "ebreak",
            "2:",
            close_range = const libc::SYS_close_range,
            exit_group = const libc::SYS_exit_group,
            in("a7") libc::SYS_clone3,
            inlateout("a0") std::ptr::from_ref(args) => answer,
            in("a1") size_of::<CloneArgs>(),
        );
    }
    answer
}

/// `mount_setattr(2)` (Linux 5.12): sets and clears attributes of the mount at `dir`, with all below it if `recursive`.
pub(super) fn mount_setattr(
    dir: BorrowedFd<'_>,
    recursive: bool,
    set: u64,
    clear: u64,
    propagation: u64,
) -> Result<()> {
    let attr = libc::mount_attr { attr_set: set, attr_clr: clear, propagation, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a static string, `attr` lives through the call and its size is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            dir.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(&attr),
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(Error::last(
            "mount_setattr",
            format!("{}, set={set:#x}, clear={clear:#x}, propagation={propagation:#x}", dir.as_raw_fd()),
        ))
    }
}

/// `setns(2)` with a pidfd (Linux 5.8) or a namespace descriptor; `kinds` are `CLONE_NEW*` flags.
pub(super) fn setns(fd: BorrowedFd<'_>, kinds: i32) -> Result<()> {
    // SAFETY: no memory is passed.
    let result = unsafe { libc::setns(fd.as_raw_fd(), kinds) };
    if result == 0 { Ok(()) } else { Err(Error::last("setns", format!("{}, {kinds:#x}", fd.as_raw_fd()))) }
}

/// `unshare(2)`.
pub(super) fn unshare(kinds: i32) -> Result<()> {
    // SAFETY: no memory is passed.
    let result = unsafe { libc::unshare(kinds) };
    if result == 0 { Ok(()) } else { Err(Error::last("unshare", format!("{kinds:#x}"))) }
}

/// An ioctl of a namespace descriptor (`ioctl_ns(2)`) that returns a descriptor.
pub(super) fn namespace_relative(fd: BorrowedFd<'_>, request: libc::c_ulong) -> Result<OwnedFd> {
    // SAFETY: the request takes no argument.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), request) };
    if result < 0 {
        return Err(Error::last("ioctl", format!("{}, {request:#x}", fd.as_raw_fd())));
    }
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

/// `PIDFD_GET_INFO` with `PIDFD_INFO_EXIT` (Linux 6.15): the wait status of a process that has been reaped, by whomever.
/// None if it has not been yet; an error if the kernel does not tell.
pub(super) fn pidfd_exit(fd: BorrowedFd<'_>) -> Result<Option<i32>> {
    /// `struct pidfd_info`, first version.
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    const EXIT: u64 = 1 << 3;
    /// `_IOWR(0xFF, 11, struct pidfd_info)`.
    const PIDFD_GET_INFO: u64 = 0xc040_ff0b;
    const { assert!(std::mem::size_of::<Info>() == 64) };
    let mut info = Info { mask: EXIT, ..Info::default() };
    // SAFETY: the kernel writes at most the 64 bytes that the request's number says, which `info` has.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
    if result < 0 {
        return Err(Error::last("ioctl", format!("{}, PIDFD_GET_INFO", fd.as_raw_fd())));
    }
    Ok((info.mask & EXIT != 0).then_some(info.exit_code))
}

/// `NS_GET_NSTYPE`: the `CLONE_NEW*` flag of a namespace descriptor.
pub(super) fn namespace_type(fd: BorrowedFd<'_>) -> Result<i32> {
    const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
    // SAFETY: the request takes no argument.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_NSTYPE) };
    if result < 0 { Err(Error::last("ioctl", format!("{}, NS_GET_NSTYPE", fd.as_raw_fd()))) } else { Ok(result) }
}

/// `NS_GET_OWNER_UID`: who made a user namespace.
pub(super) fn namespace_owner(fd: BorrowedFd<'_>) -> Result<u32> {
    const NS_GET_OWNER_UID: libc::c_ulong = 0xb704;
    let mut uid: libc::uid_t = 0;
    // SAFETY: the request writes one uid_t.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_OWNER_UID, std::ptr::from_mut(&mut uid)) };
    if result < 0 { Err(Error::last("ioctl", format!("{}, NS_GET_OWNER_UID", fd.as_raw_fd()))) } else { Ok(uid) }
}

/// `close_range(2)`: closes (or marks close-on-exec) every descriptor from `first` to `last`.
pub(super) fn close_range(first: u32, last: u32, cloexec: bool) -> Result<()> {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    let flags = if cloexec { CLOSE_RANGE_CLOEXEC } else { 0 };
    // SAFETY: no memory is passed. Callers own every descriptor in the range (super::descriptor::close_all_but).
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    match result {
        0 => Ok(()),
        _ if super::Errno::last() == super::Errno::ENOSYS => close_each(first, last, cloexec),
        _ => Err(Error::last("close_range", format!("{first}, {last}, {flags}"))),
    }
}

/// The same by the list of what is open.
fn close_each(first: u32, last: u32, cloexec: bool) -> Result<()> {
    let dir = super::dir::Dir::open(std::path::Path::new("/proc/self/fd"))?;
    let own = dir.as_fd().as_raw_fd();
    let numbers = dir.entries()?.into_iter().filter_map(|(name, _)| name.to_str()?.parse::<RawFd>().ok());
    // The list's own descriptor closes itself.
    for fd in numbers.filter(|fd| *fd != own && (first..=last).contains(&fd.cast_unsigned())) {
        if cloexec {
            // SAFETY: no memory is passed.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        } else {
            // SAFETY: as above, callers own every descriptor in the range.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

/// Null-terminated array of pointers for the exec family; borrows from `strings`.
fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|s| s.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
}

/// `execve(2)`; returns only if it failed.
pub(super) fn execve(path: &CStr, args: &[CString], env: &[CString]) -> Error {
    let (argv, envp) = (pointers(args), pointers(env));
    // SAFETY: all three are null-terminated and live through the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    Error::last("execve", format!("{path:?}"))
}

/// `execveat(2)` of an open descriptor, or by its name in `/proc` where a sandbox lacks that; returns only if it failed.
pub(super) fn fexecve(fd: BorrowedFd<'_>, args: &[CString], env: &[CString]) -> Error {
    let (argv, envp) = (pointers(args), pointers(env));
    // SAFETY: all strings are null-terminated and live through the call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            fd.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    let error = Error::last("execveat", format!("{}", fd.as_raw_fd()));
    match CString::new(format!("/proc/self/fd/{}", fd.as_raw_fd())) {
        Ok(path) if error.is(super::Errno::ENOSYS) => execve(&path, args, env),
        _ => error,
    }
}

/// `_exit(2)`: no destructor, no atexit handler, no flush.
pub(super) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(code) }
}

/// Takes ownership of a descriptor number that another process or an exec left to us.
pub(super) fn adopt(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: fcntl(F_GETFD) takes no memory; it tells whether the number is open.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    if flags < 0 {
        return Err(Error::last("fcntl", format!("{fd}, F_GETFD")));
    }
    // SAFETY: the descriptor is open, and callers adopt each inherited number once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `pidfd_send_signal(2)` for signals that have no name (real-time ones).
pub(super) fn pidfd_send_signal(fd: BorrowedFd<'_>, signal: i32) -> Result<()> {
    // SAFETY: siginfo is null, which the call allows; no other memory is passed.
    let result = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), signal, std::ptr::null::<libc::siginfo_t>(), 0)
    };
    if result == 0 { Ok(()) } else { Err(Error::last("pidfd_send_signal", format!("{}, {signal}", fd.as_raw_fd()))) }
}

/// `waitid(2)`: who ended and how; `None` if nobody has (`WNOHANG`). nix's wrapper has no word for a death by a real-time
/// signal and loses the status that it has just reaped.
pub(super) fn waitid(kind: libc::idtype_t, id: libc::id_t, flags: i32) -> Result<Option<(Pid, ExitStatus)>> {
    let answer = waitid_any(kind, id, flags)?;
    Ok(answer.map(|(pid, code, status)| {
        (pid, if code == libc::CLD_EXITED { ExitStatus::Code(status) } else { ExitStatus::Signal(status) })
    }))
}

/// The same with what became of the child: a `CLD_` code, and the exit code or signal.
pub(super) fn waitid_any(kind: libc::idtype_t, id: libc::id_t, flags: i32) -> Result<Option<(Pid, i32, i32)>> {
    // SAFETY: siginfo_t is made of integers and pointers; all zero is a valid one.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills in the structure that it is given.
    if unsafe { libc::waitid(kind, id, &raw mut info, flags) } != 0 {
        return Err(Error::last("waitid", format!("{kind}, {id}")));
    }
    // SAFETY: waitid(2) sets the fields of SIGCHLD, or leaves our zeros.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    Ok(Pid::from_raw(pid).map(|pid| (pid, info.si_code, status)))
}
