//! Deltas over trees, without a file system.

use crate::storage::layer_content::Content;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Change, ChangeKind, EntryKind, Node, Root, Tree, apply, between, over};

/// Files of one content are one file.
fn node(kind: EntryKind, content: u8) -> Node {
    Node {
        kind,
        mode: 0o644,
        size: 1,
        target: OsString::new(),
        device: (0, 0),
        content: Some(Content([content; 16])),
        root: Root::new(Path::new("/nowhere")),
        at: Some(content.to_string().into()),
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
    assert_eq!(lines(&between(&old, &merged)), ["A /b", "D /gone"]);
    let changed = tree(&[("a", Regular, 3), ("gone", Directory, 0), ("gone/x", Regular, 1)]);
    assert_eq!(lines(&between(&old, &changed)), ["C /a"]);
}

#[test]
fn equal_digests_prove_nothing() {
    let temporary = tempfile::tempdir().expect("directory");
    let root = Root::new(temporary.path());
    for (name, bytes) in [("old", "abc"), ("same", "abc"), ("forged", "abd"), ("short", "ab")] {
        crate::storage::tests::write(&temporary.path().join(name), bytes.as_bytes());
    }
    let file = |name: &str, content: Option<u8>| Node {
        size: 3,
        content: content.map(|byte| Content([byte; 16])),
        root: Rc::clone(&root),
        at: Some(name.into()),
        ..node(Regular, 0)
    };
    for (name, content, same) in [
        ("same", Some(1), true),
        ("same", None, true),
        // Nobody looks at them.
        ("same", Some(2), false),
        ("forged", Some(1), false),
        ("forged", None, false),
        ("short", Some(1), false),
        ("gone", Some(1), false),
    ] {
        let (old, new) = (file("old", Some(1)), file(name, content));
        let changes = between(&Tree::from([("x".into(), old)]), &Tree::from([("x".into(), new)]));
        assert_eq!(changes.is_empty(), same, "{name} {content:?}");
    }
}
