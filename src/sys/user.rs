//! The caller in the user database. The binary is static, so the C library's lookup (which loads modules) is not used:
//! `/etc/passwd` first, then the `getent` program, which knows LDAP, AD and systemd-homed.

use std::path::Path;

use super::error::Result;
use super::fs;
use super::spawn::{Spawn, find_program};

/// Name of the user with this uid, if any source knows it. `path` is the PATH to search for `getent`.
pub(crate) fn name_of(uid: u32, path: &str) -> Result<Option<String>> {
    let file = fs::read_if_exists(Path::new("/etc/passwd"))?.unwrap_or_default();
    if let Some(name) = find(&String::from_utf8_lossy(&file), uid) {
        return Ok(Some(name));
    }
    let Some(getent) = find_program("getent", path) else { return Ok(None) };
    let (status, output) = Spawn::new(getent).arg("passwd").arg(uid.to_string()).output(1 << 16)?;
    Ok(status.success().then(|| find(&String::from_utf8_lossy(&output), uid)).flatten())
}

fn find(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}
