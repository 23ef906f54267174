//! Each invariant: broken, found, repaired, and found no more.
#![expect(clippy::disallowed_methods, reason = "tests damage the store behind its back")]

use super::{Finding, Repair, check, repair};
use crate::storage::Store;
use crate::storage::container_record::ContainerState;
use crate::storage::layers::{LayerKey, MapKey};
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::tests::{Fixture, config, removable, store_image, write};
use crate::sys;
use crate::types::digest::Digest;
use crate::types::status::ContainerStatus;

fn invariants(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.invariant).collect()
}

/// The one break is found under its number; repair leaves a clean store.
fn found_and_repaired(store: &Store, expected: &[&str]) {
    let mut findings = check(store, true).expect("checks");
    assert_eq!(invariants(&findings), expected, "{findings:#?}");
    repair(store, &mut findings).expect("repairs");
    assert!(findings.iter().all(|finding| finding.repaired), "{findings:#?}");
    assert!(store.empty_trash().expect("emptied"));
    // What only the broken object referred to is an orphan now.
    let mut left = check(store, true).expect("checks");
    assert!(left.iter().all(|finding| finding.invariant == "I15" || finding.invariant == "I8"), "{left:#?}");
    repair(store, &mut left).expect("repairs");
    assert!(store.empty_trash().expect("emptied"));
    assert_eq!(check(store, true).expect("checks"), []);
}

/// A store with one of everything.
fn whole() -> (Fixture, Store) {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "hello", "localhost/a:1");
    let mut container = config("c");
    container.layers = vec![image.layers[0].chain.clone()];
    store.create_container(container).expect("created");
    (fixture, store)
}

fn key(store: &Store) -> LayerKey {
    store.layer_keys().expect("lists").remove(0)
}

#[test]
fn clean_store_has_no_findings() {
    let (_fixture, store) = whole();
    let lease = store.lease().expect("lease");
    assert_eq!(check(&store, true).expect("checks"), []);
    drop(lease);
    let empty = Fixture::new();
    assert_eq!(check(&empty.open(), true).expect("checks"), []);
}

#[test]
fn i1_damaged_records() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    write(&store.layout().container_config(&id), b"{");
    found_and_repaired(&store, &["I1"]);
    let (_fixture, store) = whole();
    let digest = store.image_digests().expect("lists").remove(0);
    write(&store.layout().image(&digest), b"");
    found_and_repaired(&store, &["I1"]);
    let (_fixture, store) = whole();
    write(&store.layout().refs().join("localhost+a:1"), b"\0\0");
    found_and_repaired(&store, &["I1"]);
}

#[test]
fn f12_a_newer_record_is_not_thrown_away() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    write(&store.layout().container_config(&id), b"{\"version\":7}");
    let findings = check(&store, false).expect("checks");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].repair, None);
}

#[test]
fn i2_blob_with_other_content() {
    let (_fixture, store) = whole();
    write(&store.layout().blob(&Digest::of(b"hello")), b"jello");
    found_and_repaired(&store, &["I2"]);
}

#[test]
fn i3_layer_without_its_parts() {
    let (_fixture, store) = whole();
    let index = store.layer_index(&key(&store));
    let bytes = std::fs::read(&index).expect("read");
    write(&index, &bytes[..bytes.len() - 1]);
    let mut findings = check(&store, false).expect("checks");
    assert_eq!(invariants(&findings), ["I3"]);
    repair(&store, &mut findings).expect("repairs");
    // The container has lost its layer: for that a person must load the image again.
    let findings = check(&store, false).expect("checks");
    assert!(findings.iter().any(|finding| finding.invariant == "I7" && finding.repair.is_none()), "{findings:#?}");
}

#[test]
fn i6_i8_names_that_lead_nowhere() {
    let (_fixture, store) = whole();
    let digest = Digest::of(b"nothing");
    store.tag(&"localhost/none:1".parse().expect("a reference"), &digest).expect("tagged");
    found_and_repaired(&store, &["I6"]);
    write(&store.layout().name(&"ghost".parse().expect("a name")), b"{\"version\":1}");
    found_and_repaired(&store, &["I8"]);
    let mut orphan = removable("orphan");
    orphan.creator = Some(u32::MAX >> 1);
    store.create_container(orphan).expect("created");
    found_and_repaired(&store, &["I8"]);
}

#[test]
fn i9_leftovers_of_killed_commands() {
    let (_fixture, store) = whole();
    drop(store.lease().expect("lease"));
    sys::fs::mkdir(&store.layout().trash().join("x"), 0o000).expect("made");
    found_and_repaired(&store, &["I9", "I9"]);
}

#[test]
fn i10_lost_container() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    let mut locked = store.lock_container(&id).expect("locked");
    drop(store.take_monitor_lock(&locked).expect("asked"));
    let mut state = ContainerState::new(ContainerStatus::Running);
    state.init = Some(ProcessIdentity { pid: std::process::id(), start_time: 1 });
    locked.write_state(&store, state).expect("written");
    drop(locked);
    found_and_repaired(&store, &["I10"]);
    assert_eq!(store.container(&id).expect("read").status, ContainerStatus::Exited);
}

#[test]
fn i13_foreign_entries_and_open_modes() {
    let (fixture, store) = whole();
    std::fs::write(fixture.graph().join("notes.txt"), "x").expect("written");
    std::fs::write(fixture.graph().join("images/old.json~"), "x").expect("written");
    std::fs::write(fixture.graph().join("images/x.json.0123456789ab.tmp"), "x").expect("written");
    sys::fs::set_mode(&store.layout().layers(), 0o755).expect("set");
    let mut findings = check(&store, false).expect("checks");
    assert_eq!(invariants(&findings), ["I13"; 4], "{findings:#?}");
    repair(&store, &mut findings).expect("repairs");
    let findings = check(&store, false).expect("checks");
    assert_eq!(findings.len(), 2, "foreign files are left alone: {findings:#?}");
    assert!(findings.iter().all(|finding| finding.repair.is_none()));
}

#[test]
fn i15_orphans() {
    let (_fixture, store) = whole();
    let digest = store_image(&store, "other", "localhost/b:1").digest;
    store.discard_image(&digest).expect("removed");
    let findings = check(&store, false).expect("checks");
    assert!(findings.iter().all(|finding| finding.repair == Some(Repair::Sweep)), "{findings:#?}");
    found_and_repaired(&store, &["I15"; 3]);
    assert!(store.has_layer(&LayerKey::new(&key(&store).chain, &MapKey::from_text("single"))));
}
