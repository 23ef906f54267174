//! Id maps of user namespaces (`user_namespaces(7)`). P is the outer namespace (0 = the caller, 1… = the
//! subordinate ranges), C the container's own, a child of P whose map is written in P's ids.

use serde::{Deserialize, Serialize};

/// What the kernel shows of an id that the user namespace does not map (`/proc/sys/kernel/overflowuid`). Images have it for
/// `nobody`.
pub(crate) const OVERFLOW_ID: u32 = 65_534;

/// One line of `/proc/PID/uid_map`: `len` ids from `inside` on are `outside` on in the parent namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    pub(crate) inside: u32,
    pub(crate) outside: u32,
    pub(crate) len: u32,
}

/// A map: extents in the order in which they are written. The kernel takes at most 340 (Linux 4.15).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct IdMap(Vec<Extent>);

/// Why a map cannot be (case C28).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidIdMap {
    #[error("id map has {0} lines, the kernel takes at most 340")]
    TooMany(usize),
    #[error("id map line {inside}:{outside}:{len}: empty, or beyond 2^32", inside = .0.inside, outside = .0.outside, len = .0.len)]
    Range(Extent),
    #[error("id map lines {a}:{b}:{c} and {d}:{e}:{f} overlap", a = .0.inside, b = .0.outside, c = .0.len, d = .1.inside, e = .1.outside, f = .1.len)]
    Overlap(Extent, Extent),
    #[error("id map line {inside}:{outside}:{len} uses ids that this user does not have", inside = .0.inside, outside = .0.outside, len = .0.len)]
    NotOurs(Extent),
}

impl IdMap {
    /// The map as it looks from within: every id is itself.
    pub(crate) fn inside(&self) -> Self {
        Self(self.0.iter().map(|extent| Extent { outside: extent.inside, ..*extent }).collect())
    }

    /// Where the file of an id goes that the map lacks: to `nobody`, or to the highest id that is mapped.
    pub(crate) fn nobody(&self) -> u32 {
        self.to_outside(OVERFLOW_ID).or_else(|| self.to_outside(self.max_inside()?)).unwrap_or(0)
    }

    /// Checks the extents as the kernel will.
    pub(crate) fn new(extents: Vec<Extent>) -> Result<Self, InvalidIdMap> {
        if extents.len() > 340 {
            return Err(InvalidIdMap::TooMany(extents.len()));
        }
        for (index, a) in extents.iter().enumerate() {
            if a.len == 0 || a.inside.checked_add(a.len).is_none() || a.outside.checked_add(a.len).is_none() {
                return Err(InvalidIdMap::Range(*a));
            }
            for b in &extents[..index] {
                if overlap(a.inside, b.inside, a.len, b.len) || overlap(a.outside, b.outside, a.len, b.len) {
                    return Err(InvalidIdMap::Overlap(*b, *a));
                }
            }
        }
        Ok(Self(extents))
    }

    /// `inside` ↔ `outside`, one id.
    pub(crate) fn single(inside: u32, outside: u32) -> Self {
        Self(vec![Extent { inside, outside, len: 1 }])
    }

    pub(crate) fn extents(&self) -> &[Extent] {
        &self.0
    }

    /// The id in the parent namespace of an id inside.
    pub(crate) fn to_outside(&self, inside: u32) -> Option<u32> {
        self.0
            .iter()
            .find_map(|e| (inside >= e.inside && inside - e.inside < e.len).then(|| e.outside + (inside - e.inside)))
    }

    /// The id inside of an id of the parent namespace.
    pub(crate) fn to_inside(&self, outside: u32) -> Option<u32> {
        self.0.iter().find_map(|e| {
            (outside >= e.outside && outside - e.outside < e.len).then(|| e.inside + (outside - e.outside))
        })
    }

    /// Number of ids.
    pub(crate) fn size(&self) -> u64 {
        self.0.iter().map(|e| u64::from(e.len)).sum()
    }

    /// Largest id inside, if any.
    pub(crate) fn max_inside(&self) -> Option<u32> {
        self.0.iter().map(|e| e.inside + (e.len - 1)).max()
    }

