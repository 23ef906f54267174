//! Each invariant: broken, found, repaired, and found no more. (Layers and images are rebuilt by the engine: those
//! tests are in `tests/it/system/check.rs`.)
#![expect(clippy::disallowed_methods, reason = "tests damage the store behind its back")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Finding, Invariant, Repair, Scope, TreeJob, compare, repair, take_away, takes_away};
use crate::storage::Store;
use crate::storage::container_record::ContainerState;
use crate::storage::exec_record::ExecRecord;
use crate::storage::images::{ImageRecord, ImageSource};
use crate::storage::layers::{LayerKey, MapKey};
use crate::storage::lists::{ListEntry, ListPlatform, ListRecord};
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::publish::{NewImage, Staged};
use crate::storage::record;
use crate::storage::refs::{self, RefRecord};
use crate::storage::tests::{Fixture, config, discard, removable, store_image, tag, write};
use crate::sys;
use crate::types::digest::Digest;
use crate::types::id::ImageId;
use crate::types::mount::{MountOptions, MountSource, MountSpec};
use crate::types::reference::Reference;
use crate::types::status::ContainerStatus;

/// Everything that is wrong, trees included.
fn check(store: &Store) -> Vec<Finding> {
    let mut findings = super::check(store, Scope::Full).expect("checks");
    let job = |key| TreeJob { key, ids: None, tolerant: false };
    let jobs: Vec<_> = store.layer_keys().expect("lists").into_iter().map(job).collect();
    for damage in compare(store, &jobs, true).expect("compares") {
        let rebuild = Some(Repair::RebuildLayer(damage.key.clone()));
        findings.push(Finding::new(Invariant::I3, format!("layer {}", damage.key.dir_name()), damage.problem, rebuild));
    }
    findings
}

fn invariants(findings: &[Finding]) -> Vec<Invariant> {
    findings.iter().map(|finding| finding.invariant).collect()
}

#[track_caller]
fn mend(store: &Store, finding: &Finding) {
    if takes_away(finding) {
        let taken = take_away(store, &[finding]).expect("looks");
        assert!(taken.iter().all(Result::is_ok), "{finding:?}: {taken:?}");
    } else {
        assert!(repair(store, finding).expect("repairs"), "{finding:?}");
    }
}

fn repair_all(store: &Store, findings: &[Finding]) {
    for finding in findings {
        mend(store, finding);
    }
    assert!(store.empty_trash().expect("emptied"));
}

/// The one break is found under its number; repair leaves a clean store.
#[track_caller]
fn found_and_repaired(store: &Store, expected: &[Invariant]) {
    let findings = check(store);
    assert_eq!(invariants(&findings), expected, "{findings:#?}");
    repair_all(store, &findings);
    // What only the broken object referred to is an orphan now.
    let left = check(store);
    assert!(
        left.iter().all(|finding| finding.invariant == Invariant::I15 || finding.invariant == Invariant::I8),
        "{left:#?}"
    );
    repair_all(store, &left);
    assert_eq!(check(store), []);
}

/// A store with one of everything.
fn whole() -> (Fixture, Store) {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "hello", "localhost/a:1");
    let mut container = config("c");
    container.layers = vec![image.layers[0].chain.clone()];
    let source = MountSource::Volume { name: "v".parse().expect("a name"), anonymous: false, subpath: None };
    container.spec.mounts = vec![MountSpec { source, target: "/v".into(), options: MountOptions::default() }];
    store.create_container(container).expect("created");
    (fixture, store)
}

