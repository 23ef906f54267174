//! `prctl(2)` and the other per-process switches of init, monitor and workers.
#![expect(unsafe_code, reason = "prctl and sigaction have no safe wrapper for what we need")]

use super::error::{Call, Errno, Error, Result};
use super::process::Pid;

/// Whether others of our uid may look into this process (`/proc/PID`, ptrace): see K-A7.
pub(crate) fn set_dumpable(on: bool) -> Result<()> {
    let behavior =
        if on { rustix::process::DumpableBehavior::Dumpable } else { rustix::process::DumpableBehavior::NotDumpable };
    rustix::process::set_dumpable_behavior(behavior).call("prctl", || format!("PR_SET_DUMPABLE, {on}"))
}

/// Orphaned descendants become our children.
pub(crate) fn set_subreaper() -> Result<()> {
    simple(libc::PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER")
}

/// The signal that we get when our parent (its thread) dies; 0 = none. Cleared by set-id calls (K-A13).
pub(crate) fn set_parent_death_signal(signal: i32) -> Result<()> {
    simple(libc::PR_SET_PDEATHSIG, libc::c_ulong::try_from(signal).unwrap_or(0), "PR_SET_PDEATHSIG")
}

/// SIGKILL for this process when `parent`, which made it, ends. An error if it has ended already: then no signal will
/// come (`PR_SET_PDEATHSIG(2const)`).
pub(crate) fn die_with(parent: Pid) -> Result<()> {
    set_parent_death_signal(libc::SIGKILL)?;
    if Pid::parent() == parent.as_raw() {
        return Ok(());
    }
    Err(Error::new("prctl", "PR_SET_PDEATHSIG: the parent is gone", Errno::ESRCH))
}

/// No exec gains privileges any more.
pub(crate) fn set_no_new_privs() -> Result<()> {
    simple(libc::PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")
}

/// True if no exec of ours gains privileges: a set-uid program has none.
pub(crate) fn has_no_new_privs() -> bool {
    rustix::thread::no_new_privs().unwrap_or(false)
}

/// Permitted capabilities survive the next set-uid call.
pub(crate) fn set_keep_caps(on: bool) -> Result<()> {
    simple(libc::PR_SET_KEEPCAPS, libc::c_ulong::from(on), "PR_SET_KEEPCAPS")
}

/// Overwrites the arguments and the environment that this process was executed with: `/proc/PID/cmdline` shows them to everybody.
/// Nothing looks at them any more; a fork has its own copy. The last thing that is left is a name.
pub(crate) fn forget_arguments() -> Result<()> {
    let [arguments, environment] = areas()?;
    overwrite(environment, c"");
    overwrite(arguments, c"sampan-init");
    Ok(())
}

/// The same of the arguments alone, by one that outlives the command it was forked from. The environment only its owner may read.
pub(crate) fn forget_command_line(name: &std::ffi::CStr) -> Result<()> {
    let [arguments, _] = areas()?;
    overwrite(arguments, name);
    Ok(())
}

/// Where on the stack arguments and environment are: first address, and the one after the last.
struct Area(usize, usize);

fn areas() -> Result<[Area; 2]> {
    let path = std::path::Path::new("/proc/self/stat");
    let text = super::fs::read_limited(path, 4096)?;
    let text = String::from_utf8_lossy(&text);
    // From field 3 on (`proc_pid_stat(5)`): the name may hold anything.
    let after = text.rfind(')').map_or("", |end| &text[end + 1..]);
    let fields: Vec<usize> = after.split_ascii_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    let Some(&[arguments, arguments_end, environment, environment_end]) = fields.get(45..49) else {
        return Err(Error::new("read", format!("{path:?}: no addresses"), Errno::EINVAL));
    };
    Ok([Area(arguments, arguments_end), Area(environment, environment_end)])
}

/// With zeros, after `text` if there is room for that.
fn overwrite(Area(start, end): Area, text: &std::ffi::CStr) {
    if start == 0 || start >= end {
        return;
    }
    let area: *mut u8 = std::ptr::with_exposed_provenance_mut(start);
    // SAFETY: the kernel put both areas on this process's own stack, above everything that is in use, when it executed the program;
    // one thread, and nobody holds a reference to them: std makes copies.
    unsafe { area.write_bytes(0, end - start) };
    let text = text.to_bytes_with_nul();
    if end - start >= text.len() {
        // SAFETY: as above, and it fits.
        unsafe { area.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    }
}

/// Name of this process in `ps` (15 bytes).
pub(crate) fn set_name(name: &std::ffi::CStr) -> Result<()> {
    // SAFETY: PR_SET_NAME reads a null-terminated string.
    let result = unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    if result == 0 { Ok(()) } else { Err(Error::last("prctl", "PR_SET_NAME")) }
}

/// Every signal at its default action, none blocked: what a program expects at its start.
pub(crate) fn reset_signals() -> Result<()> {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL installs no code of ours. SIGKILL, SIGSTOP and glibc's own two answer EINVAL: no matter.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    nix::sys::signal::SigSet::empty().thread_set_mask().call("rt_sigprocmask", || "SIG_SETMASK, []".to_owned())
}

/// Writing to a pipe that nobody reads answers EPIPE, beyond the limit of a file's size (`ulimit -f`) EFBIG, and neither ends us.
pub(crate) fn survive_writes() {
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        // SAFETY: SIG_IGN installs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// What the terminal sends is for the foreground program, whose end we wait for.
pub(crate) fn ignore_terminal() {
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: SIG_IGN installs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// A new, empty session keyring of the kernel (`keyctl(2)`), so that the keys of the caller stay outside.
pub(crate) fn join_new_session_keyring() -> Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: a null name asks for an anonymous keyring.
    let result =
        unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    if result >= 0 { Ok(()) } else { Err(Error::last("keyctl", "KEYCTL_JOIN_SESSION_KEYRING")) }
}

fn simple(option: libc::c_int, value: libc::c_ulong, name: &'static str) -> Result<()> {
    let zero: libc::c_ulong = 0;
    // SAFETY: these options take numbers only.
    let result = unsafe { libc::prctl(option, value, zero, zero, zero) };
    if result == 0 { Ok(()) } else { Err(Error::last("prctl", format!("{name}, {value}"))) }
}
