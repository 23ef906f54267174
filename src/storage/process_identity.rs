//! A process, named so that a reused pid is somebody else (rule R8).

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::sys;
use crate::sys::process::{Pid, PidFd};

/// Pid and start time; valid within one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessIdentity {
    pub(crate) pid: u32,
    /// Field 22 of `/proc/PID/stat`: clock ticks since boot.
    pub(crate) start_time: u64,
}

impl ProcessIdentity {
    /// The process that has this pid now; none if there is no such process or it is a zombie.
    pub(crate) fn of(pid: u32) -> sys::Result<Option<Self>> {
        let stat = sys::fs::read_if_exists(Path::new(&format!("/proc/{pid}/stat")));
        let stat = match stat {
            // A process may go between open and read (ESRCH).
            Err(error) if error.is(sys::Errno::ESRCH) => None,
            other => other?,
        };
        Ok(stat.filter(|stat| !is_zombie(stat)).and_then(|stat| {
            let start_time = start_time(&stat)?;
            Some(Self { pid, start_time })
        }))
    }

    /// Its number for system calls; none of one that no process can have.
    pub(crate) fn pid(self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }

    /// Opens this very process, if it lives.
    pub(crate) fn open(self) -> sys::Result<Option<PidFd>> {
        self.pid().map_or(Ok(None), |pid| PidFd::open_checked(pid, self.start_time))
    }

    /// True if this very process lives. A zombie does not. An error is no answer: who takes it for an end loses a container
    /// that runs.
    pub(crate) fn is_alive(self) -> sys::Result<bool> {
        Ok(Self::of(self.pid)? == Some(self))
    }
}

/// Start time from the text of `/proc/PID/stat`; the second field may hold anything, so count from the last `)`.
pub(crate) fn start_time(stat: &[u8]) -> Option<u64> {
    fields(stat)?.nth(19)?.parse().ok()
}

fn is_zombie(stat: &[u8]) -> bool {
    fields(stat).and_then(|mut fields| fields.next()).is_some_and(|state| matches!(state, "Z" | "X" | "x"))
}

/// Fields from the third (state) on.
fn fields(stat: &[u8]) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    let end = stat.iter().rposition(|b| *b == b')')?;
    Some(std::str::from_utf8(&stat[end + 1..]).ok()?.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::{ProcessIdentity, start_time};

    #[test]
    fn g04_pid_reuse_is_seen() {
        let me = ProcessIdentity::of(std::process::id()).expect("proc").expect("alive");
        let is_alive = |process: ProcessIdentity| process.is_alive().expect("proc");
        assert!(is_alive(me));
        assert!(!is_alive(ProcessIdentity { start_time: me.start_time + 1, ..me }));
        assert!(!is_alive(ProcessIdentity { pid: u32::MAX >> 1, ..me }));
    }

    #[test]
    fn name_with_brackets_and_spaces() {
        let stat = b"7 (a) R 1) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 100";
        assert_eq!(start_time(stat), Some(4242));
        assert_eq!(start_time(b"7"), None);
    }
}
