//! What `pack` writes, `unpack` reads: names, links, holes, times; and D04's odd files.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::Ground;
use crate::storage::pack;
use crate::storage::unpack::Flavour;
use crate::sys::contents;
use crate::sys::dir::Time;
use crate::sys::root::RootDir;

fn pack(ground: &Ground, path: &str, name: Option<&str>) -> Result<(Vec<u8>, u64), pack::Error> {
    let root = RootDir::open(&ground.path("source")).expect("open");
    let mut tar = Vec::new();
    let name = name.map(std::ffi::OsStr::new);
    pack::pack(&root, Path::new(path), name, pack::Terms::default(), &mut tar).map(|skipped| (tar, skipped))
}

#[test]
fn d04_trees_come_through() {
    let ground = Ground::new();
    let long = "n".repeat(200);
    let at = |name: &str| ground.path("source/tree").join(name);
    std::fs::create_dir_all(at("deep").join(&long)).expect("mkdir");
    std::fs::write(at("deep").join(&long).join("file"), "content").expect("write");
    std::fs::write(at("set-id"), "x").expect("write");
    std::fs::set_permissions(at("set-id"), PermissionsExt::from_mode(0o4755)).expect("chmod");
    symlink("../../../sentinel/file", at("link")).expect("symlink");
    symlink("t".repeat(300), at("long-link")).expect("symlink");
    let root = RootDir::open(&at("")).expect("open");
    root.dir().mkfifo(std::ffi::OsStr::new("fifo"), 0o600).expect("mkfifo");
    let sparse = root.dir().create_new(std::ffi::OsStr::new("sparse"), 0o600).expect("create");
    contents::set_len(&sparse, 1 << 40).expect("truncate");
    contents::write_all_at(&sparse, b"data", 1 << 39).expect("write");
    root.set_times(Path::new("set-id"), Time { seconds: -5, nanoseconds: 250_000_000 }).expect("utimensat");
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("bind");

    let (tar, skipped) = pack(&ground, "tree", Some("copy")).expect("pack");
    assert!(tar.len() < 1 << 20, "holes are not read");
    assert_eq!(skipped, 1, "the socket");
    let plain = |plan: &mut crate::storage::unpack::Plan<'_>| (plan.flavour, plan.mode_mask) = (Flavour::Plain, 0o1777);
    ground.unpack_with(&tar, plain).expect("unpack");
    assert_eq!(ground.read(&format!("copy/deep/{long}/file")), b"content");
    assert_eq!(ground.mode("copy/set-id") & 0o7777, 0o755);
    let metadata = std::fs::symlink_metadata(ground.diff("copy/set-id")).expect("stat");
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (-5, 250_000_000));
    assert_eq!(std::fs::read_link(ground.diff("copy/link")).expect("link"), Path::new("../../../sentinel/file"));
    assert_eq!(std::fs::read_link(ground.diff("copy/long-link")).expect("link").as_os_str().len(), 300);
    let metadata = std::fs::metadata(ground.diff("copy/sparse")).expect("stat");
    assert!(metadata.len() == 1 << 40 && metadata.blocks() < 64);

    let (fifo, _) = pack(&ground, "tree/fifo", Some("alone")).expect("pack");
    ground.unpack_with(&fifo, plain).expect("unpack");
    assert_eq!([ground.mode("copy/fifo"), ground.mode("alone")], [0o010_600; 2]);
    let socket = pack(&ground, "tree/socket", Some("alone"));
    assert!(matches!(socket, Err(pack::Error::Special { .. })), "{socket:?}");

    let (content, _) = pack(&ground, "tree/deep", None).expect("pack");
    let other = Ground::new();
    other.unpack_with(&content, plain).expect("unpack");
    assert_eq!(other.read(&format!("{long}/file")), b"content");
}

#[test]
fn d02_links_are_followed_in_the_tree() {
    let ground = Ground::new();
    std::fs::create_dir_all(ground.path("source/etc")).expect("mkdir");
    std::fs::write(ground.path("source/etc/passwd"), "inside").expect("write");
    symlink("/etc/passwd", ground.path("source/link")).expect("symlink");
    symlink("/", ground.path("source/top")).expect("symlink");
    let (tar, _) = pack(&ground, "link", Some("got")).expect("pack");
    ground.unpack_with(&tar, |plan| plan.flavour = Flavour::Plain).expect("unpack");
    assert_eq!(ground.read("got"), b"inside");
    let (tar, _) = pack(&ground, "top/../../etc", Some("all")).expect("pack");
    let other = Ground::new();
    other.unpack_with(&tar, |plan| plan.flavour = Flavour::Plain).expect("unpack");
    assert_eq!(other.read("all/passwd"), b"inside");
    pack(&ground, "absent", Some("x")).expect_err("not there");
}
