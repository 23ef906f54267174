//! The rules of the store (docs/reliability.md), each on a real file system.
#![expect(clippy::disallowed_methods, reason = "tests damage the store behind its back")]

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::container_record::{
    ContainerConfig, ContainerState, ExitRecord, ImageMount, MonitorLock, StorageDriver, Supervision,
};
use super::copy_root::copy_root;
use super::images::{ImageLayer, ImageRecord, ImageSource};
use super::layer_content::Content;
use super::layer_index::{Entry, EntryKind, IndexEnd, IndexWriter};
use super::layers::{LayerKey, LayerMeta, MapKey};
use super::process_identity::ProcessIdentity;
use super::publish::{NewImage, Staged};
use super::record::Rest;
use super::twins::WholeImages;
use super::volumes::VolumeMeta;
use super::{Error, Layout, Store};
use crate::sys;
use crate::sys::lock::FileLock;
use crate::types::container_spec::ContainerSpec;
use crate::types::digest::{ChainId, DiffId, Digest};
use crate::types::id::ImageId;
use crate::types::image_config::{ImageConfig, RootFs};
use crate::types::mount::{MountOptions, MountSource, MountSpec};
use crate::types::reference::ImageWord;
use crate::types::status::ContainerStatus;

/// A store in a directory of its own; reopened under any epoch.
pub(super) struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("temporary directory") }
    }

    pub(super) fn graph(&self) -> PathBuf {
        self.dir.path().join("graph")
    }

    pub(super) fn open(&self) -> Store {
        self.open_in("00000000000000aa")
    }

    pub(super) fn open_in(&self, epoch: &str) -> Store {
        self.open_at("graph", epoch)
    }

    /// One of several stores that share a runroot.
    fn open_at(&self, graph: &str, epoch: &str) -> Store {
        let root = self.dir.path();
        let layout = Layout::with_epoch(&root.join(graph), &root.join("run"), epoch.to_owned());
        Store::with_layout(layout).expect("opens")
    }
}

pub(super) fn config(name: &str) -> ContainerConfig {
    let name = name.parse().expect("a name");
    ContainerConfig::new(name, ContainerSpec::default(), "single".to_owned(), StorageDriver::Overlay)
}

pub(super) fn removable(name: &str) -> ContainerConfig {
    let mut config = config(name);
    config.spec.remove = true;
    config
}

fn with_volume(name: &str, volume: &str) -> ContainerConfig {
    let mut container = config(name);
    let source = MountSource::Volume { name: volume.parse().expect("a name"), anonymous: false, subpath: None };
    container.spec.mounts.push(MountSpec { source, target: "/v".into(), options: MountOptions::default() });
    container
}

pub(super) fn write(path: &Path, bytes: &[u8]) {
    sys::fs::replace_volatile(path, bytes).expect("writes");
}

fn entries(path: &Path) -> usize {
    sys::fs::names(path).expect("lists").len()
}

/// The index of a layer with one file.
fn index_of(staged: &super::layers::StagedLayer, content: &str) -> IndexEnd {
    let mut writer = IndexWriter::create(&staged.index()).expect("index");
    let entry = |path: &str, kind, mode| Entry {
        path: path.into(),
        kind,
        mode,
        uid: 0,
        gid: 0,
        size: 0,
        device: (0, 0),
        target: "".into(),
        content: None,
        xattrs: [0; 32],
    };
    writer.push(&entry("", EntryKind::Directory, 0o755)).expect("written");
    let digest = Content::of(content.as_bytes());
    let file = entry("file", EntryKind::Regular, 0o600);
    writer.push(&Entry { size: content.len() as u64, content: Some(digest), ..file }).expect("written");
    writer.finish().expect("index")
}

/// Takes an image out of the store.
fn remove(store: &Store, id: &ImageId) -> Result<(), Error> {
    let lock = store.lock_exclusive()?;
    store.remove_image(&store.image_to_remove(id)?, &lock)
}

/// Gives an image a name.
pub(super) fn tag(store: &Store, name: &str, digest: &Digest) -> Result<Option<Digest>, Error> {
    store.tag(&name.parse().expect("a reference"), digest, &store.lock_exclusive()?)
}

/// Takes a manifest out of the store.
pub(super) fn discard(store: &Store, digest: &Digest) -> Result<(), Error> {
    store.discard_image(digest, &store.lock_exclusive()?)
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Publishes a layer with one file, and an image of it under `name`.
pub(super) fn store_image(store: &Store, content: &str, name: &str) -> ImageRecord {
    let lease = store.lease().expect("lease");
    let diff_id = DiffId(Digest::of(content.as_bytes()));
    let chain = ChainId::first(&diff_id);
    let staged = lease.stage_layer(LayerKey::new(&chain, &MapKey::from_text("single"))).expect("staged");
    write(&staged.diff().join("file"), content.as_bytes());
    let end = index_of(&staged, content);
    let meta = LayerMeta {
        version: 1,
        chain: chain.clone(),
        map: MapKey::from_text("single"),
        diff_id: diff_id.clone(),
        parent: None,
        blob: None,
        size: content.len() as u64,
        tar_size: None,
        disk: 0,
        ids: None,
        entries: end.entries,
        whiteouts_in_index: false,
        clamped_ids: Vec::new(),
        origin: None,
        rest: Rest::new(),
    };
    let blob = lease.stage_bytes(content.as_bytes()).expect("blob");
    let parsed = ImageConfig {
        rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![diff_id.clone()] },
        ..ImageConfig::default()
    };
    let config = lease.stage_bytes(&serde_json::to_vec(&parsed).expect("JSON")).expect("configuration");
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": config.digest, "size": config.size},
        "layers": [{"digest": blob.digest, "size": blob.size}],
    });
    let manifest = lease.stage_bytes(document.to_string().as_bytes()).expect("manifest");
    let blobs = [blob.clone(), manifest.clone(), config.clone()];
    store.publish(&lease, &Staged { blobs: &blobs, layers: &[(staged, meta)], image: None }).expect("published");
    let record = ImageRecord {
        version: 1,
        digest: manifest.digest.clone(),
        id: ImageId::from_bytes(config.digest.bytes()),
        media_type: MANIFEST.to_owned(),
        index: None,
        layers: vec![ImageLayer {
            chain,
            diff_id: diff_id.clone(),
            blob: Some(blob.digest),
            media_type: String::new(),
            size: blob.size,
            unpacked: blob.size,
        }],
        config: parsed,
        created: None,
        stored: jiff::Timestamp::now(),
        size: blob.size,
        annotations: std::collections::BTreeMap::new(),
        source: None,
        rest: Rest::new(),
    };
    store.put_image(&record).expect("recorded");
    tag(store, name, &record.digest).expect("tagged");
    assert!(!lease.finish(store).expect("finished"), "no sweep");
    record
}

