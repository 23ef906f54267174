//! Where something is mounted in this namespace (`proc_pid_mountinfo(5)`).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::sys;

/// All mount points, in the order in which they were mounted.
pub(crate) fn current() -> sys::Result<Vec<PathBuf>> {
    Ok(parse(&sys::fs::read(Path::new("/proc/self/mountinfo"))?))
}

/// Fifth field of each line, with its octal escapes undone.
pub(crate) fn parse(table: &[u8]) -> Vec<PathBuf> {
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
    use super::parse;
    use std::path::PathBuf;

    #[test]
    fn i12_mount_points_are_read_with_their_escapes() {
        let table = b"22 1 0:21 / /proc rw - proc proc rw\n23 1 0:5 / /home/a\\040b\\134 rw shared:1 - tmpfs t rw\n";
        assert_eq!(parse(table), ["/proc", "/home/a b\\"].map(PathBuf::from));
        assert!(parse(b"").is_empty());
    }
}