/// A list with the image of the store; where its record lies.
fn make_list(store: &Store) -> PathBuf {
    let image = store.images().expect("images").0.remove(0).record;
    let entry = ListEntry {
        digest: image.digest,
        size: 1,
        media_type: image.media_type,
        platform: ListPlatform { os: "linux".to_owned(), architecture: "amd64".to_owned(), ..ListPlatform::default() },
        annotations: BTreeMap::new(),
        blobs: Vec::new(),
        source: None,
        tls_verify: None,
    };
    let name = "localhost/l:1".parse().expect("a reference");
    let record = ListRecord { entries: vec![entry], ..ListRecord::new(name) };
    let path = store.layout().list(&refs::file_name(&record.name));
    store.put_list(&record, &store.lock_exclusive().expect("locked")).expect("written");
    path
}

fn key(store: &Store) -> LayerKey {
    store.layer_keys().expect("lists").remove(0)
}

#[test]
fn clean_store_has_no_findings() {
    let (_fixture, store) = whole();
    make_list(&store);
    let lease = store.lease().expect("lease");
    assert_eq!(check(&store), []);
    drop(lease);
    let empty = Fixture::new();
    assert_eq!(check(&empty.open()), []);
}

#[test]
fn i1_damaged_records() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    write(&store.layout().container_config(&id), b"{");
    found_and_repaired(&store, &[Invariant::I1]);
    let (_fixture, store) = whole();
    write(&store.layout().refs().join("localhost+a:1"), b"\0\0");
    found_and_repaired(&store, &[Invariant::I1]);
    let (_fixture, store) = whole();
    write(&store.layout().volume_meta(&"v".parse().expect("a name")), b"[]");
    found_and_repaired(&store, &[Invariant::I1]);
    assert!(!store.volume(&"v".parse().expect("a name")).expect("read").needs_copy_up);
    // Its state can be done without, its definition stays.
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    store.make_run_container(&id).expect("made");
    write(&store.layout().container_state(&id), b"\xff");
    found_and_repaired(&store, &[Invariant::I1]);
    assert!(store.has_container(&id));
}

#[test]
fn i1_a_damaged_list_keeps_nothing() {
    let (_fixture, store) = whole();
    let path = make_list(&store);
    write(&path, b"{");
    assert!(store.sweep().expect("swept").cautious.is_some());
    found_and_repaired(&store, &[Invariant::I1]);
    assert_eq!(store.sweep().expect("swept").cautious, None);
    // One of a later version is not ours to judge.
    let path = make_list(&store);
    write(&path, b"{\"version\":7}");
    let findings = check(&store);
    assert_eq!((invariants(&findings), &findings[0].repair), (vec![Invariant::I1], &None), "{findings:#?}");
}

#[test]
fn i5_images_of_lists() {
    let (_fixture, store) = whole();
    make_list(&store);
    let image = store.images().expect("images").0.remove(0).record;
    sys::fs::remove_file(&store.layout().blob(&image.digest)).expect("removed");
    let findings = check(&store);
    assert!(findings.iter().any(|finding| finding.subject == "manifest list localhost/l:1"), "{findings:#?}");
}

#[test]
fn i1_damaged_image_is_made_anew_from_its_manifest() {
    let (_fixture, store) = whole();
    let digest = store.image_digests().expect("lists").remove(0);
    write(&store.layout().image(&digest), b"");
    assert_eq!(check(&store)[0].repair, Some(Repair::RebuildImage(digest.clone())));
    sys::fs::remove_file(&store.layout().blob(&digest)).expect("removed");
    let findings = check(&store);
    assert_eq!(findings[0].repair, Some(Repair::DiscardImage(digest)));
    assert!(findings[0].to_string().ends_with("pull or load localhost/a:1 again"), "{findings:#?}");
}

#[test]
fn f12_a_newer_record_is_not_thrown_away() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    write(&store.layout().container_config(&id), b"{\"version\":7}");
    let findings = check(&store);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].repair, None);
}