#[test]
fn opening_makes_nothing_and_the_first_write_makes_private_directories() {
    let fixture = Fixture::new();
    let store = fixture.open();
    assert!(store.containers().expect("lists").0.is_empty());
    assert!(store.images().expect("lists").0.is_empty());
    assert!(!fixture.graph().exists());
    store.create_container(config("a")).expect("created");
    for dir in ["", "containers", "blobs/sha256", "staging"] {
        let mode = std::fs::metadata(fixture.graph().join(dir)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{dir}");
    }
    let mode = std::fs::metadata(fixture.graph().join("VERSION")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn f12_newer_store_and_newer_record_are_refused_in_words() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let path = store.layout().container_config(made.id());
    write(&path, b"{\"version\":2,\"everything\":\"different\"}");
    let error = store.container(made.id()).expect_err("refused");
    assert!(error.to_string().ends_with(" cannot be read"), "{error}");
    let Error::BrokenContainer { source, .. } = error else { panic!("{error}") };
    assert!(matches!(*source, Error::NewerRecord { found: 2, .. }), "{source}");
    write(&path, b"{");
    let error = store.container(made.id()).expect_err("refused");
    assert!(error.to_string().ends_with(" is damaged"), "{error}");
    write(&store.layout().version(), b"2\n");
    let layout = store.layout().clone();
    assert!(matches!(Store::with_layout(layout.clone()), Err(Error::NewerStore { .. })));
    write(&store.layout().version(), b"1\n\0");
    assert!(matches!(Store::with_layout(layout), Err(Error::DamagedVersion { .. })));
}

#[test]
fn r1_unknown_fields_survive_a_rewrite() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let mut locked = store.lock_container(made.id()).expect("locked");
    let mut state = ContainerState::new(ContainerStatus::Running);
    // Numbers to their last digit.
    let numbers: Vec<f64> =
        (0..64).map(|n| f64::from_bits(0x5bd2_3456_789a_bcde + n * 0x0000_0012_3456_789b)).collect();
    let future = serde_json::json!({"x": 1, "y": numbers});
    state.rest.insert("future".to_owned(), future.clone());
    locked.write_state(&store, state).expect("written");
    let read = store.container(made.id()).expect("read").state.expect("there");
    assert_eq!(read.rest["future"], future);
    assert_eq!(read.generation, 1);
}

#[test]
fn r2_layer_is_published_whole_and_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let first = store_image(&store, "hello", "localhost/a:1");
    // A second pull of the same layer at the same time loses the race and uses what is there.
    store_image(&store, "hello", "localhost/b:1");
    let key = LayerKey::new(&first.layers[0].chain, &MapKey::from_text("single"));
    assert!(store.layer(&key).expect("read").is_some());
    assert_eq!(entries(&store.layout().layers()), 1);
    assert_eq!(entries(&store.layout().staging()), 0);
    let (images, _) = store.images().expect("lists");
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].names.len(), 2);
}

#[test]
fn b_blob_of_wrong_size_or_digest_is_refused() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let lease = store.lease().expect("lease");
    let digest = Digest::of(b"hello");
    let stage = |size| lease.stage_blob(Some(&digest), Some(size)).expect("staged");
    let mut long = stage(3);
    assert!(matches!(long.write_chunk(b"hello"), Err(Error::BlobTooLong { .. })));
    assert_eq!(long.written(), 0);
    let mut short = stage(9);
    short.write_all(b"hello").expect("written");
    assert!(matches!(short.finish(), Err(Error::BlobTooShort { .. })));
    let mut wrong = stage(5);
    wrong.write_all(b"hallo").expect("written");
    assert!(matches!(wrong.finish(), Err(Error::BlobDigest { .. })));
    let mut right = stage(5);
    right.write_all(b"hello").expect("written");
    let blob = right.finish().expect("whole");
    store.publish(&lease, &Staged { blobs: &[blob], ..Staged::default() }).expect("published");
    assert!(store.verify_blob(&digest).expect("read"));
    write(&store.layout().blob(&digest), b"jello");
    assert!(!store.verify_blob(&digest).expect("read"));
}

#[test]
fn r4_sweep_keeps_what_is_referred_to_and_r13_trashes_the_rest() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let kept = store_image(&store, "kept", "localhost/kept:1");
    let used = store_image(&store, "used", "localhost/used:1");
    let gone = store_image(&store, "gone", "localhost/gone:1");
    let mut container = config("c");
    container.layers = vec![used.layers[0].chain.clone()];
    store.create_container(container).expect("created");
    remove(&store, &used.id).expect("removed");
    remove(&store, &gone.id).expect("removed");
    let swept = store.sweep().expect("swept");
    assert_eq!(swept.layers.len(), 1, "{swept:?}");
    assert_eq!(swept.layers[0].chain, gone.layers[0].chain);
    // The container needs the layer, not the blob.
    assert_eq!(swept.blobs.len(), 6, "{swept:?}");
    assert!(store.blob_size(&kept.digest).expect("read").is_some());
    assert!(store.empty_trash().expect("emptied"));
    assert_eq!(store.sweep().expect("swept").layers.len(), 0);
}

