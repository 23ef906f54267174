//! Processes: identity, waiting, signals, descriptors, standard streams, limits.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::{Call, Errno, Error, Result};
use super::{fs, raw};

/// A process id in our pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Pid(i32);

impl Pid {
    /// None unless positive.
    pub(crate) fn from_raw(pid: i32) -> Option<Self> {
        (pid > 0).then_some(Self(pid))
    }

    pub(crate) fn as_raw(self) -> i32 {
        self.0
    }

    /// This process.
    pub(crate) fn this() -> Self {
        Self(nix::unistd::getpid().as_raw())
    }

    /// Our parent (0 if it is outside our pid namespace).
    pub(crate) fn parent() -> i32 {
        nix::unistd::getppid().as_raw()
    }
}

impl std::fmt::Display for Pid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExitStatus {
    Code(i32),
    Signal(i32),
}

impl ExitStatus {
    /// The exit code that shells and engines show: 128 + n for a signal.
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }

    /// The signal that ended it.
    pub(crate) fn signal(self) -> Option<i32> {
        match self {
            Self::Code(_) => None,
            Self::Signal(signal) => Some(signal),
        }
    }

    pub(crate) fn success(self) -> bool {
        self == Self::Code(0)
    }
}

/// A process by descriptor (`pidfd_open(2)`, Linux 5.3): never another one that got the same number.
#[derive(Debug)]
pub(crate) struct PidFd {
    pid: Pid,
    fd: OwnedFd,
}

impl PidFd {
    pub(super) fn from_parts(pid: Pid, fd: OwnedFd) -> Self {
        Self { pid, fd }
    }

    /// A pidfd that came over a socket, with the number that the sender gave.
    pub(crate) fn from_received(pid: Pid, fd: OwnedFd) -> Self {
        Self { pid, fd }
    }