#[test]
fn i2_blob_with_other_content() {
    let (_fixture, store) = whole();
    let blob = Digest::of(b"hello");
    for damage in [&b"jello"[..], b"hell"] {
        let image = store_image(&store, "hello", "localhost/a:1");
        assert!(store.empty_trash().expect("emptied"));
        write(&store.layout().blob(&blob), damage);
        let findings = check(&store);
        assert!(findings[0].to_string().contains("pull or load localhost/a:1 again"), "{findings:#?}");
        let expected: &[Invariant] = if damage.len() == 5 { &[Invariant::I2] } else { &[Invariant::I2, Invariant::I2] };
        assert_eq!(invariants(&findings), expected);
        repair_all(&store, &findings);
        // It runs, and says as long as that is so what it has lost.
        for _ in 0..2 {
            let left = check(&store);
            assert_eq!((invariants(&left), &left[0].repair), (vec![Invariant::I5], &None), "{left:#?}");
            assert!(left[0].to_string().contains("cannot be saved or pushed: pull or load localhost/a:1"), "{left:#?}");
        }
        // One that was pulled can be had where it came from.
        let mut record = store.image_record(&image.digest).expect("read").expect("there");
        let reference = "example.com/a:1".parse().expect("a name");
        record.source = Some(ImageSource { reference, tls_verify: None });
        store.put_image(&record).expect("written");
        found_and_repaired(&store, &[Invariant::I5]);
        let record = store.image_record(&image.digest).expect("read").expect("there");
        assert_eq!(record.layers[0].blob, None);
    }
}

#[test]
fn i3_layer_and_index() {
    let (_fixture, store) = whole();
    let rebuild = Some(Repair::RebuildLayer(key(&store)));
    let index = store.layer_index(&key(&store));
    let bytes = std::fs::read(&index).expect("read");
    let cut = bytes[..bytes.len() - 1].to_vec();
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    for damage in [cut, flipped, Vec::new()] {
        write(&index, &damage);
        let findings = check(&store);
        assert_eq!(invariants(&findings), [Invariant::I3], "{findings:#?}");
        assert_eq!(findings[0].repair, rebuild);
    }
    write(&index, &bytes);
    let file = store.layer_diff(&key(&store)).join("file");
    write(&file, b"jello");
    assert!(check(&store)[0].problem.contains("file: its content is another"));
    write(&file, b"hello");
    for part in [store.layer_dir(&key(&store)).join("meta.json"), index, store.layer_diff(&key(&store))] {
        let aside = store.layout().trash().join("aside");
        std::fs::rename(&part, &aside).expect("moved");
        let mut findings = check(&store);
        findings.retain(|finding| finding.invariant != Invariant::I9);
        assert_eq!(invariants(&findings), [Invariant::I3], "{findings:#?}");
        assert_eq!(findings[0].repair, rebuild);
        std::fs::rename(&aside, &part).expect("moved back");
    }
    assert_eq!(check(&store), []);
}

#[test]
fn i4_chain_of_layers() {
    let (_fixture, store) = whole();
    let mut meta = store.layer(&key(&store)).expect("read").expect("there");
    meta.parent = Some(meta.chain.clone());
    crate::storage::record::write_durable(&store.layer_dir(&key(&store)).join("meta.json"), &meta).expect("written");
    let findings = check(&store);
    assert_eq!(invariants(&findings), [Invariant::I4], "{findings:#?}");
    assert_eq!(findings[0].repair, Some(Repair::RebuildLayer(key(&store))));
}

#[test]
fn i5_i7_parts_of_images_and_containers() {
    let (_fixture, store) = whole();
    let image = store.images().expect("lists").0.remove(0).record;
    store.move_to_trash(&store.layer_dir(&key(&store))).expect("moved");
    assert!(store.empty_trash().expect("emptied"));
    let findings = check(&store);
    assert_eq!(invariants(&findings), [Invariant::I7, Invariant::I5], "{findings:#?}");
    assert_eq!(findings[1].repair, Some(Repair::UnpackImage(image.digest.clone())));
    sys::fs::remove_file(&store.layout().blob(&Digest::of(b"hello"))).expect("removed");
    let findings = check(&store);
    assert!(findings.iter().any(|f| f.invariant == Invariant::I5 && f.problem.contains("neither layer nor blob")));
    // The record does not fit the configuration.
    let (_fixture, store) = whole();
    let mut other = image.clone();
    other.config.author = Some("somebody".to_owned());
    store.put_image(&other).expect("written");
    let findings = check(&store);
    assert_eq!(invariants(&findings), [Invariant::I5], "{findings:#?}");
    assert_eq!(findings[0].repair, Some(Repair::RebuildImage(image.digest.clone())));
    store.put_image(&image).expect("written");
    sys::fs::remove_file(&store.layout().blob(&image.digest)).expect("removed");
    assert!(check(&store)[0].to_string().contains("its manifest"));
}