#[test]
fn whole_images_are_read_at_the_first_look_and_for_one_that_came_after_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let old = store_image(&store, "old", "localhost/old:1");
    let mut images = WholeImages::default();
    let mut names_of = |name: &str| {
        let found = store.find_image(&ImageWord::plain(name)).expect("there");
        images.of(&store, &found).expect("read").names.len()
    };
    assert_eq!(names_of("localhost/old:1"), 1);
    tag(&store, "localhost/old:2", &old.digest).expect("tagged");
    assert_eq!(names_of("localhost/old:1"), 1, "the store was read once");
    store_image(&store, "new", "localhost/new:1");
    assert_eq!(names_of("localhost/new:1"), 1);
    assert_eq!(names_of("localhost/old:1"), 2);
}

#[test]
fn r4_sweep_is_cautious_beside_a_damaged_record() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    write(&store.layout().image(&image.digest), b"{");
    let swept = store.sweep().expect("swept");
    assert!(swept.cautious.is_some());
    assert!(swept.layers.is_empty() && swept.blobs.is_empty(), "{swept:?}");
}

#[test]
fn r5_lease_protects_and_a_dead_one_is_swept() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let key = LayerKey::new(&image.layers[0].chain, &MapKey::from_text("single"));
    let lease = store.lease().expect("lease");
    assert!(lease.rely_on_layer(&store, &key).expect("noted"));
    remove(&store, &image.id).expect("removed");
    let swept = store.sweep().expect("swept");
    assert!(swept.layers.is_empty(), "{swept:?}");
    assert_eq!(swept.staging, 0);
    drop(lease);
    let swept = store.sweep().expect("swept");
    assert_eq!((swept.layers.len(), swept.staging), (1, 1));
    let lease = store.lease().expect("lease");
    assert!(!lease.rely_on_layer(&store, &key).expect("noted"));
}

#[test]
fn i15_who_ends_a_lease_is_told_of_the_sweep_that_spared_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let key = LayerKey::new(&image.layers[0].chain, &MapKey::from_text("single"));
    let (lease, idle) = (store.lease().expect("lease"), store.lease().expect("lease"));
    assert!(lease.rely_on_layer(&store, &key).expect("noted"));
    remove(&store, &image.id).expect("removed");
    assert!(store.sweep().expect("swept").layers.is_empty());
    assert!(lease.finish(&store).expect("finished"));
    assert!(!idle.finish(&store).expect("finished"), "it held nothing");
    assert_eq!(entries(&store.layout().staging()), 0);
    assert_eq!(store.sweep().expect("swept").layers, [key]);
}

#[test]
fn r6_names_are_taken_once_and_stale_ones_are_taken_over() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let first = store.create_container(config("web")).expect("created");
    let error = store.create_container(config("web")).expect_err("taken");
    assert!(matches!(&error, Error::NameInUse { id, .. } if id == first.id()), "{error}");
    assert_eq!(entries(&store.layout().containers()), 1);
    assert_eq!(entries(&store.layout().staging()), 0);
    // A creator killed between name and rename.
    std::fs::remove_dir_all(store.layout().container(first.id())).expect("removed");
    let second = store.create_container(config("web")).expect("taken over");
    assert_eq!(store.find_container("web").expect("found"), *second.id());
    // A damaged name file names nobody.
    std::fs::remove_dir_all(store.layout().container(second.id())).expect("removed");
    write(&store.layout().name(&"web".parse().expect("a name")), b"");
    store.create_container(config("web")).expect("taken over");
}

/// True if somebody waits for the store's lock.
fn waits_for_store(store: &Store) -> bool {
    let inode = std::fs::metadata(store.layout().store_lock()).expect("there").ino();
    let locks = std::fs::read_to_string("/proc/locks").expect("reads");
    locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&format!(":{inode} ")))
}

fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// A name without its container may be taken over: a removal takes it back under the store's lock, or not at all.
#[test]
fn r6_i8_a_removal_leaves_a_name_to_who_has_taken_it_over() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("web")).expect("created");
    let name = store.layout().name(&made.config.name);
    let locked = store.lock_container(made.id()).expect("locked");
    std::thread::scope(|scope| {
        let taking_over = store.lock_exclusive().expect("locked");
        let removal = scope.spawn(|| store.remove_container(locked).expect("removed"));
        until(|| waits_for_store(&store) || removal.is_finished());
        assert!(name.exists(), "taken back beside who has the exclusive lock");
        drop(taking_over);
        removal.join().expect("ends");
    });
    assert!(!name.exists());
}

/// A creation that takes a name over gives the shared lock up before it has the exclusive one.
#[test]
fn r6_a_sweep_between_two_locks_of_a_creation_harms_it_not() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let gone = store.create_container(config("web")).expect("created");
    std::fs::remove_dir_all(store.layout().container(gone.id())).expect("removed");
    let maker = store.lock_shared().expect("locked");
    let wanted = config("web");
    let staging = store.layout().staging().join(wanted.id.as_str());
    std::thread::scope(|threads| {
        let created = threads.spawn(|| store.create_container(wanted.clone()));
        until(|| waits_for_store(&store) || created.is_finished());
        store.move_to_trash(&staging).expect("swept");
        drop(maker);
        created.join().expect("no panic").expect("created");
    });
    assert_eq!(store.find_container("web").expect("found"), wanted.id);
    assert_eq!(entries(&store.layout().container(&wanted.id)), 3, "config.json, upper, work");
}

#[test]
fn r6_rename_moves_the_name() {
    // Names that no id begins with: an id has hexadecimal digits only.
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("one")).expect("created");
    store.create_container(config("b")).expect("created");
    let mut locked = store.lock_container(made.id()).expect("locked");
    let taken = "b".parse().expect("a name");
    assert!(matches!(store.rename_container(&mut locked, &taken), Err(Error::NameInUse { .. })));
    store.rename_container(&mut locked, &"three".parse().expect("a name")).expect("renamed");
    assert_eq!(store.find_container("three").expect("found"), *made.id());
    assert!(matches!(store.find_container("one"), Err(Error::NoContainer(_))));
    assert_eq!(store.container(made.id()).expect("read").config.name.as_str(), "three");
    store.create_container(config("one")).expect("free again");
    assert_eq!(entries(&store.layout().container(made.id())), 3, "config.json, upper, work");
}

