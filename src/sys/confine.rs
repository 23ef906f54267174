//! The cage of a worker that reads hostile bytes: it may work on files through what it holds open and beneath given
//! directories, or beneath none and then by descriptors alone, start threads, and answer. No sockets, no programs, no mounts, no tracing, no namespaces, no signals
//! to others.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use super::error::{Call, Errno, Error, Result};
use super::{landlock, prctl};

/// Largest address space of a worker: unpacking needs far less (peak below 256 MiB), a runaway allocation ends here.
const ADDRESS_SPACE: u64 = 8 << 30;

/// Puts this process, which has one thread, into the cage for good; its later threads inherit it. Returns whether
/// Landlock took part.
pub(crate) fn confine_worker(dirs: &[BorrowedFd<'_>]) -> Result<bool> {
    prctl::set_dumpable(false)?;
    prctl::set_no_new_privs()?;
    limit(rustix::process::Resource::As, ADDRESS_SPACE)?;
    limit(rustix::process::Resource::Core, 0)?;
    let landlocked = landlock::restrict_to(dirs)?;
    for program in filters(!dirs.is_empty())? {
        let applied = seccompiler::apply_filter(&program);
        applied.ok().ok_or_else(|| Error::last("seccomp", "SECCOMP_SET_MODE_FILTER"))?;
    }
    Ok(landlocked)
}

fn limit(resource: rustix::process::Resource, most: u64) -> Result<()> {
    let mut limits = rustix::process::getrlimit(resource);
    limits.current = Some(limits.maximum.map_or(most, |maximum| maximum.min(most)));
    rustix::process::setrlimit(resource, limits).call("setrlimit", || format!("{resource:?}, {most}"))
}

const F_SETSIG: libc::c_int = 10;
const F_SETOWN_EX: libc::c_int = 15;

/// System calls that a worker needs: files by descriptor, memory, threads, time.
#[rustfmt::skip]
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64,
    libc::SYS_lseek, libc::SYS_close, libc::SYS_dup, libc::SYS_copy_file_range, libc::SYS_sendfile,
    libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_fstatfs, libc::SYS_getdents64,
    libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fchown, libc::SYS_fchmod, libc::SYS_umask,
    libc::SYS_fsetxattr, libc::SYS_fgetxattr, libc::SYS_flistxattr, libc::SYS_fremovexattr,
    libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_syncfs, libc::SYS_fadvise64,
    libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_mprotect, libc::SYS_madvise, libc::SYS_brk,
    libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_rseq, libc::SYS_set_tid_address, libc::SYS_gettid,
    libc::SYS_getpid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid,
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_sigaltstack,
    libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_getrandom, libc::SYS_membarrier,
    libc::SYS_clock_gettime, libc::SYS_clock_nanosleep, libc::SYS_nanosleep, libc::SYS_poll, libc::SYS_ppoll,
    libc::SYS_restart_syscall, libc::SYS_exit, libc::SYS_exit_group,
];

/// What works on files by their names: for who has directories to work in.
#[rustfmt::skip]
const BY_NAME: &[libc::c_long] = &[
    libc::SYS_openat, libc::SYS_openat2, libc::SYS_statfs, libc::SYS_readlinkat, libc::SYS_faccessat, libc::SYS_faccessat2,
    libc::SYS_mkdirat, libc::SYS_mknodat, libc::SYS_symlinkat, libc::SYS_linkat, libc::SYS_unlinkat,
    libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_fchownat, libc::SYS_fchmodat, libc::SYS_fchmodat2,
    libc::SYS_utimensat, libc::SYS_setxattr, libc::SYS_getxattr, libc::SYS_listxattr, libc::SYS_removexattr,
];

#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const BY_NAME_OLD: &[libc::c_long] = &[
    // What a C library on x86-64 may still use in place of the newer calls.
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_readlink, libc::SYS_mkdir, libc::SYS_unlink,
    libc::SYS_rmdir, libc::SYS_rename, libc::SYS_chmod,
];
#[cfg(not(target_arch = "x86_64"))]
const BY_NAME_OLD: &[libc::c_long] = &[];

/// What a thread of the C library sets up for itself.
#[cfg(target_arch = "x86_64")]
const OF_THREADS: &[libc::c_long] = &[libc::SYS_arch_prctl];
#[cfg(not(target_arch = "x86_64"))]
const OF_THREADS: &[libc::c_long] = &[];

/// Two filters: of two answers the kernel takes the stricter one.
fn filters(by_name: bool) -> Result<[BpfProgram; 2]> {
    let refused = || Error::new("seccomp", "filter of the worker", Errno::EINVAL);
    let arch = std::env::consts::ARCH.try_into().ok().ok_or_else(refused)?;
    let compile = |rules, other, matched| {
        let filter = SeccompFilter::new(rules, other, matched, arch).ok()?;
        BpfProgram::try_from(filter).ok()
    };
    let masked = |argument, mask: u64, value: u64| {
        let equal = SeccompCmpOp::MaskedEq(mask);
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, equal, value).ok()?;
        SeccompRule::new(vec![condition]).ok()
    };
    // Of the argument the kernel takes an int.
    let int = |argument, comparison, value: u64| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value).ok().ok_or_else(refused)
    };
    let rule = |conditions| SeccompRule::new(conditions).ok().ok_or_else(refused);
    let own = u64::from(rustix::process::getpid().as_raw_nonzero().get().cast_unsigned());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let by_name = [BY_NAME, BY_NAME_OLD].into_iter().flatten().filter(|_| by_name);
    for call in ALLOWED.iter().chain(OF_THREADS).chain(by_name) {
        rules.insert(*call, Vec::new());
    }
    // Threads only: a new process would not be in anybody's books.
    let thread = (libc::CLONE_THREAD | libc::CLONE_VM) as u64;
    rules.insert(libc::SYS_clone, vec![masked(0, thread, thread).ok_or_else(refused)?]);
    // Signals (the C library's abort) and limits: this process's own. A worker in P is the caller to the kernel.
    rules.insert(libc::SYS_tgkill, vec![rule(vec![int(0, SeccompCmpOp::Eq, own)?])?]);
    let limits = [0, own].map(|pid| rule(vec![int(0, SeccompCmpOp::Eq, pid)?]));
    rules.insert(libc::SYS_prlimit64, limits.into_iter().collect::<Result<_>>()?);
    // Nor by an owner of descriptors, who is signalled when there is something to read.
    let owners = [libc::F_SETOWN, F_SETOWN_EX, F_SETSIG]
        .map(|command| int(1, SeccompCmpOp::Ne, u64::from(command.cast_unsigned())));
    rules.insert(libc::SYS_fcntl, vec![rule(owners.into_iter().collect::<Result<_>>()?)?]);
    // Cloning a file's blocks (FICLONE) is the only ioctl.
    rules.insert(libc::SYS_ioctl, vec![masked(1, u64::from(u32::MAX), 0x4004_9409).ok_or_else(refused)?]);
    // clone3 hides its flags from filters; the C library falls back to clone on ENOSYS, and on nothing else.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    rules.insert(libc::SYS_clone3, Vec::new());
    let errno = |errno: i32| SeccompAction::Errno(errno.cast_unsigned());
    Ok([
        compile(clone3, SeccompAction::Allow, errno(libc::ENOSYS)).ok_or_else(refused)?,
        compile(rules, errno(libc::EPERM), SeccompAction::Allow).ok_or_else(refused)?,
    ])
}

#[cfg(test)]
#[expect(unsafe_code, reason = "a cage is for life, so the test needs a process of its own")]
mod tests;