/// One record is wrong: no blob and no layer goes for that, and `--repair` has another to offer.
#[test]
fn i5_a_record_that_is_wrong_frees_nothing() {
    let (_fixture, store) = whole();
    make_list(&store);
    let image = store.images().expect("lists").0.remove(0).record;
    let config: Digest = format!("sha256:{}", image.id).parse().expect("a digest");
    let blobs = store.blob_digests().expect("lists");
    let nobody = Digest::of(b"nobody");
    let damages: &[&dyn Fn(&mut ImageRecord)] = &[
        &|record| record.layers[0].blob = Some(nobody.clone()),
        &|record| (record.layers[0].blob, record.layers[0].size) = (Some(config.clone()), 1),
        &|record| record.layers[0].size += 1,
        &|record| record.layers[0].media_type = "other".to_owned(),
        &|record| record.layers[0].diff_id.0 = nobody.clone(),
        &|record| record.layers[0].chain.0 = nobody.clone(),
        &|record| record.layers.clear(),
        &|record| record.media_type = "other".to_owned(),
        &|record| record.id = ImageId::from_bytes(nobody.bytes()),
        &|record| record.index = Some(config.clone()),
    ];
    for (damage, at) in damages.iter().zip(0..) {
        let mut wrong = image.clone();
        damage(&mut wrong);
        store.put_image(&wrong).expect("written");
        let findings = check(&store);
        assert_eq!(invariants(&findings), [Invariant::I5], "{at}: {findings:#?}");
        assert_eq!(findings[0].repair, Some(Repair::RebuildImage(image.digest.clone())), "{at}");
        let swept = store.sweep().expect("swept");
        assert!(swept.cautious.is_some_and(|why| why.contains("its record is not what")), "{at}");
        assert_eq!(store.blob_digests().expect("lists"), blobs, "{at}");
    }
    // A layer that the record does not name any more, without a container on it; and one that only a list has.
    store.put_image(&image).expect("written");
    assert_eq!(check(&store), []);
    discard(&store, &image.digest).expect("removed");
    store.sweep().expect("swept");
    assert_eq!(store.blob_digests().expect("lists"), blobs);
}

/// Who says that a blob is damaged may be wrong, or unable to see.
#[test]
fn i2_a_whole_blob_is_not_dropped() {
    let (_fixture, store) = whole();
    let blob = Digest::of(b"hello");
    let path = store.layout().blob(&blob);
    let finding = Finding::new(Invariant::I2, "x", "x", Some(Repair::DropBlob(blob.clone())));
    assert!(!repair(&store, &finding).expect("looked"));
    sys::fs::set_mode(&path, 0).expect("set");
    repair(&store, &finding).expect_err("nobody can read it");
    let findings = check(&store);
    assert_eq!(invariants(&findings), [Invariant::I13, Invariant::I2], "{findings:#?}");
    assert_eq!(findings[1].repair, None);
    repair_all(&store, &findings[..1]);
    assert_eq!(check(&store), []);
}