#[test]
fn found_by_name_before_prefix_and_ambiguity_names_candidates() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let mut ids = Vec::new();
    for (name, id) in [("a", "aa11"), ("b", "aa22"), ("aa", "bb33")] {
        let mut config = config(name);
        config.id = format!("{id}{}", "0".repeat(60)).parse().expect("an id");
        ids.push(store.create_container(config).expect("created").config.id);
    }
    assert_eq!(store.find_container("aa").expect("name wins"), ids[2]);
    assert_eq!(store.find_container("aa2").expect("prefix"), ids[1]);
    assert_eq!(store.find_container(ids[0].as_str()).expect("id"), ids[0]);
    assert!(matches!(store.find_container("cc"), Err(Error::NoContainer(_))));
    assert!(matches!(store.find_container("../a"), Err(Error::NoContainer(_))));
    store.remove_container(store.lock_container(&ids[2]).expect("locked")).expect("removed");
    let Err(Error::AmbiguousContainer { candidates, .. }) = store.find_container("aa") else { panic!("ambiguous") };
    assert_eq!(candidates, ["aa1100000000 (a)", "aa2200000000 (b)"]);
}

#[test]
fn r8_r10_lost_monitor_shows() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let mut locked = store.lock_container(made.id()).expect("locked");
    let lock = store.take_monitor_lock(&locked).expect("asked").expect("free");
    assert!(store.take_monitor_lock(&locked).expect("asked").is_none());
    let mut state = ContainerState::new(ContainerStatus::Running);
    state.init = ProcessIdentity::of(std::process::id()).expect("proc");
    locked.write_state(&store, state).expect("written");
    let seen = store.container(made.id()).expect("read");
    assert_eq!((seen.status, seen.supervision), (ContainerStatus::Running, Supervision::Monitored));
    drop(lock);
    let seen = store.container(made.id()).expect("read");
    assert_eq!((seen.status, seen.supervision), (ContainerStatus::Running, Supervision::Unsupervised));
    let mut state = locked.state.clone().expect("there");
    state.init = Some(ProcessIdentity { pid: std::process::id(), start_time: 1 });
    locked.write_state(&store, state.clone()).expect("written");
    let seen = store.container(made.id()).expect("read");
    assert_eq!((seen.status, seen.supervision), (ContainerStatus::Stopped, Supervision::Lost));
    // Somebody who writes without having read under the lock is refused.
    write(
        &store.layout().container_state(made.id()),
        &serde_json::to_vec(&ContainerState { generation: 9, ..state.clone() }).expect("json"),
    );
    assert!(matches!(locked.write_state(&store, state), Err(Error::Generation { found: 9, expected: 2, .. })));
}

#[test]
fn g19_a_logout_takes_runroot_and_nothing_is_forgotten() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let mut locked = store.lock_container(made.id()).expect("locked");
    let lock = store.take_monitor_lock(&locked).expect("asked").expect("free");
    let mut state = ContainerState::new(ContainerStatus::Running);
    state.init = ProcessIdentity::of(std::process::id()).expect("proc");
    locked.write_state(&store, state.clone()).expect("written");
    drop(locked);
    std::fs::remove_dir_all(store.layout().runroot()).expect("removed");
    let store = fixture.open();
    let seen = store.container(made.id()).expect("read");
    assert_eq!((seen.status, seen.supervision), (ContainerStatus::Running, Supervision::Monitored));
    assert_eq!(seen.init(), state.init);
    // And the state can be rewritten.
    let mut locked = store.lock_container(made.id()).expect("locked");
    locked.write_state(&store, seen.state.expect("there")).expect("written");
    drop((locked, lock));
    std::fs::remove_dir_all(store.layout().runroot()).expect("removed");
    let store = fixture.open();
    let seen = store.container(made.id()).expect("read");
    assert_eq!((seen.status, seen.supervision), (ContainerStatus::Running, Supervision::Unsupervised));
    // After a reboot the same words mean nothing.
    let store = fixture.open_in("00000000000000bb");
    assert_eq!(store.container(made.id()).expect("read").status, ContainerStatus::Exited);
}

#[test]
fn r11_exit_record_is_written_once() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let mut locked = store.lock_container(made.id()).expect("locked");
    drop(store.take_monitor_lock(&locked).expect("asked"));
    assert!(locked.write_exit(&store, ExitRecord::new(7)).expect("written"));
    assert!(!locked.write_exit(&store, ExitRecord::unknown("monitor lost")).expect("refused"));
    assert_eq!(locked.exit.as_ref().expect("there").code, 7);
    assert_eq!(locked.status, ContainerStatus::Exited);
    locked.clear_exit(&store).expect("cleared");
    assert!(locked.write_exit(&store, ExitRecord::new(8)).expect("written"));
    let names = sys::fs::names(&store.layout().container(made.id())).expect("lists");
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{names:?}");
}

