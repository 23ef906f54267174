//! The cases of reliability.md, section A, as an ordinary user in single-id mode: a layer is unpacked beside a
//! sentinel tree, which must stay as it was whatever the layer says.
#![expect(clippy::disallowed_methods, reason = "tests look at the result with the standard library")]

mod attributes;
mod limits;
mod names;
mod round_trip;
mod streams;

use std::io::{Seek, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::{Error, Limits, Plan, Threads, Unpacked, unpack};
use crate::storage::layer_index::{Entry, IndexReader, IndexWriter};
use crate::sys::descriptor;
use crate::sys::root::RootDir;
use crate::types::failure::chain;
use crate::types::idmap::{IdMap, IdMaps};

/// Single-id mode.
static SINGLE: LazyLock<IdMaps> = LazyLock::new(|| IdMaps { uid: IdMap::single(0, 0), gid: IdMap::single(0, 0) });

/// A directory with `sentinel/` and `diff/`.
pub(super) struct Ground {
    temporary: tempfile::TempDir,
    before: Vec<String>,
}

impl Ground {
    pub(super) fn new() -> Self {
        let temporary = tempfile::tempdir().expect("temporary directory");
        let at = |name: &str| temporary.path().join(name);
        std::fs::create_dir_all(at("sentinel/dir")).expect("mkdir");
        std::fs::create_dir_all(at("diff-evil")).expect("mkdir");
        std::fs::create_dir(at("diff")).expect("mkdir");
        std::fs::write(at("sentinel/file"), "untouched").expect("write");
        std::fs::write(at("diff-evil/file"), "untouched").expect("write");
        std::fs::set_permissions(at("sentinel/file"), PermissionsExt::from_mode(0o640)).expect("chmod");
        let before = listing(&at("sentinel"));
        Self { temporary, before }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }

    /// Path in the unpacked tree.
    pub(super) fn diff(&self, name: &str) -> PathBuf {
        self.path("diff").join(name)
    }

    pub(super) fn sentinel(&self) -> String {
        self.path("sentinel").display().to_string()
    }

    /// Unpacks with everything as usual.
    pub(super) fn unpack(&self, tar: &[u8]) -> Result<Unpacked, Error> {
        self.unpack_with(tar, |_| {})
    }

    pub(super) fn unpack_with<'a>(&self, bytes: &[u8], change: impl FnOnce(&mut Plan<'a>)) -> Result<Unpacked, Error> {
        let mut plan = Plan { umask: umask(), ..Plan::layer(&SINGLE) };
        change(&mut plan);
        let fresh = std::fs::read_dir(self.path("diff")).expect("readdir").next().is_none();
        let alone = fresh.then(|| self.alone(bytes, plan));
        let mut file = tempfile::tempfile().expect("temporary file");
        file.write_all(bytes).expect("write");
        file.rewind().expect("rewind");
        let root = RootDir::open(&self.path("diff")).expect("open");
        let index = self.path("idx");
        std::fs::remove_file(&index).unwrap_or_default();
        let index = IndexWriter::create(&index).expect("index");
        let result = unpack(file.into(), &root, Some(index), &plan);
        if let Some(alone) = alone {
            assert_eq!(alone, self.told(&result, "diff", "idx"), "one thread, and two");
        }
        assert_eq!(listing(&self.path("sentinel")), self.before, "the sentinel was touched");
        assert_eq!(std::fs::read(self.path("diff-evil/file")).expect("read"), b"untouched");
        result
    }

    /// The same by one thread, elsewhere.
    fn alone(&self, bytes: &[u8], plan: Plan<'_>) -> Vec<String> {
        let at = tempfile::tempdir_in(self.temporary.path()).expect("directory");
        let name = |sub: &str| at.path().join(sub);
        std::fs::create_dir(name("diff")).expect("mkdir");
        let mut file = tempfile::tempfile().expect("temporary file");
        file.write_all(bytes).expect("write");
        file.rewind().expect("rewind");
        let root = RootDir::open(&name("diff")).expect("open");
        let index = IndexWriter::create(&name("idx")).expect("index");
        let (pipe, _filled) = descriptor::pipe().expect("pipe");
        let threads = Threads::OneUntil(pipe.as_fd());
        let result = unpack(file.into(), &root, Some(index), &Plan { threads, ..plan });
        let told = self.told(&result, name("diff"), name("idx"));
        // So that it can be removed.
        look(&name("diff"));
        told
    }

    /// All that came of an unpacking.
    fn told(&self, result: &Result<Unpacked, Error>, diff: impl AsRef<Path>, index: impl AsRef<Path>) -> Vec<String> {
        let diff = self.temporary.path().join(diff);
        match result {
            // With numbers they may differ: the free space does.
            Err(error) => vec![chain(error).replace(|c: char| c.is_ascii_digit(), "")],
            Ok(unpacked) => {
                let index = std::fs::read(self.temporary.path().join(index)).expect("index");
                let rest = [format!("{:?}", Unpacked { disk: 0, ..unpacked.clone() }), format!("{index:?}")];
                let top = format!("{:?}", diff.display().to_string()).replace('"', "");
                listing(&diff).iter().map(|line| line.replacen(&top, "", 1)).chain(rest).collect()
            }
        }
    }

    /// Entries of the index that the last call has written.
    pub(super) fn index(&self) -> Vec<Entry> {
        let mut reader = IndexReader::open(&self.path("idx")).expect("index");
        std::iter::from_fn(|| reader.next_entry().expect("entry")).collect()
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.diff(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(super) fn mode(&self, name: &str) -> u32 {
        std::fs::symlink_metadata(self.diff(name)).unwrap_or_else(|error| panic!("{name}: {error}")).mode()
    }

    pub(super) fn is_absent(&self, name: &str) -> bool {
        std::fs::symlink_metadata(self.diff(name)).is_err()
    }

    pub(super) fn is_whiteout(&self, name: &str) -> bool {
        std::fs::symlink_metadata(self.diff(name))
            .is_ok_and(|metadata| metadata.mode() & 0o170_000 == 0o020_000 && metadata.rdev() == 0)
    }

    pub(super) fn xattr(&self, name: &str, key: &str) -> Option<Vec<u8>> {
        use std::os::fd::AsFd as _;
        let file = std::fs::File::open(self.diff(name)).expect("open");
        crate::sys::xattr::get(file.as_fd(), std::ffi::OsStr::new(key)).expect("getxattr")
    }
}

/// The umask without changing it: other tests run beside this one.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").expect("read");
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:")).expect("Umask");
    u32::from_str_radix(line.trim(), 8).expect("octal")
}

