//! Odd archives (A17–A21), entry by entry as GNU tar unpacks them.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tar::EntryType;

use crate::harness::image::{Layer, raw_header, sha256};
use crate::harness::{Env, requires};

/// A tree as a tar reader made it: kind, mode, link, time, content, and which names are one file.
fn tree(root: &Path) -> BTreeMap<Vec<u8>, String> {
    let (mut all, mut first) = (BTreeMap::new(), BTreeMap::new());
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        let mut paths: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let stat = std::fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
            let text = if stat.is_dir() {
                todo.push(path.clone());
                format!("{:o}", stat.mode())
            } else {
                let link = std::fs::read_link(&path).unwrap_or_default();
                let readable = stat.is_file() && stat.mode() & 0o400 != 0;
                let content = if readable { std::fs::read(&path).unwrap() } else { Vec::new() };
                let length = stat.len() * u64::from(stat.is_file());
                // All names of a file, wherever they are, are told by the least of them.
                first
                    .entry(stat.ino())
                    .and_modify(|known: &mut Vec<u8>| *known = known.clone().min(name.clone()))
                    .or_insert_with(|| name.clone());
                let content = sha256(&content);
                format!(
                    "{:o} {link:?} {}.{} {length} {content} {}",
                    stat.mode(),
                    stat.mtime(),
                    stat.mtime_nsec(),
                    stat.nlink()
                )
            };
            all.insert(name, text);
        }
    }
    for (name, text) in &mut all {
        if let Ok(stat) = std::fs::symlink_metadata(root.join(std::ffi::OsStr::from_bytes(name)))
            && !stat.is_dir()
        {
            text.push_str(&format!(" is {}", first[&stat.ino()].escape_ascii()));
        }
    }
    all
}

/// The tree of an archive that is imported.
fn ours(env: &Env, archive: &Path, name: &str) -> BTreeMap<Vec<u8>, String> {
    let output = env.run(["import", "-q", archive.to_str().unwrap(), "odd:1"]);
    assert!(output.is_success(), "{name}: {output}");
    let layers = std::fs::read_dir(env.graphroot().join("layers")).unwrap();
    let tree = tree(&layers.map(|layer| layer.unwrap().path().join("diff")).next().unwrap());
    env.run(["rmi", "-fa"]).success();
    tree
}

/// The tree that GNU tar makes of it.
fn theirs(env: &Env, archive: &Path, into: &Path) -> BTreeMap<Vec<u8>, String> {
    std::fs::create_dir(into).unwrap();
    let arguments = ["-xpf", archive.to_str().unwrap(), "--no-same-owner", "-C", into.to_str().unwrap()];
    env.other("tar").args(arguments).run().success();
    tree(into)
}

fn header(kind: EntryType, name: &[u8], link: &[u8], size: u64) -> tar::Header {
    raw_header(kind, 0o644, name, link, size)
}

fn ustar(size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o640);
    header.set_size(size);
    header
}

