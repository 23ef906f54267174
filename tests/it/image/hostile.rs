//! Section A of the catalogue of bad input through all doors: every hostile layer goes through `pull`, `load` and
//! `import`, and nothing outside changes. What each layer does inside is told by the tests of `storage::unpack`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::peer::Served;
use crate::harness::image::{ImageBuilder, Layer, raw_header};
use crate::harness::{Env, requires};

/// What comes of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is refused, and says why.
    Refused(&'static str),
    Taken,
}

use Fate::{Refused, Taken};

fn header(kind: tar::EntryType, name: &[u8], link: &[u8], size: u64) -> tar::Header {
    raw_header(kind, 0o4777, name, link, size)
}

fn named(name: &str) -> Layer {
    Layer::new().raw(header(tar::EntryType::Regular, name.as_bytes(), b"", 1), b"x")
}

/// Name, layer and fate. `s` is the sentinel's path.
fn cases(s: &str) -> Vec<(String, Layer, Fate)> {
    let file = tar::EntryType::Regular;
    let mut cases: Vec<(&str, Layer, Fate)> = vec![
        ("a01 absolute", named(&format!("{s}/f")), Taken),
        ("a01 double slash", named("//etc/x"), Taken),
        ("a02 dotdot", named("../x"), Refused("..")),
        ("a02 hidden dotdot", named("a/../../x"), Refused("..")),
        ("a03 write through", Layer::new().symlink("d", s).file("d/f", 0o644, b"evil"), Taken),
        ("a03 far up", Layer::new().symlink("d", "../../../../../../../..").file("d/f", 0o644, b"evil"), Taken),
        ("a04 directory on a link", Layer::new().symlink("d", s).dir("d", 0o777), Taken),
        ("a05 metadata on a link", Layer::new().symlink("d", s).raw(header(file, b"d", b"", 0), b""), Taken),
        ("a06 hard link out", Layer::new().hardlink("h", &format!("{s}/f")), Refused("not in this layer")),
        ("a06 hard link up", Layer::new().raw(header(tar::EntryType::Link, b"h", b"../../f", 0), b""), Refused("..")),
        (
            "a06 hard link through a link",
            Layer::new().symlink("d", s).hardlink("h", "d/f"),
            Refused("not in this layer"),
        ),
        ("a07 hard link to itself", Layer::new().hardlink("h", "h"), Refused("")),
        ("a08 whiteout of nothing", named(".wh."), Refused("whiteout")),
        ("a08 whiteout of dot", named(".wh.."), Refused("whiteout")),
        ("a08 whiteout of dotdot", named(".wh..."), Refused("whiteout")),
        ("a09 whiteout through a link", Layer::new().symlink("d", s).whiteout("d/f"), Taken),
        ("a10 opaque through a link", Layer::new().symlink("d", s).opaque("d"), Taken),
        ("a11 aufs leftovers", Layer::new().dir(".wh..wh.plnk", 0o700).file(".wh..wh.aufs", 0o644, b""), Taken),
        (
            "a12 overlay attributes",
            Layer::new().pax(&[("SCHILY.xattr.user.overlay.redirect", b"/..")]).dir("d", 0o755),
            Taken,
        ),
        ("a13 device", Layer::new().raw(header(tar::EntryType::Block, b"dev/sda", b"", 0), b""), Taken),
        (
            "a13 device 0:0 on a name of the same layer",
            Layer::new().file("kept", 0o644, b"x").raw(header(tar::EntryType::Char, b"kept", b"", 0), b""),
            Taken,
        ),
        ("a13 unknown kind", Layer::new().raw(header(tar::EntryType::new(b'Z'), b"z", b"", 1), b"x"), Taken),
        ("a14 set-id", Layer::new().file("su", 0o6755, b"x"), Taken),
        ("a15 attributes", Layer::new().pax(&[("SCHILY.xattr.security.ima", b"x")]).file("f", 0o644, b"x"), Taken),
        ("a16 far id", Layer::new().owned("f", 0o644, 4_000_000_000, 70_000, b"x"), Taken),
        (
            "a17 sparse bomb",
            Layer::new()
                .pax(&[
                    ("GNU.sparse.major", b"1"),
                    ("GNU.sparse.minor", b"0"),
                    ("GNU.sparse.name", b"big"),
                    ("GNU.sparse.realsize", b"9223372036854775807"),
                ])
                .file("f", 0o644, b"1\n0\n9223372036854775807\n"),
            Refused(""),
        ),
        ("a19 bad record", Layer::new().raw(header(tar::EntryType::XHeader, b"x", b"", 4), b"9 a\n"), Refused("")),
        (
            "a20 flips",
            Layer::new().file("f", 0o644, b"x").dir("f", 0o755).symlink("f", s).file("f/f", 0o644, b"y"),
            Taken,
        ),
        ("a21 long name", Layer::new().file(&"n".repeat(256), 0o644, b"x"), Refused("")),
        ("a21 escapes", named("a\n\u{1b}[31m"), Taken),
        ("a22 root is a link", Layer::new().symlink("./", s).file("f", 0o644, b"x"), Refused("root")),
        ("a22 root is a file", named("."), Refused("root")),
    ];
    cases.extend(sizes());
    let deep = vec!["d"; 3000].join("/");
    cases.push(("a21 deep", Layer::new().file(&deep, 0o644, b"x"), Refused("exceeds")));
    cases.into_iter().map(|(name, layer, fate)| (name.to_owned(), layer, fate)).collect()
}