/// Everything about a tree that an attack could change.
fn listing(top: &Path) -> Vec<String> {
    let (lines, opened) = look(top);
    for (path, mode) in opened.into_iter().rev() {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("chmod");
    }
    lines
}

/// The listing, and the modes of what was opened up for it: an ordinary user cannot look into what has mode 0, nor remove it.
fn look(top: &Path) -> (Vec<String>, Vec<(PathBuf, u32)>) {
    let (mut lines, mut opened) = (Vec::new(), Vec::new());
    let mut queue = vec![top.to_owned()];
    while let Some(path) = queue.pop() {
        let m = std::fs::symlink_metadata(&path).expect("lstat");
        let needed = if m.is_dir() { 0o700 } else { 0o400 };
        if (m.is_dir() || m.is_file()) && m.mode() & needed != needed {
            opened.push((path.clone(), m.mode() & 0o7777));
            std::fs::set_permissions(&path, PermissionsExt::from_mode(m.mode() & 0o7777 | needed)).expect("chmod");
        }
        let content = if m.is_file() && m.len() < 64 << 20 { std::fs::read(&path).expect("read") } else { Vec::new() };
        let time = if m.is_file() { (m.mtime(), m.mtime_nsec()) } else { (0, 0) };
        let content = crate::types::digest::Digest::of(&content);
        lines.push(format!("{path:?} {:o} {} {} {} {time:?} {content}", m.mode(), m.uid(), m.gid(), m.nlink()));
        if m.is_dir() {
            queue.extend(std::fs::read_dir(&path).expect("readdir").map(|entry| entry.expect("entry").path()));
        }
    }
    lines.sort();
    (lines, opened)
}

pub(super) fn limits(base: u64, ratio: u64) -> Limits {
    Limits { base, ratio, ..Limits::default() }
}