/// Numbers that no field of octal digits holds.
fn base_256() -> Layer {
    let mut far = header(EntryType::Regular, b"far", b"", 1);
    // A time of 2^34 and an owner of 2^22, to the right of a byte 0x80; a size as base-256, too.
    far.as_old_mut().mtime = [0x80, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    far.as_old_mut().uid = [0x80, 0, 0, 0, 0, 0x40, 0, 0];
    far.as_old_mut().size = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let mut past = header(EntryType::Regular, b"past", b"", 0);
    // -1: one second before 1970.
    past.as_old_mut().mtime = [0xff; 12];
    Layer::new().raw(far, b"x").raw(past, b"").file("after", 0o644, b"y")
}

/// Headers that hold numbers and names in the ways of their time.
fn headers() -> Vec<(&'static str, Layer)> {
    let regular = EntryType::Regular;
    let mut v7 = tar::Header::new_old();
    v7.set_mode(0o640);
    v7.set_mtime(5);
    v7.set_size(3);
    v7.as_old_mut().name[..3].copy_from_slice(b"old");
    let mut v7_directory = tar::Header::new_old();
    v7_directory.set_mode(0o750);
    v7_directory.set_size(0);
    v7_directory.as_old_mut().linkflag = [0];
    v7_directory.as_old_mut().name[..4].copy_from_slice(b"dir/");
    let mut split = ustar(1);
    split.set_path(format!("{}/{}", "p".repeat(120), "n".repeat(90))).unwrap();
    let mut brim = ustar(1);
    brim.set_path(format!("{}/{}", "p".repeat(155), "n".repeat(100))).unwrap();
    // Octal numbers with blanks before and behind them, and without a NUL at the end.
    let mut blanks = header(regular, b"blanks", b"", 0);
    blanks.as_old_mut().size = *b"         2  ";
    blanks.as_old_mut().mode = *b"  0600 \0";
    blanks.as_old_mut().mtime = *b"00000001750 ";
    let mut brim_number = header(regular, b"full", b"", 0);
    brim_number.as_old_mut().size = *b"000000000002";
    vec![
        ("a21 v7", Layer::new().raw(v7, b"old")),
        ("a21 v7 directory", Layer::new().raw(v7_directory, b"").file("dir/f", 0o644, b"x")),
        ("a21 ustar prefix", Layer::new().raw(split, b"x")),
        ("a21 ustar prefix to the brim", Layer::new().raw(brim, b"x")),
        ("a21 name of 100 bytes without a NUL", Layer::new().raw(header(regular, &[b'n'; 100], b"", 1), b"x")),
        ("blanks around numbers", Layer::new().raw(blanks, b"xy").file("after", 0o644, b"z")),
        ("numbers to the brim", Layer::new().raw(brim_number, b"xy").file("after", 0o644, b"z")),
        ("a16 base-256", base_256()),
        ("continuous", Layer::new().raw(header(EntryType::Continuous, b"c", b"", 1), b"x")),
        ("fifo", Layer::new().raw(header(EntryType::Fifo, b"p", b"", 0), b"")),
        ("volume label", Layer::new().raw(header(EntryType::new(b'V'), b"label", b"", 0), b"").file("f", 0o600, b"x")),
        ("a21 not utf-8", Layer::new().raw(header(regular, b"\xff\xfe", b"", 1), b"x")),
        ("a21 newline", Layer::new().raw(header(regular, b"n\nl", b"", 1), b"x")),
        ("a21 dot slash", Layer::new().dir("./a", 0o700).file("./a/./b", 0o644, b"x")),
        ("a01 absolute", Layer::new().raw(header(regular, b"//abs//olute", b"", 1), b"x")),
        ("a21 gnu long name", Layer::new().file(&format!("{}/f", "d".repeat(200)), 0o644, b"x")),
        ("a21 gnu long link", Layer::new().symlink("l", &"t".repeat(300))),
        (
            "a21 gnu long names of both kinds, in the other order",
            Layer::new()
                .raw(header(EntryType::GNULongLink, b"././@LongLink", b"", 150), &[b't'; 150])
                .raw(header(EntryType::GNULongName, b"././@LongLink", b"", 150), &[b'n'; 150])
                .raw(header(EntryType::Symlink, b"short", b"short", 0), b""),
        ),
        ("no permission", Layer::new().file("f", 0, b"secret").dir("d", 0o555).file("d/f", 0o644, b"x")),
        ("a hard link says that it has content", {
            let link = header(EntryType::Link, b"b", b"a", 512);
            Layer::new().file("a", 0o644, b"x").raw(link, b"").file("after", 0o644, b"y")
        }),
    ]
}

/// Extended headers.
fn extended() -> Vec<(&'static str, Layer)> {
    let inner = Layer::new().file("smuggled", 0o644, b"evil").finish();
    let size = inner.len().to_string();
    let mut empty = ustar(0);
    empty.as_old_mut().name[..1].copy_from_slice(b"s");
    let global = |text: &[u8]| Layer::new().raw(header(EntryType::XGlobalHeader, b"g", b"", text.len() as u64), text);
    let long = "l".repeat(200);
    vec![
        ("a18 pax size", Layer::new().pax(&[("size", size.as_bytes())]).raw(empty, &inner).file("after", 0o644, b"1")),
        ("a19 global header", global(b"17 comment=hello\n").file("f", 0o644, b"x")),
        ("a19 two global headers", {
            let text = b"17 comment=again\n";
            let second = header(EntryType::XGlobalHeader, b"g", b"", text.len() as u64);
            global(b"17 comment=hello\n").file("f", 0o644, b"x").raw(second, text).file("h", 0o644, b"y")
        }),
        ("a19 pax path wins", Layer::new().pax(&[("path", b"right")]).file("wrong", 0o644, b"x")),
        ("a19 the last record wins", Layer::new().pax(&[("path", b"first"), ("path", b"last")]).file("f", 0o644, b"x")),
        (
            "a19 pax path of utf-8",
            Layer::new().pax(&[("path", "gr\u{fc}n/\u{1f600}".as_bytes())]).file("f", 0o644, b"x"),
        ),
        ("a19 pax link", Layer::new().pax(&[("linkpath", long.as_bytes())]).symlink("l", "short")),
        ("a19 unknown record", Layer::new().pax(&[("VENDOR.x", b"y")]).file("f", 0o644, b"x")),
        ("a19 pax mtime", Layer::new().pax(&[("mtime", b"1000000000.5")]).file("f", 0o644, b"x")),
        ("a19 pax mtime of nanoseconds", Layer::new().pax(&[("mtime", b"1.123456789")]).file("f", 0o644, b"x")),
        ("a19 pax mtime before 1970", Layer::new().pax(&[("mtime", b"-2")]).file("f", 0o644, b"x")),
        (
            "a19 pax header counts once",
            Layer::new().pax(&[("path", b"one")]).file("a", 0o644, b"").file("b", 0o644, b""),
        ),
    ]
}

/// Names that come more than once.
fn repeated() -> Vec<(&'static str, Layer)> {
    vec![
        ("a20 same name twice", Layer::new().file("f", 0o644, b"one").file("f", 0o600, b"two!")),
        ("a20 link, then file", Layer::new().file("t", 0o644, b"t").symlink("f", "t").file("f", 0o600, b"two!")),
        ("a20 file, then link", Layer::new().file("f", 0o644, b"one").symlink("f", "t")),
        ("a20 empty directory, then file", Layer::new().dir("d", 0o755).file("d", 0o644, b"x")),
        ("a20 directory twice", Layer::new().dir("d", 0o755).file("d/f", 0o644, b"x").dir("d", 0o700)),
        (
            "a20 one of two names is written anew",
            Layer::new().file("a", 0o644, b"x").hardlink("b", "a").file("a", 0o644, b"new"),
        ),
        ("hard links", Layer::new().file("a", 0o644, b"x").hardlink("b", "a").hardlink("c", "b")),
        ("a07 hard link to a link", Layer::new().symlink("a", "nowhere").hardlink("b", "a")),
        ("a07 hard link to a pipe", Layer::new().raw(header(EntryType::Fifo, b"p", b"", 0), b"").hardlink("q", "p")),
    ]
}

#[test]
fn our_reader_sees_what_gnu_tar_sees() {
    requires!(userns);
    let env = Env::new();
    for (at, (name, layer)) in headers().into_iter().chain(extended()).chain(repeated()).enumerate() {
        let path = env.write("odd.tar", layer.finish());
        let gnu = theirs(&env, &path, &env.path(&format!("gnu-{at}")));
        assert_eq!(gnu, ours(&env, &path, name), "{name}");
    }
}

/// Where an archive ends, and what is behind its end.
#[test]
fn a25_ends_are_where_gnu_tar_sees_them() {
    requires!(userns);
    let env = Env::new();
    let whole = || Layer::new().file("a", 0o644, b"one").file("b", 0o644, b"two").finish();
    let more = Layer::new().file("c", 0o644, b"three").finish();
    let open = whole().len() - 1024;
    let archives: Vec<(&str, Vec<u8>)> = vec![
        ("garbage behind the end", [&whole()[..], b"garbage"].concat()),
        ("another archive behind the end", [&whole()[..], &more].concat()),
        ("padded to 10 KiB", [&whole()[..], &vec![0; 10_240 - whole().len()]].concat()),
    ];
    for (at, (name, bytes)) in archives.into_iter().enumerate() {
        let path = env.write("odd.tar", &bytes);
        let gnu = theirs(&env, &path, &env.path(&format!("gnu-{at}")));
        assert_eq!(gnu, ours(&env, &path, name), "{name}");
        // The same in many members of gzip, cut anywhere.
        let gzip = |part: &[u8]| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gzip, part).unwrap();
            gzip.finish().unwrap()
        };
        let path = env.write("odd.tar.gz", bytes.chunks(300).flat_map(gzip).collect::<Vec<u8>>());
        assert_eq!(gnu, ours(&env, &path, name), "{name}, in members of gzip");
    }
    // Without any mark GNU tar believes what it has; we do not, where no digest says that it is all.
    for end in [open, open + 512] {
        let path = env.write("open.tar", &whole()[..end]);
        env.run(["import", "-q", path.to_str().unwrap(), "odd:1"]).code(125).stderr_has("no end mark");
    }
}

