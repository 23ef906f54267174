//! `--userns`, `--uidmap`, `--gidmap`.

use crate::types::idmap::{Extent, IdMap, IdMaps, InvalidIdMap};
use crate::types::namespace::UsernsMode;

use super::super::error::Error;
use super::super::flags::SecurityFlags;
use super::invalid::{unsupported, wrong};
use super::surroundings::Surroundings;

/// The user namespace that the flags ask for.
pub(super) fn userns(flags: &SecurityFlags, around: &Surroundings<'_>) -> Result<UsernsMode, Error> {
    if !flags.uidmap.is_empty() || !flags.gidmap.is_empty() {
        return explicit(flags, around).map(UsernsMode::Explicit);
    }
    let text = flags.userns.as_deref().unwrap_or_default();
    let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
    match (kind, rest) {
        ("" | "host", None) => Ok(UsernsMode::Default),
        ("nomap", None) => Ok(UsernsMode::Nomap),
        ("keep-id", rest) => keep_id(text, rest),
        ("auto", rest) => auto(text, rest),
        ("container", Some(name)) => (around.container)(name).map(UsernsMode::Container),
        ("ns", Some(path)) => Ok(UsernsMode::Path(around.host_path(path.as_ref())?)),
        ("private", None) => Err(unsupported("userns", text).into()),
        _ => Err(wrong("userns", text, "host, keep-id, nomap, auto, container:NAME or ns:PATH").into()),
    }
}

fn keep_id(text: &str, rest: Option<&str>) -> Result<UsernsMode, Error> {
    let (mut uid, mut gid, mut size) = (None, None, None);
    for option in rest.unwrap_or("").split(',').filter(|option| !option.is_empty()) {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let number = value.parse::<u32>().ok().ok_or_else(|| wrong("userns", text, "uid, gid and size are numbers"))?;
        match key {
            "uid" => uid = Some(number),
            "gid" => gid = Some(number),
            "size" => size = Some(number),
            _ => return Err(wrong("userns", text, "keep-id takes uid=, gid= and size=").into()),
        }
    }
    Ok(UsernsMode::KeepId { uid, gid, size })
}

fn auto(text: &str, rest: Option<&str>) -> Result<UsernsMode, Error> {
    let mut size = None;
    for option in rest.unwrap_or("").split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("size", number)) => {
                let number = number.parse::<u32>().ok().filter(|n| *n > 0);
                size = Some(number.ok_or_else(|| wrong("userns", text, "size is a number above 0"))?);
            }
            Some(("uidmapping" | "gidmapping", _)) => return Err(unsupported("userns", text).into()),
            _ => return Err(wrong("userns", text, "auto takes size=").into()),
        }
    }
    Ok(UsernsMode::Auto { size, start: None })
}

/// One `[flags]CONTAINER:FROM[:AMOUNT]`.
struct Entry {
    extent: Extent,
    /// `+`: changes the map as it is so far instead of adding to an empty one.
    extend: bool,
    for_uids: bool,
    for_gids: bool,
}

fn explicit(flags: &SecurityFlags, around: &Surroundings<'_>) -> Result<IdMaps, Error> {
    let uids = parse("uidmap", &flags.uidmap, around)?;
    let gids = parse("gidmap", &flags.gidmap, around)?;
    // What is given for one kind counts for the other if that has no flag of its own; `u` and `g` say otherwise.
    let pick = |own: &[Entry], other: &[Entry], for_uids: bool| -> Vec<(Extent, bool)> {
        let fits = |entry: &&Entry| if for_uids { entry.for_uids } else { entry.for_gids };
        let own_fits: Vec<_> = own.iter().filter(fits).map(|entry| (entry.extent, entry.extend)).collect();
        let marked = |entry: &&Entry| fits(entry) && (own.is_empty() || !(entry.for_uids && entry.for_gids));
        own_fits.into_iter().chain(other.iter().filter(marked).map(|entry| (entry.extent, entry.extend))).collect()
    };
    let (uid, gid) = (pick(&uids, &gids, true), pick(&gids, &uids, false));
    let texts = [flags.uidmap.as_slice(), &flags.gidmap].concat().join(" ");
    let full = if needs_default(&uid) || needs_default(&gid) { Some((around.outer)()?) } else { None };
    let default = |map: fn(&IdMaps) -> &IdMap| full.as_ref().map(map);
    Ok(IdMaps {
        uid: assemble(&uid, default(|maps| &maps.uid)).map_err(|why| wrong("uidmap", &texts, why))?,
        gid: assemble(&gid, default(|maps| &maps.gid)).map_err(|why| wrong("gidmap", &texts, why))?,
    })
}

