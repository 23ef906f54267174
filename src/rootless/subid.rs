//! Subordinate ids of the caller: `/etc/subuid` and `/etc/subgid` (`subuid(5)`), else the `getsubids` program, which asks
//! the name service switch.

use std::path::Path;

use crate::sys;
use crate::sys::spawn::{Spawn, find_program};

use super::error::Error;

/// First id and number of ids.
pub(crate) type Range = (u32, u32);

/// Ranges of user and group ids, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SubIds {
    pub(crate) uid: Vec<Range>,
    pub(crate) gid: Vec<Range>,
}

impl SubIds {
    /// Both kinds are there.
    pub(crate) fn is_usable(&self) -> bool {
        !self.uid.is_empty() && !self.gid.is_empty()
    }
}

/// Reads the ranges of a user, known by name (if there is one) and uid.
pub(crate) fn of_user(name: Option<&str>, uid: u32, path: &str) -> Result<SubIds, Error> {
    let from_files = SubIds { uid: from_file("/etc/subuid", name, uid)?, gid: from_file("/etc/subgid", name, uid)? };
    if from_files.is_usable() {
        return Ok(from_files);
    }
    let (Some(name), Some(getsubids)) = (name, find_program("getsubids", path)) else { return Ok(from_files) };
    let ask = |group: bool| -> Result<Vec<Range>, Error> {
        let args: &[&str] = if group { &["-g", name] } else { &[name] };
        let (status, output) = Spawn::new(getsubids.clone())
            .args(args)
            .output(1 << 16)
            .map_err(|source| Error::RunMapper { program: getsubids.clone(), source })?;
        Ok(if status.success() { parse_getsubids(&String::from_utf8_lossy(&output)) } else { Vec::new() })
    };
    Ok(SubIds { uid: ask(false)?, gid: ask(true)? })
}

fn from_file(path: &str, name: Option<&str>, uid: u32) -> Result<Vec<Range>, Error> {
    let path = Path::new(path);
    let text = sys::fs::read_if_exists(path).map_err(|source| Error::ReadSubIds { path: path.to_owned(), source })?;
    Ok(parse(&String::from_utf8_lossy(&text.unwrap_or_default()), name, uid))
}

/// Lines `OWNER:FIRST:COUNT`, the owner by name or uid.
fn parse(text: &str, name: Option<&str>, uid: u32) -> Vec<Range> {
    let uid = uid.to_string();
    let line = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        if owner != uid && Some(owner) != name {
            return None;
        }
        range(fields.next()?, fields.next()?)
    };
    text.lines().filter_map(line).collect()
}

/// Lines `0: OWNER FIRST COUNT`.
fn parse_getsubids(text: &str) -> Vec<Range> {
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        range(fields.next()?, fields.next()?)
    };
    text.lines().filter_map(line).collect()
}

fn range(first: &str, count: &str) -> Option<Range> {
    let (first, count) = (first.parse().ok()?, count.parse().ok()?);
    (count > 0).then_some((first, count))
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_getsubids};

    #[test]
    fn ranges_of_a_user() {
        let text = "root:100000:65536\nann:165536:65536\n# comment\n1000:300000:10\nann:x:1\nann:5:0\n";
        assert_eq!(parse(text, Some("ann"), 1000), [(165_536, 65536), (300_000, 10)]);
        assert_eq!(parse(text, None, 7), []);
        assert_eq!(parse_getsubids("0: ann 100000 65536\n1: ann 300000 5\n"), [(100_000, 65536), (300_000, 5)]);
    }
}