#[test]
fn r12_first_command_of_an_epoch_recovers_and_may_run_again() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let started = |config: ContainerConfig| {
        let made = store.create_container(config).expect("created");
        let mut locked = store.lock_container(made.id()).expect("locked");
        let lock = store.take_monitor_lock(&locked).expect("asked").expect("free");
        locked.write_state(&store, ContainerState::new(ContainerStatus::Running)).expect("written");
        (made.config.id, lock)
    };
    let (ran, lock_a) = started(config("ran"));
    let (_, lock_b) = started(removable("transient"));
    let (alive, _held) = started(config("alive"));
    let never = store.create_container(config("never")).expect("created").config.id;
    drop((lock_a, lock_b));
    // What a power cut leaves of one that goes with its run: an empty definition, and a name that is a link to it.
    let cut = store.create_container(removable("cut")).expect("created").config.id;
    std::fs::write(store.layout().container_config(&cut), b"").expect("written");
    sys::fs::mkdir(&store.layout().staging().join("left"), 0o700).expect("made");
    sys::fs::mkdir(&store.layout().trash().join("left"), 0o000).expect("made");
    for _ in 0..2 {
        let store = fixture.open_in("00000000000000bb");
        let status = |id| store.container(id).expect("read").status;
        assert_eq!(status(&ran), ContainerStatus::Exited);
        assert_eq!(store.container(&ran).expect("read").exit.expect("there").error.as_deref(), Some("host restart"));
        assert_eq!(status(&never), ContainerStatus::Created);
        // Its monitor lives: a logout took runroot away, or the clock of the epoch was wrong.
        assert_eq!(store.monitor_lock(&alive).expect("asked"), MonitorLock::Held);
        assert!(status(&alive).is_alive());
        for gone in ["transient", "cut", cut.as_str()] {
            assert!(matches!(store.find_container(gone), Err(Error::NoContainer(_))));
        }
        assert_eq!((entries(&store.layout().staging()), entries(&store.layout().trash())), (0, 0));
        assert_eq!(entries(store.layout().runroot()), 1);
        sys::fs::remove_file(&store.layout().ready()).expect("removed");
    }
}

/// Two stores share a runroot: each has its own first command.
#[test]
fn r12_every_store_of_a_runroot_is_recovered() {
    let fixture = Fixture::new();
    let open = |epoch: &str| ["one", "two"].map(|graph| fixture.open_at(graph, epoch));
    for store in open("00000000000000aa") {
        let made = store.create_container(removable("gone")).expect("created");
        let locked = store.lock_container(made.id()).expect("locked");
        drop(store.take_monitor_lock(&locked).expect("asked").expect("free"));
    }
    for store in open("00000000000000bb") {
        assert_eq!(entries(&store.layout().containers()), 0, "{:?}", store.layout().graphroot());
    }
}

/// A container whose end cannot be recorded (a full disk) keeps nothing else from being freed, and its turn comes again.
#[test]
fn r12_r13_a_recovery_that_cannot_write_still_frees() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let started = |config: ContainerConfig| {
        let made = store.create_container(config).expect("created");
        let locked = store.lock_container(made.id()).expect("locked");
        drop(store.take_monitor_lock(&locked).expect("asked").expect("free"));
        made.config.id
    };
    let ran = started(config("ran"));
    let transient = started(removable("transient"));
    sys::fs::mkdir(&store.layout().staging().join("left"), 0o700).expect("made");
    let dir = store.layout().container(&ran);
    sys::fs::set_mode(&dir, 0o500).expect("changed");
    let store = fixture.open_in("00000000000000bb");
    assert!(!store.layout().container(&transient).exists());
    assert_eq!((entries(&store.layout().staging()), entries(&store.layout().trash())), (0, 0));
    assert!(!store.layout().ready().exists(), "not yet");
    sys::fs::set_mode(&dir, 0o700).expect("changed");
    let store = fixture.open_in("00000000000000bb");
    let exit = store.container(&ran).expect("read").exit.expect("recorded");
    assert_eq!(exit.error.as_deref(), Some("host restart"));
    assert!(store.layout().ready().exists());
}

#[test]
fn r6_r12_killed_run_before_its_start_leaves_no_container() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let mut dead = removable("dead");
    dead.creator = Some(u32::MAX >> 1);
    let mut alive = removable("alive");
    let own = ProcessIdentity::of(std::process::id()).expect("proc").expect("alive");
    (alive.creator, alive.creator_start_time) = (Some(own.pid), Some(own.start_time));
    // Its pid is somebody else's now (R8).
    let mut reused = removable("reused");
    (reused.creator, reused.creator_start_time) = (Some(own.pid), Some(own.start_time + 1));
    store.create_container(reused).expect("created");
    store.create_container(dead).expect("created");
    store.create_container(alive).expect("created");
    assert_eq!(store.sweep().expect("swept").containers, 2);
    assert!(store.find_container("alive").is_ok());
    assert!(store.find_container("dead").is_err() && store.find_container("reused").is_err());
}

#[test]
fn f07_a_damaged_container_harms_nobody_else() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let good = store.create_container(config("good")).expect("created");
    let bad = store.create_container(config("bad")).expect("created");
    let path = store.layout().container_config(bad.id());
    let whole = std::fs::read(&path).expect("read");
    let mut damages: Vec<Vec<u8>> = (0..16).map(|n| whole[..whole.len() * n / 16].to_vec()).collect();
    damages.extend([vec![0; 4096], b"[]".to_vec(), b"null".to_vec(), b"{\"version\":\"x\"}".to_vec()]);
    let mut wrong_type = whole.clone();
    wrong_type[0] = b'[';
    damages.push(wrong_type);
    for damage in damages {
        // Written in place: the name file is a link to the same bytes, as after a real bit flip.
        std::fs::write(&path, &damage).expect("written");
        let (whole, broken) = store.containers().expect("lists");
        assert_eq!((whole.len(), broken.len()), (1, 1));
        assert_eq!(whole[0].id(), good.id());
        assert_eq!(store.find_container("good").expect("found"), *good.id());
        assert_eq!(store.find_container(bad.id().as_str()).expect("found"), *bad.id());
    }
    store.discard_container(bad.id(), None).expect("removed");
    assert_eq!(store.containers().expect("lists").1.len(), 0);
    store.create_container(config("bad")).expect("the name is free");
}

#[test]
fn a_cidfile_goes_with_a_container_that_is_discarded() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let path = store.layout().graphroot().join("cid");
    let mut wish = config("c");
    wish.spec.cidfile = Some(path.clone());
    let id = store.create_container(wish).expect("created").id().clone();
    write(&path, id.as_str().as_bytes());
    store.discard_container(&id, Some(&"c".parse().expect("a name"))).expect("removed");
    assert!(!sys::fs::exists(&path));
}

