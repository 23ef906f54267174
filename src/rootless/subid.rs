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
    Ok(parse(&text_of(Path::new(path))?, name, uid))
}

/// Owners of ranges that overlap with those of this user: `bob (uids)`.
pub(crate) fn shared(name: Option<&str>, uid: u32) -> Result<Vec<String>, Error> {
    let mut owners = Vec::new();
    for (path, what) in [("/etc/subuid", "uids"), ("/etc/subgid", "gids")] {
        let found = overlapping(&text_of(Path::new(path))?, name, uid);
        owners.extend(found.into_iter().map(|owner| format!("{owner} ({what})")));
    }
    Ok(owners)
}

/// First id of a range of 65536 that nobody has, in neither file.
pub(crate) fn first_free() -> u32 {
    let texts = ["/etc/subuid", "/etc/subgid"].map(|path| text_of(Path::new(path)).unwrap_or_default());
    texts.iter().map(|text| free_after(text)).max().unwrap_or(100_000)
}

fn text_of(path: &Path) -> Result<String, Error> {
    let bytes = sys::fs::read_if_exists(path).map_err(|source| Error::ReadSubIds { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

/// Owner and range of every line.
fn lines(text: &str) -> impl Iterator<Item = (&str, Range)> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        Some((owner, range(fields.next()?, fields.next()?)?))
    })
}

fn free_after(text: &str) -> u32 {
    let ends = lines(text).filter_map(|(_, (first, count))| first.checked_add(count));
    // A range at the very top leaves no room above it.
    ends.filter(|end| end.checked_add(65536).is_some()).max().unwrap_or(0).max(100_000)
}

fn overlapping(text: &str, name: Option<&str>, uid: u32) -> Vec<String> {
    let ours = parse(text, name, uid);
    let uid = uid.to_string();
    let end = |(first, count): Range| u64::from(first) + u64::from(count);
    let mut owners: Vec<String> = lines(text)
        .filter(|(owner, _)| *owner != uid && Some(*owner) != name)
        .filter(|(_, theirs)| ours.iter().any(|own| u64::from(own.0) < end(*theirs) && u64::from(theirs.0) < end(*own)))
        .map(|(owner, _)| owner.to_owned())
        .collect();
    owners.dedup();
    owners
}

/// Lines `OWNER:FIRST:COUNT`, the owner by name or uid.
pub(crate) fn parse(text: &str, name: Option<&str>, uid: u32) -> Vec<Range> {
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
    // Ids end below 2^32 - 1, which is nobody's (case C28).
    let end = u32::checked_add(first, count)?;
    (end > first).then_some((first, count))
}

/// Entry point of `fuzz/`: whatever `/etc/subuid` and `getsubids` say.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing(text: &str) -> Vec<Range> {
    std::hint::black_box((free_after(text), overlapping(text, Some("user"), 1000)));
    [parse(text, Some("user"), 1000), parse_getsubids(text)].concat()
}

#[cfg(test)]
mod tests {
    use super::{free_after, overlapping, parse, parse_getsubids};

    #[test]
    fn c28_ranges_of_others() {
        let text = "ann:100000:65536\nbob:165535:65536\n1000:300000:5\neve:300004:1\ndan:300005:9\n";
        assert_eq!(overlapping(text, Some("ann"), 1000), ["bob", "eve"]);
        assert!(overlapping("ann:100000:65536\nbob:165536:65536\n", Some("ann"), 1000).is_empty());
        assert_eq!(free_after(text), 300_014);
        assert_eq!(free_after(""), 100_000);
        assert_eq!(free_after("x:4294900000:60000\n"), 100_000);
        assert_eq!(parse("ann:4294967295:2\nann:4294967294:1\n", Some("ann"), 7), [(u32::MAX - 1, 1)]);
        assert_eq!(parse("ann:1:4294967295\nann:5:4294967291\n", Some("ann"), 7), []);
    }

    #[test]
    fn ranges_of_a_user() {
        let text = "root:100000:65536\nann:165536:65536\n# comment\n1000:300000:10\nann:x:1\nann:5:0\n";
        assert_eq!(parse(text, Some("ann"), 1000), [(165_536, 65536), (300_000, 10)]);
        assert_eq!(parse(text, None, 7), []);
        assert_eq!(parse_getsubids("0: ann 100000 65536\n1: ann 300000 5\n"), [(100_000, 65536), (300_000, 5)]);
    }
}
