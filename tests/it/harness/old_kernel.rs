//! A kernel that lacks system calls, as a program sees it: a seccomp filter that answers ENOSYS.
#![expect(unsafe_code, reason = "a filter is installed between fork and exec")]

use std::os::unix::process::CommandExt;
use std::process::Command;

const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// The program, and all that it starts, gets ENOSYS from these calls.
pub(super) fn pretend(command: &mut Command, calls: &[u32]) {
    if calls.is_empty() {
        return;
    }
    let op = |code, k| libc::sock_filter { code, jt: 0, jf: 0, k };
    let mut code = vec![op(LOAD, 0)];
    for call in calls {
        code.push(libc::sock_filter { code: JUMP_EQUAL, jt: 0, jf: 1, k: *call });
        code.push(op(RETURN, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()));
    }
    code.push(op(RETURN, libc::SECCOMP_RET_ALLOW));
    let install = move || {
        let program =
            libc::sock_fprog { len: u16::try_from(code.len()).unwrap_or(0), filter: code.as_ptr().cast_mut() };
        // SAFETY: no memory is passed.
        let set = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        // SAFETY: `program` names instructions that live through the call, which copies them.
        let filter = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        if set == 0 && filter == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // SAFETY: the closure makes two system calls and allocates nothing.
    unsafe { command.pre_exec(install) };
}