#[test]
fn f07_damaged_image_and_name_files() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let good = store_image(&store, "good", "localhost/good:1");
    let bad = store_image(&store, "bad", "localhost/bad:1");
    write(&store.layout().image(&bad.digest), b"\0\0\0\0");
    let (whole, broken) = store.images().expect("lists");
    assert_eq!((whole.len(), broken.len()), (1, 1));
    assert_eq!(store.find_image(&ImageWord::short("good:1", None, [])).expect("found").image.record.id, good.id);
    discard(&store, &bad.digest).expect("removed");
    assert_eq!(store.references().expect("lists").0.len(), 1);
}

/// T-51: both roots are ours alone; what is not there yet is made so, below a directory of everybody as well.
#[test]
fn a_root_that_others_may_write_is_refused() {
    let fixture = Fixture::new();
    let roots = [fixture.graph(), fixture.dir.path().join("run")];
    let open = || Store::with_layout(Layout::with_epoch(&roots[0], &roots[1], "00000000000000aa".to_owned()));
    sys::fs::set_mode(fixture.dir.path(), 0o1777).expect("set");
    let early = open().expect("nothing is there");
    for root in &roots {
        sys::fs::mkdir(root, 0o700).expect("made");
        for mode in [0o702, 0o722, 0o1777] {
            sys::fs::set_mode(root, mode).expect("set");
            assert!(matches!(open(), Err(Error::SharedRoot { path, .. }) if path == *root), "{root:?} {mode:o}");
            let made = early.make_graph().and_then(|()| early.make_run());
            assert!(matches!(made, Err(Error::SharedRoot { .. })), "made by another since: {made:?}");
            assert!(sys::fs::names(root).expect("listed").is_empty(), "nothing is put there");
        }
        // One that was just made with a umask of 002 is made private; what somebody may have put there already is not used.
        sys::fs::set_mode(root, 0o775).expect("set");
        sys::fs::mkdir(&root.join("theirs"), 0o700).expect("made");
        assert!(matches!(open(), Err(Error::SharedRoot { mode: 0o775, .. })));
        std::fs::remove_dir(root.join("theirs")).expect("removed");
        open().expect("opens");
        assert_eq!(root.metadata().expect("there").mode() & 0o7777, 0o700);
        std::fs::remove_dir_all(root).expect("removed");
    }
    let elsewhere = Layout::with_epoch(Path::new("/proc/1"), &roots[1], "00000000000000aa".to_owned());
    if sys::fs::effective_uid() != 0 {
        assert!(matches!(Store::with_layout(elsewhere), Err(Error::ForeignRoot { owner: 0, .. })));
    }
    early.make_graph().and_then(|()| early.make_run()).expect("made");
    for root in &roots {
        assert_eq!(root.metadata().expect("there").mode() & 0o7777, 0o700);
        // To be read is another matter: `system check` tells.
        sys::fs::set_mode(root, 0o755).expect("set");
    }
    open().expect("opens");
}

#[test]
fn f08_foreign_files_are_passed_over_and_links_not_followed() {
    let fixture = Fixture::new();
    let store = fixture.open();
    store.create_container(config("a")).expect("created");
    let outside = fixture.dir.path().join("outside");
    std::fs::create_dir(&outside).expect("made");
    std::fs::write(outside.join("precious"), "x").expect("written");
    for dir in ["containers", "layers", "images", "volumes", "blobs/sha256", "names", "refs"] {
        let dir = fixture.graph().join(dir);
        std::fs::write(dir.join("backup~"), "x").expect("written");
        std::fs::create_dir(dir.join(".hidden dir")).expect("made");
        std::os::unix::fs::symlink(&outside, dir.join(" link")).expect("linked");
    }
    std::os::unix::fs::symlink(&outside, fixture.graph().join("staging/link")).expect("linked");
    std::os::unix::fs::symlink(&outside, fixture.graph().join("trash/link")).expect("linked");
    assert_eq!(store.containers().expect("lists").0.len(), 1);
    store.images().expect("lists");
    assert!(store.volumes().expect("lists").0.is_empty());
    store.sweep().expect("swept");
    assert!(store.empty_trash().expect("emptied"));
    assert!(outside.join("precious").exists());
    assert!(fixture.graph().join("containers/backup~").exists());
}

#[test]
fn images_are_found_by_every_name_they_have() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let base = store_image(&store, "base", "localhost/base:1");
    let hub = store_image(&store, "hub", "docker.io/library/debian:latest");
    let other = store_image(&store, "other", "quay.io/me/tool:2");
    let id = |text: &str| store.find_image(&ImageWord::short(text, None, [])).map(|found| found.image.record.id);
    assert_eq!(id("base:1").expect("local"), base.id);
    assert_eq!(id("debian").expect("docker.io"), hub.id);
    assert_eq!(id("tool:2").expect("end of the name"), other.id);
    assert_eq!(id(&base.id.as_str()[..7]).expect("prefix"), base.id);
    assert_eq!(id(&format!("sha256:{}", hub.id)).expect("id"), hub.id);
    assert_eq!(id(&hub.digest.to_string()).expect("digest"), hub.id);
    assert_eq!(id(&format!("quay.io/me/tool@{}", other.digest)).expect("by digest"), other.id);
    assert!(matches!(id("base"), Err(Error::NoImage(_))));
    assert!(matches!(id("Bad Name"), Err(Error::ImageName(_))));
    let moved = tag(&store, "localhost/base:1", &hub.digest).expect("tagged");
    assert_eq!(moved, Some(base.digest.clone()));
    assert!(store.image(&base.digest).expect("there").names.is_empty());
}

#[test]
fn image_in_use_is_not_removed() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let mut container = config("c");
    container.image = Some(store.image(&image.digest).expect("there").snapshot(None));
    let made = store.create_container(container).expect("created");
    assert!(matches!(remove(&store, &image.id), Err(Error::ImageInUse { .. })));
    store.remove_container(store.lock_container(made.id()).expect("locked")).expect("removed");
    remove(&store, &image.id).expect("removed");
}

