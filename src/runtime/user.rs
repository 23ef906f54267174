//! Who the program runs as: `--user` or the image's USER, looked up in the container's own `/etc/passwd` and
//! `/etc/group` (cases C11, C12, C13). The text is `user[:group]`, each a name or a number. Digits are always a number
//! and never a name, so neither an overflow nor an entry named `0` leads to somebody else.

use std::path::{Path, PathBuf};

use crate::sys::fs::absent_is_none;
use crate::sys::root::RootDir;
use crate::types::idmap::{IdMaps, OVERFLOW_ID};

use super::error::Error;

/// More of a user database is refused: it is the image's to choose (case C11).
const LARGEST: u64 = 4 << 20;

/// Who the program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// None keeps the caller's groups.
    pub(crate) groups: Option<Vec<u32>>,
    pub(crate) home: PathBuf,
    /// `/etc/passwd` knows the uid.
    pub(crate) known: bool,
    /// `/etc/group` knows the gid.
    pub(crate) group_known: bool,
}

/// Resolves `text` in the root of the container. `maps`: C's, by which ids are refused that cannot be (empty = not known).
pub(crate) fn resolve(root: &RootDir, text: &str, group_add: &[String], maps: &IdMaps) -> Result<Identity, Error> {
    let wish = parse(text)?;
    let error = |why: String| Error::User { user: text.to_owned(), why };
    let passwd = database(root, "etc/passwd").map_err(error)?;
    let group = database(root, "etc/group").map_err(error)?;
    let mut who = look_up(text, &wish, &passwd, &group)?;
    let mapped_uid = |uid| maps.uid.extents().is_empty() || maps.uid.to_outside(uid).is_some();
    let mapped_gid = |gid| maps.gid.extents().is_empty() || maps.gid.to_outside(gid).is_some();
    if !mapped_uid(who.uid) {
        return Err(error(format!("uid {} does not exist in the container: its id map does not have it", who.uid)));
    }
    if !mapped_gid(who.gid) {
        // A map of one gid: everything has that group. More than one: the user must say which.
        match maps.gid.extents() {
            [one] if one.len == 1 && wish.group.is_none() => who.gid = one.inside,
            _ => {
                return Err(error(format!(
                    "gid {} does not exist in the container: its id map does not have it",
                    who.gid
                )));
            }
        }
    }
    // Groups of the image's own making that the map lacks are left out; those that were asked for are not.
    let mut groups: Vec<u32> =
        who.groups.take().unwrap_or_default().into_iter().filter(|gid| mapped_gid(*gid)).collect();
    for wanted in group_add {
        if wanted == "keep-groups" {
            return Ok(who);
        }
        let gid = group_id(wanted, &group)
            .map_err(|why| Error::User { user: wanted.clone(), why: format!("additional group: {why}") })?;
        if !mapped_gid(gid) {
            return Err(Error::User {
                user: wanted.clone(),
                why: format!("additional group: gid {gid} does not exist in the container"),
            });
        }
        groups.push(gid);
    }
    // The primary group belongs to the supplementary ones, or dropping it would lift what it forbids (CVE-2022-2989).
    groups.insert(0, who.gid);
    let mut seen = std::collections::HashSet::new();
    groups.retain(|gid| seen.insert(*gid));
    if maps.gid.size() == 1 {
        // With one gid setgroups(2) is forbidden, and there is no other group to be in.
        groups.clear();
    }
    who.groups = Some(groups);
    Ok(who)
}

/// Uid and gid of `text` by the topmost user database in a stack of layers, top first. For who must know them before the
/// container's root exists; init looks again and has the last word.
pub(crate) fn numbers(text: &str, layers: &[&Path]) -> Result<(u32, u32), Error> {
    let wish = parse(text)?;
    let error = |why: String| Error::User { user: text.to_owned(), why };
    let (passwd, group) = (topmost(layers, "etc/passwd").map_err(error)?, topmost(layers, "etc/group").map_err(error)?);
    look_up(text, &wish, &passwd, &group).map(|who| (who.uid, who.gid))
}

/// How many ids the database of an image needs, from 0 on. `nobody` (65534) does not count: it stands for no one.
pub(crate) fn ids_needed(layers: &[&Path]) -> Result<u32, Error> {
    let error = |why: String| Error::User { user: "(all)".to_owned(), why };
    let mut needed = 0;
    for path in ["etc/passwd", "etc/group"] {
        for line in topmost(layers, path).map_err(error)?.lines() {
            let ids = line.split(':').skip(2).take(if path == "etc/passwd" { 2 } else { 1 });
            for id in ids.filter_map(|id| id.parse::<u32>().ok()).filter(|id| *id < OVERFLOW_ID) {
                needed = needed.max(id + 1);
            }
        }
    }
    Ok(needed)
}

/// A database file of the topmost layer that has it; empty if none has.
fn topmost(layers: &[&Path], path: &str) -> Result<String, String> {
    for layer in layers {
        let there = RootDir::open(layer).and_then(|root| absent_is_none(root.lookup(Path::new(path)).map(|_| root)));
        if let Some(root) = there.map_err(|error| error.to_string())? {
            return database(&root, path);
        }
    }
    Ok(String::new())
}

/// A line for `/etc/passwd` for a user whom it does not know, so that programs can find out who they are.
pub(crate) fn passwd_line(who: &Identity, name: Option<&str>, home: &Path) -> String {
    let (name, home) = (sound_or_number(name, who.uid), home.to_string_lossy().replace([':', '\n'], "_"));
    format!("{name}:*:{}:{}:container user:{home}:/bin/sh\n", who.uid, who.gid)
}

