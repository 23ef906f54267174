//! What a container gets of the host: the nodes of `/dev` for `--privileged`, and the caller's name for keep-id.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use crate::sys;

/// What every container has of its own.
const OWN: [&str; 16] = [
    "console", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
    "urandom", "zero", "log",
];

/// Directories of `/dev` below `/dev` are looked into this deep (`/dev/bus/usb/001/002`).
const DEEPEST: u32 = 4;

/// Nodes of the host's `/dev` that the caller can read and write, and that a container has not got anyway.
pub(super) fn open_devices() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let names = sys::fs::names(Path::new("/dev")).unwrap_or_default();
    for name in names.iter().filter(|name| !OWN.iter().any(|own| *name == own)) {
        collect(&Path::new("/dev").join(name), DEEPEST, &mut found);
    }
    found.sort();
    found
}

/// What cannot be looked at cannot be used either.
fn collect(path: &Path, depth: u32, found: &mut Vec<PathBuf>) {
    let Ok(Some(meta)) = sys::fs::lstat(path) else { return };
    let kind = meta.file_type();
    if kind.is_dir() && depth > 0 {
        for name in sys::fs::names(path).unwrap_or_default() {
            collect(&path.join(name), depth - 1, found);
        }
    } else if (kind.is_char_device() || kind.is_block_device()) && sys::fs::is_read_write(path) {
        found.push(path.to_owned());
    }
}
