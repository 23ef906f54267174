//! The whole way of one layer: stream → entries → tree → index.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::compression::Compression;
use super::decode::{Limits, Promise};
use super::error::Error;
use super::reader::{EntryKind, TarReader, normalise};
use super::remarks::Remarks;
use super::source::Source;
use super::stream::{self, Threads};
use super::tree::Tree;
use super::whiteout::{Meaning, meaning};
use crate::storage::layer_index::IndexWriter;
use crate::sys::root::RootDir;
use crate::types::digest::DiffId;
use crate::types::idmap::IdMaps;

/// What names like `.wh.x` mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// A layer: they hide files of lower layers.
    Layer,
    /// An ordinary tar (`cp`): nothing.
    Plain,
}

/// How to unpack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// Ids of the tar → ids of P, where this runs; one id means single-id mode.
    pub(crate) ids: &'a IdMaps,
    /// What the media type promises; `None` takes what the first bytes say.
    pub(crate) label: Option<Compression>,
    /// What the image's configuration promises. Without it the tar must have its end mark.
    pub(crate) diff_id: Option<&'a DiffId>,
    pub(crate) flavour: Flavour,
    pub(crate) limits: Limits,
    pub(crate) threads: Threads<'a>,
    /// Everything shall belong to these ids of P, whatever the tar says; (0, 0) is who unpacks.
    pub(crate) owner: Option<(u32, u32)>,
    /// Mode bits that are taken over.
    pub(crate) mode_mask: u32,
    /// A file may take the place of a directory that was there before, and the other way round.
    pub(crate) overwrite: bool,
    /// The umask of this process: modes that it cuts cost a further call, so a worker sets it to 0.
    pub(crate) umask: u32,
}

impl<'a> Plan<'a> {
    /// A layer in a process whose umask is 0.
    pub(crate) fn layer(ids: &'a IdMaps) -> Self {
        Self {
            ids,
            label: None,
            diff_id: None,
            flavour: Flavour::Layer,
            limits: Limits::default(),
            threads: Threads::Two,
            owner: None,
            mode_mask: 0o7777,
            overwrite: true,
            umask: 0,
        }
    }
}

/// What a layer turned out to be. Travels from the worker to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unpacked {
    pub(crate) diff_id: DiffId,
    pub(crate) compression: Compression,
    /// Bytes that were read.
    pub(crate) compressed: u64,
    /// Bytes of the tar.
    pub(crate) uncompressed: u64,
    /// Bytes of the regular files.
    pub(crate) size: u64,
    /// Bytes of the disk that the tree takes.
    pub(crate) disk: u64,
    /// Number of names.
    pub(crate) entries: u64,
    /// This file system takes no whiteouts: they stand in the index only (K-B5).
    pub(crate) whiteouts_in_index: bool,
    /// The root itself is opaque: nothing of the layers below is visible.
    pub(crate) opaque_root: bool,
    /// Directories that the tar did not describe: they get owner, mode and times of the layer below, if it has them
    /// (`inherit_parents`). As bytes, because names are.
    pub(crate) implicit: Vec<Vec<u8>>,
    pub(crate) remarks: Remarks,
}

/// Unpacks `source` into the empty directory `root` and writes the index. Nothing outside `root` is touched, whatever
/// the tar says; after an error the directory holds an unfinished tree.
pub(crate) fn unpack<W: Write>(
    source: Source,
    root: &RootDir,
    index: Option<IndexWriter<W>>,
    plan: &Plan<'_>,
) -> Result<Unpacked, Error> {
    let promise = Promise {
        label: plan.label,
        plain: plan.flavour == Flavour::Plain,
        digest: plan.diff_id.is_some(),
        limits: plan.limits,
    };
    let mut reader = TarReader::new(stream::start(source, promise, plan.threads)?);
    let mut tree = Tree::new(root, plan);
    while let Some(mut entry) = reader.next()? {
        if entry.kind == EntryKind::Global {
            tree.remarks.globals += 1;
            continue;
        }
        entry.path = normalise(&entry.path)?;
        entry.mode &= plan.mode_mask;
        if plan.mode_mask & 0o6000 == 0 {
            // As dangerous as the set-id bits: on a host's file it counts for every user of it (case D04).
            entry.xattrs.retain(|(name, _)| name != b"security.capability");
        }
        let meaning = match plan.flavour {
            Flavour::Layer => meaning(&entry.path)?,
            Flavour::Plain => Meaning::Entry,
        };
        match meaning {
            Meaning::Entry => tree.add(&entry, &mut reader)?,
            Meaning::Whiteout { parent, name } => tree.whiteout(parent, name)?,
            Meaning::Opaque { dir } => tree.opaque(dir)?,
            Meaning::Ignored => {}
        }
    }
    if !reader.ended_well() && plan.diff_id.is_none() {
        return Err(Error::NoEnd);
    }
    let totals = reader.finish()?;
    if let Some(expected) = plan.diff_id
        && *expected != totals.diff_id
    {
        return Err(Error::DiffId { expected: expected.clone(), found: totals.diff_id });
    }
    let done = tree.finish(index)?;
    Ok(Unpacked {
        diff_id: totals.diff_id,
        compression: totals.compression,
        compressed: totals.compressed,
        uncompressed: totals.uncompressed,
        size: done.size,
        disk: done.disk,
        entries: done.entries,
        whiteouts_in_index: done.whiteouts_in_index,
        opaque_root: done.opaque_root,
        implicit: done.implicit,
        remarks: done.remarks,
    })
}