#[test]
fn i6_i8_names_that_lead_nowhere() {
    let (_fixture, store) = whole();
    let name = "localhost/none:1".parse().expect("a reference");
    let lost = RefRecord::new(&name, &Digest::of(b"nothing"));
    record::write_durable(&store.layout().reference(&refs::file_name(&name)), &lost).expect("written");
    found_and_repaired(&store, &[Invariant::I6]);
    write(&store.layout().name(&"ghost".parse().expect("a name")), b"{\"version\":1}");
    found_and_repaired(&store, &[Invariant::I8]);
    let mut orphan = removable("orphan");
    orphan.creator = Some(u32::MAX >> 1);
    store.create_container(orphan).expect("created");
    found_and_repaired(&store, &[Invariant::I8]);
    sys::fs::remove_file(&store.layout().name(&"c".parse().expect("a name"))).expect("removed");
    found_and_repaired(&store, &[Invariant::I8]);
    assert!(store.find_container("c").is_ok());
}

#[test]
fn i7_volumes() {
    let (_fixture, store) = whole();
    let volume = "v".parse().expect("a name");
    std::fs::remove_dir(store.layout().volume_data(&volume)).expect("removed");
    found_and_repaired(&store, &[Invariant::I7]);
    store.move_to_trash(&store.layout().volume(&volume)).expect("moved");
    assert!(store.empty_trash().expect("emptied"));
    found_and_repaired(&store, &[Invariant::I7]);
    assert!(store.volume(&volume).is_ok());
}

#[test]
fn i9_leftovers_of_killed_commands() {
    let (_fixture, store) = whole();
    drop(store.lease().expect("lease"));
    sys::fs::mkdir(&store.layout().trash().join("x"), 0o000).expect("made");
    found_and_repaired(&store, &[Invariant::I9, Invariant::I9]);
}

#[test]
fn i9_what_is_being_deleted_is_no_leftover() {
    let (_fixture, store) = whole();
    let path = store.layout().staging().join("x");
    sys::fs::mkdir(&path, 0o700).expect("made");
    // We live, and are about to delete it.
    let trashed = store.move_to_trash(&path).expect("moved");
    assert_eq!(check(&store), []);
    // As if another had moved it there, and was gone: no pid is as large.
    let left = store.layout().trash().join(format!("{}.0011", u32::MAX >> 1));
    sys::fs::rename(&trashed, &left).expect("renamed");
    found_and_repaired(&store, &[Invariant::I9]);
}

#[test]
fn i9_an_image_that_never_got_its_name() {
    let (_fixture, store) = whole();
    let image = store_image(&store, "other", "localhost/other:1");
    let name = "localhost/other:1";
    let record = store.image_record(&image.digest).expect("read").expect("there");
    // Its maker died between record and name; a second one is still at work; it got its name in time; somebody wants it
    // without a name.
    for (alive, named, kept) in [(false, false, false), (true, false, true), (false, true, true), (false, false, true)]
    {
        discard(&store, &image.digest).expect("removed");
        let lease = store.lease().expect("lease");
        lease.promise(&store, &image.digest).expect("noted");
        let second = alive.then(|| store.lease().expect("lease"));
        if let Some(second) = &second {
            second.promise(&store, &image.digest).expect("noted");
        }
        store.put_image(&record).expect("recorded");
        if named {
            tag(&store, name, &image.digest).expect("tagged");
        } else if kept && !alive {
            store.keep_unnamed(&image.digest).expect("kept");
        }
        drop(lease);
        store.sweep().expect("swept");
        let there = store.image_record(&image.digest).expect("read").is_some();
        assert_eq!(there, kept, "alive {alive}, named {named}");
        store.put_image(&record).expect("recorded");
        drop(second);
    }
    // It was there at the first look, was removed since, and its maker died between record and name.
    let lease = store.lease().expect("lease");
    lease.promise(&store, &image.digest).expect("noted");
    discard(&store, &image.digest).expect("removed");
    let names: [Reference; 1] = [name.parse().expect("a name")];
    let new = Some(NewImage { record: &record, names: &names });
    store.publish(&lease, &Staged { image: new, ..Staged::default() }).expect("published");
    sys::fs::remove_file(&store.layout().reference(&refs::file_name(&names[0]))).expect("as if it had not come");
    drop(lease);
    store.sweep().expect("swept");
    assert!(store.image_record(&image.digest).expect("read").is_none());
    store.put_image(&record).expect("recorded");
    // One that was there before is nobody's promise.
    let lease = store.lease().expect("lease");
    lease.promise(&store, &image.digest).expect("noted");
    drop(lease);
    store.sweep().expect("swept");
    assert!(store.image_record(&image.digest).expect("read").is_some());
}

