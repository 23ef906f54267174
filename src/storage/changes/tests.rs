//! Deltas over trees, without a file system.

use crate::storage::layer_content::Content;
use std::ffi::OsString;
use std::path::PathBuf;

use super::{Change, ChangeKind, EntryKind, Node, Tree, apply, between, over};

fn node(kind: EntryKind, content: u8) -> Node {
    Node {
        kind,
        mode: 0o644,
        size: 1,
        target: OsString::new(),
        device: (0, 0),
        content: Some(Content::Blake3([content; 32])),
    }
}

fn tree(entries: &[(&str, EntryKind, u8)]) -> Tree {
    entries.iter().map(|(path, kind, content)| (PathBuf::from(path), node(*kind, *content))).collect()
}

fn lines(changes: &[Change]) -> Vec<String> {
    let letter = |kind| match kind {
        ChangeKind::Changed => 'C',
        ChangeKind::Added => 'A',
        ChangeKind::Deleted => 'D',
    };
    changes.iter().map(|change| format!("{} {}", letter(change.kind), change.path)).collect()
}

use EntryKind::{Directory, OpaqueDirectory, Regular, Whiteout};

#[test]
fn a_delta_over_layers() {
    let below = tree(&[
        ("a", Directory, 0),
        ("a/keep", Regular, 1),
        ("a/gone", Regular, 1),
        ("old", Directory, 0),
        ("old-er", Regular, 1),
        ("old/1", Regular, 1),
        ("old/2", Regular, 1),
        ("old/sub", Directory, 0),
        ("old/sub/x", Regular, 1),
    ]);
    let delta = tree(&[
        ("a", Directory, 0),
        ("a/gone", Whiteout, 0),
        ("a/never", Whiteout, 0),
        ("a/new", Regular, 2),
        ("old", OpaqueDirectory, 0),
        ("old/2", Regular, 2),
    ]);
    let expected = ["C /a", "D /a/gone", "A /a/new", "C /old", "D /old/1", "C /old/2", "D /old/sub"];
    assert_eq!(lines(&over(&below, &delta)), expected);
}

#[test]
fn layers_hide_what_they_replace() {
    let mut merged = tree(&[("a", Directory, 0), ("a/x", Regular, 1), ("b", Directory, 0), ("b/y", Regular, 1)]);
    for (path, kind) in [("a", Regular), ("b", OpaqueDirectory), ("c", Regular), ("c", Whiteout)] {
        apply(&mut merged, PathBuf::from(path), node(kind, 2));
    }
    assert_eq!(merged.keys().map(|path| path.to_string_lossy()).collect::<Vec<_>>(), ["a", "b"]);
    let old = tree(&[("a", Regular, 2), ("gone", Directory, 0), ("gone/x", Regular, 1)]);
    assert_eq!(lines(&between(&old, &merged, None)), ["A /b", "D /gone"]);
    let changed = tree(&[("a", Regular, 3), ("gone", Directory, 0), ("gone/x", Regular, 1)]);
    assert_eq!(lines(&between(&old, &changed, None)), ["C /a"]);
}