/// GNU's own archives of a real tree, in every format that it writes.
#[test]
fn archives_that_gnu_tar_makes() {
    requires!(userns);
    let env = Env::new();
    let real = env.path("real");
    std::fs::create_dir_all(real.join("sub").join("x".repeat(150))).unwrap();
    std::fs::write(real.join("sub/file"), vec![7; 10_000]).unwrap();
    std::fs::hard_link(real.join("sub/file"), real.join("link")).unwrap();
    std::os::unix::fs::symlink("s".repeat(120), real.join("sym")).unwrap();
    std::fs::hard_link(real.join("sym"), real.join("sym2")).unwrap();
    let holes = std::fs::File::create(real.join("holes")).unwrap();
    holes.write_at(b"x", 5 << 20).unwrap();
    // More runs than one header and one block behind it hold, and a hole at the end.
    let many = std::fs::File::create(real.join("many")).unwrap();
    for run in 0..60 {
        many.write_at(b"run", run * 65_536 + 4096).unwrap();
    }
    many.set_len(8 << 20).unwrap();
    std::fs::File::create(real.join("nothing but a hole")).unwrap().set_len(1 << 20).unwrap();
    std::fs::write(real.join("readonly"), b"x").unwrap();
    std::fs::set_permissions(real.join("readonly"), std::fs::Permissions::from_mode(0o4444)).unwrap();
    let expected = tree(&real);
    let gnu = |name: &str, flags: &[&str]| {
        let path = env.path(&format!("real-{}.tar", name.replace(' ', "-")));
        let common = ["-cf", path.to_str().unwrap(), "-C", real.to_str().unwrap(), "."];
        env.other("tar").args([flags, &common].concat()).run().success();
        assert_eq!(whole_seconds(&expected), whole_seconds(&ours(&env, &path, name)), "{name}");
    };
    gnu("gnu", &["--format=gnu"]);
    gnu("old gnu", &["--format=oldgnu"]);
    gnu("pax", &["--format=pax"]);
    gnu("posix without times", &["--format=posix", "--pax-option=delete=atime,delete=ctime"]);
    gnu("pax with global records", &["--format=pax", "--pax-option=globexthdr.name=g,comment=hello"]);
    gnu("sparse of old gnu", &["-S", "--format=gnu"]);
    for version in ["0.0", "0.1", "1.0"] {
        gnu(&format!("sparse {version}"), &["-S", "--format=pax", "--sparse-version", version]);
    }
    gnu("sorted, with a label", &["--sort=name", "-V", "label", "--format=gnu"]);
    gnu("blocks of another size", &["-b", "1", "--format=gnu"]);
    // v7 and ustar have no place for names and links as long as these.
    std::fs::remove_dir_all(real.join("sub").join("x".repeat(150))).unwrap();
    for long in ["sym", "sym2"] {
        std::fs::remove_file(real.join(long)).unwrap();
    }
    let expected = tree(&real);
    for format in ["v7", "ustar"] {
        let path = env.path(&format!("real-{format}.tar"));
        let arguments = ["-cf", path.to_str().unwrap(), "-C", real.to_str().unwrap(), "--format", format, "."];
        env.other("tar").args(arguments).run().success();
        assert_eq!(whole_seconds(&expected), whole_seconds(&ours(&env, &path, format)), "{format}");
    }
}

/// Formats without extended headers know no parts of a second.
fn whole_seconds(tree: &BTreeMap<Vec<u8>, String>) -> BTreeMap<&Vec<u8>, String> {
    let whole = |word: &str| match word.split_once('.') {
        Some((seconds, rest)) if rest.chars().all(|c| c.is_ascii_digit()) => seconds.to_owned(),
        _ => word.to_owned(),
    };
    tree.iter().map(|(name, text)| (name, text.split(' ').map(whole).collect::<Vec<_>>().join(" "))).collect()
}