#[test]
fn i1_a_lost_definition_comes_back_from_the_name() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    sys::fs::remove_file(&store.layout().container_config(&id)).expect("removed");
    found_and_repaired(&store, &[Invariant::I1]);
    assert_eq!(store.container(&id).expect("read").config.name.as_str(), "c");
}

#[test]
fn i1_a_container_that_cannot_be_made_whole_is_set_aside() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    write(&store.layout().container_upper(&id).join("precious"), b"1");
    // In place: the name is a link to it.
    std::fs::write(store.layout().container_config(&id), b"{").expect("written");
    found_and_repaired(&store, &[Invariant::I1]);
    assert!(matches!(store.container(&id), Err(crate::storage::Error::NoContainer(_))));
    assert!(sys::fs::exists(&store.layout().aside(&id).join("upper/precious")));
    assert_eq!(store.discard_asides().expect("discarded"), 1);
    assert!(!sys::fs::exists(&store.layout().aside(&id)));
}

#[test]
fn i1_what_a_power_cut_leaves_of_a_transient_container_goes() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    std::fs::write(store.layout().container_config(&id), b"").expect("written");
    found_and_repaired(&store, &[Invariant::I1]);
    assert_eq!(store.container_ids().expect("lists"), []);
    assert!(!sys::fs::exists(&store.layout().aside(&id)));
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
    found_and_repaired(&store, &[Invariant::I10]);
    assert_eq!(store.container(&id).expect("read").status, ContainerStatus::Exited);
    // Without its lock the record of its end counts all the same.
    sys::fs::remove_file(&store.layout().monitor_lock(&id)).expect("removed");
    assert_eq!(store.container(&id).expect("read").status, ContainerStatus::Exited);
    assert_eq!(check(&store), []);
    // What cannot be read of it now is no matter of its definition.
    let config = sys::fs::read(&store.layout().container_config(&id)).expect("read");
    sys::fs::set_mode(&store.layout().container_exit(&id), 0).expect("set");
    let findings = check(&store);
    assert_eq!(
        (invariants(&findings), &findings[1].repair),
        (vec![Invariant::I13, Invariant::I1], &None),
        "{findings:#?}"
    );
    mend(&store, &findings[0]);
    assert_eq!(check(&store), []);
    assert_eq!(sys::fs::read(&store.layout().container_config(&id)).expect("read"), config);
    // Made anew from its name, which is the same file, it leaves nothing.
    assert!(store.restore_definition(&id).expect("made"));
    assert_eq!(check(&store), []);
}

