//! What is known of each name of a tree that is being unpacked, and the index that it becomes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::reader::Entry;
use crate::storage::layer_content::Content;
use crate::storage::layer_index::{self, EntryKind, IndexWriter};
use crate::sys;

/// What the index says about a name.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) kind: EntryKind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) target: Vec<u8>,
    pub(super) content: Option<Content>,
    pub(super) xattrs: [u8; 32],
    /// Which file it is: names with one number are links of one file. Zero: a directory or a whiteout.
    pub(super) file: u64,
    /// Bytes that the file takes on disk.
    pub(super) disk: u64,
}

/// Sums over the files, each counted once however many names it has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) size: u64,
    pub(super) disk: u64,
}

impl Record {
    pub(super) fn new(kind: EntryKind, mode: u32, (uid, gid): (u32, u32)) -> Self {
        let none = [0; 32];
        Self { kind, mode, uid, gid, size: 0, target: Vec::new(), content: None, xattrs: none, file: 0, disk: 0 }
    }

    pub(super) fn of(kind: EntryKind, entry: &Entry) -> Self {
        let id = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
        Self::new(kind, entry.mode, (id(entry.uid), id(entry.gid)))
    }
}

/// Adds the files up.
pub(super) fn totals(names: &BTreeMap<Vec<u8>, Record>) -> Totals {
    let mut seen = HashSet::new();
    let mut totals = Totals::default();
    for record in names.values().filter(|record| record.file != 0 && seen.insert(record.file)) {
        totals.size = totals.size.saturating_add(record.size);
        totals.disk = totals.disk.saturating_add(record.disk);
    }
    totals
}

/// Writes the index. The first name of a file stands for it, the others are links to that, whatever the tar said:
/// it may have replaced the name that it first had.
pub(super) fn write_index<W: Write>(mut index: IndexWriter<W>, names: &BTreeMap<Vec<u8>, Record>) -> sys::Result<()> {
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    let mut first: HashMap<u64, &[u8]> = HashMap::new();
    for (name, record) in names {
        let mut kind = record.kind;
        let mut target = record.target.as_slice();
        if record.file != 0 {
            match first.get(&record.file) {
                Some(name) => (kind, target) = (EntryKind::Hardlink, name),
                None => {
                    first.insert(record.file, name);
                }
            }
        }
        let is_file = kind == EntryKind::Regular;
        index.push(&layer_index::Entry {
            path: path(name),
            kind,
            mode: record.mode,
            uid: record.uid,
            gid: record.gid,
            size: if is_file { record.size } else { 0 },
            device: (0, 0),
            target: path(target).into_os_string(),
            content: record.content.filter(|_| is_file),
            xattrs: if kind == EntryKind::Hardlink { [0; 32] } else { record.xattrs },
        })?;
    }
    index.finish().map(drop)
}