/// Headers that say other sizes than there are.
fn sizes() -> [(&'static str, Layer, Fate); 2] {
    [
        (
            "a17 old sparse file of many runs",
            {
                let mut sparse = header(tar::EntryType::GNUSparse, b"big", b"", 0);
                let block = sparse.as_mut_bytes();
                block[386..397].copy_from_slice(b"00000000001");
                block[398..409].copy_from_slice(b"00000000001");
                // More runs follow, and the file has 8 GiB less one byte.
                block[482] = 1;
                block[483..494].copy_from_slice(b"77777777777");
                let mut runs = [0; 512];
                for slot in 0..21 {
                    runs[slot * 24..slot * 24 + 11].copy_from_slice(b"00000000001");
                    runs[slot * 24 + 12..slot * 24 + 23].copy_from_slice(b"00000000001");
                }
                runs[504] = 1;
                Layer::new().raw(sparse, &runs.repeat(10_000))
            },
            Refused(""),
        ),
        (
            "a18 an archive in a file",
            {
                let inner = Layer::new().raw(header(tar::EntryType::Regular, b"../smuggled", b"", 0), b"").finish();
                let size = inner.len().to_string();
                let records = [("size", size.as_bytes())];
                Layer::new()
                    .pax(&records)
                    .raw(header(tar::EntryType::Regular, b"outer", b"", 0), &inner)
                    .file("after", 0o644, b"x")
            },
            Taken,
        ),
    ]
}

/// Everything that a tree is, and when it was touched.
fn fingerprint(path: &Path, all: &mut BTreeMap<String, String>) {
    let stat = std::fs::symlink_metadata(path).unwrap();
    let content = if stat.is_file() { std::fs::read(path).unwrap() } else { Vec::new() };
    let times = (stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec());
    let text = format!("{:o} {} {} {} {times:?} {content:?}", stat.mode(), stat.uid(), stat.gid(), stat.nlink());
    all.insert(path.display().to_string(), text);
    if stat.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            fingerprint(&entry.unwrap().path(), all);
        }
    }
}

pub(super) fn tree_of(path: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    fingerprint(path, &mut all);
    all
}

#[test]
fn section_a_through_all_doors() {
    requires!(userns, subids);
    let env = Env::new();
    let sentinel = env.path("sentinel");
    std::fs::create_dir_all(sentinel.join("sub")).unwrap();
    std::fs::write(sentinel.join("f"), "untouched").unwrap();
    std::os::unix::fs::symlink("f", sentinel.join("link")).unwrap();
    let before = tree_of(&sentinel);
    for (name, layer, fate) in cases(sentinel.to_str().unwrap()) {
        let tar = layer.finish();
        let image = ImageBuilder::scratch().layer_tar(tar.clone());
        let archive = env.path("archive.tar");
        image.docker_archive(&archive, "evil:1");
        let peer = Served::new(&image).start();
        let plain = env.write("layer.tar", &tar);
        let doors: [(&str, Vec<String>); 3] = [
            ("load", vec!["load".into(), "-q".into(), "-i".into(), archive.display().to_string()]),
            ("pull", vec!["pull".into(), "-q".into(), "--tls-verify=false".into(), peer.name()]),
            ("import", vec!["import".into(), "-q".into(), plain.display().to_string()]),
        ];
        for (door, arguments) in doors {
            let output = env.run(&arguments);
            match fate {
                Taken => assert!(output.is_success(), "{name}, {door}: {output}"),
                Refused(why) => {
                    assert_eq!(output.exit_code(), Some(125), "{name}, {door}: {output}");
                    assert!(output.stderr().contains(why), "{name}, {door}: {output}");
                    assert_eq!(output.stderr().lines().count(), 1, "{name}, {door}: {output}");
                    let left = std::fs::read_dir(env.graphroot().join("staging")).unwrap().count();
                    assert_eq!(left, 0, "{name}, {door}: something is left in staging");
                }
            }
            assert!(!output.stderr().contains("panicked"), "{name}, {door}: {output}");
            assert_eq!(before, tree_of(&sentinel), "{name}, {door}: the sentinel has changed");
            env.run(["rmi", "-fa"]).success();
        }
    }
    env.run(["system", "check"]).success();
}