#[test]
fn volumes_come_and_go() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let name: crate::types::name::VolumeName = "data".parse().expect("a name");
    store.create_volume(&VolumeMeta::new(name.clone(), false)).expect("created");
    assert!(matches!(store.create_volume(&VolumeMeta::new(name.clone(), false)), Err(Error::VolumeExists(_))));
    assert!(store.volume(&name).expect("there").needs_copy_up);
    store.volume_filled(&name).expect("noted");
    assert!(!store.volume(&name).expect("there").needs_copy_up);
    assert_eq!(store.find_volume("da").expect("found"), name);
    store.remove_volume(&name).expect("removed");
    assert!(matches!(store.remove_volume(&name), Err(Error::NoVolume(_))));
    assert!(store.empty_trash().expect("emptied"));
    assert_eq!(entries(&store.layout().staging()), 0);
}

#[test]
fn upper_has_the_mode_of_the_images_root() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let key = LayerKey::new(&image.layers[0].chain, &MapKey::from_text("single"));
    sys::fs::set_mode(&store.layer_diff(&key), 0o1751).expect("set");
    let mut container = config("c");
    container.layers = vec![image.layers[0].chain.clone()];
    let made = store.create_container(container).expect("created");
    let mode = std::fs::metadata(store.layout().container_upper(made.id())).expect("there").mode();
    assert_eq!(mode & 0o7777, 0o1751);
}

/// The name of a lock lives as long as its container; whoever waited for it meanwhile leaves none behind.
/// A copy that is not whole lies where its lease protects it, and goes with that.
#[test]
fn r5_a_copy_that_fails_leaves_nothing_in_its_container() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let mut wanted = config("copied");
    (wanted.driver, wanted.layers) = (StorageDriver::Copy, vec![image.layers[0].chain.clone()]);
    let made = store.create_container(wanted).expect("created");
    let key = LayerKey::new(&image.layers[0].chain, &MapKey::from_text("single"));
    std::fs::remove_dir_all(store.layer_diff(&key)).expect("removed");
    let lease = store.lease().expect("lease");
    copy_root(&store, &made.config, &lease).expect_err("no files");
    assert_eq!(entries(&store.layout().container(made.id())), 1, "config.json");
    assert!(!lease.finish(&store).expect("ended"), "no sweep");
    assert_eq!(entries(&store.layout().staging()), 0);
}

#[test]
fn locks_go_with_their_containers() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let lock = store.layout().container_lock(made.id());
    let held = store.lock_container(made.id()).expect("locked");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.lock_container(made.id()).expect_err("gone"));
        store.remove_container(held).expect("removed");
        assert!(matches!(waiting.join().expect("ends"), Error::NoContainer(_)));
    });
    assert!(!lock.exists());
    // One that a killed command left goes with the sweep, unless somebody holds it: another store may share our runroot.
    let held = FileLock::exclusive(&lock).expect("locked");
    store.sweep().expect("swept");
    assert!(lock.exists());
    drop(held);
    store.sweep().expect("swept");
    assert!(!lock.exists());
}

#[test]
fn r13_trash_with_locked_directories_is_emptied() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(config("a")).expect("created");
    let work = store.layout().container_work(made.id()).join("work");
    sys::fs::mkdir(&work, 0o700).expect("made");
    std::fs::write(work.join("file"), "x").expect("written");
    sys::fs::set_mode(&work, 0).expect("set");
    store.remove_container(store.lock_container(made.id()).expect("locked")).expect("removed");
    assert!(store.has_trash());
    assert!(store.empty_trash().expect("emptied"));
    assert!(!store.has_trash());
    assert!(FileLock::is_held(&store.layout().store_lock()).is_ok_and(|held| !held));
}

#[test]
fn g_many_writers_take_one_name_once_and_their_own_names_all() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let taken = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..32)
            .map(|n| {
                let store = &store;
                scope.spawn(move || {
                    let made = store.create_container(removable(&format!("own-{n}"))).expect("created");
                    store.remove_container(store.lock_container(made.id()).expect("locked")).expect("removed");
                    store.create_container(removable("same")).is_ok()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("ends")).filter(|won| *won).count()
    });
    assert_eq!(taken, 1);
    assert_eq!(entries(&store.layout().names()), 1);
    assert_eq!(entries(&store.layout().containers()), 1);
    assert_eq!(entries(&store.layout().staging()), 0);
    assert!(store.empty_trash().expect("emptied"));
}

#[test]
fn r11_who_waits_learns_the_code_of_a_container_that_is_gone() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let made = store.create_container(removable("a")).expect("created");
    let locked = store.lock_container(made.id()).expect("locked");
    let lock = store.take_monitor_lock(&locked).expect("asked").expect("free");
    drop(locked);
    let watch = store.watch_monitor(made.id()).expect("opened").expect("there");
    std::thread::scope(|scope| {
        let (store, id) = (&store, made.id());
        let waiter = scope.spawn(move || watch.wait());
        store.record_exit(&made.config, &ExitRecord::new(42)).expect("recorded");
        store.remove_container(store.lock_container(id).expect("locked")).expect("removed");
        assert!(store.empty_trash().expect("emptied"));
        drop(lock);
        let exit = waiter.join().expect("ends").expect("waited").expect("has a code");
        assert_eq!(exit.code, 42);
    });
}

#[test]
fn r4_an_image_that_is_gone_gets_no_name() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    remove(&store, &image.id).expect("removed");
    assert!(matches!(tag(&store, "localhost/late:1", &image.digest), Err(Error::NoImage(_))));
    assert_eq!(entries(&store.layout().refs()), 0);
}

#[test]
fn r4_a_container_is_made_of_layers_and_volumes_that_are_there() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let mut lost = config("lost");
    lost.layers = vec![ChainId(Digest::of(b"removed meanwhile"))];
    assert!(matches!(store.create_container(lost), Err(Error::NoLayer { .. })));
    assert_eq!((entries(&store.layout().names()), entries(&store.layout().containers())), (0, 0));
    // Its look at the volume was before somebody removed that.
    let volume = with_volume("c", "v");
    store.create_container(volume).expect("created");
    assert!(store.has_volume(&"v".parse().expect("a name")).expect("looks"));
}