#[test]
fn i11_i16_volatile_files() {
    let (fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    store.make_run().expect("made");
    store.make_run_container(&id).expect("made");
    let layout = store.layout();
    std::fs::create_dir(layout.run_containers().join("f".repeat(64))).expect("made");
    std::fs::write(layout.ports().join("tcp-any-8080-8080"), "x y").expect("written");
    std::fs::write(layout.execs().join("e".repeat(64)), "{}").expect("written");
    std::fs::create_dir_all(layout.runroot().join("00000000000000bb/ctr")).expect("made");
    found_and_repaired(&store, &[Invariant::I16, Invariant::I11, Invariant::I11, Invariant::I11]);
    drop(fixture);
}

/// The containers of another store are not ours to know.
#[test]
fn i11_volatile_directories_of_another_store() {
    let (_fixture, store) = whole();
    store.make_run().expect("made");
    let layout = store.layout();
    std::fs::create_dir(layout.run_containers().join("f".repeat(64))).expect("made");
    assert_eq!(invariants(&check(&store)), [Invariant::I11]);
    std::fs::write(layout.run_epoch().join("ready-0123456789abcdef"), "").expect("written");
    assert_eq!(check(&store), []);
}

/// A program has ended, and its supervisor is about to say so.
#[test]
fn i11_a_session_is_its_supervisors_while_that_lives() {
    let (_fixture, store) = whole();
    store.make_run().expect("made");
    let container = store.container_ids().expect("lists").remove(0);
    let us = ProcessIdentity::of(std::process::id()).expect("proc").expect("alive");
    let exec = ExecRecord::new("e".repeat(64).parse().expect("an id"), container);
    let nobody = i32::MAX;
    store.write_exec(&exec.clone().running(nobody, Some(us))).expect("written");
    assert_eq!(check(&store), []);
    let killed = ProcessIdentity { start_time: us.start_time + 1, ..us };
    store.write_exec(&exec.running(nobody, Some(killed))).expect("written");
    found_and_repaired(&store, &[Invariant::I11]);
}

#[test]
fn i13_foreign_entries_and_open_modes() {
    let (fixture, store) = whole();
    let foreign = ["notes.txt", "images/old.json~", "layers/x", "containers/y", "volumes/.z"];
    for name in foreign {
        std::fs::write(fixture.graph().join(name), "x").expect("written");
    }
    std::fs::write(fixture.graph().join("images/x.json.0123456789ab.tmp"), "x").expect("written");
    sys::fs::set_mode(&store.layout().layers(), 0o755).expect("set");
    sys::fs::set_mode(&store.layout().blob(&Digest::of(b"hello")), 0o644).expect("set");
    std::fs::remove_dir(fixture.graph().join("lists")).expect("removed");
    // A store of an earlier version has it, and may keep it.
    std::fs::create_dir(fixture.graph().join("secrets")).expect("made");
    let findings = check(&store);
    assert_eq!(findings.iter().filter(|finding| finding.repair.is_some()).count(), 4, "{findings:#?}");
    for finding in findings.iter().filter(|finding| finding.repair.is_some()) {
        mend(&store, finding);
    }
    let findings = check(&store);
    assert_eq!(invariants(&findings), [Invariant::I13; 5], "foreign files are left alone: {findings:#?}");
    for name in foreign {
        std::fs::remove_file(fixture.graph().join(name)).expect("removed");
    }
    assert_eq!(check(&store), []);
}

#[test]
fn i13_a_directory_that_locks_us_out() {
    let (_fixture, store) = whole();
    let layout = store.layout();
    let container = layout.container(&store.container_ids().expect("lists").remove(0));
    let layer = store.layer_dir(&key(&store));
    let volume = layout.volume(&"v".parse().expect("a name"));
    let parents = [layout.containers(), layout.images(), layout.layers(), layout.names(), layout.trash()];
    for dir in parents.into_iter().chain([container, layer, volume]) {
        sys::fs::set_mode(&dir, 0).expect("set");
        let findings = super::check(&store, Scope::Full).expect("checks");
        assert_eq!(invariants(&findings), [Invariant::I13], "{findings:#?}");
        assert!(findings[0].problem.contains("locks us out"));
        mend(&store, &findings[0]);
        assert_eq!(check(&store), []);
    }
}

/// Strangers among the files of an object, and files that are not what they should be.
#[test]
fn i7_i13_inside_of_objects() {
    let (_fixture, store) = whole();
    let layout = store.layout();
    let id = store.container_ids().expect("lists").remove(0);
    let (log, data) = (layout.container_log(&id), layout.volume_data(&"v".parse().expect("a name")));
    let stranger = layout.container(&id).join("notes.txt");
    write(&stranger, b"x");
    let findings = check(&store);
    assert_eq!((invariants(&findings), &findings[0].repair), (vec![Invariant::I13], &None), "{findings:#?}");
    std::fs::remove_file(&stranger).expect("removed");
    std::os::unix::fs::symlink("/dev/null", &log).expect("made");
    found_and_repaired(&store, &[Invariant::I13]);
    write(&log, b"x");
    sys::fs::set_mode(&log, 0o666).expect("set");
    write(&layout.container(&id).join("ctr.log.1"), b"x");
    sys::fs::set_mode(&layout.container(&id).join("ctr.log.1"), 0o600).expect("set");
    found_and_repaired(&store, &[Invariant::I13]);
    std::fs::create_dir(layout.container(&id).join("mount-0")).expect("made");
    assert_eq!(check(&store), []);
    std::fs::remove_dir(&data).expect("removed");
    write(&data, b"x");
    let findings = check(&store);
    assert_eq!((invariants(&findings), &findings[0].repair), (vec![Invariant::I7], &None), "{findings:#?}");
}

/// A write that is killed leaves its temporary file beside the record: in whatever directory records lie.
#[test]
fn i13_no_directory_is_forgotten() {
    let (_fixture, store) = whole();
    let made = [store.layout().staging(), store.layout().trash()];
    let volume = store.layout().volume(&"v".parse().expect("a name"));
    let id = store.container_ids().expect("lists").remove(0);
    let objects = [volume, store.layout().container(&id), store.layout().layer(&key(&store).dir_name())];
    // What is being made and being deleted is no record: I9.
    for dir in store.layout().graph_dirs().filter(|dir| !made.contains(dir)).chain(objects) {
        let left = dir.join("record.0123456789ab.tmp");
        write(&left, b"{");
        let findings = check(&store);
        let told =
            |finding: &Finding| finding.invariant == Invariant::I13 && finding.subject == left.display().to_string();
        assert!(findings.iter().any(told), "{left:?}: {findings:#?}");
        sys::fs::remove_file(&left).expect("removed");
    }
}

#[test]
fn i14_directories_of_the_overlay() {
    let (_fixture, store) = whole();
    let id = store.container_ids().expect("lists").remove(0);
    std::fs::remove_dir(store.layout().container_upper(&id)).expect("removed");
    found_and_repaired(&store, &[Invariant::I14]);
    std::fs::remove_dir(store.layout().container_work(&id)).expect("removed");
    found_and_repaired(&store, &[Invariant::I14]);
    std::fs::create_dir_all(store.layout().container_work(&id).join("work/incompat/volatile")).expect("made");
    found_and_repaired(&store, &[Invariant::I14]);
    assert!(store.layout().container_upper(&id).is_dir());
}

#[test]
fn what_is_true_again_is_not_taken_away() {
    let (_fixture, store) = whole();
    let name = "localhost/none:1".parse().expect("a reference");
    let path = store.layout().reference(&refs::file_name(&name));
    record::write_durable(&path, &RefRecord::new(&name, &Digest::of(b"nothing"))).expect("written");
    let findings = check(&store);
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    // Pulled while the repair was busy with a layer.
    let digest = store_image(&store, "new", "localhost/none:1").digest;
    mend(&store, finding);
    assert_eq!(store.resolve_reference(&name).expect("read"), Some(digest));
}

#[test]
fn i15_orphans() {
    let (_fixture, store) = whole();
    let digest = store_image(&store, "other", "localhost/b:1").digest;
    discard(&store, &digest).expect("removed");
    let findings = check(&store);
    assert!(findings.iter().all(|finding| finding.repair == Some(Repair::Sweep)), "{findings:#?}");
    found_and_repaired(&store, &[Invariant::I15; 4]);
    assert!(store.has_layer(&LayerKey::new(&key(&store).chain, &MapKey::from_text("single"))));
}