    /// Opens the process with this number, whoever that is now: compare `start_time` afterwards. ESRCH if none.
    pub(crate) fn open(pid: Pid) -> Result<Self> {
        let raw = rustix::process::Pid::from_raw(pid.0).ok_or(Errno::ESRCH).call("pidfd_open", || pid.to_string())?;
        let fd = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty())
            .call("pidfd_open", || pid.to_string())?;
        Ok(Self { pid, fd })
    }

    /// Opens the process with this number if it is the one that started then.
    pub(crate) fn open_checked(pid: Pid, start: u64) -> Result<Option<Self>> {
        let pidfd = match Self::open(pid) {
            Ok(pidfd) => pidfd,
            Err(error) if error.is(Errno::ESRCH) || error.is(Errno::EINVAL) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Read after the open: if the number was reused in between, the start time tells.
        Ok((start_time(pid)? == Some(start)).then_some(pidfd))
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// `pidfd_send_signal(2)`. False if the process is gone.
    pub(crate) fn signal(&self, signal: i32) -> Result<bool> {
        let named = rustix::process::Signal::from_named_raw(signal);
        let sent = match named {
            Some(named) => rustix::process::pidfd_send_signal(&self.fd, named)
                .call("pidfd_send_signal", || format!("{}, {signal}", self.pid)),
            None => raw::pidfd_send_signal(self.fd.as_fd(), signal),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(error) if error.is(Errno::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits for the end of our child and reaps it.
    pub(crate) fn wait(&self) -> Result<ExitStatus> {
        loop {
            match self.waitid(false) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) if error.is(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reaps our child if it has ended.
    pub(crate) fn try_wait(&self) -> Result<Option<ExitStatus>> {
        self.waitid(true)
    }

    fn waitid(&self, no_hang: bool) -> Result<Option<ExitStatus>> {
        // __WALL: a child cloned with CLONE_PARENT and no exit signal is not waited for otherwise (K-B7).
        let flags = libc::WEXITED | libc::__WALL | if no_hang { libc::WNOHANG } else { 0 };
        let ended = raw::waitid(libc::P_PIDFD, self.fd.as_raw_fd().cast_unsigned(), flags)?;
        Ok(ended.map(|(_, status)| status))
    }

    /// True while the process has not ended (a zombie has).
    pub(crate) fn is_alive(&self) -> bool {
        let mut fds = [rustix::event::PollFd::new(&self.fd, rustix::event::PollFlags::IN)];
        let now = rustix::time::Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(rustix::event::poll(&mut fds, Some(&now)), Ok(0))
    }

    /// How a process ended that is not our child, once its parent has reaped it; none where the kernel does not tell
    /// (before Linux 6.15). Waits a moment for the parent.
    pub(crate) fn foreign_status(&self) -> Option<ExitStatus> {
        let deadline = std::time::Instant::now() + std::time::Duration::from_millis(200);
        loop {
            match raw::pidfd_exit(self.fd.as_fd()) {
                Ok(Some(status)) if status.trailing_zeros() >= 7 => {
                    return Some(ExitStatus::Code((status >> 8) & 0xff));
                }
                Ok(Some(status)) => return Some(ExitStatus::Signal(status & 0x7f)),
                Ok(None) if std::time::Instant::now() < deadline => {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Waits until the process has ended, ours or not. False if the time ran out.
    pub(crate) fn wait_gone(&self, timeout: Option<std::time::Duration>) -> Result<bool> {
        super::wait_readable(self.fd.as_fd(), timeout)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Sends a signal to a process group, named by the process that leads it. Nobody left is no error.
pub(crate) fn signal_group(leader: Pid, signal: i32) -> Result<()> {
    let named = nix::sys::signal::Signal::try_from(signal).call("killpg", || format!("{leader}, {signal}"))?;
    match nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader.as_raw()), named) {
        Err(nix::errno::Errno::ESRCH) => Ok(()),
        other => other.call("killpg", || format!("{leader}, {signal}")),
    }
}

/// Reaps one child that has ended, whichever; `None` if there is none.
pub(crate) fn reap_any() -> Result<Option<(Pid, ExitStatus)>> {
    loop {
        match raw::waitid(libc::P_ALL, 0, libc::WEXITED | libc::WNOHANG | libc::__WALL) {
            Err(error) if error.is(Errno::ECHILD) => return Ok(None),
            Err(error) if error.is(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// True if that is the number of a child of ours that has not been reaped: then it stays the child's.
pub(crate) fn is_child(pid: Pid) -> Result<bool> {
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    match raw::waitid_any(libc::P_PID, pid.0.cast_unsigned(), flags) {
        Err(error) if error.is(Errno::ECHILD) => Ok(false),
        answer => answer.map(|_| true),
    }
}

/// SIGKILL for a child that has not been reaped: until then its number is its own.
pub(crate) fn kill_child(pid: Pid) -> Result<()> {
    let child = rustix::process::Pid::from_raw(pid.0).ok_or(Errno::ESRCH).call("kill", || pid.to_string())?;
    rustix::process::kill_process(child, rustix::process::Signal::KILL).call("kill", || format!("{pid}, SIGKILL"))
}

/// A child that a signal has stopped, if there is one; it stays stopped.
pub(crate) fn stopped_child() -> Result<Option<Pid>> {
    let flags = libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    match raw::waitid_any(libc::P_ALL, 0, flags) {
        Err(error) if error.is(Errno::ECHILD) => Ok(None),
        answer => answer.map(|stopped| stopped.map(|(pid, ..)| pid)),
    }
}

/// Waits for the end of every child. Who is stopped, or gets stopped meanwhile, would not end by itself, and is killed.
pub(crate) fn reap_all() -> Result<()> {
    loop {
        match raw::waitid_any(libc::P_ALL, 0, libc::WEXITED | libc::WSTOPPED | libc::__WALL) {
            Err(error) if error.is(Errno::ECHILD) => return Ok(()),
            Err(error) if !error.is(Errno::EINTR) => return Err(error),
            Ok(Some((pid, libc::CLD_STOPPED, _))) => kill_child(pid)?,
            _ => {}
        }
    }
}

/// Start time of a process in clock ticks since boot (field 22 of `/proc/PID/stat`), or `None` if it is gone.
pub(crate) fn start_time(pid: Pid) -> Result<Option<u64>> {
    let path = PathBuf::from(format!("/proc/{pid}/stat"));
    let text = match fs::read_limited(&path, 4096) {
        Ok(text) => text,
        Err(error) if error.is(Errno::ENOENT) || error.is(Errno::ESRCH) => return Ok(None),
        Err(error) => return Err(error),
    };
    // The command name is in parentheses and may hold anything: count from the last one.
    let text = String::from_utf8_lossy(&text);
    let after = text.rfind(')').map_or("", |end| &text[end + 1..]);
    let field = after.split_ascii_whitespace().nth(19).and_then(|field| field.parse().ok());
    field.map(Some).ok_or_else(|| Error::new("read", format!("{path:?}: no start time"), Errno::EINVAL))
}

/// `_exit(2)`: leaves without running anything of the process we were forked from.
pub(crate) fn exit_now(code: i32) -> ! {
    raw::exit_now(code)
}

/// Executes a program; returns only if the kernel refused.
pub(crate) fn exec(path: &Path, args: &[OsString], env: &[OsString]) -> Error {
    match (c_string(path.as_os_str()), c_strings(args), c_strings(env)) {
        (Ok(path), Ok(args), Ok(env)) => raw::execve(&path, &args, &env),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => error,
    }
}

/// Executes an open file; returns only if the kernel refused.
pub(crate) fn exec_fd(fd: BorrowedFd<'_>, args: &[OsString], env: &[OsString]) -> Error {
    match (c_strings(args), c_strings(env)) {
        (Ok(args), Ok(env)) => raw::fexecve(fd, &args, &env),
        (Err(error), _) | (_, Err(error)) => error,
    }
}

fn c_strings(strings: &[OsString]) -> Result<Vec<CString>> {
    strings.iter().map(|s| c_string(s)).collect()
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.as_bytes())
        .map_err(|_nul| Error::new("execve", format!("{text:?} holds a NUL byte"), Errno::EINVAL))
}

/// `setsid(2)`.
pub(crate) fn setsid() -> Result<()> {
    rustix::process::setsid().map(drop).call("setsid", String::new)
}

/// `chdir(2)`.
pub(crate) fn chdir(path: &Path) -> Result<()> {
    rustix::process::chdir(path).call("chdir", || format!("{path:?}"))
}

/// `fchdir(2)`.
pub(crate) fn fchdir(dir: BorrowedFd<'_>) -> Result<()> {
    rustix::process::fchdir(dir).call("fchdir", || dir.as_raw_fd().to_string())
}

/// `chroot(2)` to an open directory, which becomes the working directory, too.
pub(crate) fn change_root(dir: BorrowedFd<'_>) -> Result<()> {
    fchdir(dir)?;
    rustix::process::chroot(".").call("chroot", || dir.as_raw_fd().to_string())
}

/// `getcwd(2)`.
pub(crate) fn getcwd() -> Result<PathBuf> {
    rustix::process::getcwd(Vec::new())
        .call("getcwd", String::new)
        .map(|path| PathBuf::from(OsString::from_vec(path.into_bytes())))
}

/// `umask(2)`; returns the old mask.
pub(crate) fn umask(mask: u32) -> u32 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask)).as_raw_mode()
}

/// Real user and group id of this process in its user namespace.
pub(crate) fn ids() -> (u32, u32) {
    (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
}

/// Supplementary groups.
pub(crate) fn groups() -> Result<Vec<u32>> {
    let groups = rustix::process::getgroups().call("getgroups", String::new)?;
    Ok(groups.into_iter().map(|gid| gid.as_raw()).collect())
}

/// Real, effective and saved group ids.
pub(crate) fn set_gid(gid: u32) -> Result<()> {
    let gid = nix::unistd::Gid::from_raw(gid);
    nix::unistd::setresgid(gid, gid, gid).call("setresgid", || gid.to_string())
}

/// Real, effective and saved user ids.
pub(crate) fn set_uid(uid: u32) -> Result<()> {
    let uid = nix::unistd::Uid::from_raw(uid);
    nix::unistd::setresuid(uid, uid, uid).call("setresuid", || uid.to_string())
}

/// `setgroups(2)`.
pub(crate) fn set_groups(groups: &[u32]) -> Result<()> {
    let list: Vec<_> = groups.iter().map(|gid| nix::unistd::Gid::from_raw(*gid)).collect();
    nix::unistd::setgroups(&list).call("setgroups", || format!("{groups:?}"))
}

/// Host name of this uts namespace.
pub(crate) fn set_hostname(name: &str) -> Result<()> {
    rustix::system::sethostname(name.as_bytes()).call("sethostname", || format!("{name:?}"))
}

/// A limit of `getrlimit(2)`: soft and hard; `u64::MAX` = unlimited.
pub(crate) fn rlimit(resource: Rlimit) -> Result<(u64, u64)> {
    nix::sys::resource::getrlimit(resource).call("getrlimit", || format!("{resource:?}"))
}

/// `setrlimit(2)`.
pub(crate) fn set_rlimit(resource: Rlimit, soft: u64, hard: u64) -> Result<()> {
    nix::sys::resource::setrlimit(resource, soft, hard).call("setrlimit", || format!("{resource:?}, {soft}, {hard}"))
}

pub(crate) use nix::sys::resource::Resource as Rlimit;

/// While it lives, a crash of this process or of a child leaves no core file, which would hold its secrets.
#[derive(Debug)]
pub(crate) struct NoCoreDump(());

/// How many of them live, and the limit to go back to when the last one goes: they may end in any order.
static CORELESS: Mutex<(usize, Option<u64>)> = Mutex::new((0, None));

impl NoCoreDump {
    /// One byte as the limit also keeps the programs away that take cores by a pipe (`core(5)`); zero would not.
    pub(crate) fn begin() -> Self {
        let mut coreless = CORELESS.lock().unwrap_or_else(PoisonError::into_inner);
        if coreless.0 == 0 {
            coreless.1 = match rlimit(Rlimit::RLIMIT_CORE) {
                Ok((soft, hard)) if soft > 1 && set_rlimit(Rlimit::RLIMIT_CORE, 1, hard).is_ok() => Some(soft),
                _ => None,
            };
        }
        coreless.0 += 1;
        Self(())
    }
}

impl Drop for NoCoreDump {
    fn drop(&mut self) {
        let mut coreless = CORELESS.lock().unwrap_or_else(PoisonError::into_inner);
        coreless.0 = coreless.0.saturating_sub(1);
        if coreless.0 == 0
            && let Some(soft) = coreless.1.take()
            && let Err(error) =
                rlimit(Rlimit::RLIMIT_CORE).and_then(|(_, hard)| set_rlimit(Rlimit::RLIMIT_CORE, soft, hard))
        {
            tracing::debug!(%error, "the limit of core files stays");
        }
    }
}

/// The running executable, open for reading and fstat-ed by the kernel, not by name.
pub(crate) fn own_executable() -> Result<PathBuf> {
    fs::read_link(Path::new("/proc/self/exe"))
}

/// Version of the running kernel: major, minor.
pub(crate) fn kernel_version() -> (u32, u32) {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Host name of this uts namespace.
pub(crate) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
