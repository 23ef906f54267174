//! Section A of the catalogue of bad input through all doors: every hostile layer goes through `pull`, `load` and
//! `import`, and nothing outside changes. What each layer does inside is told by the tests of `storage::unpack`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::peer::Served;
use crate::harness::image::{ImageBuilder, Layer};
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
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o4777);
    header.set_size(size);
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name);
    old.linkname[..link.len()].copy_from_slice(link);
    header
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
    let deep = vec!["d"; 3000].join("/");
    cases.push(("a21 deep", Layer::new().file(&deep, 0o644, b"x"), Refused("exceeds")));
    cases.into_iter().map(|(name, layer, fate)| (name.to_owned(), layer, fate)).collect()
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

fn of(path: &Path) -> BTreeMap<String, String> {
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
    let before = of(&sentinel);
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
            assert_eq!(before, of(&sentinel), "{name}, {door}: the sentinel has changed");
            env.run(["rmi", "-fa"]).success();
        }
    }
    env.run(["system", "check"]).success();
}

/// A tree as a tar reader made it: path, kind, mode, size, link, first bytes.
fn tree(root: &Path, at: &Path, all: &mut BTreeMap<Vec<u8>, String>) {
    use std::os::unix::ffi::OsStrExt as _;
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let stat = std::fs::symlink_metadata(&path).unwrap();
        let link = std::fs::read_link(&path).unwrap_or_default();
        let content = if stat.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let mode = if stat.is_symlink() { 0 } else { stat.mode() };
        let mtime = if stat.is_dir() { 0 } else { stat.mtime() };
        let text = format!("{mode:o} {} {link:?} {mtime} {}", stat.len() * u64::from(stat.is_file()), content.len());
        let text = format!("{text} {}", crate::harness::image::sha256(&content));
        all.insert(path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), text);
        if stat.is_dir() {
            tree(root, &path, all);
        }
    }
}

/// A18, A19, A21: odd archives, as GNU tar unpacks them.
#[test]
fn our_reader_sees_what_gnu_tar_sees() {
    requires!(userns);
    let env = Env::new();
    let inner = Layer::new().file("smuggled", 0o644, b"evil").finish();
    let size = inner.len().to_string();
    let mut ustar = tar::Header::new_ustar();
    ustar.set_mode(0o644);
    ustar.set_size(0);
    ustar.as_old_mut().name[..1].copy_from_slice(b"s");
    let mut v7 = tar::Header::new_old();
    v7.set_mode(0o640);
    v7.set_mtime(5);
    v7.set_size(3);
    v7.as_old_mut().name[..3].copy_from_slice(b"old");
    let mut split = tar::Header::new_ustar();
    split.set_mode(0o600);
    split.set_size(1);
    split.set_path(format!("{}/{}", "p".repeat(120), "n".repeat(90))).unwrap();
    let mut pax_size = Layer::new();
    pax_size = pax_size.pax(&[("size", size.as_bytes())]).raw(ustar.clone(), &inner).file("after", 0o644, b"1");
    let globals = Layer::new().raw(header(tar::EntryType::XGlobalHeader, b"g", b"", 17), b"17 comment=hello\n");
    let archives: Vec<(&str, Vec<u8>)> = vec![
        ("a18 pax size", pax_size.finish()),
        ("a19 global header", globals.file("f", 0o644, b"x").finish()),
        ("a19 pax path wins", Layer::new().pax(&[("path", b"right")]).file("wrong", 0o644, b"x").finish()),
        ("a19 unknown record", Layer::new().pax(&[("VENDOR.x", b"y")]).file("f", 0o644, b"x").finish()),
        ("a19 pax mtime", Layer::new().pax(&[("mtime", b"1000000000.5")]).file("f", 0o644, b"x").finish()),
        ("a21 gnu long name", Layer::new().file(&format!("{}/f", "d".repeat(200)), 0o644, b"x").finish()),
        ("a21 gnu long link", Layer::new().symlink("l", &"t".repeat(300)).finish()),
        ("a21 ustar prefix", Layer::new().raw(split, b"x").finish()),
        ("a21 v7", Layer::new().raw(v7, b"old").finish()),
        ("a21 dot slash", Layer::new().dir("./a", 0o700).file("./a/./b", 0o644, b"x").finish()),
        ("a21 newline", named("n\nl").finish()),
        ("a21 not utf-8", Layer::new().raw(header(tar::EntryType::Regular, b"\xff\xfe", b"", 1), b"x").finish()),
        ("a20 same name twice", Layer::new().file("f", 0o644, b"one").file("f", 0o600, b"two!").finish()),
        ("hard links", Layer::new().file("a", 0o644, b"x").hardlink("b", "a").hardlink("c", "b").finish()),
        ("continuous", Layer::new().raw(header(tar::EntryType::Continuous, b"c", b"", 1), b"x").finish()),
    ];
    let env_tar = |path: &Path, into: &Path| {
        let arguments = ["-xpf", path.to_str().unwrap(), "--no-same-owner", "-C", into.to_str().unwrap()];
        env.other("tar").args(arguments).run().success();
    };
    for (at, (name, bytes)) in archives.into_iter().enumerate() {
        let (path, theirs) = (env.write("odd.tar", &bytes), env.path(&format!("gnu-{at}")));
        std::fs::create_dir(&theirs).unwrap();
        env_tar(&path, &theirs);
        env.run(["import", "-q", path.to_str().unwrap(), "odd:1"]).success();
        let layers = std::fs::read_dir(env.graphroot().join("layers")).unwrap();
        let ours = layers.map(|layer| layer.unwrap().path().join("diff")).next().unwrap();
        let (mut gnu, mut own) = (BTreeMap::new(), BTreeMap::new());
        tree(&theirs, &theirs, &mut gnu);
        tree(&ours, &ours, &mut own);
        assert_eq!(gnu, own, "{name}");
        env.run(["rmi", "-fa"]).success();
    }
    // GNU's own archives of a real tree, in every format that it writes.
    let real = env.path("real");
    std::fs::create_dir_all(real.join("sub").join("x".repeat(150))).unwrap();
    std::fs::write(real.join("sub/file"), vec![7; 10_000]).unwrap();
    std::fs::hard_link(real.join("sub/file"), real.join("link")).unwrap();
    std::os::unix::fs::symlink("s".repeat(120), real.join("sym")).unwrap();
    let holes = std::fs::File::create(real.join("holes")).unwrap();
    std::os::unix::fs::FileExt::write_at(&holes, b"x", 5 << 20).unwrap();
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        let path = env.path(&format!("real-{format}.tar"));
        let arguments = ["-cSf", path.to_str().unwrap(), "-C", real.to_str().unwrap(), "--format", format, "."];
        env.other("tar").args(arguments).run().success();
        env.run(["import", "-q", path.to_str().unwrap(), "odd:1"]).success();
        let layers = std::fs::read_dir(env.graphroot().join("layers")).unwrap();
        let ours = layers.map(|layer| layer.unwrap().path().join("diff")).next().unwrap();
        let (mut theirs, mut own) = (BTreeMap::new(), BTreeMap::new());
        tree(&real, &real, &mut theirs);
        tree(&ours, &ours, &mut own);
        assert_eq!(theirs, own, "{format}");
        env.run(["rmi", "-fa"]).success();
    }
}
