//! The processes of a container that the kernel does not end with its init: it has no pid namespace of its own
//! (`--pid=host`, `--pid=container:`) and no cgroup.
//!
//! Wherever they were started, by init or by `exec`, and whoever their parent is by now, they are in the container's mount
//! namespace, unless they have made one of their own (docs/podman-differences.md).

use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use crate::sys::namespace::{self, NsKind};
use crate::sys::process::{Pid, PidFd};
use crate::sys::signal::{SIGKILL, SIGSTOP};
use crate::sys::{self, family};

/// Between two looks at who is there.
const PAUSE: Duration = Duration::from_millis(5);
/// Looks at which everybody is stopped before anybody is killed, so that nobody has children meanwhile.
const ROUNDS: u32 = 3;

/// By which they are known when init is gone.
#[derive(Debug)]
pub(crate) struct Kin {
    name: CString,
    /// As long as it is open, no other namespace has its name.
    _held: OwnedFd,
}

impl Kin {
    /// Those of this init, which lives.
    pub(crate) fn of(init: &PidFd) -> sys::Result<Self> {
        let held = namespace::open(init.pid(), NsKind::Mount)?;
        let name = namespace::name(init.pid(), NsKind::Mount)?;
        // A number alone is anybody's when init has ended; and never, whatever happened, those who are where we are.
        if !init.is_alive() || namespace::name(Pid::this(), NsKind::Mount)? == name {
            return Err(sys::Error::new("open", format!("/proc/{}/ns/mnt", init.pid()), sys::Errno::ESRCH));
        }
        Ok(Self { name, _held: held })
    }

    /// Those of this mount namespace, whose init may not be looked at.
    pub(crate) fn in_namespace(held: OwnedFd) -> sys::Result<Self> {
        let name = namespace::name_of(held.as_fd())?;
        if namespace::name(Pid::this(), NsKind::Mount)? == name {
            return Err(sys::Error::new("readlink", "our own mount namespace", sys::Errno::ESRCH));
        }
        Ok(Self { name, _held: held })
    }

    /// Kills them until none is left; false if there were some all the time.
    pub(crate) fn end(self, patience: Duration) -> sys::Result<bool> {
        for _ in 0..ROUNDS {
            if self.signal_all(SIGSTOP)? == 0 {
                return Ok(true);
            }
        }
        let deadline = Instant::now() + patience;
        while self.signal_all(SIGKILL)? > 0 {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            std::thread::sleep(PAUSE);
        }
        Ok(true)
    }

    /// How many there were.
    fn signal_all(&self, signal: i32) -> sys::Result<usize> {
        let mut found = 0;
        for pid in family::everyone()? {
            // Opened before it is looked at: if it lives afterwards, it is the one that was looked at.
            let Ok(process) = PidFd::open(pid) else { continue };
            if self.has(pid) && process.is_alive() {
                process.signal(signal)?;
                found += 1;
            }
        }
        Ok(found)
    }

    /// Whoever may not be looked at is none of ours: the caller owns the user namespaces of its containers.
    fn has(&self, pid: Pid) -> bool {
        namespace::name(pid, NsKind::Mount).is_ok_and(|name| name == self.name)
    }
}
