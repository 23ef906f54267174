//! I12: Sampan mounts nothing in the caller's mount namespace, so nothing may be mounted in a container, a layer or
//! runroot. (A whole store, or a volume, on a disk of its own is the administrator's good right.)

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::engine::{Engine, Error};
use crate::storage::check::Finding;
use crate::sys;

impl Engine {
    pub(super) fn check_mounts(&self) -> Result<Vec<Finding>, Error> {
        let host = |source| Error::Host { what: "read the list of mounts", source };
        let table = sys::fs::read(Path::new("/proc/self/mountinfo")).map_err(host)?;
        let layout = self.store.layout();
        let resolved = |path: PathBuf| sys::fs::canonical(&path).unwrap_or(path);
        let places = [layout.containers(), layout.layers(), layout.staging(), layout.trash(), layout.run_epoch()];
        let places = places.map(resolved);
        let mut findings = Vec::new();
        for point in mount_points(&table) {
            if places.iter().any(|place| point.starts_with(place) && point != *place) {
                let cure = format!("something is mounted here: umount {}", point.display());
                findings.push(Finding::new("I12", point.display(), cure, None));
            }
        }
        Ok(findings)
    }
}

/// Fifth field of each line of `/proc/self/mountinfo`, with its octal escapes undone (`proc_pid_mountinfo(5)`).
pub(crate) fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    let lines = table.split(|byte| *byte == b'\n');
    let fields = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    fields.map(|field| PathBuf::from(OsString::from_vec(unescape(field)))).collect()
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        let value = digits.map(|digits| digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0')));
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::mount_points;
    use std::path::PathBuf;

    #[test]
    fn i12_mount_points_are_read_with_their_escapes() {
        let table = b"22 1 0:21 / /proc rw - proc proc rw\n23 1 0:5 / /home/a\\040b\\134 rw shared:1 - tmpfs t rw\n";
        assert_eq!(mount_points(table), ["/proc", "/home/a b\\"].map(PathBuf::from));
        assert!(mount_points(b"").is_empty());
    }
}
