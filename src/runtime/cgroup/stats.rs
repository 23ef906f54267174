//! What a cgroup uses.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::sys;

use super::cgroupfs::keyed;

/// One reading; `None` where the controller is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// Microseconds of processor time.
    pub(crate) cpu: Option<u64>,
    /// Bytes in use, without the page cache that the kernel would give back first (as Podman counts).
    pub(crate) memory: Option<u64>,
    /// Bytes; none = no limit.
    pub(crate) memory_limit: Option<u64>,
    pub(crate) processes: Option<u64>,
    pub(crate) processes_limit: Option<u64>,
    /// Bytes since the start.
    pub(crate) read: Option<u64>,
    pub(crate) written: Option<u64>,
}

/// Reads the files of one cgroup.
pub(super) fn read(dir: &Path) -> Stats {
    let text = |name: &str| sys::fs::read_to_string(&dir.join(name)).unwrap_or_default();
    let number = |name: &str| text(name).trim().parse::<u64>().ok();
    let inactive = keyed(&text("memory.stat"), "inactive_file").unwrap_or_default();
    let io = text("io.stat");
    Stats {
        cpu: keyed(&text("cpu.stat"), "usage_usec"),
        memory: number("memory.current").map(|bytes| bytes.saturating_sub(inactive)),
        memory_limit: number("memory.max"),
        processes: number("pids.current"),
        processes_limit: number("pids.max"),
        read: sum(&io, "rbytes="),
        written: sum(&io, "wbytes="),
    }
}

/// Sum of one field over the devices of `io.stat`.
fn sum(text: &str, field: &str) -> Option<u64> {
    let values = text.split_ascii_whitespace().filter_map(|word| word.strip_prefix(field)?.parse::<u64>().ok());
    values.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds_devices() {
        let text = "8:0 rbytes=10 wbytes=1 rios=1\n8:16 rbytes=5 wbytes=2 rios=1\n";
        assert_eq!(
            (super::sum(text, "rbytes="), super::sum(text, "wbytes="), super::sum("", "x=")),
            (Some(15), Some(3), None)
        );
    }
}