/// A map that has no line of its own, or begins with a `+`, starts from all of P's ids.
fn needs_default(entries: &[(Extent, bool)]) -> bool {
    entries.first().is_none_or(|(_, extend)| *extend)
}

fn assemble(entries: &[(Extent, bool)], outer: Option<&IdMap>) -> Result<IdMap, InvalidIdMap> {
    let mut map = Vec::new();
    if needs_default(entries) {
        let size = outer.and_then(IdMap::max_inside).map_or(0, |max| max.saturating_add(1));
        map.push(Extent { inside: 0, outside: 0, len: size });
    }
    for (extent, extend) in entries {
        if *extend {
            map = map.into_iter().flat_map(|old| punch(old, extent)).collect();
        }
        map.push(*extent);
    }
    map.sort_by_key(|extent| extent.inside);
    IdMap::new(map)
}

/// What is left of `old` without the ids of `hole`, on both sides.
fn punch(old: Extent, hole: &Extent) -> Vec<Extent> {
    // Offsets into `old` that go: those whose inside or outside id the hole takes.
    let taken = |start: u32, hole_start: u32| {
        let first = u64::from(hole_start).max(u64::from(start)) - u64::from(start);
        let end = (u64::from(hole_start) + u64::from(hole.len)).max(u64::from(start)) - u64::from(start);
        (first.min(u64::from(old.len)), end.min(u64::from(old.len)))
    };
    let mut cuts = [taken(old.inside, hole.inside), taken(old.outside, hole.outside)];
    cuts.sort_unstable();
    let mut left = Vec::new();
    let mut next = 0_u64;
    for (first, end) in cuts.into_iter().chain([(u64::from(old.len), u64::from(old.len))]) {
        if first > next {
            // Both are at most `old.len`, so they fit.
            let (offset, len) =
                (u32::try_from(next).unwrap_or(u32::MAX), u32::try_from(first - next).unwrap_or(u32::MAX));
            left.push(Extent { inside: old.inside + offset, outside: old.outside + offset, len });
        }
        next = next.max(end);
    }
    left
}

fn parse(flag: &'static str, texts: &[String], around: &Surroundings<'_>) -> Result<Vec<Entry>, Error> {
    texts.iter().map(|text| entry(flag, text, around)).collect()
}

fn entry(flag: &'static str, text: &str, around: &Surroundings<'_>) -> Result<Entry, Error> {
    let grammar = || wrong(flag, text, "[FLAGS]CONTAINER:FROM[:AMOUNT], FLAGS of + u g, FROM a number or @NUMBER");
    let digits = text.find(|c: char| c.is_ascii_digit()).ok_or_else(grammar)?;
    let (marks, rest) = text.split_at(digits);
    if marks.chars().any(|c| !matches!(c, '+' | 'u' | 'g')) {
        return Err(grammar().into());
    }
    let mut parts = rest.split(':');
    let (inside, from, amount) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(inside), Some(from), amount, None) => (inside, from, amount.unwrap_or("1")),
        _ => return Err(grammar().into()),
    };
    let number = |text: &str| text.parse::<u32>().ok().ok_or_else(grammar);
    let outside = match from.strip_prefix('@') {
        None => number(from)?,
        Some(host) => {
            let host = number(host)?;
            let maps = (around.outer)()?;
            let map = if flag == "gidmap" { &maps.gid } else { &maps.uid };
            map.to_inside(host).ok_or_else(|| wrong(flag, text, format!("id {host} is not one of this user's")))?
        }
    };
    let (u, g) = (marks.contains('u'), marks.contains('g'));
    Ok(Entry {
        extent: Extent { inside: number(inside)?, outside, len: number(amount)? },
        extend: marks.contains('+'),
        for_uids: u || !g,
        for_gids: g || !u,
    })
}