    /// This map (inside ← P's ids) cut where P's own extents end: the kernel wants each line of a nested map to
    /// lie inside one line of the parent's (K-A3). Ids that P lacks are an error.
    pub(crate) fn cut_at(&self, parent: &IdMap) -> Result<Self, InvalidIdMap> {
        let mut cut = Vec::new();
        for extent in &self.0 {
            let (mut inside, mut outside, mut left) = (extent.inside, extent.outside, extent.len);
            while left > 0 {
                let holder = parent.0.iter().find(|p| outside >= p.inside && outside - p.inside < p.len);
                let Some(holder) = holder else { return Err(InvalidIdMap::NotOurs(*extent)) };
                let len = left.min(holder.len - (outside - holder.inside));
                cut.push(Extent { inside, outside, len });
                // At the end of the last line these may pass 2^32; they are not used then.
                (inside, outside) = (inside.wrapping_add(len), outside.wrapping_add(len));
                left -= len;
            }
        }
        Self::new(cut)
    }

    /// Text for `/proc/PID/uid_map`.
    pub(crate) fn to_proc(&self) -> String {
        self.0.iter().map(|e| format!("{} {} {}\n", e.inside, e.outside, e.len)).collect()
    }

    /// Reads the text of `/proc/PID/uid_map`; lines that are not three numbers are left out.
    pub(crate) fn from_proc(text: &str) -> Self {
        let line = |line: &str| {
            let mut numbers = line.split_ascii_whitespace().map(str::parse);
            match (numbers.next(), numbers.next(), numbers.next()) {
                (Some(Ok(inside)), Some(Ok(outside)), Some(Ok(len))) => Some(Extent { inside, outside, len }),
                _ => None,
            }
        };
        Self(text.lines().filter_map(line).collect())
    }
}

/// The maps of both kinds of id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct IdMaps {
    pub(crate) uid: IdMap,
    pub(crate) gid: IdMap,
}

impl IdMaps {
    /// True if there is but one uid: single-id mode.
    pub(crate) fn is_single(&self) -> bool {
        self.uid.size() == 1
    }
}

fn overlap(a: u32, b: u32, a_len: u32, b_len: u32) -> bool {
    a < b.saturating_add(b_len) && b < a.saturating_add(a_len)
}

#[cfg(test)]
mod tests {
    use super::{Extent, IdMap, InvalidIdMap};

    fn extent(inside: u32, outside: u32, len: u32) -> Extent {
        Extent { inside, outside, len }
    }

    #[test]
    fn nested_map_is_cut_at_the_parents_lines() {
        let parent = IdMap::new(vec![extent(0, 1000, 1), extent(1, 100_000, 65536)]).expect("valid");
        let wish = IdMap::new(vec![extent(0, 0, 65537)]).expect("valid");
        assert_eq!(wish.cut_at(&parent).expect("ours").extents(), [extent(0, 0, 1), extent(1, 1, 65536)]);
        let keep = IdMap::new(vec![extent(0, 1, 1000), extent(1000, 0, 1), extent(1001, 1001, 64536)]).expect("valid");
        assert_eq!(keep.cut_at(&parent).expect("ours"), keep);
        let beyond = IdMap::new(vec![extent(0, 65530, 10)]).expect("valid");
        assert!(matches!(beyond.cut_at(&parent), Err(InvalidIdMap::NotOurs(_))));
    }

    #[test]
    fn c28_bad_maps_are_refused() {
        assert!(matches!(IdMap::new(vec![extent(0, 0, 0)]), Err(InvalidIdMap::Range(_))));
        assert!(matches!(IdMap::new(vec![extent(0, u32::MAX, 2)]), Err(InvalidIdMap::Range(_))));
        assert!(matches!(IdMap::new(vec![extent(0, 0, 5), extent(4, 9, 1)]), Err(InvalidIdMap::Overlap(..))));
        assert!(matches!(IdMap::new(vec![extent(0, 0, 5), extent(9, 4, 1)]), Err(InvalidIdMap::Overlap(..))));
        let many = (0..341).map(|i| extent(i * 2, i * 2, 1)).collect();
        assert_eq!(IdMap::new(many), Err(InvalidIdMap::TooMany(341)));
    }
}
