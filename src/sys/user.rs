//! The caller in the user database. The binary is static, so the C library's lookup (which loads modules) is not used:
//! `/etc/passwd` and `/etc/group` first, then the `getent` program, which knows LDAP, AD and systemd-homed.

use std::path::Path;

use super::error::Result;
use super::fs;
use super::spawn::{Spawn, find_program};

/// A user database: lines of fields between colons, the name first and the number third (`passwd(5)`, `group(5)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Passwd,
    Group,
}

impl Database {
    /// The file in which it is looked into first.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Passwd => "/etc/passwd",
            Self::Group => "/etc/group",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::Group => "group",
        }
    }
}

/// Name of the user or group with this number, if any source knows it. `path` is the PATH to search for `getent`.
pub(crate) fn name_of(database: Database, id: u32, path: &str) -> Result<Option<String>> {
    let file = fs::read_if_exists(Path::new(database.path()))?.unwrap_or_default();
    if let Some(name) = find(&String::from_utf8_lossy(&file), id) {
        return Ok(Some(name));
    }
    let Some(getent) = find_program("getent", path) else { return Ok(None) };
    let (status, output) = Spawn::new(getent).arg(database.name()).arg(id.to_string()).output(1 << 16)?;
    Ok(status.success().then(|| find(&String::from_utf8_lossy(&output), id)).flatten())
}

fn find(text: &str, id: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}