#[test]
fn f12_what_an_unreadable_container_uses_stays() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let name = "v".parse().expect("a name");
    let made = |container: &str| {
        let mut wish = with_volume(container, "v");
        wish.image = Some(store.image(&image.digest).expect("there").snapshot(None));
        store.create_container(wish).expect("created").id().clone()
    };
    // Its definition is still in its name.
    let id = made("lost");
    let path = store.layout().container_config(&id);
    let text = std::fs::read_to_string(&path).expect("read");
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(store.volume_users(&name).expect("reads"), std::slice::from_ref(&id));
    assert_eq!(store.image_users(&image.digest, &image.id).expect("reads"), std::slice::from_ref(&id));
    assert!(store.unknown_user().expect("reads").is_none());
    // A later program made it.
    write(&path, text.replacen("\"version\":1", "\"version\":99", 1).as_bytes());
    assert!(matches!(store.remove_volume(&name), Err(Error::BrokenContainer { .. })));
    assert!(matches!(remove(&store, &image.id), Err(Error::BrokenContainer { .. })));
    store.discard_container(&id, Some(&"lost".parse().expect("a name"))).expect("removed");
    // Nobody can say: who names the volume may remove it, and who does not may know.
    let id = made("garbage");
    for path in [store.layout().container_config(&id), store.layout().name(&"garbage".parse().expect("a name"))] {
        write(&path, b"\0\0\0");
    }
    assert!(store.unknown_user().expect("reads").is_some());
    store.remove_volume(&name).expect("removed");
}

#[test]
fn r4_a_mounted_image_is_in_use() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let mut container = config("c");
    let layers: Vec<ChainId> = image.layers.iter().map(|layer| layer.chain.clone()).collect();
    let (id, digest) = (image.id.clone(), image.digest.clone());
    container.image_mounts = vec![ImageMount { reference: "x:1".to_owned(), id, digest, layers }];
    store.create_container(container).expect("created");
    assert!(matches!(remove(&store, &image.id), Err(Error::ImageInUse { .. })));
    discard(&store, &image.digest).expect("removed");
    assert!(store.sweep().expect("swept").layers.is_empty(), "its files are mounted");
}

#[test]
fn the_source_that_a_pull_noted_outlives_a_load_beside_it() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let loaded = store_image(&store, "x", "localhost/x:1");
    let reference = "registry.example/x:1".parse().expect("valid");
    let pulled = ImageRecord { source: Some(ImageSource { reference, tls_verify: None }), ..loaded.clone() };
    store.put_image(&pulled).expect("recorded");
    // The load read the record before the pull wrote it.
    let lease = store.lease().expect("lease");
    let image = Some(NewImage { record: &loaded, names: &[] });
    store.publish(&lease, &Staged { image, ..Staged::default() }).expect("published");
    assert!(!lease.finish(&store).expect("finished"), "no sweep");
    assert_eq!(store.image_record(&loaded.digest).expect("read").expect("there").source, pulled.source);
}

#[test]
fn r4_a_manifest_that_is_mounted_is_not_spare() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let first = store_image(&store, "x", "localhost/x:1");
    // The same image in another compression, which has the name now.
    let second = ImageRecord { digest: Digest::of(b"another manifest"), ..first.clone() };
    store.put_image(&second).expect("recorded");
    tag(&store, "localhost/x:1", &second.digest).expect("tagged");
    let mount = ImageMount {
        reference: "x:1".to_owned(),
        id: first.id.clone(),
        digest: first.digest.clone(),
        layers: first.layers.iter().map(|layer| layer.chain.clone()).collect(),
    };
    let mut container = config("c");
    container.image_mounts = vec![mount];
    let id = store.create_container(container).expect("created").id().clone();
    store.sweep().expect("swept");
    assert!(store.image_record(&first.digest).expect("read").is_some());
    store.discard_container(&id, Some(&"c".parse().expect("a name"))).expect("removed");
    store.sweep().expect("swept");
    assert!(store.image_record(&first.digest).expect("read").is_none());
}

/// A later program made a container: nobody here can say what it uses. The rest of the store is put in order all the same.
#[test]
fn f12_an_unreadable_container_keeps_nobody_from_sweeping() {
    let fixture = Fixture::new();
    let store = fixture.open();
    let image = store_image(&store, "x", "localhost/x:1");
    let mut newer = with_volume("newer", "v");
    let lost = VolumeMeta::random_name();
    let source = MountSource::Volume { name: lost.clone(), anonymous: true, subpath: None };
    newer.spec.mounts.push(MountSpec { source, target: "/a".into(), options: MountOptions::default() });
    let maker = store.create_container(newer).expect("created").id().clone();
    let newer = store.create_container(config("other")).expect("created").id().clone();
    // The volume of one that is gone, and an image that never got its name.
    store.discard_container(&maker, Some(&"newer".parse().expect("a name"))).expect("removed");
    let path = store.layout().container_config(&newer);
    let text = std::fs::read_to_string(&path).expect("read");
    write(&path, text.replacen("\"version\":1", "\"version\":99", 1).as_bytes());
    discard(&store, &image.digest).expect("removed");
    let lease = store.lease().expect("lease");
    lease.promise(&store, &image.digest).expect("noted");
    store.put_image(&image).expect("recorded");
    drop(lease);
    let dead = store.lease().expect("lease").dir().to_owned();
    store.sweep().expect("swept");
    assert!(!dead.exists());
    assert!(store.has_volume(&lost).expect("looks") && store.image_record(&image.digest).expect("read").is_some());
    let store = fixture.open_in("00000000000000bb");
    assert!(store.layout().ready().exists(), "the epoch has begun");
    // Who can read it says that it uses neither.
    write(&path, text.as_bytes());
    store.sweep().expect("swept");
    assert!(!store.has_volume(&lost).expect("looks") && store.image_record(&image.digest).expect("read").is_none());
}
