//! What was left out or changed while unpacking: one line each for the user, however many files it touched.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Collected over a layer, merged over an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remarks {
    /// Ids of the tar that have no mapping; their files belong to somebody else.
    pub(crate) unmapped_ids: BTreeSet<u64>,
    /// Highest id that has a mapping.
    pub(crate) highest_id: u32,
    /// Device nodes that were not made: how many, and the first.
    pub(crate) devices: Seen,
    /// Entries of unknown types.
    pub(crate) unknown: Seen,
    /// Extended attributes that were not set: by name.
    pub(crate) xattrs: BTreeMap<String, Seen>,
    /// Global extended headers.
    pub(crate) globals: u64,
}

/// How many times, and one example.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) count: u64,
    pub(crate) first: String,
}

impl Seen {
    pub(super) fn add(&mut self, path: &[u8]) {
        if self.count == 0 {
            self.first = super::error::shown(path);
        }
        self.count += 1;
    }

    fn merge(&mut self, other: &Self) {
        if self.count == 0 {
            self.first.clone_from(&other.first);
        }
        self.count += other.count;
    }
}

/// Most different ids, and names of attributes, that are remembered.
const MOST: usize = 16;

impl Remarks {
    pub(super) fn unmapped(&mut self, id: u64, highest: u32) {
        self.highest_id = highest;
        if self.unmapped_ids.len() < MOST {
            self.unmapped_ids.insert(id);
        }
    }

    pub(super) fn xattr(&mut self, name: &[u8], path: &[u8]) {
        let name = super::error::shown(name);
        if self.xattrs.len() < MOST || self.xattrs.contains_key(&name) {
            self.xattrs.entry(name).or_default().add(path);
        }
    }

    /// Adds the remarks of another layer.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.unmapped_ids.extend(other.unmapped_ids.iter().take(MOST));
        self.highest_id = self.highest_id.max(other.highest_id);
        self.devices.merge(&other.devices);
        self.unknown.merge(&other.unknown);
        for (name, seen) in &other.xattrs {
            self.xattrs.entry(name.clone()).or_default().merge(seen);
        }
        self.globals += other.globals;
    }

    /// Lines for the user; none if nothing was left out.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.unmapped_ids.is_empty() {
            let ids: Vec<_> = self.unmapped_ids.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "files of user or group {} belong to another one: only ids up to {} are mapped",
                ids.join(", "),
                self.highest_id
            ));
        }
        let mut add = |seen: &Seen, what: &str| {
            if seen.count > 0 {
                lines.push(format!("{} {what} left out (first: \"{}\")", seen.count, seen.first));
            }
        };
        add(&self.devices, "device nodes");
        add(&self.unknown, "tar entries of unknown type");
        for (name, seen) in &self.xattrs {
            add(seen, &format!("extended attributes \"{name}\""));
        }
        lines
    }
}