/// A line for `/etc/group` for a primary group that it does not know.
pub(crate) fn group_line(who: &Identity, name: Option<&str>) -> String {
    format!("{}:x:{}:\n", sound_or_number(name, who.gid), who.gid)
}

/// A name that cannot break a line of a user database; the number where there is none.
fn sound_or_number(name: Option<&str>, id: u32) -> String {
    let sound = |name: &&str| !name.is_empty() && !name.contains([':', '\n', '\0']);
    name.filter(sound).map_or_else(|| id.to_string(), str::to_owned)
}

#[derive(Debug, PartialEq, Eq)]
struct Wish {
    user: Id,
    group: Option<Id>,
}

#[derive(Debug, PartialEq, Eq)]
enum Id {
    Number(u32),
    Name(String),
}

fn parse(text: &str) -> Result<Wish, Error> {
    let error = |why: &str| Error::User { user: text.to_owned(), why: why.to_owned() };
    let mut parts = text.split(':');
    let (user, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if parts.next().is_some() {
        return Err(error("is not user[:group]"));
    }
    let id = |part: &str| part_id(part).map_err(|why| error(&why));
    let user = if user.is_empty() { Id::Number(0) } else { id(user)? };
    Ok(Wish { user, group: if group.is_empty() { None } else { Some(id(group)?) } })
}

fn part_id(part: &str) -> Result<Id, String> {
    if part.bytes().all(|b| b.is_ascii_digit()) {
        // (uid_t) -1 is nobody's.
        let number = part.parse().ok().filter(|number| *number != u32::MAX);
        return number.map(Id::Number).ok_or_else(|| format!("{part} is not an id: 0 to 4294967294"));
    }
    if part.starts_with(['-', '+']) || part.contains(|c: char| c.is_control() || c == '/' || c == ' ') {
        return Err(format!("{part:?} is neither a name nor a number"));
    }
    Ok(Id::Name(part.to_owned()))
}

/// One line of `/etc/passwd` or `/etc/group`, of which only the fields used must be sound.
struct Entry<'a> {
    name: &'a str,
    id: u32,
    fields: Vec<&'a str>,
}

fn entries(database: &str) -> impl Iterator<Item = Entry<'_>> {
    database.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let id = fields.get(2)?.parse().ok().filter(|id| *id != u32::MAX)?;
        let name = fields.first().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
        Some(Entry { name, id, fields })
    })
}

/// What these databases make of `text`.
#[cfg(feature = "fuzzing")]
pub(crate) fn from_texts(text: &str, passwd: &str, group: &str) -> Result<Identity, Error> {
    look_up(text, &parse(text)?, passwd, group)
}

fn look_up(text: &str, wish: &Wish, passwd: &str, group: &str) -> Result<Identity, Error> {
    let entry = entries(passwd).find(|entry| match &wish.user {
        Id::Number(uid) => entry.id == *uid,
        Id::Name(name) => entry.name == name,
    });
    let uid = match (&wish.user, &entry) {
        (Id::Number(uid), _) => *uid,
        (Id::Name(_), Some(entry)) => entry.id,
        (Id::Name(name), None) => {
            return Err(Error::User {
                user: text.to_owned(),
                why: format!("no user {name:?} in the container's /etc/passwd"),
            });
        }
    };
    let gid = match &wish.group {
        Some(Id::Number(gid)) => *gid,
        Some(Id::Name(name)) => group_id(name, group).map_err(|why| Error::User { user: text.to_owned(), why })?,
        // (gid_t) -1 would leave the group as it is.
        None => {
            let group = entry.as_ref().and_then(|entry| entry.fields.get(3)?.parse().ok());
            group.filter(|gid| *gid != u32::MAX).unwrap_or(0)
        }
    };
    // With a group of the user's choice the image's memberships do not count, as with Docker.
    let groups = match &entry {
        Some(user) if wish.group.is_none() => entries(group)
            .filter(|entry| {
                entry.fields.get(3).is_some_and(|list| list.split(',').any(|name| name.trim() == user.name))
            })
            .map(|entry| entry.id)
            .collect(),
        _ => Vec::new(),
    };
    let home = entry.as_ref().and_then(|entry| entry.fields.get(5).copied()).filter(|home| home.starts_with('/'));
    let home = home.unwrap_or("/").into();
    let group_known = entries(group).any(|entry| entry.id == gid);
    Ok(Identity { uid, gid, groups: Some(groups), home, known: entry.is_some(), group_known })
}

fn group_id(wanted: &str, group: &str) -> Result<u32, String> {
    match part_id(wanted)? {
        Id::Number(gid) => Ok(gid),
        Id::Name(name) => {
            let found = entries(group).find(|entry| entry.name == name);
            found.map(|entry| entry.id).ok_or_else(|| format!("no group {name:?} in the container's /etc/group"))
        }
    }
}

/// The text of a user database; empty if there is none, or if it is masked. Only a regular file of bearable size is read.
fn database(root: &RootDir, path: &str) -> Result<String, String> {
    let bytes = match root.read_limited(Path::new(path), LARGEST) {
        Err(_) if is_masked(root, path) => None,
        read => absent_is_none(read).map_err(|error| error.to_string())?,
    };
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

/// True if `/dev/null` covers it (`--security-opt mask=PATH`).
fn is_masked(root: &RootDir, path: &str) -> bool {
    matches!(root.stat(Path::new(path)), Ok(Some(stat)) if stat.is_char_device() && stat.node == (1, 3))
}

#[cfg(test)]
#[path = "user_tests.rs"]
mod tests;
