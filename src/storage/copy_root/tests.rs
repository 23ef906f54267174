//! Copies of small trees.
#![expect(clippy::disallowed_methods, reason = "tests build trees by hand")]

use super::Copy;
use crate::sys::dir::Dir;
use crate::sys::root::RootDir;
use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    let mut copy = Copy { root: RootDir::open(to).expect("opens"), links: HashMap::new() };
    let (from, to) = (Dir::open(from).expect("opens"), Dir::open(to).expect("opens"));
    copy.dir(&from, &to, Path::new(""), 50).expect("copies");
}

#[test]
fn layers_replace_and_never_follow_each_other() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = |name: &str| dir.path().join(name);
    for name in ["lower/keep", "upper/evil", "target", "outside"] {
        std::fs::create_dir_all(path(name)).expect("made");
    }
    std::fs::write(path("lower/keep/a"), "a").expect("written");
    std::fs::hard_link(path("lower/keep/a"), path("lower/keep/b")).expect("linked");
    symlink(path("outside"), path("lower/evil")).expect("linked");
    symlink(path("outside/file"), path("lower/file")).expect("linked");
    std::fs::write(path("upper/evil/x"), "x").expect("written");
    std::fs::write(path("upper/file"), "new").expect("written");
    copy(&path("lower"), &path("target"));
    copy(&path("upper"), &path("target"));
    assert_eq!(std::fs::read(path("target/evil/x")).expect("read"), b"x");
    assert_eq!(std::fs::read(path("target/file")).expect("read"), b"new");
    assert_eq!(std::fs::read_dir(path("outside")).expect("lists").count(), 0);
    let inode = |name: &str| std::fs::metadata(path(name)).expect("there").ino();
    assert_eq!(inode("target/keep/a"), inode("target/keep/b"));
    assert_ne!(inode("target/keep/a"), inode("lower/keep/a"));
}
