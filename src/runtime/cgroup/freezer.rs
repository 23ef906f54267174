//! Pausing and killing a whole cgroup.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::sys;
use crate::sys::Errno;
use crate::sys::process::{Pid, PidFd};

use super::cgroupfs;
use super::error::Error;

/// SIGKILL on every architecture.
const KILL: i32 = 9;
/// How long the kernel may take to stop or kill everything: a process in uninterruptible sleep delays both.
const PATIENCE: Duration = Duration::from_secs(10);

/// `cgroup.freeze` = 1, then waits for `cgroup.events` to say `frozen 1`.
pub(super) fn freeze(dir: &Path) -> Result<(), Error> {
    let wrap = |source| Error::Freeze { path: dir.to_owned(), source };
    sys::fs::write_in_place(&dir.join("cgroup.freeze"), b"1").map_err(wrap)?;
    until(dir, || Ok(event(dir, "frozen") == Some(1)))
}

/// `cgroup.freeze` = 0, then waits for `frozen 0`.
pub(super) fn thaw(dir: &Path) -> Result<(), Error> {
    let wrap = |source| Error::Thaw { path: dir.to_owned(), source };
    sys::fs::write_in_place(&dir.join("cgroup.freeze"), b"0").map_err(wrap)?;
    until(dir, || Ok(event(dir, "frozen") != Some(1)))
}

/// True if the cgroup itself was told to freeze.
#[cfg(test)]
pub(super) fn is_frozen(dir: &Path) -> bool {
    cgroupfs::words(&dir.join("cgroup.freeze")).first().is_some_and(|word| word == "1")
}

/// `cgroup.kill` (Linux 5.14); before that, freeze, signal every process, thaw.
pub(super) fn kill(dir: &Path) -> Result<(), Error> {
    match sys::fs::write_in_place(&dir.join("cgroup.kill"), b"1") {
        Err(error) if error.is(Errno::ENOENT) && sys::fs::exists(dir) => kill_each(dir),
        Err(error) if error.is(Errno::ENOENT) => Ok(()),
        written => written.map_err(|source| Error::Kill { path: dir.to_owned(), source }),
    }
}

/// Frozen, nothing forks between the reading and the signal; a frozen process still takes SIGKILL.
pub(super) fn kill_each(dir: &Path) -> Result<(), Error> {
    freeze(dir)?;
    for pid in all_processes(dir).into_iter().filter_map(Pid::from_raw) {
        match PidFd::open(pid).and_then(|process| process.signal(KILL)) {
            Ok(_) => {}
            Err(error) if error.is(Errno::ESRCH) => {}
            Err(source) => return Err(Error::Kill { path: dir.to_owned(), source }),
        }
    }
    thaw(dir)
}

/// Processes in `dir` and below.
pub(super) fn all_processes(dir: &Path) -> Vec<i32> {
    let mut found = cgroupfs::processes(dir);
    for name in sys::fs::names(dir).unwrap_or_default() {
        let child = dir.join(name);
        if sys::fs::lstat(&child).is_ok_and(|metadata| metadata.is_some_and(|metadata| metadata.is_dir())) {
            found.extend(all_processes(&child));
        }
    }
    found
}

/// Polls with a growing pause; the kernel offers inotify on `cgroup.events`, but instances are scarce (K-B8).
pub(super) fn until(dir: &Path, mut done: impl FnMut() -> Result<bool, Error>) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(100);
    while !done()? {
        if Instant::now() > deadline {
            return Err(Error::Slow { path: dir.to_owned(), seconds: PATIENCE.as_secs() });
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    Ok(())
}

fn event(dir: &Path, key: &str) -> Option<u64> {
    let text = sys::fs::read_to_string(&dir.join("cgroup.events")).unwrap_or_default();
    cgroupfs::keyed(&text, key)
}
